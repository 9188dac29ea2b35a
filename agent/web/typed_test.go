package web

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"motcua/agent/visit"
	"motcua/ocr/paper"
)

const wedge = "001199000001|012345678|Lê Thị Mẫu|02011999|Nữ|1 Hàng Thử, Phường Mẫu, Hà Nội|10052021"

func TestTypedReadingFillsTheForm(t *testing.T) {
	for _, c := range []struct {
		name, text string
		code       int
		want       map[string]string // of the form; "" is a field that must stay empty
	}{
		{"card", wedge, http.StatusNoContent, map[string]string{"applicant_number": "001199000001", "applicant_name": "LÊ THỊ MẪU",
			"applicant_birth": "1999-01-02"}},
		{"marks_replaced_by_plain_letters_give_no_name", "001199000001|012345678|Le Thi Mau|02011999|Nu|1 Hang Thu, Phuong Mau, Ha Noi|10052021",
			http.StatusOK,
			map[string]string{"applicant_number": "001199000001", "applicant_name": "", "applicant_birth": "1999-01-02"}},
		{"letters_that_were_dropped_give_no_name", "001199000001|012345678|L Th Mu|02011999|Nữ|1 Hàng Th, Phường Mu, H Ni|10052021",
			http.StatusOK,
			map[string]string{"applicant_number": "001199000001", "applicant_name": ""}},
		{"cut_off", wedge[:30], http.StatusUnprocessableEntity, map[string]string{"applicant_number": ""}},
		{"another_code", "https://example.vn/poster", http.StatusUnprocessableEntity, nil},
		{"nothing", "", http.StatusUnprocessableEntity, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKiosk(t)
			h := k.hand(t).toScan("2.000815")
			h.post("/typed", "text", c.text).want(c.code, "/typed")
			for field, want := range c.want {
				e, _ := k.site.Sessions.Visits()[0].Visit.State().Entry(field)
				if e.Text != want {
					t.Errorf("%s is %d letters long, want %d", field, len(e.Text), len(want))
				}
				if want != "" && (e.Source != paper.QR || !e.Review) {
					t.Errorf("%s from %s, review %v", field, e.Source, e.Review)
				}
			}
		})
	}
	t.Run("before_consent", func(t *testing.T) {
		k := newKiosk(t)
		h := k.hand(t)
		h.get("/").post("/begin", "lang", "vi").post("/choose/2.000815").post("/typed", "text", wedge).want(http.StatusConflict, "/typed")
		if held := k.site.Sessions.Visits()[0].Visit.State().Readings; len(held) != 0 {
			t.Errorf("%d readings are held without consent", len(held))
		}
	})
}

func awaited(t *testing.T, ctx context.Context, script string) string {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Keys are made in the page, because how fast the test's own arrive depends on the machine.
func TestWedgeIsToldFromFingers(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	ctx := browser(t, 1920, 1080)
	toQuestion(t, ctx, k, "applicant_name")
	// type gives keys to the field as a keyboard does: what nobody stopped goes into it.
	const typing = `(async (keys, pause) => {
		const field = document.querySelector("#value");
		field.focus();
		for (const key of keys) {
			if (pause) await new Promise((next) => setTimeout(next, pause));
			if (field.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})) && key.length === 1) field.value += key;
		}
		return field.value;
	})`
	eval[string](t, ctx, `document.querySelector("#value").value = "AN"`)
	if got := awaited(t, ctx, typing+`([..."079"], 90)`); got != "AN079" {
		t.Errorf("fingers wrote %q", got)
	}
	eval[string](t, ctx, `document.querySelector("#value").value = "AN"`)
	if got := awaited(t, ctx, fmt.Sprintf(`new Promise((next) => setTimeout(next, 100)).then(() => `+typing+`([...%q, "Enter"], 0))`,
		wedge)); got != "AN" {
		t.Errorf("the reader left %q in the field", got)
	}
	state := func() visit.State { return k.site.Sessions.Visits()[0].Visit.State() }
	await(t, "the reading", func() bool { return len(state().Readings) > 0 }) // the page's own path begins as the one it goes to
	arrive(t, ctx, "/check")
	if e, _ := state().Entry("applicant_number"); e.Text == "" {
		t.Error("the form has no number")
	}
	if held := state().Readings; len(held) != 1 {
		t.Errorf("%d readings are held", len(held))
	}
}
