package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"regexp"
	"strconv"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// ErrActive says that a PDF carries what is run and not looked at: a script, or an order to start a program, or that its pages are
// drawn by a program from a form (XFA with NeedsRendering, ISO 32000-1, 12.7.8: in the file is one page that says to wait). No paper
// has that. Nothing here would run it, but the file goes on to the office as it is.
var ErrActive = errors.New("PDF carries scripts or starts programs")

// orders are the names of actions and annotations that run something (ISO 32000-1, 12.6.4 and 13; JS is a script's own key).
var orders = map[string]bool{"JavaScript": true, "JS": true, "Launch": true, "ImportData": true, "RichMedia": true}

// order finds such a name in the text of objects.
var order = regexp.MustCompile(`/(JavaScript|JS|Launch|ImportData|RichMedia)(?:[\x00\s/<>(\[\]{}%]|$)`)

// active looks for orders: in the objects as pdfcpu read them, which opens compressed ones, and in the text of the
// file, because another reader may take for the file's own what pdfcpu passes over.
func active(data []byte, ctx *model.Context) bool {
	if ctx != nil {
		for _, e := range ctx.Table {
			if e != nil && ordersIn(e.Object, 0) {
				return true
			}
		}
	}
	return ordered(data)
}

// deepest is how many objects may lie in one another before no more is looked at: real ones have fewer than ten.
const deepest = 50

func ordersIn(o types.Object, depth int) bool {
	if depth > deepest {
		return true // nobody writes that
	}
	var dict types.Dict
	switch o := o.(type) {
	case types.Dict:
		dict = o
	case types.StreamDict:
		dict = o.Dict
	case *types.StreamDict:
		if o != nil {
			dict = o.Dict
		}
	case types.Array:
		for _, e := range o {
			if ordersIn(e, depth+1) {
				return true
			}
		}
	}
	for key, value := range dict {
		if key == "JS" || key == "JavaScript" {
			return true
		}
		if drawn, is := value.(types.Boolean); is && bool(drawn) && key == "NeedsRendering" {
			return true
		}
		if name, is := value.(types.Name); is && (key == "S" || key == "Subtype") && orders[string(name)] {
			return true
		}
		if ordersIn(value, depth+1) {
			return true
		}
	}
	return false
}

// ordered looks for orders in the text of a file, outside its streams.
func ordered(data []byte) bool {
	for {
		i := bytes.Index(data, []byte("stream"))
		text := data
		if i >= 0 {
			text = data[:i]
		}
		if order.Match(spelled(text)) {
			return true
		}
		if i < 0 {
			return false
		}
		if packedObjects(text, data[i+len("stream"):]) {
			return true
		}
		end := bytes.Index(data[i:], []byte("endstream"))
		if end < 0 {
			return false
		}
		data = data[i+end+len("endstream"):]
	}
}

// packedObjects looks for orders in a stream of objects, whose dictionary ends text.
func packedObjects(text, rest []byte) bool {
	head := text[max(0, bytes.LastIndex(text, []byte("obj"))):]
	if !bytes.Contains(spelled(head), []byte("/ObjStm")) {
		return false
	}
	z, err := zlib.NewReader(bytes.NewReader(bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte("\r")), []byte("\n"))))
	if err != nil {
		return false
	}
	const most = 16 << 20 // objects of real files have some hundred kilobytes
	objects, _ := io.ReadAll(io.LimitReader(z, most))
	return order.Match(spelled(objects))
}

var escaped = regexp.MustCompile(`#[0-9A-Fa-f]{2}`)

// spelled writes the escapes of names out: /J#53 is /JS (ISO 32000-1, 7.3.5).
func spelled(text []byte) []byte {
	if !bytes.Contains(text, []byte("#")) {
		return text
	}
	return escaped.ReplaceAllFunc(text, func(e []byte) []byte {
		v, err := strconv.ParseUint(string(e[1:]), 16, 8)
		if err != nil {
			return e
		}
		return []byte{byte(v)}
	})
}
