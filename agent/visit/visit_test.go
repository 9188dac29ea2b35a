package visit

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"motcua/agent/procedure"
	"motcua/ocr/paper"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

var short = Limits{Silence: 90 * time.Second, Warning: 30 * time.Second}

// walked gives a visit with one page and a form of two values, one of them doubtful, standing at Check.
func walked(t testing.TB) *Visit {
	t.Helper()
	v := New("v1", noon, short)
	must(t, v.Pick(noon, "2.000815"))
	must(t, v.Agree(noon))
	if _, err := v.Add(noon, Paper{Data: []byte("page bytes"), MediaType: "image/jpeg"}); err != nil {
		t.Fatal(err)
	}
	must(t, v.Read(noon, "p1", 1, []paper.Document{{Type: paper.CCCD}}, ""))
	must(t, v.Fill(noon, []Entry{
		{Name: "name", Read: "A", Paper: "p1", Answer: procedure.Answer{Text: "A", Source: paper.QR, Page: 1, Where: &paper.Quad{}}},
		{Name: "residence", Read: "B", Paper: "p1", Answer: procedure.Answer{Text: "B", Source: paper.OCR, Review: true}},
	}))
	must(t, v.Go(noon, Check))
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A page that is scanned anew stands where the old one stood, which can be put back; one that was forgotten stands where it belongs.
func TestPlace(t *testing.T) {
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		ids     []string
		before  string
		instead bool
		want    string
		err     error
	}{
		"instead":        {[]string{"p4"}, "p2", true, "p1 p4 p3", nil},
		"two_for_one":    {[]string{"p3", "p4"}, "p1", true, "p3 p4 p2", nil},
		"before":         {[]string{"p4"}, "p1", false, "p4 p1 p2 p3", nil},
		"its_own_place":  {[]string{"p4"}, "p4", true, "p1 p2 p3 p4", ErrNoPaper},
		"of_none":        {nil, "p1", true, "p1 p2 p3 p4", ErrNoPaper},
		"that_went":      {[]string{"p4"}, "p9", true, "p1 p2 p3 p4", ErrNoPaper},
		"by_one_unknown": {[]string{"p4", "p9"}, "p1", true, "p1 p2 p3 p4", ErrNoPaper},
	} {
		t.Run(name, func(t *testing.T) {
			v := New("V", now, Limits{Silence: time.Minute})
			if err := errors.Join(v.Pick(now, "x"), v.Agree(now)); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				if _, err := v.Add(now, Paper{Data: []byte("a")}); err != nil {
					t.Fatal(err)
				}
			}
			err := v.Place(now, c.ids, c.before, c.instead)
			order := func() string {
				var ids []string
				for _, p := range v.State().Papers {
					ids = append(ids, p.ID)
				}
				return strings.Join(ids, " ")
			}
			if got := order(); got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s, %v; want %s, %v", got, err, c.want, c.err)
			}
			if c.err == nil && c.instead {
				if err := v.PutBack(now); err != nil || !strings.Contains(order(), c.before) {
					t.Errorf("%s, %v", order(), err)
				}
			}
		})
	}
}

