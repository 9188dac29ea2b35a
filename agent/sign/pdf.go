package sign

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"motcua/ocr/pdf"
	"motcua/ocr/pdfa"
)

// stampRoom is how many bytes a time stamp may take in the file: with its authority's certificates one comes to four to seven thousand.
const stampRoom = 18_000

// room is how many bytes the signature may take in the file. All but the stamp is known beforehand: the file holds each byte of it
// twice, in hexadecimal, and cannot pack it.
func (s *Signer) room() (int, error) {
	c := s.Key.Certificate()
	attributes, err := signedAttributes(make([]byte, sha256.Size), c)
	if err != nil {
		return 0, err
	}
	var value, stamp []byte
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		value = make([]byte, k.Size())
	case *ecdsa.PublicKey:
		const heads = 16 // bytes, at most, about and in front of its two numbers (RFC 3279, 2.2.3)
		value = make([]byte, 2*((k.Params().BitSize+7)/8)+heads)
	default:
		return 0, failed(NotSignable, nil, "The certificate's key is of a kind that cannot sign here: RSA or elliptic curve.")
	}
	if s.TSA != nil {
		// An OCTET STRING, as cms puts in what is DER already.
		if stamp, err = asn1.Marshal(make([]byte, stampRoom)); err != nil {
			return 0, fmt.Errorf("make signature: %w", err)
		}
	}
	all, err := cms(attributes, value, c, s.Key.Chain(), stamp)
	return len(all), err
}

// Sign reads a PDF and writes it signed: the bytes as they are, and behind them one more part. Nothing is written before the
// signature is there.
func (s *Signer) Sign(ctx context.Context, pdf []byte, to io.Writer) error {
	if err := s.Check(); err != nil {
		return err
	}
	d, err := open(pdf)
	if err != nil {
		return failed(NotSignable, err, "This PDF cannot be signed here: make it anew with motcua pdf.")
	}
	part, err := s.part(d)
	if err != nil {
		return err
	}
	digest := sha256.New()
	digest.Write(pdf)
	digest.Write(part.before())
	digest.Write(part.behind())
	signature, err := s.signature(ctx, digest.Sum(nil))
	if err != nil {
		return err
	}
	if 2*len(signature) > part.end-part.start-2 {
		return failed(NotSignable, nil, "The signature is longer than the file has room for: the time stamp is too long.")
	}
	hex.Encode(part.bytes[part.start+1:], signature)
	for _, b := range [][]byte{pdf, part.bytes} {
		if _, err := to.Write(b); err != nil {
			return fmt.Errorf("write signed PDF: %w", err)
		}
	}
	return nil
}

// document is what has to be known of a PDF to add to it.
type document struct {
	data    []byte
	ctx     *model.Context
	last    int64 // where its cross-reference table begins
	page    types.Dict
	pageRef types.IndirectRef
	box     *types.Rectangle
}

var lastTable = regexp.MustCompile(`startxref\s+(\d+)\s+%%EOF\s*$`)

func open(pdf []byte) (d *document, err error) {
	defer func() {
		if recover() != nil { // pdfcpu on odd files
			d, err = nil, errors.New("the file's structure is damaged")
		}
	}()
	api.DisableConfigDir()
	m := lastTable.FindSubmatch(pdf[max(0, len(pdf)-1024):])
	if m == nil {
		return nil, errors.New("the file has no end")
	}
	d = &document{data: pdf}
	if d.last, err = strconv.ParseInt(string(m[1]), 10, 64); err != nil || d.last >= int64(len(pdf)) ||
		!bytes.HasPrefix(pdf[d.last:], []byte("xref")) {
		return nil, errors.New("its cross-reference table is not a plain one")
	}
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	if d.ctx, err = api.ReadContext(bytes.NewReader(pdf), conf); err != nil {
		return nil, err
	}
	if err := d.ctx.EnsurePageCount(); err != nil {
		return nil, err
	}
	page, ref, inherited, err := d.ctx.PageDict(1, false)
	if err != nil {
		return nil, err
	}
	if page == nil || ref == nil || inherited == nil || inherited.MediaBox == nil || d.ctx.Root == nil || d.ctx.Size == nil {
		return nil, errors.New("it has no first page")
	}
	d.page, d.pageRef, d.box = page, *ref, inherited.MediaBox
	return d, nil
}

