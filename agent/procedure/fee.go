package procedure

import "strconv"

// Fee is what a procedure costs, in đồng. A zero Fee is free.
type Fee struct {
	Flat  int64  `yaml:"flat" json:"flat"`   // for the whole matter
	Copy  int64  `yaml:"copy" json:"copy"`   // for each copy, however many pages it has
	Pages []Step `yaml:"pages" json:"pages"` // per page of one copy
	Cap   int64  `yaml:"cap" json:"cap"`     // the most that the pages of one copy cost; 0: no cap
	Ask   bool   `yaml:"ask" json:"ask"`     // the province decides, or no source says: the officer is to be asked
	Note  Text   `yaml:"note" json:"note"`   // what the rule is, or when it is waived
}

// Step is the price of each page up to a page number.
type Step struct {
	UpTo int   `yaml:"up_to" json:"up_to"` // last page at this price; 0: all further pages
	Each int64 `yaml:"each" json:"each"`
}

// Free tells whether nothing is ever to be paid.
func (f Fee) Free() bool { return f.Flat == 0 && f.Copy == 0 && len(f.Pages) == 0 && !f.Ask }

// Total is the price of the matter: the flat part, and for every copy the price of its pages up to the cap.
func (f Fee) Total(pages, copies int) int64 {
	var copyPrice int64
	done := 0
	for _, step := range f.Pages {
		last := pages
		if step.UpTo > 0 {
			last = min(pages, step.UpTo)
		}
		if last > done {
			copyPrice += int64(last-done) * step.Each
			done = last
		}
	}
	if f.Cap > 0 {
		copyPrice = min(copyPrice, f.Cap)
	}
	return f.Flat + (f.Copy+copyPrice)*int64(copies)
}

// The fields of a form that a fee counts by, where the procedure has them.
const (
	PagesField  = "pages"  // pages of the original; without it, the pages that were scanned count
	CopiesField = "copies" // how many copies are asked for; without it, one
)

// Price is the fee of a filled form, in đồng. A number that is missing or not a number counts as one.
func (p *Procedure) Price(values map[string]Answer, scanned int) int64 {
	return p.Fee.Total(p.count(values, PagesField, scanned), p.count(values, CopiesField, 1))
}

func (p *Procedure) count(values map[string]Answer, id string, otherwise int) int {
	if _, ok := p.Field(id); !ok {
		return otherwise
	}
	n, err := strconv.Atoi(values[id].Text)
	if err != nil || n < 1 {
		return 1
	}
	return n
}
