package web

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/visit"
	"motcua/agent/web/screen"
)

var laterCode = regexp.MustCompile(`<p class="code">(\d{4} \d{4} \d{4})</p>`)

// forLater lets visits be kept for a week.
func forLater(o *screen.Options) { o.Later = 7 * 24 * time.Hour }

// parked walks to a form with a paper and leaves it for later.
func parked(h *hand) (code string) {
	h.t.Helper()
	h.toScan("2.000815")
	h.upload("a.png", onePixel(h.t))
	h.follow("done")
	h.get("/later").want(200, "/later", "Giữ đến hết ngày 12/01/2026")
	h.post("/later").want(422, "/later", "đánh dấu")
	h.post("/later", "agreed", "yes").want(200, "/later", "Đã lưu, chưa gửi")
	found := laterCode.FindStringSubmatch(h.body)
	if found == nil {
		h.t.Fatal("no code is shown")
	}
	return found[1]
}

// What a person left for another day comes back by its code: after leaving, after silence, after a restart; once it is
// handed in, or past its day, or taken back, nothing of it is left.
func TestLeftForLater(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) (now *clock, dir string, k *kiosk) {
		now, dir = newClock(), t.TempDir()
		return now, dir, newKiosk(t, draftsIn(t, dir), forLater, func(o *screen.Options) { o.Clock = now.now })
	}
	drafts := func(t *testing.T, dir string) int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, "*", "record"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	back := func(t *testing.T, k *kiosk, code string) *hand {
		t.Helper()
		h := k.hand(t).get("/").want(200, "/", `href="/resume"`)
		h.get("/resume").want(200, "/resume")
		h.post("/resume", "code", code).want(200, "/check")
		return h.get("/papers").want(200, "/papers", "/papers/p1/picture")
	}
	t.Run("after_leaving_and_a_restart", func(t *testing.T) {
		_, dir, k := begin(t)
		h := k.hand(t)
		code := parked(h)
		h.post("/leave").want(200, "/")
		if n := len(k.site.Sessions.Visits()); n != 0 {
			t.Errorf("%d visits are in memory", n)
		}
		after := k.later(t, 3*24*time.Hour)
		if after.site.LostVisit() {
			t.Error("it is told as lost")
		}
		h = back(t, after, code)
		paper := after.site.Sessions.Visits()[0]
		if err := paper.Visit.Use(func(papers []visit.Paper) error {
			if len(papers) != 1 || !bytes.Equal(papers[0].Data, onePixel(t)) {
				t.Error("the paper is another")
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		h.fillIn()
		h.get("/confirm").want(200, "/confirm")
		h.post("/confirm").want(200, "/receipt")
		h.post("/leave").want(200, "/")
		if n := drafts(t, dir); n != 0 {
			t.Errorf("%d drafts are left of what was handed in", n)
		}
		after.hand(t).get("/resume").post("/resume", "code", code).want(404, "/resume")
	})
	t.Run("after_its_key_was_away", func(t *testing.T) {
		now, dir, k := begin(t)
		h := k.hand(t)
		code := parked(h)
		h.post("/leave").want(200, "/")
		key := filepath.Join(dir, "drafts.key")
		open := func() *kiosk {
			draftsIn(t, dir)(&k.site.Options)
			return k.again(t)
		}
		found, err := filepath.Glob(filepath.Join(dir, "*", "record"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		// A folder's time is the machine's, not the test's.
		if err := errors.Join(os.Chtimes(filepath.Dir(found[0]), now.now(), now.now()), os.Rename(key, key+".away")); err != nil {
			t.Fatal(err)
		}
		now.pass(30 * time.Hour)
		for range 2 {
			if open().site.LostVisit() {
				t.Error("the next person is told of a visit that was left more than a day ago")
			}
		}
		if err := os.Rename(key+".away", key); err != nil {
			t.Fatal(err)
		}
		back(t, open(), code)
	})
	t.Run("after_silence", func(t *testing.T) {
		now, _, k := begin(t)
		code := parked(k.hand(t))
		now.pass(time.Hour)
		k.site.Sweep()
		h := back(t, k, code)
		now.pass(time.Hour) // and again
		k.site.Sweep()
		h.get("/papers").want(200, "/")
		back(t, k, code)
	})
	t.Run("while_it_is_still_open", func(t *testing.T) {
		_, _, k := begin(t)
		h := k.hand(t)
		code := parked(h)
		back(t, k, code)
		h.get("/papers").want(200, "/")
		if n := len(k.site.Sessions.Visits()); n != 1 {
			t.Errorf("%d visits", n)
		}
	})
	t.Run("past_its_day", func(t *testing.T) {
		for name, restarted := range map[string]bool{"swept": false, "at_a_start": true} {
			now, dir, k := begin(t)
			h := k.hand(t)
			code := parked(h)
			h.post("/leave").want(200, "/")
			if restarted {
				k = k.later(t, 8*24*time.Hour)
			} else {
				now.pass(8 * 24 * time.Hour)
				k.site.Sweep()
			}
			if n := drafts(t, dir); n != 0 {
				t.Errorf("%s: %d drafts are left", name, n)
			}
			if k.site.LostVisit() {
				t.Errorf("%s: it is told as lost", name)
			}
			k.hand(t).get("/resume").post("/resume", "code", code).want(404, "/resume")
		}
	})
	t.Run("taken_back", func(t *testing.T) {
		_, dir, k := begin(t)
		h := k.hand(t)
		code := parked(h)
		h.post("/leave").want(200, "/")
		h = back(t, k, code)
		h.get("/later").want(200, "/later", `action="/later/forget"`)
		h.post("/later/forget").want(200, "/check")
		h.post("/leave").want(200, "/")
		if n := drafts(t, dir); n != 0 {
			t.Errorf("%d drafts are left", n)
		}
	})
	t.Run("guessed", func(t *testing.T) {
		now, dir, k := begin(t)
		h := k.hand(t)
		code := parked(h)
		h.post("/leave").want(200, "/")
		thief := k.hand(t).get("/resume").want(200, "/resume")
		for range 5 {
			thief.post("/resume", "code", "0000 0000 0000").want(404, "/resume")
		}
		thief.post("/resume", "code", code).want(429, "/resume")
		now.pass(time.Minute)
		back(t, k, code)
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			if bytes.Contains(data, []byte(strings.ReplaceAll(code, " ", ""))) || bytes.Contains(data, []byte("Sum")) {
				t.Errorf("%s can be read", filepath.Base(name))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("not_kept", func(t *testing.T) {
		k := newKiosk(t, forLater, func(o *screen.Options) { o.Drafts = full{} })
		h := k.hand(t).toScan("2.000815")
		h.get("/later")
		h.post("/later", "agreed", "yes").want(422, "/later", k.site.Words.Say("vi", "later.nothing"))
		h.get("/scan")
		h.upload("a.png", onePixel(t))
		h.follow("done")
		h.get("/later")
		h.post("/later", "agreed", "yes").want(503, "/later", k.site.Words.Say("vi", "later.failed"))
	})
	t.Run("not_offered", func(t *testing.T) {
		k := newKiosk(t, withDrafts(t))
		h := k.hand(t).get("/").want(200, "/")
		if strings.Contains(h.body, "/resume") {
			t.Error("the first page offers it")
		}
		h.get("/resume").want(404, "/resume")
	})
}

// By touch, on the smallest screen: leave by the corner's button, keep the form, and open it again by the number keys.
func TestLeftForLaterByTouch(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withDrafts(t), forLater, patient)
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch))
	do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
	settled(t, ctx)
	tapTo := func(selector, to string) {
		t.Helper()
		tap(t, ctx, selector)
		arrive(t, ctx, to)
	}
	tapTo(".button.huge", "/choose")
	tapTo(`a[href="/choose/2.000815"]`, "/choose/")
	tapTo(".way .go", "/consent")
	tap(t, ctx, `[name="agreed"]`)
	tapTo(".way .go", "/scan")
	tap(t, ctx, "#scan .go")
	arrive(t, ctx, "/papers")
	tap(t, ctx, "[data-ask=leave]")
	holds(t, ctx, "the question before leaving", `document.querySelector("#ask-leave").open`)
	shot(t, ctx, "landscape/leave")
	tapTo(`#ask-leave a[href="/later"]`, "/later")
	shot(t, ctx, "landscape/later")
	fits(t, ctx, "later")
	axe(t, ctx, "later")
	tap(t, ctx, `[name="agreed"]`)
	tap(t, ctx, ".way .go")
	holds(t, ctx, "the code", `document.querySelector(".code")`)
	settled(t, ctx)
	shot(t, ctx, "landscape/later-code")
	fits(t, ctx, "later-code")
	axe(t, ctx, "later-code")
	code := strings.ReplaceAll(text(t, ctx, ".code"), " ", "")
	tap(t, ctx, ".way .go")
	holds(t, ctx, "the first page", `location.pathname === "/"`)
	settled(t, ctx)
	tapTo(`a[href="/resume"]`, "/resume")
	tap(t, ctx, "#code")
	holds(t, ctx, "the number keys", `!document.querySelector("#keyboard").hidden`)
	shot(t, ctx, "landscape/resume")
	fits(t, ctx, "resume")
	axe(t, ctx, "resume")
	for _, digit := range code {
		eval[bool](t, ctx, `(() => { for (const k of document.querySelectorAll(".key")) delete k.dataset.wanted;
			const k = [...document.querySelectorAll(".key")].find((k) => k.textContent === "`+string(digit)+`"); if (k) k.dataset.wanted = "1";
				return !!k; })()`)
		tap(t, ctx, ".key[data-wanted]")
	}
	if typed := eval[string](t, ctx, `document.querySelector("#code").value.replace(/\D/g, "")`); typed != code {
		t.Fatalf("the keys wrote %q, want %q", typed, code)
	}
	tapTo(".way .go", "/check")
	tapTo(".way .back", "/papers")
}