// part is what is written behind a file. start and end are where the signature stands in it, brackets included.
type part struct {
	bytes      []byte
	start, end int
}

func (p part) before() []byte { return p.bytes[:p.start] }
func (p part) behind() []byte { return p.bytes[p.end:] }

// update collects changed and new objects.
type update struct {
	objects map[int][]byte
	next    int
}

func (u *update) add(body []byte) int {
	n := u.next
	u.next++
	u.objects[n] = body
	return n
}

// draw adds to a page's content what is to be drawn in the page's first state, whatever state its own content leaves.
func (u *update) draw(ctx *model.Context, page types.Dict, content string) {
	var own types.Array
	if shown, found := page.Find("Contents"); found {
		own = types.Array{shown}
		if parts, err := ctx.Dereference(shown); err == nil {
			if a, several := parts.(types.Array); several {
				own = slices.Clone(a)
			}
		}
	}
	opens, closes := pdf.Balance(pdf.ContentOf(ctx, own))
	stream := func(text string) types.Object {
		return *types.NewIndirectRef(u.add(pdfa.Stream("", []byte(text))), 0)
	}
	page["Contents"] = append(append(types.Array{stream(opens)}, own...), stream(closes+"\n"+content))
}

// part makes the objects of a signature with a place for it.
func (s *Signer) part(d *document) (part, error) {
	u := &update{objects: map[int][]byte{}, next: *d.ctx.Size}
	now := s.Now()
	room, err := s.room()
	if err != nil {
		return part{}, err
	}
	value := u.add(s.dictionary(now, room))
	rect, look, err := s.look(u, d, now)
	if err != nil {
		return part{}, err
	}
	fields, err := d.fields()
	if err != nil {
		return part{}, failed(NotSignable, err, "This PDF cannot be signed here: make it anew with motcua pdf.")
	}
	// Flags: printed and locked.
	field := u.add(fmt.Appendf(nil, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature%d) /V %d 0 R /F 132 /P %s /Rect [%s] /AP << "+
		"/N %d 0 R >> >>",
		len(fields)+1, value, d.pageRef.PDFString(), rect, look))
	ref := *types.NewIndirectRef(field, 0)
	annots, err := d.array(d.page, "Annots")
	if err != nil {
		return part{}, failed(NotSignable, err, "This PDF cannot be signed here: make it anew with motcua pdf.")
	}
	page := d.page.Clone().(types.Dict)
	page["Annots"] = append(annots, ref)
	page["MediaBox"] = d.box.Array()
	if s.Mark.Number != "" {
		drawn, err := s.Mark.code(sha256.Sum256(d.data), d.box)
		if err != nil {
			return part{}, err
		}
		u.draw(d.ctx, page, drawn)
	}
	u.objects[d.pageRef.ObjectNumber.Value()] = []byte(page.PDFString())
	root, err := d.ctx.Catalog()
	if err != nil {
		return part{}, failed(NotSignable, err, "This PDF cannot be signed here: make it anew with motcua pdf.")
	}
	catalog := root.Clone().(types.Dict)
	form := types.Dict{"Fields": append(fields, ref), "SigFlags": types.Integer(3)}
	catalog["AcroForm"] = form
	u.objects[d.ctx.Root.ObjectNumber.Value()] = []byte(catalog.PDFString())
	return u.written(d, value, room)
}

// Places of a fixed width, filled in when the rest is known.
const rangePlace = "[0 0000000000 0000000000 0000000000]"

// dictionary is the signature's own (ISO 32000-1, 12.8.1; EN 319 142-1, clause 5.3).
func (s *Signer) dictionary(now time.Time, room int) []byte {
	at := now.In(Hanoi).Format("20060102150405") + "+07'00'"
	var b bytes.Buffer
	fmt.Fprintf(&b, "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (D:%s) /Name %s", at,
		pdfText(s.Key.Certificate().Subject.CommonName))
	if s.Mark.Form != "" {
		fmt.Fprintf(&b, " /Reason %s", pdfText(s.Mark.Form))
	}
	fmt.Fprintf(&b, " /ByteRange %s /Contents <", rangePlace)
	b.Write(bytes.Repeat([]byte("0"), 2*room))
	b.WriteString("> >>")
	return b.Bytes()
}

func pdfText(s string) string {
	var b bytes.Buffer
	b.WriteString("<FEFF")
	for _, c := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", c)
	}
	b.WriteString(">")
	return b.String()
}

