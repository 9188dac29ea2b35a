package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"iter"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/agent/counter"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// side draws one side of a chip card, alone on a page.
func side(t *testing.T, seed uint64, of specimen.Side) func() (image.Image, error) {
	t.Helper()
	person := specimen.Invent(seed)
	return drawnOnce(fmt.Sprintf("side %v of %d", of, seed), func() (image.Image, error) {
		img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: paper.CCCD, Person: person, Sides: []specimen.Side{of}}},
			DPI: 300},
			seed, specimen.Damage{})
		return img, err
	})
}

// printed gives the two sides of a PDF's sheet as a printer prints them (pdftoppm).
func printed(t *testing.T, pdf string) [2]func() (image.Image, error) {
	t.Helper()
	var sides [2]func() (image.Image, error)
	for i, page := range []string{"1", "2"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		run := exec.CommandContext(ctx, "pdftoppm", "-r", "200", "-f", page, "-l", page, "-gray", "-png", "-")
		run.Stdin = strings.NewReader(pdf)
		out, err := run.Output()
		if err != nil {
			t.Fatalf("pdftoppm (Debian package poppler-utils): %v", err)
		}
		img, err := png.Decode(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = func() (image.Image, error) { return img, nil }
	}
	return sides
}

// fed makes a kiosk's scanner one with these sheets in its feeder.
func fed(k *kiosk, sheets ...simulated.Sheet) {
	s := simulated.New(sheets, simulated.Options{LinesPerSecond: -1})
	k.site.Options.Scanner = func() screen.Scanner { return s }
}

// Sheets that the kiosk printed part a stack into submissions of several procedures, whichever of their sides is printed on; what
// looks like a forgotten separator is doubted.
func TestSeparatorsPartAStack(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t), withDrafts(t), func(o *screen.Options) { o.DPI = 200 })
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.get("/desk/separators.pdf?procedure=0.000000").want(404, "/desk/separators.pdf")
	both := printed(t, lan.get("/desk/separators.pdf?procedure=1.004194").body)
	one := printed(t, lan.get("/desk/separators.pdf?procedure=2.000815").body)
	card := func(seed uint64) simulated.Sheet { return simulated.Sheet{Front: side(t, seed, specimen.Front)} }
	fed(k, simulated.Sheet{Front: both[0], Back: both[1], DPI: 200}, card(11), simulated.Sheet{Front: one[0], DPI: 200}, card(12), card(13))
	lan.post("/desk/batch", "procedure", "1.000894", "agreed", "yes").want(200, "/desk/batch")
	await(t, "the persons of the stack in the line", func() bool { return len(k.site.Sessions.Lined()) > 0 })
	lined := k.site.Sessions.Lined()
	if len(lined) != 2 {
		t.Fatalf("%d submissions", len(lined))
	}
	for i, want := range []struct {
		procedure string
		pages     int
		doubt     string
	}{{"1.004194", 2, ""}, {"2.000815", 4, counter.DoubtStranger}} {
		state := lined[i].Visit.State()
		if state.Procedure != want.procedure || len(state.Papers) != want.pages || lined[i].Doubt != want.doubt {
			t.Errorf("submission %d: %s, %d pages, doubt %q; want %+v", i, state.Procedure, len(state.Papers), lined[i].Doubt, want)
		}
	}
	sentence := k.site.Words.Say("vi", "doubt.stranger")
	lan.get("/desk").want(200, "/desk", sentence)
	lan.post("/desk/open/"+lined[0].Visit.ID).want(200, "/check")
	lan.post("/desk/open/"+lined[1].Visit.ID).want(200, "/papers", sentence)
}

// oneSided is a scanner whose feeder takes one side at a time.
type oneSided struct{ screen.Scanner }

func (s oneSided) Info() scan.Info {
	info := s.Scanner.Info()
	info.Sources = []scan.Source{scan.Flatbed, scan.ADF}
	return info
}

func (s oneSided) Scan(ctx context.Context, settings scan.Settings) iter.Seq2[scan.Page, error] {
	return s.Scanner.Scan(ctx, settings)
}

