package web

import (
	"image"
	"slices"
	"strings"
	"testing"

	"motcua/agent/counter"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
)

// grey is a sheet with a grey side, and its size as a page of a visit.
func grey(t *testing.T) (simulated.Sheet, int) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 200, 280))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	draw := func() (image.Image, error) { return img, nil }
	sheet := simulated.Sheet{Front: draw, Back: draw, DPI: 25}
	for page, err := range simulated.New([]simulated.Sheet{sheet}, simulated.Options{LinesPerSecond: -1}).Scan(t.Context(),
		scan.Settings{Source: scan.ADF, DPI: 200}) {
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := scan.Encode(page)
		if err != nil {
			t.Fatal(err)
		}
		return sheet, len(data)
	}
	t.Fatal("no page")
	return sheet, 0
}

// A scan that fills the visit says how many pages were taken, and that others were not, or may not have been; of a sheet with two
// sides both are taken or none.
func TestFullVisitIsTold(t *testing.T) {
	t.Parallel()
	sheet, size := grey(t)
	for name, c := range map[string]struct {
		source       scan.Source
		here         int // papers of the visit before
		room         int // bytes that are left
		taken, after int
	}{
		"by number":                    {scan.ADF, visit.MaxPapers - 2, visit.MaxBytes, 2, visit.MaxPapers},
		"by bytes":                     {scan.ADF, 1, 2*size + size/2, 2, 3},
		"by number, one side has room": {scan.ADFDuplex, visit.MaxPapers - 3, visit.MaxBytes, 2, visit.MaxPapers - 1},
		"no room for a whole sheet":    {scan.ADFDuplex, visit.MaxPapers - 1, visit.MaxBytes, 0, visit.MaxPapers - 1},
		"by bytes, the back":           {scan.ADFDuplex, 1, 3*size + size/2, 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKiosk(t, func(o *screen.Options) { o.Source, o.DPI = c.source, 200 })
			h := k.hand(t).toScan("2.000815")
			v := k.site.Sessions.Visits()[0].Visit
			for i := range c.here {
				p := visit.Paper{Data: onePixel(t), MediaType: "image/png"}
				if i == 0 && c.room < visit.MaxBytes {
					p.Data = make([]byte, visit.MaxBytes-c.room)
				}
				if _, err := v.Add(k.site.Now(), p); err != nil {
					t.Fatal(err)
				}
			}
			fed(k, sheet, sheet, sheet, sheet)
			h.post("/scan").want(200, "/scan")
			e := h.follow("full", "done", "fault")
			if want := k.site.Words.Say("vi", "scan.full", "n", c.taken); e.Kind != "full" || e.Text != want || e.Page != c.taken {
				t.Errorf("%+v", e)
			}
			if n := len(v.State().Papers); n != c.after {
				t.Errorf("%d papers, want %d", n, c.after)
			}
			h.get(e.To).want(200, "/papers", k.site.Words.Say("vi", "papers.full", "n", c.after))
		})
	}
}

// Of files that are handed in the ones that found no room are told, and so is a scan that can't be begun.
func TestFilesWithoutRoomAreTold(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	v := k.site.Sessions.Visits()[0].Visit
	for range visit.MaxPapers - 1 {
		if _, err := v.Add(k.site.Now(), visit.Paper{Data: onePixel(t), MediaType: "image/png"}); err != nil {
			t.Fatal(err)
		}
	}
	h.uploadTo("/upload", "a.png", onePixel(t), onePixel(t))
	if e := h.follow("full", "done", "fault"); e.Kind != "full" || e.Text != k.site.Words.Say("vi", "upload.full", "n", 1) {
		t.Errorf("%+v", e)
	}
	h.post("/scan").want(200, "/papers", k.site.Words.Say("vi", "papers.full", "n", visit.MaxPapers))
}

// A stack that is longer than one scan takes is dealt, its last submission is doubted, and what is left is the next stack.
func TestFullStackGoesOnAsAnother(t *testing.T) {
	t.Parallel()
	sheet, size := grey(t)
	for name, two := range map[string]bool{"one side": false, "fronts first": true} {
		t.Run(name, func(t *testing.T) {
			k := newKiosk(t, withStaff(t), func(o *screen.Options) { o.DPI = 200 })
			lan := k.hand(t).signIn("lan", volunteerPIN)
			large := sheetWith(t, "001090000001")
			most := visit.MaxBytes
			if two {
				most /= 2
			}
			large.Data = slices.Concat(large.Data, make([]byte, most-len(large.Data)-size-size/2))
			stack := halfOf(t, k, large)
			stack.TwoSided = two
			for _, s := range k.site.Sessions.All() {
				if s.Staffed() {
					k.site.Stack(s, stack, "2.000815")
				}
			}
			fed(k, sheet, sheet, sheet)
			s := oneSided{k.site.Options.Scanner()}
			k.site.Options.Scanner = func() screen.Scanner { return s }
			lan.post("/desk/stack/"+stack.Visit.ID+"/fronts").want(200, "/desk/batch")
			e := lan.followAt("/desk/batch", "full", "done", "fault")
			key := "desk.full"
			if two {
				key = "desk.full.wait"
			}
			if e.Kind != "full" || e.Text != k.site.Words.Say("vi", key, "n", 1) || e.Next == two {
				t.Fatalf("%+v", e)
			}
			if two {
				lan.get("/desk").want(200, "/desk", k.site.Words.Say("vi", "desk.backs.full", "n", 2))
				return
			}
			await(t, "the stack in the line", func() bool { return len(k.site.Sessions.Lined()) == 1 })
			if one := k.site.Sessions.Lined()[0]; one.Doubt != counter.DoubtFull || len(one.Visit.State().Papers) != 2 {
				t.Errorf("%d papers, doubt %q", len(one.Visit.State().Papers), one.Doubt)
			}
			lan.post("/desk/batch", "procedure", "2.000815", "sides", "one", "agreed", "yes").
				want(200, "/desk/batch", `action="/desk/batch" data-next hidden`)
			await(t, "the rest in the line", func() bool { return len(k.site.Sessions.Lined()) == 2 })
			if !strings.Contains(lan.body, k.site.Words.Say("vi", "desk.full.next")) {
				t.Error("nothing leads on to the next stack")
			}
		})
	}
}

// A sheet that finds no room in the submission it is moved to stays where it is, and that is told.
func TestSheetMovedToAFullSubmission(t *testing.T) {
	k := newKiosk(t, withStaff(t))
	lan := k.hand(t).signIn("lan", volunteerPIN)
	for _, n := range []int{visit.MaxPapers, 2} {
		stack := halfOf(t, k, slices.Repeat([]visit.Paper{sheetWith(t, "001090000001")}, n)...)
		stack.TwoSided = false
		k.site.Deal(stack, k.site.Procedure("2.000815"), "lan")
	}
	line := k.site.Sessions.Lined()
	full, mine := line[0].Visit, line[1].Visit
	lan.post("/desk/open/"+mine.ID).want(200, "/check")
	lan.get("/papers").want(200, "/papers")
	lan.post("/papers/"+mine.State().Papers[0].ID+"/move", "to", full.ID).want(200, "/papers", k.site.Words.Say("vi", "papers.full.other"))
	if a, b := len(full.State().Papers), len(mine.State().Papers); a != visit.MaxPapers || b != 2 {
		t.Errorf("%d and %d papers", a, b)
	}
}
