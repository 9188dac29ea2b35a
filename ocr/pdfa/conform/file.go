package conform

import (
	"bytes"
	"regexp"
	"strconv"
)

var (
	header    = regexp.MustCompile(`^%PDF-([0-9])\.([0-9])(\r\n|\r|\n)`)
	trailer   = regexp.MustCompile(`(?s)trailer.*?startxref`)
	named     = regexp.MustCompile(`/ID\s*\[\s*(<\s*[0-9A-Fa-f]|\([^)])`)
	section   = regexp.MustCompile(`(?:^|[\r\n])(\d+)([ \t]+)(\d+)[ \t]*[\r\n]`)
	xrefHead  = regexp.MustCompile(`^xref(\r\n|\r|\n)(\d+) (\d+)( ?\r\n| ?\r| ?\n)`)
	startXref = regexp.MustCompile(`startxref\s+(\d+)\s*%%EOF`)
	objHead   = regexp.MustCompile(`(?:^|[\r\n\x00\t\f >])(\d+)([\r\n\x00\t\f ]+)(\d+)([\r\n\x00\t\f ]+)obj`)
	bodyHead  = regexp.MustCompile(`>>[\r\n\x00\t\f ]*stream`)
	direct    = regexp.MustCompile(`/Length\s+(\d+)\s*(?:/|>>)`)
	lineEnd   = regexp.MustCompile(`^(\r\n|\n|\r)`)
	bodyEnd   = regexp.MustCompile(`^(\r\n|\n|\r)?endstream`)
	hexString = regexp.MustCompile(`<[0-9A-Fa-f\s]*>`)
)

// file looks at the bytes: header, trailer, table, and how objects and streams are set off.
func (c *checker) file() {
	c.head()
	c.tail()
	if m := startXref.FindAllSubmatch(c.data, -1); m != nil {
		for _, x := range m {
			if at, err := strconv.Atoi(string(x[1])); err == nil && at > 0 && at < len(c.data) {
				c.table(c.data[at:])
			}
		}
	}
}

// table looks at a cross-reference table.
func (c *checker) table(t []byte) {
	if !bytes.HasPrefix(t, []byte("xref")) {
		c.say("6.1.4", "", "the cross-reference table is a stream")
		return
	}
	if i := bytes.Index(t, []byte("trailer")); i >= 0 {
		t = t[:i]
	}
	if !xrefHead.Match(t[:min(len(t), 64)]) {
		c.say("6.1.4", "6.1.4", "a cross-reference table is not set off as it should be")
	}
	for _, m := range section.FindAllSubmatch(t, -1) {
		if string(m[2]) != " " {
			c.say("6.1.4", "6.1.4", "a section of a cross-reference table is not set off as it should be")
		}
	}
}

func (c *checker) head() {
	m := header.FindSubmatchIndex(c.data[:min(len(c.data), 64)])
	if m == nil {
		c.say("6.1.2", "6.1.2", "the file does not begin with a header of PDF 1.x")
		return
	}
	if major, minor := c.data[m[2]], c.data[m[4]]; !c.one() && (major != '1' || minor > '7') {
		c.say("", "6.1.2", "the header says PDF %c.%c", major, minor)
	}
	rest := c.data[m[1]:]
	if len(rest) < 5 || rest[0] != '%' || rest[1] < 128 || rest[2] < 128 || rest[3] < 128 || rest[4] < 128 {
		c.say("6.1.2", "6.1.2", "no comment of four bytes above 127 follows the header")
	}
}

func (c *checker) tail() {
	end := bytes.LastIndex(c.data, []byte("%%EOF"))
	if end < 0 {
		c.say("6.1.3", "6.1.3", "the file has no end")
		return
	}
	switch string(c.data[end+5:]) {
	case "", "\n", "\r", "\r\n":
	default:
		c.say("6.1.3", "6.1.3", "something stands behind the end of the file")
	}
	// Where the file is linearised, the first trailer counts.
	if all := trailer.FindAll(c.data, -1); len(all) > 0 {
		t := all[len(all)-1]
		if bytes.Contains(c.data[:min(len(c.data), 2048)], []byte("/Linearized")) {
			t = all[0]
		}
		if !named.Match(t) {
			c.say("6.1.3", "6.1.3", "the trailer has no identifier")
		}
		if bytes.Contains(t, []byte("/Encrypt")) {
			c.say("6.1.3", "6.1.3", "the file is encrypted")
		}
	}
}

// bodies goes through the objects as they are written.
func (c *checker) bodies() {
	for at := 0; at < len(c.data); {
		m := objHead.FindSubmatchIndex(c.data[at:])
		if m == nil {
			return
		}
		begin, obj := at+m[2], at+m[1]
		if begin > 0 && !eol(c.data[begin-1]) || len(c.data[at+m[4]:at+m[5]]) != 1 || len(c.data[at+m[8]:at+m[9]]) != 1 || obj < len(c.data) &&
			!eol(c.data[obj]) {
			c.say("6.1.8", "6.1.9", "an object is not set off as it should be")
		}
		live := len(c.live) == 0 || c.live[int64(begin)]
		end, text, ok := c.extent(obj, live)
		if !ok {
			return
		}
		if live {
			c.hexadecimal(text)
		}
		last := obj + end
		if !eol(c.data[last-1]) || last+6 < len(c.data) && !eol(c.data[last+6]) {
			c.say("6.1.8", "6.1.9", "the end of an object is not set off as it should be")
		}
		at = last + 6
	}
}

func eol(b byte) bool { return b == '\n' || b == '\r' }

// extent is how long the object is whose content begins at obj, and what of it is no stream.
func (c *checker) extent(obj int, live bool) (end int, text []byte, ok bool) {
	if end = bytes.Index(c.data[obj:], []byte("endobj")); end < 0 {
		return 0, nil, false
	}
	m := bodyHead.FindIndex(c.data[obj : obj+end])
	if m == nil {
		return end, c.data[obj : obj+end], true
	}
	s := m[1] - len("stream")
	c.body(obj + m[1])
	if n := direct.FindSubmatch(c.data[obj : obj+s]); n != nil {
		from := obj + m[1] + len(lineEnd.Find(c.data[obj+m[1]:]))
		if size, err := strconv.Atoi(string(n[1])); live && err == nil && (from+size > len(c.data) || !bodyEnd.Match(c.data[from+size:])) {
			c.say("6.1.7", "6.1.7.1", "a stream is not as long as it says")
		}
	}
	if e := bytes.Index(c.data[obj+s:], []byte("endstream")); e >= 0 {
		if z := bytes.Index(c.data[obj+s+e:], []byte("endobj")); z >= 0 {
			end = s + e + z
		}
	}
	return end, c.data[obj : obj+min(s, end)], true
}

// hexadecimal looks at the strings of an object that are written in hexadecimal.
func (c *checker) hexadecimal(text []byte) {
	for _, h := range hexString.FindAll(text, -1) {
		c.digits(bytes.Join(bytes.Fields(h[1:len(h)-1]), nil))
	}
}

// body looks at how the bytes of a stream are set off; at is behind the word.
func (c *checker) body(at int) {
	switch {
	case bytes.HasPrefix(c.data[at:], []byte("\r\n")), bytes.HasPrefix(c.data[at:], []byte("\n")):
	default:
		c.say("6.1.7", "6.1.7.1", "a stream does not begin on a line of its own")
	}
	end := bytes.Index(c.data[at:], []byte("endstream"))
	if end > 0 {
		if b := c.data[at+end-1]; b != '\n' && b != '\r' {
			c.say("6.1.7", "6.1.7.1", "the end of a stream is not on a line of its own")
		}
	}
}
