// Package address turns addresses that name units of before 1 July 2025 (63 provinces, districts) into those of
// today (34 provinces, wards). In goes an address as it stands on a paper; out comes what it is today, or the
// choices where the old unit was split, or that it isn't known. It promises that an address changes by itself
// only where two sources agree on one unit, and that the old text is never lost: the caller keeps it beside.
package address

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"motcua/ocr/vn"
)

// FileName is the table in the folder of units. `go run ./agent/address/maketable` makes it, and says from what.
const FileName = "units.tsv.gz"

// State is what is known of an address.
type State string

// The states. The zero State is the doubtful one: the address names no unit that is known.
const (
	Unknown State = ""
	Today   State = "today"  // it names a unit of today
	Moved   State = "moved"  // one unit of today, by both sources
	Split   State = "split"  // the old unit was divided: somebody has to choose
	Unsure  State = "unsure" // the sources disagree, or the text fits several units
)

// Answer is an address as of today.
type Answer struct {
	State State
	Text  string   // where State is Moved: the address of today
	Offer []string // where State is Split or Unsure: the addresses it may be, in the order of the table
}

// Table knows the units. It is safe for use by several goroutines.
type Table struct {
	Made  string           // the table's own first line: day, command and sources
	old   map[string][]old // by the stripped names of ward, district, province
	today map[string][]unit
	units map[string]unit // by code
}

type old struct {
	kind  State
	names [3]string // ward, district, province as written
	to    []string
}

type unit struct{ ward, province string }

// Load reads the table out of a folder.
func Load(folder fs.FS) (*Table, error) {
	f, err := folder.Open(FileName)
	if err != nil {
		return nil, fmt.Errorf("read units: %w", err)
	}
	defer f.Close()
	t, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read units: %w", err)
	}
	return t, nil
}

// maxTable bounds what a table may unpack to.
const maxTable = 16 << 20