// A stack of sheets with two sides goes twice through a feeder that takes one side: the sides of a sheet come together, and
// where a sheet was missed nothing is put together by guess, nor lost, also when the daemon ends between the two.
func TestTwoSidedStack(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t), withDrafts(t))
	feed := func(k *kiosk, of specimen.Side, seeds ...uint64) {
		var sheets []simulated.Sheet
		for _, seed := range seeds {
			sheets = append(sheets, simulated.Sheet{Front: side(t, seed, of)})
		}
		fed(k, sheets...)
		s := oneSided{k.site.Options.Scanner()}
		k.site.Options.Scanner = func() screen.Scanner { return s }
	}
	waits := func(k *kiosk, pages int) *screen.Table {
		t.Helper()
		var half *screen.Table
		await(t, "the stack to wait for its backs", func() bool {
			for _, one := range k.site.Sessions.Halves() {
				if state := one.Visit.State(); !state.Busy && len(state.Papers) == pages {
					half = one
				}
			}
			return half != nil
		})
		return half
	}
	feed(k, specimen.Front, 21, 22)
	lan := k.hand(t).signIn("lan", volunteerPIN).want(200, "/desk", `name="sides"`)
	lan.post("/desk/batch", "procedure", "2.000815", "agreed", "yes", "sides", "two").want(200, "/desk/batch")
	half := waits(k, 2)
	lan.get("/desk").want(200, "/desk", k.site.Words.Say("vi", "desk.backs.go"))

	feed(k, specimen.Back, 21) // the other stuck to it
	lan.post("/desk/stack/"+half.Visit.ID+"/backs").want(200, "/desk/batch")
	half = waits(k, 3)
	uneven := k.site.Words.Say("vi", "desk.backs.uneven", "fronts", "2", "backs", "1")
	lan.get("/desk").want(200, "/desk", uneven)
	if n := len(k.site.Sessions.Lined()); n != 0 {
		t.Fatalf("%d were dealt by guess", n)
	}

	after := k.again(t)
	if waits(after, 3).Visit.ID != half.Visit.ID {
		t.Error("another stack waits after the restart")
	}
	minh := after.hand(t).signIn("minh", techPIN).want(200, "/desk", uneven)
	feed(after, specimen.Back, 22, 21)
	minh.post("/desk/stack/"+half.Visit.ID+"/backs").want(200, "/desk/batch")
	await(t, "the persons of the stack in the line", func() bool { return len(after.site.Sessions.Lined()) > 0 })
	var persons []string
	for _, one := range after.site.Sessions.Lined() {
		state := one.Visit.State()
		if one.Doubt != "" || len(state.Papers) != 2 {
			t.Errorf("%d sheets, doubt %q", len(state.Papers), one.Doubt)
			continue
		}
		front, back := state.Papers[0], state.Papers[1]
		number := front.Documents[0].Fields[paper.Number].Value
		if front.Back || !back.Back || number == "" || back.Documents[0].Fields[paper.Number].Value != number {
			t.Error("the sides of a card are not together")
		}
		persons = append(persons, number)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(persons)))) != 2 {
		t.Errorf("%d persons", len(persons))
	}
}

// A stack that waits for its backs is not ended by the next one, nor by ten minutes of silence; it can be dealt as it is, once.
func TestHalfStackWaits(t *testing.T) {
	t.Parallel()
	now := newClock()
	k := newKiosk(t, withStaff(t), withDrafts(t), func(o *screen.Options) { o.Clock = now.now })
	k.hand(t).signIn("lan", volunteerPIN)
	half := k.site.NewTable()
	half.Stack, half.TwoSided = true, true
	half.Awaits.Store(true)
	if err := half.Visit.Pick(now.now(), "2.000815"); err != nil {
		t.Fatal(err)
	}
	if err := half.Visit.Agree(now.now()); err != nil {
		t.Fatal(err)
	}
	if _, err := half.Visit.Add(now.now(), sheetWith(t, "001090000001")); err != nil {
		t.Fatal(err)
	}
	for _, s := range k.site.Sessions.All() {
		if s.Staffed() {
			k.site.Stack(s, half, "2.000815")
		}
	}
	k.site.AwaitRest(half, "lan")
	now.pass(15 * time.Minute)
	k.site.Sweep()
	lan := k.hand(t).signIn("lan", volunteerPIN)
	fed(k, simulated.Sheet{Front: side(t, 31, specimen.Front)})
	lan.post("/desk/batch", "procedure", "2.000815", "agreed", "yes").want(200, "/desk/batch")
	await(t, "the next stack in the line", func() bool { return len(k.site.Sessions.Lined()) == 1 })
	for range 2 {
		lan.post("/desk/stack/"+half.Visit.ID+"/deal").want(200, "/desk")
	}
	if n := len(k.site.Sessions.Lined()); n != 2 {
		t.Errorf("%d in the line", n)
	}
}