func TestVisit(t *testing.T) {
	t.Run("nothing_is_scanned_before_consent", func(t *testing.T) {
		v := New("v", noon, short)
		must(t, v.Pick(noon, "2.000815"))
		if _, err := v.Add(noon, Paper{Data: []byte("x")}); !errors.Is(err, ErrNotYet) {
			t.Errorf("Add: %v", err)
		}
		if _, err := v.Work(noon); !errors.Is(err, ErrNotYet) {
			t.Errorf("Work: %v", err)
		}
	})
	t.Run("consent_needs_a_procedure", func(t *testing.T) {
		if err := New("v", noon, short).Agree(noon); !errors.Is(err, ErrNotYet) {
			t.Error(err)
		}
	})
	t.Run("doubtful_value_holds_the_submission", func(t *testing.T) {
		v := walked(t)
		if err := v.Go(noon, Confirm); !errors.Is(err, ErrOpen) {
			t.Fatalf("Confirm: %v", err)
		}
		must(t, v.Answer(noon, "residence", "B", ""))
		must(t, v.Go(noon, Confirm))
		must(t, v.Ready(noon))
	})
	t.Run("refused_answer_is_kept_and_still_open", func(t *testing.T) {
		v := walked(t)
		must(t, v.Answer(noon, "residence", "???", "letters"))
		e, _ := v.State().Entry("residence")
		if e.Text != "???" || !e.Open() {
			t.Errorf("entry: value kept %t, open %t", e.Text == "???", e.Open())
		}
	})
	t.Run("confirmed_value_keeps_its_source_and_a_typed_one_becomes_the_persons", func(t *testing.T) {
		v := walked(t)
		must(t, v.Answer(noon, "residence", "B", ""))
		must(t, v.Answer(noon, "name", "C", ""))
		confirmed, _ := v.State().Entry("residence")
		typed, _ := v.State().Entry("name")
		if confirmed.Source != paper.OCR || typed.Source != paper.User || typed.Read != "A" {
			t.Errorf("sources %s, %s; read kept %t", confirmed.Source, typed.Source, typed.Read == "A")
		}
	})
	t.Run("going_back_loses_nothing", func(t *testing.T) {
		v := walked(t)
		must(t, v.Answer(noon, "residence", "B2", ""))
		for _, s := range []Step{Papers, Scan, Consent, Choose} {
			must(t, v.Go(noon, s))
		}
		must(t, v.Pick(noon, "2.000815"))
		must(t, v.Go(noon, Confirm))
		if e, _ := v.State().Entry("residence"); e.Text != "B2" {
			t.Error("the answer is gone")
		}
	})
	t.Run("a_further_scan_does_not_overwrite_what_a_person_typed", func(t *testing.T) {
		v := walked(t)
		must(t, v.Answer(noon, "name", "typed", ""))
		must(t, v.Fill(noon, []Entry{
			{Name: "name", Answer: procedure.Answer{Text: "read", Source: paper.Chip}},
			{Name: "residence", Answer: procedure.Answer{Text: "new", Source: paper.Chip}},
		}))
		name, _ := v.State().Entry("name")
		residence, _ := v.State().Entry("residence")
		if name.Text != "typed" || residence.Text != "new" {
			t.Error("person's value overwritten, or new reading not taken")
		}
	})
	t.Run("removing_a_paper_takes_its_values_and_its_bytes", func(t *testing.T) {
		v := walked(t)
		var kept []byte
		must(t, v.Use(func(p []Paper) error { kept = p[0].Data; return nil }))
		must(t, v.Answer(noon, "name", "A", ""))
		must(t, v.Remove(noon, "p1"))
		must(t, v.PutBack(noon))
		if err := v.PutBack(noon); !errors.Is(err, ErrNoPaper) || string(kept) != "page bytes" || len(v.State().Papers) != 1 {
			t.Errorf("the paper did not come back once: %v", err)
		}
		must(t, v.Remove(noon, "p1"))
		if _, err := v.Add(noon, Paper{Data: []byte("another")}); err != nil {
			t.Fatal(err)
		}
		must(t, v.Remove(noon, "p2"))
		if strings.Trim(string(kept), "\x00") != "" {
			t.Error("bytes of a removed page are still there")
		}
		name, _ := v.State().Entry("name")
		residence, _ := v.State().Entry("residence")
		if name.Text != "A" || name.Where != nil || residence.Text != "" {
			t.Error("confirmed value lost, or unconfirmed one kept")
		}
		if v.State().Step != Scan {
			t.Errorf("stands at %s", v.State().Step)
		}
	})
	t.Run("papers_turn_and_move", func(t *testing.T) {
		v := walked(t)
		if _, err := v.Add(noon, Paper{Data: []byte("2")}); err != nil {
			t.Fatal(err)
		}
		must(t, v.Turn(noon, "p2"))
		must(t, v.Move(noon, "p2", -1))
		must(t, v.Move(noon, "p2", -1)) // already first
		p := v.State().Papers
		if p[0].ID != "p2" || p[0].Turn != 90 || p[1].ID != "p1" {
			t.Error("order or turn")
		}
	})
	t.Run("accepted_forgets_everything_but_the_code", func(t *testing.T) {
		v := walked(t)
		must(t, v.Answer(noon, "residence", "B", ""))
		must(t, v.Go(noon, Confirm))
		must(t, v.Ready(noon))
		var kept []byte
		must(t, v.Use(func(p []Paper) error { kept = p[0].Data; return nil }))
		must(t, v.Accepted(noon, "7K3P-92QX"))
		s := v.State()
		if s.Step != Receipt || s.Code != "7K3P-92QX" || len(s.Papers)+len(s.Form) != 0 || strings.Trim(string(kept), "\x00") != "" {
			t.Error("something is left, or the code is not")
		}
		for name, err := range map[string]error{"Go": v.Go(noon, Check), "Pick": v.Pick(noon, "x"), "Answer": v.Answer(noon, "name", "x", "")} {
			if !errors.Is(err, ErrSubmitted) {
				t.Errorf("%s after the receipt: %v", name, err)
			}
		}
	})
	t.Run("another_procedure_makes_the_form_anew_and_keeps_the_papers", func(t *testing.T) {
		v := walked(t)
		must(t, v.Pick(noon, "1.004873"))
		if s := v.State(); len(s.Form) != 0 || len(s.Papers) != 1 || s.Step != Scan {
			t.Error(s)
		}
	})
	t.Run("bounded", func(t *testing.T) {
		v := walked(t)
		for range MaxPapers - 1 {
			if _, err := v.Add(noon, Paper{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := v.Add(noon, Paper{}); !errors.Is(err, ErrFull) {
			t.Error(err)
		}
		if _, err := walked(t).Add(noon, Paper{Data: make([]byte, MaxBytes)}); !errors.Is(err, ErrFull) {
			t.Errorf("more bytes than a visit may hold: %v", err)
		}
	})
}

func TestSilence(t *testing.T) {
	v := walked(t)
	for _, c := range []struct {
		after time.Duration
		left  time.Duration
		warn  bool
	}{{0, 90 * time.Second, false}, {59 * time.Second, 31 * time.Second, false}, {60 * time.Second, 30 * time.Second, true},
		{time.Hour, 0, true}} {
		if left, warn := v.Silence(noon.Add(c.after)); left != c.left || warn != c.warn {
			t.Errorf("after %s: %s, %t", c.after, left, warn)
		}
	}
	t.Run("a_touch_begins_anew", func(t *testing.T) {
		must(t, v.Touch(noon.Add(time.Minute)))
		if left, _ := v.Silence(noon.Add(time.Minute)); left != 90*time.Second {
			t.Error(left)
		}
	})
	t.Run("silence_runs_while_papers_are_read", func(t *testing.T) {
		done, err := v.Work(noon.Add(time.Minute))
		must(t, err)
		if left, _ := v.Silence(noon.Add(time.Hour)); left != 0 {
			t.Error("a file that is read for an hour keeps the visit open")
		}
		done(noon.Add(time.Hour))
		done(noon.Add(time.Hour)) // more than once does no harm
		if left, _ := v.Silence(noon.Add(time.Hour)); left != 90*time.Second || v.State().Busy {
			t.Error(left)
		}
	})
	t.Run("a_volunteer_gets_more_time", func(t *testing.T) {
		must(t, v.TakeOver(noon.Add(time.Hour), "lan", Limits{Silence: 10 * time.Minute, Warning: time.Minute}))
		if left, _ := v.Silence(noon.Add(time.Hour)); left != 10*time.Minute {
			t.Error(left)
		}
	})
}

func TestWipeLeavesNothing(t *testing.T) {
	v := walked(t)
	var kept []byte
	must(t, v.Use(func(p []Paper) error { kept = p[0].Data; return nil }))
	v.Wipe()
	v.Wipe()
	if strings.Trim(string(kept), "\x00") != "" {
		t.Error("page bytes survive")
	}
	if s := v.State(); s.Step != Over || s.Procedure != "" || len(s.Form)+len(s.Papers) != 0 {
		t.Error(s)
	}
	if err := v.Touch(noon); !errors.Is(err, ErrOver) {
		t.Error(err)
	}
	if err := v.Use(func([]Paper) error { return nil }); !errors.Is(err, ErrOver) {
		t.Error(err)
	}
}

func TestCarelessPrintingLeaksNothing(t *testing.T) {
	v := walked(t)
	must(t, v.Answer(noon, "name", "SECRET-NAME", ""))
	s := v.State()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if out := fmt.Sprintf(verb, s) + fmt.Sprintf(verb, s.Form) + fmt.Sprintf(verb, s.Papers); strings.Contains(out, "SECRET") ||
			strings.Contains(out, "page bytes") {
			t.Errorf("%s: %s", verb, out)
		}
	}
}

// Wiping at the same time as a page is being read must neither race nor pull the bytes from under it.
func TestWipeWaitsForReaders(t *testing.T) {
	v := walked(t)
	var wg sync.WaitGroup
	reading := make(chan struct{})
	wg.Go(func() {
		_ = v.Use(func(p []Paper) error {
			close(reading)
			for range 1000 {
				if p[0].Data[0] != 'p' {
					t.Error("the page turned to zeros while it was read")
					return nil
				}
			}
			return nil
		})
	})
	<-reading
	v.Wipe()
	wg.Wait()
}

// Whatever a person and the machines do, in any order: no paper before consent, no receipt with an open
// value, no value or page after the end.
func TestAnyOrderOfActs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := New("v", noon, short)
		now := noon
		accepted := false
		t.Repeat(map[string]func(*rapid.T){
			"":      func(t *rapid.T) { invariants(t, v, accepted) },
			"pick":  func(t *rapid.T) { _ = v.Pick(now, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "p")) },
			"agree": func(*rapid.T) { _ = v.Agree(now) },
			"add": func(*rapid.T) {
				id, err := v.Add(now, Paper{Data: []byte("x")})
				if err == nil {
					_ = v.Read(now, id, 1, nil, "")
				}
			},
			"fill": func(t *rapid.T) {
				_ = v.Fill(now, []Entry{
					{Name: "f", Paper: "p1", Answer: procedure.Answer{Text: "x", Review: rapid.Bool().Draw(t, "r")}},
					{Name: "g", Fault: "missing"},
				})
			},
			"answer": func(t *rapid.T) {
				_ = v.Answer(now, rapid.SampledFrom([]string{"f", "g", "h"}).Draw(t, "n"), "y", rapid.SampledFrom([]string{"", "letters"}).Draw(t, "e"))
			},
			"remove": func(*rapid.T) { _ = v.Remove(now, "p1") },
			"go":     func(t *rapid.T) { _ = v.Go(now, rapid.SampledFrom(order).Draw(t, "s")) },
			"send": func(t *rapid.T) {
				open := len(v.State().Open())
				if v.Ready(now) == nil {
					if open > 0 {
						t.Fatal("ready with open values")
					}
					accepted = v.Accepted(now, "CODE") == nil || accepted
				}
			},
			"wipe": func(*rapid.T) { v.Wipe() },
			"time": func(*rapid.T) { now = now.Add(time.Second) },
		})
	})
}

