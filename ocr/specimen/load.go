package specimen

import (
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"motcua/ocr/paper"
)

// Sheet is one thing to put on the simulated scanner: a page, perhaps with a reverse side for a duplex feeder.
type Sheet struct {
	Name   string // of the file, without extension
	About  string // one sentence for whoever runs the demo
	Front  Spec
	Back   *Spec
	Damage Damage
	Seed   uint64
}

// file is a specimen as written in configs/specimens. What is left out is invented from the seed.
type file struct {
	About    string   `yaml:"about"`
	Seed     uint64   `yaml:"seed"`
	Damage   string   `yaml:"damage"`
	DPI      int      `yaml:"dpi"`
	Duplex   bool     `yaml:"duplex"` // the backs lie on the reverse of the sheet, not beside the fronts
	Papers   []onFile `yaml:"papers"`
	fileName string
}

type onFile struct {
	Kind     paper.Kind        `yaml:"kind"`
	Rotation int               `yaml:"rotation"`
	Skew     float64           `yaml:"skew"`
	Sides    []Side            `yaml:"sides"`
	Person   uint64            `yaml:"person"` // seed of the person; 0: that of the file
	Values   map[string]string `yaml:"values"`
}

// Load reads the specimens of a directory, in the order of their file names. Persons not spelled out
// in a file are invented from its seed.
func Load(fsys fs.FS, dir string) ([]Sheet, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("read specimens: %w", err)
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	var sheets []Sheet
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".yaml") {
			continue
		}
		b, err := fs.ReadFile(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read specimen %s: %w", e.Name(), err)
		}
		f := file{fileName: strings.TrimSuffix(e.Name(), ".yaml")}
		if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("read specimen %s: %w", e.Name(), err)
		}
		s, err := f.sheet()
		if err != nil {
			return nil, fmt.Errorf("read specimen %s: %w", e.Name(), err)
		}
		sheets = append(sheets, s)
	}
	if len(sheets) == 0 {
		return nil, fmt.Errorf("read specimens: no *.yaml in %s", dir)
	}
	return sheets, nil
}

func (f file) sheet() (Sheet, error) {
	s := Sheet{Name: f.fileName, About: f.About, Seed: f.Seed, Damage: Damage{Set: f.Damage, Seed: f.Seed}}
	switch f.Damage {
	case "", Clean, Office, Bad, Photo:
	default:
		return s, fmt.Errorf("damage %q: use clean, office, bad or photo", f.Damage)
	}
	s.Front.DPI = f.DPI
	back := Spec{DPI: f.DPI}
	for i, p := range f.Papers {
		seed := p.Person
		if seed == 0 {
			seed = f.Seed + uint64(i)
		}
		person := InventFor(p.Kind, seed)
		if err := person.set(p.Values); err != nil {
			return s, err
		}
		pp := Paper{Kind: p.Kind, Person: person, Sides: p.Sides, Rotation: p.Rotation, Skew: p.Skew}
		if f.Duplex {
			pp.Sides = []Side{Front}
			if isCard(p.Kind) {
				b := pp
				b.Sides = []Side{Back}
				back.Papers = append(back.Papers, b)
			}
		}
		s.Front.Papers = append(s.Front.Papers, pp)
	}
	if len(s.Front.Papers) == 0 {
		return s, fmt.Errorf("no papers")
	}
	if len(back.Papers) > 0 {
		s.Back = &back
	}
	return s, nil
}

// set overwrites what is invented by what the file says.
func (p *Person) set(values map[string]string) error {
	text := map[string]*string{"number": &p.Number, "old_number": &p.OldNumber, "full_name": &p.FullName, "sex": &p.Sex,
		"nationality": &p.Nationality, "place_of_origin": &p.Origin, "place_of_residence": &p.Residence,
		"place_of_birth": &p.BirthPlace, "father": &p.Father, "mother": &p.Mother, "ethnicity": &p.Ethnicity, "marks": &p.Marks,
		"passport_number": &p.Passport, "register": &p.Register}
	date := map[string]*time.Time{"date_of_birth": &p.Birth, "date_of_issue": &p.Issue, "date_of_expiry": &p.Expiry}
	for k, v := range values {
		if t, ok := text[k]; ok {
			*t = v
			continue
		}
		d, ok := date[k]
		if !ok {
			return fmt.Errorf("unknown value %q", k)
		}
		if v == forever {
			*d = time.Time{}
			continue
		}
		parsed, err := time.Parse("2006-01-02", v)
		if err != nil {
			return fmt.Errorf("%s: write the date as YYYY-MM-DD", k)
		}
		*d = parsed
	}
	return nil
}

// DrawFront and DrawBack draw a sheet as Draw does; DrawBack of a sheet without a reverse is white paper.
func (s Sheet) DrawFront() (Page, error) { return drawPage(s.Front, s.Seed, s.Damage) }

// DrawBack draws the reverse side.
func (s Sheet) DrawBack() (Page, error) {
	if s.Back == nil {
		return drawPage(Spec{DPI: s.Front.DPI}, s.Seed+1, s.Damage)
	}
	return drawPage(*s.Back, s.Seed+1, s.Damage)
}