// A daemon that ends while a two-sided stack is dealt deals the rest of it when it is back: nobody may lay its sheets another
// way, half of its persons are in the line.
func TestTwoSidedStackIsDealtToItsEnd(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	whole := k.site.Options.Drafts
	disk := &cut{Drafts: whole, left: -1}
	k.site.Options.Drafts = disk
	half := halfOf(t, k, sheetWith(t, "001090000001"), sheetWith(t, "001090000002"))
	k.site.AwaitRest(half, "lan")
	half.Awaits.Store(false)
	disk.left = 3 // the word that it is dealt, and the first person
	k.site.Deal(half, k.site.Procedure("2.000815"), "lan")
	k.site.Options.Drafts = whole
	after := k.again(t)
	if n := len(after.site.Sessions.Halves()); n != 0 {
		t.Errorf("%d stacks wait for their backs", n)
	}
	await(t, "the persons of the stack in the line", func() bool { return len(after.site.Sessions.Lined()) == 2 })
}

// A stack that has no room for one more paper is dealt to its end like any other.
func TestFullStackIsDealtToItsEnd(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	stack := halfOf(t, k, slices.Repeat([]visit.Paper{sheetWith(t, "001090000001")}, visit.MaxPapers)...)
	stack.TwoSided = false
	stack.Awaits.Store(false)
	k.site.Keep(stack, nil) // and here the daemon ends
	after := k.again(t)
	await(t, "the stack in the line", func() bool {
		line := after.site.Sessions.Lined()
		return len(line) == 1 && len(line[0].Visit.State().Papers) == visit.MaxPapers
	})
}

// What a stopped scan left unread is read before its stack is dealt: a sheet that nobody read is in nobody's place.
func TestStackIsReadBeforeItIsDealt(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	lan := k.hand(t).signIn("lan", volunteerPIN)
	unread := visit.Paper{Data: onePixel(t), MediaType: "image/png", Reading: true}
	stack := halfOf(t, k, sheetWith(t, "001090000001"), unread)
	stack.TwoSided = false
	for _, s := range k.site.Sessions.All() {
		k.site.Stack(s, stack, "2.000815")
	}
	lan.post("/desk/stack/"+stack.Visit.ID+"/deal").want(200, "/desk")
	await(t, "the stack in the line", func() bool { return len(k.site.Sessions.Lined()) == 1 })
	one := k.site.Sessions.Lined()[0]
	if one.Doubt != counter.DoubtBroken {
		t.Errorf("doubt %q", one.Doubt)
	}
	for _, p := range one.Visit.State().Papers {
		if p.Reading {
			t.Error("a sheet was dealt unread")
		}
	}
}

// A feeder that was empty leaves nothing behind: no stack that nobody sees, and that takes the room of a visit for a day.
func TestEmptyFeederLeavesNoStack(t *testing.T) {
	now := newClock()
	k := newKiosk(t, withStaff(t), withDrafts(t), func(o *screen.Options) { o.Clock = now.now })
	lan := k.hand(t).signIn("lan", volunteerPIN)
	for range 3 {
		fed(k)
		lan.post("/desk/batch", "procedure", "2.000815", "agreed", "yes").want(200, "/desk/batch")
		await(t, "the scan to end", func() bool {
			return !slices.ContainsFunc(k.site.Sessions.Visits(), func(one *screen.Table) bool { return one.Visit.State().Busy })
		})
	}
	if n := len(k.site.Sessions.Visits()); n > 1 {
		t.Errorf("%d stacks are left", n)
	}
	now.pass(15 * time.Minute)
	k.site.Sweep()
	if n := len(k.site.Sessions.Visits()); n != 0 {
		t.Errorf("%d are left when nobody is here", n)
	}
	if ids, err := k.site.Options.Drafts.IDs(); err != nil || len(ids) != 0 {
		t.Errorf("%d are kept, %v", len(ids), err)
	}
}

