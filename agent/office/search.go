package office

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"motcua/agent/answer"
	"motcua/ocr/vn"
	"motcua/queue"
)

// Get finds a dossier by the id or receipt code of any submission to it.
func (s *Store) Get(idOrCode string) (Dossier, error) {
	if r := s.record(idOrCode); r != nil {
		return r.clone().Dossier, nil
	}
	return Dossier{}, ErrUnknown
}

// Twins gives the numbers of other dossiers that came with the receipt code of one of this dossier's submissions. A code is what a
// kiosk says: of two that are alike one is another's, by chance (one in 17 billion) or because it was given to lead there.
func (s *Store) Twins(d Dossier) (numbers []uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, one := range d.submissions() {
		for _, n := range s.codes[foldCode(one.Code)] {
			if n != d.Number && !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers
}

// SameNumber gives the dossiers that have a certified copy with the number of one of this dossier's: the dossier itself where two of
// its own have one number. A number of a register of certifications stands on one copy of a ward (Decree 23/2015/NĐ-CP, article 13);
// kiosks of before this was seen to, and such as were given one id, may give it twice. Another ward counts for itself; one that a
// dossier doesn't name may be any.
func (s *Store) SameNumber(d Dossier) (numbers []uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, one := range d.Certified {
		again := func(other string) bool { return strings.EqualFold(other, one) }
		for _, n := range s.copies[strings.ToLower(one)] {
			twice := n != d.Number && sameWard(s.records[n].Ward, d.Ward) || n == d.Number && slices.ContainsFunc(d.Certified[i+1:], again)
			if twice && !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers
}

// sameWard says whether two wards may be one: kiosks have their names as a technician typed them.
func sameWard(a, b string) bool {
	name := func(ward string) string {
		return strings.ToLower(norm.NFC.String(strings.Join(strings.Fields(ward), " ")))
	}
	a, b = name(a), name(b)
	return a == "" || b == "" || a == b
}

// claim notes a dossier under a key, in the order of filing.
func claim(index map[string][]uint64, key string, n uint64) {
	if have := index[key]; key != "" && !slices.Contains(have, n) {
		index[key] = append(slices.Clip(have), n)
		slices.Sort(index[key])
	}
}

// release forgets a dossier of that key.
func release(index map[string][]uint64, key string, n uint64) {
	left := slices.DeleteFunc(slices.Clone(index[key]), func(have uint64) bool { return have == n })
	if index[key] = left; len(left) == 0 {
		delete(index, key)
	}
}

// Filter says which dossiers are wanted; the zero Filter wants all.
type Filter struct {
	States []answer.State
	Text   string // a receipt code, a running or personal number, words of a name; tones may be left out
}

// List gives dossiers in the order of filing. Those that a filter's text finds come with the best match first: an exact
// code or number, then names.
func (s *Store) List(f Filter) []Dossier {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []Dossier
	rank := map[uint64]int{}
	for _, r := range s.records {
		if len(f.States) > 0 && !slices.Contains(f.States, r.State) {
			continue
		}
		n := 0
		if f.Text != "" {
			if n = r.match(f.Text); n == 0 {
				continue
			}
		}
		rank[r.Number] = n
		found = append(found, r.Dossier)
	}
	slices.SortFunc(found, func(a, b Dossier) int {
		if d := rank[b.Number] - rank[a.Number]; d != 0 {
			return d
		}
		return int(a.Number) - int(b.Number)
	})
	return found
}

// Counts says how many dossiers are in each state.
func (s *Store) Counts() map[answer.State]int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := map[answer.State]int{}
	for _, r := range s.records {
		n[r.State]++
	}
	return n
}

// How well a text finds a dossier.
const (
	byName = 1 + iota
	byNumber
	byCode
)

// leastDigits of a personal number find it: fewer would find half the ward.
const leastDigits = 4

// match says how well a typed text finds a dossier; 0: it does not.
func (r *record) match(text string) int {
	text = strings.TrimSpace(text)
	for _, one := range r.submissions() {
		if text == one.ID || foldCode(text) == foldCode(one.Code) && one.Code != "" {
			return byCode
		}
	}
	digits := strings.ReplaceAll(text, " ", "")
	if n, err := strconv.ParseUint(strings.TrimPrefix(digits, "#"), 10, 64); err == nil {
		if n == r.Number || slices.ContainsFunc(r.Added, func(a Supplement) bool { return a.Number == n }) {
			return byCode
		}
		if len(digits) < leastDigits {
			return 0
		}
		for _, have := range r.Numbers {
			if strings.HasPrefix(have, digits) || strings.HasSuffix(have, digits) {
				return byNumber
			}
		}
		return 0
	}
	if utf8.RuneCountInString(text) < 2 {
		return 0
	}
	toned := vn.Plain(text) != strings.ToUpper(vn.NFC(text))
	for _, name := range r.Names {
		if hasWords(name, text, toned) {
			return byName
		}
	}
	return 0
}

// hasWords tells whether all words of a text stand in a name, the last one as far as it is typed.
func hasWords(name, text string, toned bool) bool {
	fold := func(s string) []string {
		if toned {
			return strings.Fields(vn.Fold(s))
		}
		return strings.Fields(vn.Plain(s))
	}
	have := fold(name)
	for i, want := range fold(text) {
		last := i == len(strings.Fields(text))-1
		at := slices.IndexFunc(have, func(h string) bool { return h == want || last && strings.HasPrefix(h, want) })
		if at < 0 {
			return false
		}
		have = slices.Delete(slices.Clone(have), at, at+1)
	}
	return true
}

// foldCode is a receipt code however it was typed.
func foldCode(text string) string {
	if code, ok := queue.ParseCode(text); ok {
		return code
	}
	return strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(text), " ", ""))
}

// ByNumber finds a dossier by its number at this desk, or by that of more papers that had one of their own at first.
func (s *Store) ByNumber(n uint64) (Dossier, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r, ok := s.records[n]; ok {
		return r.clone().Dossier, nil
	}
	for _, r := range s.records {
		if slices.ContainsFunc(r.Added, func(a Supplement) bool { return n != 0 && a.Number == n }) {
			return r.clone().Dossier, nil
		}
	}
	return Dossier{}, ErrUnknown
}
