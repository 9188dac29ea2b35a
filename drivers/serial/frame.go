package serial

import (
	"bytes"
	"time"
)

// framer cuts the byte stream of one connection into readings. It is fed bytes and the time they came,
// keeps nothing longer than a reading, and never joins the halves of two.
type framer struct {
	p       Profile
	pending []byte
	inside  bool // past the prefix
	skip    bool // too long: drop up to the next end
	last    time.Time
}

// frame is one reading's bytes, or bytes that turned out not to be one.
type frame struct {
	data   []byte
	broken bool
}

func newFramer(p Profile) *framer { return &framer{p: p, inside: p.Prefix == ""} }

// feed takes what one read gave.
func (f *framer) feed(b []byte, now time.Time) []frame {
	out := f.idle(now) // a late tick must not glue an old half to this
	f.last = now
	for _, c := range b {
		f.pending = append(f.pending, c)
		out = f.step(out)
	}
	return out
}

func (f *framer) step(out []frame) []frame {
	if !f.inside {
		prefix := []byte(f.p.Prefix)
		if bytes.HasSuffix(f.pending, prefix) {
			if noise := trimNoise(f.pending[:len(f.pending)-len(prefix)]); len(noise) > 0 {
				out = append(out, frame{bytes.Clone(noise), true})
			}
			f.pending, f.inside = f.pending[:0], true
		} else if len(f.pending) > f.p.MaxLength {
			out = append(out, frame{bytes.Clone(f.pending), true})
			f.pending = f.pending[:0]
		}
		return out
	}
	if p := f.p.Prefix; p != "" && p[0] < ' ' && len(f.pending) > len(p) && bytes.HasSuffix(f.pending, []byte(p)) {
		// A second start mark: the reading before it stopped half way.
		out = append(out, frame{bytes.Clone(f.pending[:len(f.pending)-len(p)]), true})
		f.reset()
		f.inside = true
		return out
	}
	end := f.end()
	switch {
	case end > 0 && f.skip:
		f.reset()
	case end > 0:
		// CR and LF after one another end one reading and an empty one, and the empty one is dropped:
		// so all three line ends work, also when a CR LF is torn apart between two reads.
		if data := trimNoise(f.pending[:len(f.pending)-end]); len(data) > 0 {
			out = append(out, frame{bytes.Clone(data), false})
		}
		f.reset()
	case len(f.pending) > f.p.MaxLength:
		if !f.skip {
			out = append(out, frame{bytes.Clone(f.pending), true})
		}
		f.pending, f.skip = f.pending[:0], true
	}
	return out
}

// end is the number of bytes at the end of pending that end a reading, 0 where none do.
func (f *framer) end() int {
	if f.p.Suffix != "" {
		if bytes.HasSuffix(f.pending, []byte(f.p.Suffix)) {
			return len(f.p.Suffix)
		}
		return 0
	}
	c := f.pending[len(f.pending)-1]
	var ends bool
	switch f.p.End {
	case "line":
		ends = c == '\r' || c == '\n'
	case "cr":
		ends = c == '\r'
	case "lf":
		ends = c == '\n'
	case "tab":
		ends = c == '\t'
	}
	if ends {
		return 1
	}
	return 0
}

// idle is called when nothing came: after enough silence it ends the pending reading, or gives it up
// where a terminator should have come.
func (f *framer) idle(now time.Time) []frame {
	if len(f.pending) == 0 && !f.skip || now.Sub(f.last) < f.p.Idle {
		return nil
	}
	data, skip, inside := bytes.Clone(trimNoise(f.pending)), f.skip, f.inside
	f.reset()
	if len(data) == 0 || skip {
		return nil
	}
	return []frame{{data, !(inside && f.p.End == "idle" && f.p.Suffix == "")}}
}

func (f *framer) reset() {
	clear(f.pending[:cap(f.pending)]) // a citizen's data is not kept in a buffer that lives as long as the port
	f.pending, f.skip, f.inside = f.pending[:0], false, f.p.Prefix == ""
}

// trimNoise drops the control bytes and blanks a reader sends around a code when it wakes or beeps.
func trimNoise(b []byte) []byte {
	return bytes.TrimFunc(b, func(r rune) bool { return r <= ' ' || r == 0x7f })
}