// A stack that another build would divide otherwise is dealt to its end as it was begun: the kept record says who gets what.
func TestStackIsDealtAsItWasBegun(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	whole := k.site.Options.Drafts
	disk := &cut{Drafts: whole, left: -1}
	k.site.Options.Drafts = disk
	stack := halfOf(t, k, sheetWith(t, "001090000001"), sheetWith(t, "001090000002"), sheetWith(t, "001090000003"))
	stack.TwoSided = false
	stack.Awaits.Store(false)
	disk.left = 3 + 1 + 2 // the stack's pages, its record with the division, and the first person
	k.site.Deal(stack, k.site.Procedure("2.000815"), "lan")
	k.site.Options.Drafts = whole
	var record map[string]any
	if err := whole.Take(stack.Visit.ID, &record); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprint(record), "001090000002") {
		t.Fatal("the record does not hold what was read")
	}
	if err := whole.Keep(stack.Visit.ID, reread(record, "001090000002", "001090000001")); err != nil {
		t.Fatal(err)
	}
	after := k.again(t)
	await(t, "the persons of the stack in the line", func() bool {
		return len(after.site.Sessions.Visits()) == len(after.site.Sessions.Lined())
	})
	papers := 0
	for _, one := range after.site.Sessions.Lined() {
		papers += len(one.Visit.State().Papers)
	}
	if n := len(after.site.Sessions.Lined()); n != 3 || papers != 3 {
		t.Errorf("%d persons with %d papers", n, papers)
	}
}

// reread is a record in which another value was read.
func reread(record any, was, is string) any {
	switch r := record.(type) {
	case map[string]any:
		for key, value := range r {
			r[key] = reread(value, was, is)
		}
	case []any:
		for i, value := range r {
			r[i] = reread(value, was, is)
		}
	case string:
		if r == was {
			return is
		}
	}
	return record
}

// A stack that was stopped, or that the daemon's end cut, stands at the desk at once with what was scanned; it is scanned on, or
// dealt as it is, and then the last person is doubted. Nothing of it ends with the next stack.
func TestStoppedStackWaitsAtTheDesk(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t), withDrafts(t))
	feed := func(k *kiosk, seeds ...uint64) {
		var sheets []simulated.Sheet
		for _, seed := range seeds {
			sheets = append(sheets, simulated.Sheet{Front: side(t, seed, specimen.Front)})
		}
		fed(k, sheets...)
		s := oneSided{k.site.Options.Scanner()}
		k.site.Options.Scanner = func() screen.Scanner { return s }
	}
	feed(k, 41, 42)
	s := held{k.site.Options.Scanner(), make(chan bool), make(chan bool)}
	k.site.Options.Scanner = func() screen.Scanner { return s }
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.post("/desk/batch", "procedure", "2.000815", "agreed", "yes").want(200, "/desk/batch")
	<-s.reached
	lan.post("/desk/batch/stop")
	close(s.goOn)
	waits := func(k *kiosk) *screen.Table {
		t.Helper()
		var half *screen.Table
		await(t, "the stopped stack at the desk", func() bool {
			for _, one := range k.site.Sessions.Halves() {
				if state := one.Visit.State(); !state.Busy && len(state.Papers) == 1 && !state.Papers[0].Reading {
					half = one
				}
			}
			return half != nil
		})
		return half
	}
	half := waits(k)
	rest := k.site.Words.Say("vi", "desk.rest", "n", "1")
	lan.get("/desk").want(200, "/desk", rest, k.site.Words.Say("vi", "desk.rest.go"))
	after := k.again(t)
	if again := waits(after); again.Visit.ID != half.Visit.ID {
		t.Error("another stack waits after the restart")
	}
	lan = after.hand(t).signIn("lan", volunteerPIN).want(200, "/desk", rest)
	feed(after, 43)
	lan.post("/desk/batch", "procedure", "2.000815", "agreed", "yes").want(200, "/desk/batch")
	await(t, "the next stack in the line", func() bool { return len(after.site.Sessions.Lined()) == 1 })
	feed(after, 42)
	lan.post("/desk/stack/"+half.Visit.ID+"/fronts").want(200, "/desk/batch")
	await(t, "the rest of the stack in the line", func() bool { return len(after.site.Sessions.Lined()) == 3 })
	for _, one := range after.site.Sessions.Lined() {
		if state := one.Visit.State(); one.Doubt != "" || len(state.Papers) != 1 {
			t.Errorf("%d sheets, doubt %q", len(state.Papers), one.Doubt)
		}
	}
	cutOff := halfOf(t, after, sheetWith(t, "001090000001"))
	cutOff.TwoSided = false
	for _, s := range after.site.Sessions.All() {
		after.site.Stack(s, cutOff, "2.000815")
	}
	lan.post("/desk/stack/"+cutOff.Visit.ID+"/deal").want(200, "/desk")
	if line := after.site.Sessions.Lined(); len(line) != 4 || line[3].Doubt != counter.DoubtBroken {
		t.Errorf("%d in the line", len(line))
	}
}

