package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"motcua/ocr"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// page is one page to read, planned from its seed alone, or a file that another program drew.
type page struct {
	file   string // "" for a page of our own
	set    string
	seed   uint64
	spec   specimen.Spec
	damage specimen.Damage
	print  string // of everything that decides how it looks, for the cache
}

// plan decides what lies on the page with this seed: kinds in a fixed mixture, every other one without a
// readable code, all turns, skew as wide as the set allows, now and then two persons or another resolution.
func plan(set string, seed uint64, f flags, families []*specimen.Family) page {
	r := rand.New(rand.NewPCG(seed, 0x62656e6368))
	kind := mixture[seed%uint64(len(mixture))]
	if len(f.kinds) > 0 {
		kind = paper.Kind(f.kinds[seed%uint64(len(f.kinds))])
	}
	c := page{set: set, seed: seed}
	c.damage = specimen.Damage{Set: set, Seed: seed*7 + uint64(len(set)), NoCodes: (seed+seed/16)%2 == 1}
	c.spec.Papers = []specimen.Paper{f.paper(r, kind, set, seed)}
	if set != specimen.Photo && seed%11 == 5 && !onSheet(kind) && kind != paper.Passport {
		c.spec.Papers = append(c.spec.Papers, f.paper(r, paper.CCCD, set, seed+500_000_000))
	}
	c.spec.Tight = r.IntN(8) == 0 || set == specimen.Photo || f.tight
	c.spec.DPI = f.resolution(r, set, c.spec.Tight)
	if f.forged {
		c.forge(r)
	}
	if f.unlike {
		names := specimen.Lookalikes()
		p := &c.spec.Papers[0]
		*p = specimen.Paper{Kind: paper.Other, Like: names[seed%uint64(len(names))], Person: p.Person, Rotation: p.Rotation, Skew: p.Skew}
		c.spec.Papers = c.spec.Papers[:1]
	}
	font := ""
	if len(families) > 0 {
		i := r.IntN(len(families))
		c.spec.Fonts = families[i]
		font = fmt.Sprint(i, f.fonts)
	}
	c.print = fmt.Sprintf("%s %d %+v %+v %s", set, seed, c.damage, c.spec.Papers, font) + fmt.Sprint(c.spec.Tight, c.spec.DPI)
	if p := c.spec.Papers[0].Code; p != nil {
		c.print += fmt.Sprintf(" %+v", *p)
	}
	return c
}

// paper plans one paper of a page, turned and askew as far as the set allows.
func (f flags) paper(r *rand.Rand, k paper.Kind, set string, seed uint64) specimen.Paper {
	p := specimen.Paper{Kind: k, Person: specimen.InventFor(k, seed)}
	if f.rare {
		p.Person = specimen.Rare(p.Person, seed)
	}
	if r.IntN(2) == 0 {
		p.Rotation = 90 * r.IntN(4)
	}
	wide := map[string]float64{specimen.Clean: 1, specimen.Office: 4, specimen.Bad: 10, specimen.Photo: 8}[set]
	p.Skew = (r.Float64()*2 - 1) * wide
	if onSheet(k) {
		p.Skew *= 0.3
		if p.Rotation%180 != 0 && set != specimen.Photo {
			p.Rotation = 180 // sheets lie lengthwise on an A4 glass
		}
	}
	return p
}

func onSheet(k paper.Kind) bool { return k == paper.Other || kinds.IsSheet(k) }

// resolution is that of a page: mostly 300 dpi, and no more than a scanner would give such a page at.
func (f flags) resolution(r *rand.Rand, set string, tight bool) int {
	dpi := []int{300, 300, 300, 300, 300, 300, 200, 400, 300, 600}[r.IntN(10)]
	switch {
	case f.dpi > 0:
		return f.dpi
	case set == specimen.Bad && dpi == 600:
		return 200
	case dpi == 600 && !tight:
		return 400
	}
	return dpi
}

// forge makes of the page one chip card, its front or both sides, whose QR symbol lies in one of the ways there are.
func (c *page) forge(r *rand.Rand) {
	kinds := []paper.Kind{paper.CCCD, paper.CCCD, paper.CanCuoc}
	p := c.spec.Papers[0]
	p.Kind = kinds[r.IntN(len(kinds))]
	p.Person = specimen.InventFor(p.Kind, c.seed)
	other := specimen.Forge(p.Person, specimen.Forgeries[c.seed%uint64(len(specimen.Forgeries))], c.seed)
	p.Code = &other
	if p.Kind == paper.CCCD && r.IntN(2) == 0 {
		p.Sides = []specimen.Side{specimen.Front}
	}
	c.spec.Papers = []specimen.Paper{p}
	c.damage.NoCodes = false
	c.spec.DPI = max(c.spec.DPI, 200)
}

func (c page) kind() paper.Kind { return c.spec.Papers[0].Kind }

func (c page) name() string {
	if c.file != "" {
		return c.set + "-" + strings.TrimSuffix(filepath.Base(c.file), filepath.Ext(c.file))
	}
	return fmt.Sprintf("%s-%s-%d", c.set, c.kind(), c.seed)
}

// page draws, or takes from the cache what an earlier run of this same program drew.
func (c page) page(cache string) ([]byte, specimen.Truth, error) {
	if c.file != "" {
		return c.read()
	}
	var truth specimen.Truth
	base := ""
	if cache != "" {
		sum := sha256.Sum256([]byte(c.print + generator()))
		base = filepath.Join(cache, fmt.Sprintf("%x", sum[:12]))
		data, err := os.ReadFile(base + ".page")
		if err == nil {
			var j []byte
			if j, err = os.ReadFile(base + ".json"); err == nil {
				err = json.Unmarshal(j, &truth)
			}
			if err == nil {
				return data, truth, nil
			}
		}
	}
	img, truth, err := specimen.Draw(c.spec, c.seed, c.damage)
	if err != nil {
		return nil, truth, err
	}
	data, _, err := specimen.Encode(img, c.spec.DPI, c.damage)
	if err != nil {
		return nil, truth, err
	}
	if base != "" {
		j, err := json.Marshal(truth)
		if err != nil {
			return nil, truth, fmt.Errorf("encode truth: %w", err)
		}
		if err := os.WriteFile(base+".json", j, 0o600); err != nil {
			return nil, truth, fmt.Errorf("write cache: %w", err)
		}
		if err := os.WriteFile(base+".page", data, 0o600); err != nil {
			return nil, truth, fmt.Errorf("write cache: %w", err)
		}
	}
	return data, truth, nil
}

// generator names the version of the drawing code by a few drawn pixels, so that a cache made by an
// older one is not used.
func generator() string {
	sources, err := filepath.Glob("ocr/specimen/*.go")
	if err != nil || len(sources) == 0 {
		return "unknown"
	}
	h := sha256.New()
	for _, s := range sources {
		b, err := os.ReadFile(s)
		if err == nil && !strings.HasSuffix(s, "_test.go") {
			h.Write(b)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// keep saves a page that was not read right, with what was wrong.
func (c page) keep(dir string, data []byte, wrong []string, out ocr.Result) error {
	base := filepath.Join(dir, c.name())
	if err := os.WriteFile(base+extension(data), data, 0o600); err != nil {
		return fmt.Errorf("keep page: %w", err)
	}
	j, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return fmt.Errorf("keep result: %w", err)
	}
	return os.WriteFile(base+".txt", []byte(strings.Join(wrong, "\n")+"\n\n"+string(j)+"\n"), 0o600)
}