func invariants(t *rapid.T, v *Visit, accepted bool) {
	s := v.State()
	if s.Consented.IsZero() && len(s.Papers) > 0 {
		t.Fatal("a paper without consent")
	}
	if s.Step == Receipt && (!accepted || s.Code == "" || len(s.Papers)+len(s.Form) > 0) {
		t.Fatal("a receipt that is not one")
	}
	if s.Step == Over && len(s.Papers)+len(s.Form) > 0 {
		t.Fatal("something survived the end")
	}
}

func TestHelpHoldsTheVisit(t *testing.T) {
	v := New("v1", noon, Limits{Silence: 90 * time.Second, Warning: 30 * time.Second, Helping: 5 * time.Minute})
	must(t, v.Call(noon.Add(10*time.Second)))
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	for _, c := range []struct {
		when  time.Duration
		left  time.Duration
		cover bool // now
	}{
		{20 * time.Second, 290 * time.Second, false},
		{80 * time.Second, 230 * time.Second, true}, // 60 s of silence: before the countdown would have shown
		{4 * time.Minute, 70 * time.Second, true},
		{310 * time.Second, 0, false},
	} {
		left, _ := v.Silence(at(c.when))
		after, held := v.Cover(at(c.when))
		if left != c.left || (held && after == 0) != c.cover {
			t.Errorf("after %v: %v left, covered in %v (%t)", c.when, left, after, held)
		}
	}
	must(t, v.Quiet(at(100*time.Second)))
	if left, _ := v.Silence(at(200 * time.Second)); left != 0 {
		t.Errorf("the call was taken back and %v are left", left)
	}
}

