package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// A list of 100,000 is mostly spent on reading JSON. What encodeRecord wrote, as the checksum says it did, needs no parser
// for all of JSON: no blanks, no numbers but whole ones, and hardly ever an escape. Whatever is otherwise is left to
// encoding/json.

// briefScan reads the text of a record from front to back; ok is false once something is not as expected.
type briefScan struct {
	left []byte
	ok   bool
}

// scanBrief fills r from a record's text, without its parts. It reports false where the text has to be read by
// encoding/json; r is then half filled.
func scanBrief(text []byte, r *record) bool {
	s := &briefScan{left: text, ok: true}
	s.take('{')
	for s.ok {
		s.field(r)
		if !s.is(',') {
			break
		}
	}
	s.take('}')
	return s.ok && len(s.left) == 0
}

// field reads one name and its value.
func (s *briefScan) field(r *record) {
	name := s.text()
	s.take(':')
	if s.submissionField(name, r) {
		return
	}
	switch string(name) {
	case "seq":
		r.Seq = uint64(s.number())
	case "segment":
		r.Segment = uint64(s.number())
	case "stored":
		r.Stored = s.number()
	case "due":
		r.Due = s.number()
	case "revision":
		r.Revision = uint64(s.number())
	case "held_by":
		r.HeldBy = string(s.text())
	case "held_at":
		r.HeldAt = s.number()
	case "session":
		r.Session = s.number()
	case "elapsed":
		r.Elapsed = time.Duration(s.number())
	default:
		s.ok = false
	}
}

// submissionField is field for those of a Submission.
func (s *briefScan) submissionField(name []byte, r *record) bool {
	switch string(name) {
	case "id":
		r.ID = string(s.text())
	case "code":
		r.Code = string(s.text())
	case "state":
		r.State = s.state()
	case "labels":
		r.Labels = s.labels()
	case "parts":
		s.skipParts()
	case "size":
		r.Size = s.number()
	case "sha256":
		r.SHA256 = string(s.text())
	case "sealed":
		r.Sealed = s.yes()
	case "created":
		s.time(&r.Created)
	case "attempts":
		r.Attempts = int(s.number())
	case "next_attempt":
		s.time(&r.NextAttempt)
	case "last_error":
		r.LastError = string(s.text())
	case "delivered":
		s.time(&r.Delivered)
	case "acknowledged":
		s.time(&r.Acknowledged)
	case "wiped":
		r.Wiped = s.yes()
	default:
		return false
	}
	return true
}

// is takes one byte if it comes next.
func (s *briefScan) is(c byte) bool {
	if len(s.left) == 0 || s.left[0] != c {
		return false
	}
	s.left = s.left[1:]
	return true
}

func (s *briefScan) take(c byte) { s.ok = s.is(c) && s.ok }

// text takes a string without escapes.
func (s *briefScan) text() []byte {
	s.take('"')
	end := bytes.IndexByte(s.left, '"')
	if end < 0 || bytes.IndexByte(s.left[:end], '\\') >= 0 {
		s.ok = false
		return nil
	}
	t := s.left[:end]
	s.left = s.left[end+1:]
	return t
}

// state spares the memory of a text that is always one of a few.
func (s *briefScan) state() State {
	t := s.text()
	for _, known := range States {
		if string(known) == string(t) {
			return known
		}
	}
	return State(t)
}

// number takes a whole number that an int64 holds.
func (s *briefScan) number() int64 {
	const digits = 19 // as many always fit into 64 bits without a sign
	minus := s.is('-')
	var n uint64
	i := 0
	for ; i < min(len(s.left), digits) && s.left[i] >= '0' && s.left[i] <= '9'; i++ {
		n = n*10 + uint64(s.left[i]-'0')
	}
	s.ok = s.ok && i > 0 && n <= math.MaxInt64 // a further digit is no end of a value
	s.left = s.left[i:]
	if minus {
		return -int64(n)
	}
	return int64(n)
}

