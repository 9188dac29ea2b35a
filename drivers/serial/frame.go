package serial

import (
	"bytes"
	"time"
)

// framer cuts the byte stream of one connection into readings. It is fed what each read of the port gave,
// keeps nothing longer than a reading, and never joins the halves of two.
//
// Silence is counted in reads that waited a tick and gave nothing, not by a clock: where this process
// was held up in mid code, the rest of the code waits in the kernel, and by the clock it would look like
// a new one.
type framer struct {
	p       Profile
	pending []byte
	inside  bool // past the prefix
	skip    bool // too long: drop up to the next end
	silent  int  // reads without a byte since the last one with some
}

// frame is one reading's bytes, or bytes that turned out not to be one.
type frame struct {
	data   []byte
	broken bool
}

func newFramer(p Profile) *framer { return &framer{p: p, inside: p.Prefix == ""} }

// feed takes what one read gave.
func (f *framer) feed(b []byte) []frame {
	f.silent = 0
	var out []frame
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

// tick is called when a read gave nothing: after enough silence it ends the pending reading, or gives
// it up where a terminator should have come.
func (f *framer) tick() []frame {
	if len(f.pending) == 0 && !f.skip {
		return nil
	}
	f.silent++
	if time.Duration(f.silent)*tick < f.p.Idle {
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
	f.pending, f.skip, f.silent, f.inside = f.pending[:0], false, 0, f.p.Prefix == ""
}

// trimNoise drops the control bytes and blanks a reader sends around a code when it wakes or beeps.
func trimNoise(b []byte) []byte {
	return bytes.TrimFunc(b, func(r rune) bool { return r <= ' ' || r == 0x7f })
}
