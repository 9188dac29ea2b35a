package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"regexp"
)

// ErrBomb says that a part of the file unpacks to far more than any page needs.
var ErrBomb = errors.New("PDF unpacks to more than a page can hold")

const (
	// mostUnpacked bounds one stream that is no picture, in bytes. The largest drawings in real files have some ten million.
	mostUnpacked = 100 << 20
	// deflateRatio is how many bytes one byte of DEFLATE can become at most (zlib's own documentation).
	deflateRatio = 1032
)

var (
	flate    = regexp.MustCompile(`/(FlateDecode|Fl)\b`)
	aPicture = regexp.MustCompile(`/Subtype\s*/Image\b`)
)

// bomb looks for streams that unpack to more than mostUnpacked, before any parser unpacks them whole. It unpacks only what
// could be that large, in constant memory. It sees streams whose filters are named in place; what hides better meets
// the worker's bound on memory.
func bomb(data []byte) bool {
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("stream"))
		if i < 0 {
			return false
		}
		i += at
		at = i + len("stream")
		if bytes.HasSuffix(data[:i], []byte("end")) {
			continue
		}
		head := data[max(0, i-2048):i]
		if o := bytes.LastIndex(head, []byte("obj")); o >= 0 {
			head = head[o:]
		}
		body := bytes.TrimPrefix(bytes.TrimPrefix(data[at:], []byte("\r")), []byte("\n"))
		if end := bytes.Index(body, []byte("endstream")); end >= 0 {
			body = body[:end]
		}
		layers := len(flate.FindAll(head, -1))
		most := int64(len(body))
		for range layers {
			most = min(most*deflateRatio, mostUnpacked*deflateRatio)
		}
		// A picture is unpacked row by row into the pixels it says it has.
		if most > mostUnpacked && (layers > 1 || !aPicture.Match(head)) && unpacked(body, layers) > mostUnpacked {
			return true
		}
	}
}

// unpacked counts what layers of DEFLATE give, up to a little over mostUnpacked.
func unpacked(body []byte, layers int) int64 {
	var r io.Reader = bytes.NewReader(body)
	for range layers {
		z, err := zlib.NewReader(r)
		if err != nil {
			return 0
		}
		r = io.LimitReader(z, mostUnpacked+1)
	}
	n, _ := io.Copy(io.Discard, r) // what is damaged further on counts as far as it goes
	return n
}