func TestRestore(t *testing.T) {
	v := walked(t)
	must(t, v.Type(noon, "name", "Nguyễn"))
	data, err := json.Marshal(v.Snapshot())
	must(t, err)
	var s Snapshot
	must(t, json.Unmarshal(data, &s))
	back := Restore(s, map[string][]byte{"p1": []byte("page bytes")}, noon, short)
	if !reflect.DeepEqual(back.State(), v.State()) {
		t.Errorf("%#v\n came back as %#v", v.State().Form, back.State().Form)
	}
	must(t, back.Use(func(papers []Paper) error {
		if string(papers[0].Data) != "page bytes" {
			t.Errorf("the page holds %q", papers[0].Data)
		}
		return nil
	}))
	if id, err := back.Add(noon, Paper{Data: []byte("x")}); id != "p2" || err != nil {
		t.Errorf("the next paper is %s, %v", id, err)
	}
	bare := Restore(s, nil, noon, short)
	if n := len(bare.State().Papers); n != 0 {
		t.Errorf("%d papers without bytes", n)
	}
}

// What builds before December 2026 kept of a visit (a person who goes on another day, the line of a kiosk that was updated).
func TestEntriesKeptByOlderBuilds(t *testing.T) {
	const old = `{"Name":"residence","Value":"Thôn Đông, Xã Mai Dịch","Read":"Thôn Đông","Source":"qr","From":"applicant.place_of_residence",
		"Review":true,"Seen":true,"By":"hoa","Idle":true,"Doubts":["disagreement"],"Old":"Xã Cũ","Offers":["Phường A","Phường B"],
		"Confidence":0.5,"Paper":"p1","Page":2,"Where":[{"x":1,"y":2},{"x":3,"y":2},{"x":3,"y":4},{"x":1,"y":4}],
		"Fault":"missing","Typing":true,"Typed":"Thôn"}`
	want := Entry{Name: "residence", Read: "Thôn Đông", Seen: true, Idle: true, Paper: "p1", Fault: "missing", Typing: true, Typed: "Thôn",
		Answer: procedure.Answer{Text: "Thôn Đông, Xã Mai Dịch", Source: paper.QR, From: "applicant.place_of_residence", Confidence: 0.5,
			Review: true, Doubts: []paper.Doubt{"disagreement"}, Old: "Xã Cũ", Offers: []string{"Phường A", "Phường B"}, Looked: "hoa",
			Page: 2, Where: &paper.Quad{{X: 1, Y: 2}, {X: 3, Y: 2}, {X: 3, Y: 4}, {X: 1, Y: 4}}}}
	var got Entry
	must(t, json.Unmarshal([]byte(old), &got))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
	data, err := json.Marshal(want)
	must(t, err)
	var again Entry
	must(t, json.Unmarshal(data, &again))
	if !reflect.DeepEqual(again, want) {
		t.Errorf("kept and read again: %s", data)
	}
}
