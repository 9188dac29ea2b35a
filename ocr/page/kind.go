package page

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"motcua/ocr/bmp"
)

// Kind of file, by content.
type Kind string

// The kinds that can be opened.
const (
	JPEG     Kind = "jpeg"
	PNG      Kind = "png"
	TIFF     Kind = "tiff"
	BMP      Kind = "bmp"
	WebP     Kind = "webp"
	GIF      Kind = "gif"
	HEIC     Kind = "heic"
	AVIF     Kind = "avif"
	JPEG2000 Kind = "jpeg2000"
	PDF      Kind = "pdf"
)

// format is what the rest of the house needs to know of a kind of file.
type format struct {
	kind      Kind
	media     string
	extension string
	is        func(head) bool
}

// head is the beginning of a file.
type head []byte

func (h head) has(at int, s string) bool { return len(h) >= at+len(s) && string(h[at:at+len(s)]) == s }

// brand says whether an ISO base media file is of a brand, first or among the compatible ones (ISO 14496-12, 4.3).
func (h head) brand(names ...string) bool {
	if !h.has(4, "ftyp") || len(h) < 16 {
		return false
	}
	end := min(int(binary.BigEndian.Uint32(h)), len(h))
	for i := 8; i+4 <= end; i += 4 {
		if i != 12 && slices.Contains(names, string(h[i:i+4])) { // at 12 stands the version
			return true
		}
	}
	return false
}

// formats is the one list of files that are taken: by recognition, at the screen and on the command line.
var formats = []format{
	{JPEG, "image/jpeg", ".jpg", func(h head) bool { return h.has(0, "\xFF\xD8\xFF") }},
	{PNG, "image/png", ".png", func(h head) bool { return h.has(0, "\x89PNG\r\n\x1a\n") }},
	{TIFF, "image/tiff", ".tiff", func(h head) bool {
		return h.has(0, "II*\x00") || h.has(0, "MM\x00*") || h.has(0, "II+\x00") || h.has(0, "MM\x00+") // TIFF, BigTIFF
	}},
	{BMP, "image/bmp", ".bmp", func(h head) bool { return bmp.Is(h) }},
	{WebP, "image/webp", ".webp", func(h head) bool { return h.has(0, "RIFF") && h.has(8, "WEBP") }},
	{GIF, "image/gif", ".gif", func(h head) bool { return h.has(0, "GIF8") }},
	{AVIF, "image/avif", ".avif", func(h head) bool { return h.brand("avif", "avis") }},
	{HEIC, "image/heic", ".heic", func(h head) bool { return h.brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1") }},
	{JPEG2000, "image/jp2", ".jp2", func(h head) bool { return h.has(0, "\x00\x00\x00\x0CjP  \r\n\x87\n") || h.has(0, "\xFF\x4F\xFF\x51") }},
	{PDF, "application/pdf", ".pdf", func(h head) bool { return bytes.Contains(h, []byte("%PDF-")) && !h.foreign() }},
}

// mark is where in a file stands what tells its kind.
type mark struct {
	at   int
	text string
}

// foreign are the marks of files that are none of formats: what else the linked MuPDF opens, archives, what offices write,
// programs. The marks are those that MuPDF and go-fitz go by (their recognisers of documents), and file(1)'s.
var foreign = []mark{
	{0, "PK\x03\x04"}, {0, "PK\x05\x06"}, {0, "PK\x07\x08"}, // XPS, EPUB, CBZ, the texts of offices
	{0, "\xD0\xCF\x11\xE0"}, {0, "{\\rtf"}, {0, "%!PS"}, {0, "\xC5\xD0\xD3\xC6"}, // older texts, PostScript
	{60, "BOOKMOBI"}, {60, "TEXtREAd"}, // MOBI
	{0, "Rar!"}, {0, "7z\xBC\xAF"}, {0, "\x1F\x8B"}, {0, "BZh"}, {0, "\xFD7zXZ"}, {257, "ustar"}, // archives: CBR, CB7, CBT
	{0, "P1\n"}, {0, "P2\n"}, {0, "P3\n"}, {0, "P4\n"}, {0, "P5\n"}, {0, "P6\n"}, {0, "P7\n"}, {0, "PF\n"}, {0, "Pf\n"}, // PNM
	{0, "II\xBC"}, {0, "8BPS"}, {0, "\x97JB2\r\n\x1A\n"}, // JPEG XR, Photoshop, JBIG2
	{0, "MZ"}, {0, "\x7FELF"}, {0, "#!"}, // programs
	{4, "ftyp"}, // a film, most likely
}

// markup are the beginnings of texts of marks, behind a byte order mark and blanks: SVG, HTML, XHTML, FB2.
var markup = []string{"<?xml", "<!--", "<!doctype", "<svg", "<html", "<head", "<body", "<script", "<fictionbook"}

// foreign says whether a file is of another kind, whatever stands further on in it: a file that is two kinds at once is taken
// for the one that its first bytes say.
func (h head) foreign() bool {
	if slices.ContainsFunc(foreign, func(m mark) bool { return h.has(m.at, m.text) }) {
		return true
	}
	text := bytes.ToLower(bytes.TrimLeft(h, "\xEF\xBB\xBF \t\r\n\x00"))
	return slices.ContainsFunc(markup, func(m string) bool { return bytes.HasPrefix(text, []byte(m)) })
}

// sniffed is how many bytes of a file may be looked at to tell its kind; a PDF may begin with others.
const sniffed = 1024

// Sniff tells the kind by the first bytes.
func Sniff(data []byte) (Kind, error) {
	if len(data) == 0 {
		return "", ErrEmpty
	}
	h := head(data[:min(len(data), sniffed)])
	for _, f := range formats {
		if f.is(h) {
			return f.kind, nil
		}
	}
	if h.foreign() {
		return "", ErrUnsupported
	}
	return "", ErrNotAnImage
}

// MediaType is the media type of a file that can be opened, "" for any other.
func MediaType(data []byte) string {
	kind, err := Sniff(data)
	if err != nil {
		return ""
	}
	i := slices.IndexFunc(formats, func(f format) bool { return f.kind == kind })
	return formats[i].media
}

// MediaTypes lists what can be opened, as a form's accept attribute wants it. Browsers know some kinds by their names only.
func MediaTypes() string {
	var all []string
	for _, f := range formats {
		all = append(all, f.media)
	}
	return strings.Join(append(all, ".heic", ".heif", ".avif", ".jp2", ".j2k"), ",")
}

// Extension is how the name of a file of a media type ends; ok is false for a type that is not taken.
func Extension(media string) (extension string, ok bool) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.media == media })
	if i < 0 {
		return "", false
	}
	return formats[i].extension, true
}
