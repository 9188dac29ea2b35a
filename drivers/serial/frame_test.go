package serial

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"
)

// An invented person, as a chip card's QR gives her.
const qr = "079195001234|023456789|Nguyễn Thị Bưởi|05031995|Nữ|12 Đường Số 3, Phường Thử Nghiệm, TP. Hồ Chí Minh|10052021"

// chunk is what one read of the port gives, after a silence.
type chunk struct {
	after time.Duration
	data  string
}

// cut runs chunks through a framer and decodes, as session does; "✗" stands for a dropped frame.
func cut(p Profile, chunks ...chunk) []string {
	p.Port = "/dev/x"
	p = p.withDefaults()
	f := newFramer(p)
	var out []string
	take := func(frames []frame) {
		for _, fr := range frames {
			text, ok := decode(fr.data, p.Encoding)
			if !ok || fr.broken {
				text = "✗"
			}
			out = append(out, text)
		}
	}
	for _, c := range chunks {
		for range c.after / tick {
			take(f.tick())
		}
		take(f.feed([]byte(c.data)))
	}
	for range p.Idle/tick + 1 {
		take(f.tick())
	}
	return out
}

func TestFraming(t *testing.T) {
	const soon, late = 20 * time.Millisecond, 900 * time.Millisecond
	for _, tc := range []struct {
		name   string
		p      Profile
		chunks []chunk
		want   []string
	}{
		{"CR", Profile{}, []chunk{{0, qr + "\r"}}, []string{qr}},
		{"LF", Profile{}, []chunk{{0, qr + "\n"}}, []string{qr}},
		{"CR LF", Profile{}, []chunk{{0, qr + "\r\n"}}, []string{qr}},
		{"CR LF torn between two reads", Profile{}, []chunk{{0, qr + "\r"}, {soon, "\n"}}, []string{qr}},
		{"two codes in one read", Profile{}, []chunk{{0, "one\r\ntwo\r\n"}}, []string{"one", "two"}},
		{"one code in many reads", Profile{}, []chunk{{0, "079"}, {soon, "195"}, {soon, "001234\r"}}, []string{"079195001234"}},
		{"letter torn in its bytes", Profile{}, []chunk{{0, "Nguy\xe1"}, {soon, "\xbb\x85n\r"}}, []string{"Nguyễn"}},
		{"half a line is given up and not joined to the next", Profile{}, []chunk{{0, "07919"}, {late, qr + "\r"}}, []string{"✗", qr}},
		{"half a line at the end is given up", Profile{}, []chunk{{0, "07919"}}, []string{"✗"}},
		{"same code twice is two readings", Profile{}, []chunk{{0, "a\ra\r"}}, []string{"a", "a"}},
		{"noise of waking up is dropped", Profile{}, []chunk{{0, "\x00\x00\x11079\r"}}, []string{"079"}},
		{"noise within drops the reading", Profile{}, []chunk{{0, "07\x009\rnext\r"}}, []string{"✗", "next"}},
		{"wrong speed", Profile{}, []chunk{{0, "\x80\xf0\x86\xff\x98\r"}}, []string{"✗"}},
		{"only CR ends", Profile{End: "cr"}, []chunk{{0, "a\tb\r"}}, []string{"a\tb"}},
		{"TAB ends", Profile{End: "tab"}, []chunk{{0, "a\tb\t"}}, []string{"a", "b"}},
		{"silence ends", Profile{End: "idle"}, []chunk{{0, "one"}, {late, "two"}}, []string{"one", "two"}},
		{"silence ends, torn quickly", Profile{End: "idle"}, []chunk{{0, "on"}, {soon, "e"}, {late, "two\r\n"}}, []string{"one", "two"}},
		{"prefix and suffix", Profile{Prefix: "\x02", Suffix: "\x03"}, []chunk{{0, "\x02one\x03\x02two\x03"}}, []string{"one", "two"}},
		{"noise between suffix and prefix", Profile{Prefix: "\x02", Suffix: "\x03"}, []chunk{{0, "\x02one\x03zzz\x02two\x03"}},
			[]string{"one", "✗", "two"}},
		{"start mark within a reading", Profile{Prefix: "\x02", Suffix: "\x03"}, []chunk{{0, "\x02on\x02two\x03"}}, []string{"✗", "two"}},
		{"line feed inside prefix and suffix", Profile{Prefix: "\x02", Suffix: "\x03"}, []chunk{{0, "\x02a\tb\x03"}}, []string{"a\tb"}},
		{"long prefix with line end", Profile{Prefix: "]Q1"}, []chunk{{0, "]Q1079\r\n]Q"}, {soon, "1080\r\n"}}, []string{"079", "080"}},
		{"endless noise", Profile{MaxLength: 10}, []chunk{{0, strings.Repeat("x", 95) + "\rok\r"}}, []string{"✗", "ok"}},
		{"empty lines", Profile{}, []chunk{{0, "\r\n\r\n\r\n"}}, nil},
		{"TCVN3", Profile{}, []chunk{{0, "Nguy\xd4n Th\xde B\xad\xebi\r"}}, []string{"Nguyễn Thị Bưởi"}},
		{"TCVN3 capitals", Profile{Encoding: "tcvn3"}, []chunk{{0, "NGUY\xd4N TH\xde B\xa6\xebI\r"}}, []string{"NGUYỄN THỊ BƯỞI"}},
		{"TCVN3 first letter capital", Profile{Encoding: "tcvn3"}, []chunk{{0, "\xa7\xf8c T\xf3\r"}}, []string{"Đức Tú"}},
		{"UTF-8 demanded, TCVN3 came", Profile{Encoding: "utf-8"}, []chunk{{0, "Nguy\xd4n\r"}}, []string{"✗"}},
		{"decomposed letters are composed", Profile{}, []chunk{{0, norm.NFD.String("Thuỷ Bưởi") + "\r"}}, []string{"Thuỷ Bưởi"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := cut(tc.p, tc.chunks...); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// FuzzFrames holds the framer to its promises on any bytes: no crash, the same readings however the
// bytes were torn into reads, and nothing given that did not arrive.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(qr+"\r\n"), "line", "", "", byte(3))
	f.Add([]byte("\x02a\x03\x02b\x03"), "line", "\x02", "\x03", byte(1))
	f.Add([]byte("Nguy\xd4n\rTh\xde"), "cr", "", "", byte(7))
	f.Add([]byte("\x80\xf0\x86\xff\x98\x00"), "idle", "", "", byte(2))
	f.Add([]byte("a\tb\tc"), "tab", "]Q1", "", byte(2))
	f.Fuzz(func(t *testing.T, data []byte, end, prefix, suffix string, step byte) {
		p := Profile{Port: "/dev/x", End: end, Prefix: prefix, Suffix: suffix, MaxLength: 200}
		if p.Validate() != nil {
			t.Skip()
		}
		whole := cut(p, chunk{0, string(data)})
		var torn []chunk
		for part := range slices.Chunk(data, int(step)%16+1) {
			torn = append(torn, chunk{0, string(part)})
		}
		if got := cut(p, torn...); !slices.Equal(got, whole) {
			t.Errorf("torn: %q, whole: %q", got, whole)
		}
		for _, text := range whole {
			if text != "✗" && decoded(data) && !bytes.Contains([]byte(norm.NFC.String(string(data))), []byte(text)) {
				t.Errorf("%q was never typed", text)
			}
		}
	})
}

func decoded(data []byte) bool {
	return !bytes.ContainsFunc(data, func(r rune) bool { return r > 0x7e })
}