// Read reads a table: gzip of lines "new CODE WARD PROVINCE" and "KIND CODE PROVINCE DISTRICT WARD CODES", tabs between.
func Read(r io.Reader) (*Table, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	t := &Table{old: map[string][]old{}, today: map[string][]unit{}, units: map[string]unit{}}
	kinds := map[string]State{"one": Moved, "split": Split, "unsure": Unsure}
	lines := bufio.NewScanner(io.LimitReader(z, maxTable))
	for n := 1; lines.Scan(); n++ {
		part := strings.Split(lines.Text(), "\t")
		switch {
		case n == 1 && strings.HasPrefix(part[0], "# "):
			t.Made = strings.TrimPrefix(part[0], "# ")
		case len(part) == 4 && part[0] == "new":
			u := unit{part[2], part[3]}
			t.units[part[1]] = u
			key := key(u.ward, u.province)
			t.today[key] = append(t.today[key], u)
		case len(part) == 6 && kinds[part[0]] != Unknown:
			o := old{kinds[part[0]], [3]string{part[4], part[3], part[2]}, strings.Fields(part[5])}
			for _, code := range o.to {
				if _, ok := t.units[code]; !ok {
					return nil, fmt.Errorf("line %d: no unit of today has the code %s", n, code)
				}
			}
			key := key(o.names[:]...)
			t.old[key] = append(t.old[key], o)
		default:
			return nil, fmt.Errorf("line %d: is none of a table of units", n)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(t.units) == 0 {
		return nil, fmt.Errorf("the table names no unit")
	}
	return t, nil
}

// Convert says what an address is today. The unit stands in its last parts, after commas; what stands before
// (house, street, hamlet) is kept as it is.
func (t *Table) Convert(text string) Answer {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	n := len(parts)
	isToday := n >= 2 && len(fitting(t.today[key(parts[n-2:]...)], parts[n-2:])) > 0
	if n < 3 {
		return today(isToday)
	}
	found := t.find(parts[n-3:])
	if len(found) == 0 {
		return today(isToday)
	}
	answer := t.answer(found, parts[:n-3])
	if isToday {
		// The middle part may be a district of before or a ward of today with the same name.
		if typed(parts[n-2], "phường", "xã", "đặc khu") {
			return Answer{State: Today}
		}
		if !typed(parts[n-2], "quận", "huyện", "thị xã", "thành phố") && !t.sameUnit(answer, parts[n-2:]) {
			return Answer{State: Unsure, Offer: append(answer.choices(), text)}
		}
	}
	return answer
}

// sameUnit tells whether an answer names the very unit of today that the last two parts name as well.
func (t *Table) sameUnit(a Answer, names []string) bool {
	if a.State != Moved {
		return false
	}
	parts := strings.Split(a.Text, ", ")
	return key(parts[len(parts)-2:]...) == key(names...)
}

func today(is bool) Answer {
	if is {
		return Answer{State: Today}
	}
	return Answer{}
}

func (a Answer) choices() []string {
	if a.State == Moved {
		return []string{a.Text}
	}
	return slices.Clone(a.Offer)
}

// find gives the old units that ward, district and province may mean.
func (t *Table) find(names []string) []old {
	var found []old
	for _, o := range t.old[key(names...)] {
		if agree(names[0], o.names[0]) && agree(names[1], o.names[1]) && agree(names[2], o.names[2]) {
			found = append(found, o)
		}
	}
	return found
}

// fitting leaves the units of today whose kind does not contradict what is written.
func fitting(units []unit, names []string) []unit {
	return slices.DeleteFunc(slices.Clone(units), func(u unit) bool { return !agree(names[0], u.ward) || !agree(names[1], u.province) })
}

func (t *Table) answer(found []old, before []string) Answer {
	var to []string
	state := found[0].kind
	for _, o := range found {
		if o.kind != Moved {
			state = o.kind
		}
		for _, code := range o.to {
			if !slices.Contains(to, code) {
				to = append(to, code)
			}
		}
	}
	var offer []string
	for _, code := range to {
		u := t.units[code]
		offer = append(offer, strings.Join(append(slices.Clone(before), u.ward, u.province), ", "))
	}
	switch {
	case state == Moved && len(offer) == 1:
		return Answer{State: Moved, Text: offer[0]}
	case state == Moved: // one text, two units of before: a ward and a town of the same name
		state = Unsure
	}
	return Answer{State: state, Offer: offer}
}

// kindWords stand before a unit's name, in full and as people shorten them.
var kindWords = []string{"thành phố", "thị trấn", "thị xã", "đặc khu", "phường", "quận", "huyện", "tỉnh", "xã", "tp", "tx", "tt", "p", "q",
	"h", "x", "t"}

// shortKinds are the shortened words in full.
var shortKinds = map[string]string{"tp": "thành phố", "tx": "thị xã", "tt": "thị trấn", "p": "phường", "q": "quận", "h": "huyện", "x": "xã",
	"t": "tỉnh"}

// kindOf divides a unit's name into its kind ("" where none is written) and the rest.
func kindOf(name string) (kind, rest string) {
	name = strings.ToLower(vn.NFC(strings.TrimSpace(name)))
	for _, word := range kindWords {
		after, ok := strings.CutPrefix(name, word)
		if !ok || after == "" {
			continue
		}
		if full := shortKinds[word]; full != "" {
			// "Q.1", "P. Bến Nghé", "TP Huế"; "Phú Thọ" begins with a p, too.
			if after[0] != '.' && after[0] != ' ' {
				continue
			}
			return full, strings.TrimLeft(after, ". ")
		}
		if after[0] == ' ' {
			return word, strings.TrimSpace(after)
		}
	}
	return "", name
}

func typed(name string, kinds ...string) bool {
	kind, _ := kindOf(name)
	return slices.Contains(kinds, kind)
}

// agree tells whether a written name may mean a unit of the same stripped name: where a kind is written, it must
// be that unit's.
func agree(written, name string) bool {
	a, _ := kindOf(written)
	b, _ := kindOf(name)
	return a == "" || b == "" || a == b
}

// key strips the kinds of names and how their tones are placed: "Phường 01" is "1", "TP. Hồ Chí Minh" is "hồ chí minh".
func key(names ...string) string {
	keys := make([]string, len(names))
	for i, name := range names {
		_, rest := kindOf(name)
		if bare := strings.TrimLeft(rest, "0"); bare != "" {
			rest = bare
		}
		keys[i] = vn.Fold(rest)
	}
	return strings.Join(keys, "|")
}