// halfOf is a stack of two-sided sheets that waits for its backs.
func halfOf(t *testing.T, k *kiosk, papers ...visit.Paper) *screen.Table {
	t.Helper()
	now := k.site.Now()
	half := k.site.NewTable()
	half.Stack, half.TwoSided = true, true
	half.Awaits.Store(true)
	if err := errors.Join(half.Visit.Pick(now, "2.000815"), half.Visit.Agree(now)); err != nil {
		t.Fatal(err)
	}
	for _, p := range papers {
		if _, err := half.Visit.Add(now, p); err != nil {
			t.Fatal(err)
		}
	}
	return half
}

// Backs without a number may be of any sheet: who they were given to by their order alone is doubted. So is the last person of
// a stack whose scan broke off.
func TestDealtByOrderAlone(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	back := visit.Paper{Data: onePixel(t), MediaType: "image/png", Pages: 1, Back: true}
	half := halfOf(t, k, sheetWith(t, "001090000001"), sheetWith(t, "001090000002"), back, back)
	k.site.Deal(half, k.site.Procedure("2.000815"), "lan")
	for _, one := range k.site.Sessions.Lined() {
		if one.Doubt != counter.DoubtOrder {
			t.Errorf("doubt %q", one.Doubt)
		}
		one.End()
	}
	broken := halfOf(t, k, sheetWith(t, "001090000003"), sheetWith(t, "001090000004"))
	broken.TwoSided, broken.Doubt = false, counter.DoubtBroken
	k.site.Deal(broken, k.site.Procedure("2.000815"), "lan")
	if line := k.site.Sessions.Lined(); len(line) != 2 || line[0].Doubt != "" || line[1].Doubt != counter.DoubtBroken {
		t.Errorf("%d in the line", len(line))
	}
}

// More sheets than have room with their backs are not scanned from the front, and the desk says what to do.
func TestTwoSidedStackHasRoomForItsBacks(t *testing.T) {
	k := newKiosk(t, withStaff(t))
	lan := k.hand(t).signIn("lan", volunteerPIN)
	half := halfOf(t, k, slices.Repeat([]visit.Paper{sheetWith(t, "001090000001")}, screen.MostTwoSided-1)...)
	for _, s := range k.site.Sessions.All() {
		if s.Staffed() {
			k.site.Stack(s, half, "2.000815")
		}
	}
	blank := func() (image.Image, error) { return image.NewGray(image.Rect(0, 0, 200, 280)), nil }
	fed(k, simulated.Sheet{Front: blank}, simulated.Sheet{Front: blank}, simulated.Sheet{Front: blank})
	s := oneSided{k.site.Options.Scanner()}
	k.site.Options.Scanner = func() screen.Scanner { return s }
	lan.post("/desk/stack/"+half.Visit.ID+"/fronts").want(200, "/desk/batch")
	await(t, "the scan to end", func() bool {
		state := half.Visit.State()
		return !state.Busy && len(state.Papers) >= screen.MostTwoSided
	})
	if n := len(half.Visit.State().Papers); n != screen.MostTwoSided {
		t.Errorf("%d fronts", n)
	}
	lan.get("/desk").want(200, "/desk", k.site.Words.Say("vi", "desk.backs.full", "n", screen.MostTwoSided))
	if strings.Contains(lan.body, "/fronts") {
		t.Error("more fronts are asked for")
	}
}