// A page that is smaller than this, in points, has no room for a mark: it is made larger about the paper (A5).
const smallPage = 400

// look draws the mark, or nothing where none is to be seen, and makes room for it on page 1.
func (s *Signer) look(u *update, d *document, now time.Time) (rect string, object int, err error) {
	if s.Mark.Form == "" {
		return "0 0 0 0", u.add([]byte("<< /Type /XObject /Subtype /Form /BBox [0 0 0 0] /Resources << >> /Length 0 >>\nstream\n\nendstream")),
			nil
	}
	a, err := s.Mark.draw(now)
	if err != nil {
		return "", 0, err
	}
	first := u.next
	for _, body := range a.font.Objects(first) {
		u.add(body)
	}
	look := u.add(pdfa.Stream(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 %.2f %.2f] /Resources << /Font << /F %d 0 R >> >>",
		a.width, a.height, first), []byte(a.content)))
	if d.box.Height() < smallPage && d.box.Width() < 1.5*smallPage {
		box := *d.box
		box.UR.Y += max(a.height, codeSide) + markMargin
		box.UR.X = max(box.UR.X, box.LL.X+codeSide+a.width+3*markMargin)
		d.box = &box
	}
	x, y := d.box.UR.X-markMargin-a.width, d.box.UR.Y-markMargin/2-a.height
	return fmt.Sprintf("%.2f %.2f %.2f %.2f", x, y, x+a.width, y+a.height), look, nil
}

// fields are the form fields that are there already: earlier signatures.
func (d *document) fields() (types.Array, error) {
	root, err := d.ctx.Catalog()
	if err != nil {
		return nil, err
	}
	o, found := root.Find("AcroForm")
	if !found {
		return nil, nil
	}
	form, err := d.ctx.DereferenceDict(o)
	if err != nil || form == nil {
		return nil, err
	}
	return d.array(form, "Fields")
}

// array is a copy of an array in a dictionary, which may stand elsewhere.
func (d *document) array(in types.Dict, key string) (types.Array, error) {
	o, found := in.Find(key)
	if !found {
		return nil, nil
	}
	a, err := d.ctx.DereferenceArray(o)
	return slices.Clone(a), err
}

// written lays the objects out, with their table and trailer, and fills in what the signature covers.
func (u *update) written(d *document, value, room int) (part, error) {
	var b bytes.Buffer
	base := len(d.data)
	if !bytes.HasSuffix(d.data, []byte("\n")) {
		b.WriteByte('\n')
	}
	at := map[int]int{}
	var p part
	numbers := make([]int, 0, len(u.objects))
	for n := range u.objects {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		at[n] = base + b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n", n)
		if n == value {
			p.start = b.Len() + bytes.Index(u.objects[n], []byte("/Contents <")) + len("/Contents ")
			p.end = p.start + 2*room + 2
		}
		b.Write(u.objects[n])
		b.WriteString("\nendobj\n")
	}
	table := base + b.Len()
	b.WriteString("xref\n")
	for i := 0; i < len(numbers); {
		j := i
		for j < len(numbers) && numbers[j] == numbers[i]+j-i {
			j++
		}
		fmt.Fprintf(&b, "%d %d\n", numbers[i], j-i)
		for _, n := range numbers[i:j] {
			fmt.Fprintf(&b, "%010d 00000 n \n", at[n])
		}
		i = j
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root %s", u.next, d.ctx.Root.PDFString())
	if d.ctx.Info != nil {
		fmt.Fprintf(&b, " /Info %s", d.ctx.Info.PDFString())
	}
	sum := sha256.Sum256(b.Bytes())
	first := fmt.Sprintf("<%X>", sum[:16])
	if len(d.ctx.ID) == 2 {
		first = d.ctx.ID[0].PDFString()
	}
	fmt.Fprintf(&b, " /ID [%s <%X>] /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", first, sum[:16], d.last, table)
	p.bytes = b.Bytes()
	covers := fmt.Sprintf("[0 %010d %010d %010d]", base+p.start, base+p.end, len(p.bytes)-p.end)
	i := bytes.Index(p.bytes, []byte(rangePlace))
	if i < 0 || len(covers) != len(rangePlace) {
		return part{}, errors.New("sign: the file is too large")
	}
	copy(p.bytes[i:], covers)
	return p, nil
}