// yes takes "true"; what is false is never written.
func (s *briefScan) yes() bool {
	rest, ok := bytes.CutPrefix(s.left, []byte("true"))
	s.left, s.ok = rest, s.ok && ok
	return ok
}

func (s *briefScan) time(t *time.Time) {
	if text := s.text(); s.ok {
		s.ok = t.UnmarshalText(text) == nil
	}
}

func (s *briefScan) labels() map[string]string {
	s.take('{')
	labels := make(map[string]string, 4)
	for s.ok {
		name := string(s.text())
		s.take(':')
		labels[name] = string(s.text())
		if !s.is(',') {
			break
		}
	}
	s.take('}')
	return labels
}

// skipParts passes over the list of parts, or over none. Its end is the first bracket, where the size follows at once, as it does
// today: no text can hold an unescaped quotation mark. A bracket in a part's name, or what a later build puts between, is for
// encoding/json.
func (s *briefScan) skipParts() {
	if rest, none := bytes.CutPrefix(s.left, []byte("null")); none {
		s.left = rest
		return
	}
	i := bytes.IndexByte(s.left, ']')
	if i < 0 || s.left[0] != '[' || !bytes.HasPrefix(s.left[i:], []byte(`],"size":`)) {
		s.ok = false
		return
	}
	s.left = s.left[i+1:]
}

// AppendBrief appends to b the JSON of s without its parts, as encoding/json writes it in a third of the time: for a list of
// 100,000 on its way to another process. ParseBrief reads it.
func (s Submission) AppendBrief(b []byte) ([]byte, error) {
	var err error
	stamp := func(name string, t time.Time) {
		if !t.IsZero() || name == "created" {
			b = append(append(append(b, `,"`...), name...), `":"`...)
			var e error
			b, e = t.AppendText(b)
			err = errors.Join(err, e)
			b = append(b, '"')
		}
	}
	b = appendText(append(b, `{"id":`...), s.ID)
	b = appendText(append(b, `,"code":`...), s.Code)
	b = appendText(append(b, `,"state":`...), string(s.State))
	if len(s.Labels) > 0 {
		b = append(b, `,"labels":{`...)
		for i, name := range slices.Sorted(maps.Keys(s.Labels)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(append(appendText(b, name), ':'), s.Labels[name])
		}
		b = append(b, '}')
	}
	b = strconv.AppendInt(append(b, `,"parts":null,"size":`...), s.Size, 10)
	b = appendText(append(b, `,"sha256":`...), s.SHA256)
	if s.Sealed {
		b = append(b, `,"sealed":true`...)
	}
	stamp("created", s.Created)
	b = strconv.AppendInt(append(b, `,"attempts":`...), int64(s.Attempts), 10)
	stamp("next_attempt", s.NextAttempt)
	if s.LastError != "" {
		b = appendText(append(b, `,"last_error":`...), s.LastError)
	}
	stamp("delivered", s.Delivered)
	stamp("acknowledged", s.Acknowledged)
	if s.Wiped {
		b = append(b, `,"wiped":true`...)
	}
	return append(b, '}'), err
}

// appendText appends a JSON string; what needs an escape is left to encoding/json.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
			continue
		}
		if plain(text[i:]) {
			break
		}
		quoted, _ := json.Marshal(text) // a string has no error
		return append(b, quoted...)
	}
	return append(append(append(b, '"'), text...), '"')
}

// plain reports whether encoding/json writes a text as it is.
func plain(text string) bool {
	for _, r := range text {
		switch r {
		case '"', '\\', '<', '>', '&', '\u2028', '\u2029', utf8.RuneError:
			return false
		}
		if r < ' ' {
			return false
		}
	}
	return true
}

// ParseBrief reads the JSON of a submission, as AppendBrief or any build's encoding/json wrote it, without its parts.
func ParseBrief(line []byte) (Submission, error) {
	var r record
	if scanBrief(line, &r) {
		return r.Submission, nil
	}
	var s Submission
	err := json.Unmarshal(line, &s)
	s.Parts = nil
	return s, err
}
