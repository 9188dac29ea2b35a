package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/chromiumtest"
	"motcua/agent/procedure"
)

// Real Chromium, the real extension, the real desk; the portal is a stand-in (testdata): pages rendered by the real
// Form.io library, and web components that behave as far as theirs are publicly known. The portal's own host names
// lead to it.

const formio = "../../.make/npm/node_modules/@formio/js/dist"

// version is a form as it may look on another day.
type version struct {
	name   string
	rename map[string]string // names that are others now
	drop   []string
	extra  string // a field nobody knows
	bare   bool   // without labels
	twice  string // a field there are two of
	shadow bool   // controls in shadows, dates by the browser's own control

	stubborn string // a choice that the form changes again behind whoever makes it
}

// meaning is a field of a stand-in: what it is called in the map, and what was made of it.
type standIn struct {
	t       *testing.T
	desk    *Desk
	plan    Work
	page    PagePlan
	signed  map[string]string // what VNeID filled into Part I
	version version
	server  *httptest.Server // the portal, under TLS
	daemon  *httptest.Server
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{t: t, desk: NewDesk(time.Now, nil)}
	s.server = httptest.NewTLSServer(http.HandlerFunc(s.portal))
	s.daemon = httptest.NewServer(s.desk)
	t.Cleanup(func() { s.server.Close(); s.daemon.Close() })
	return s
}

func (s *standIn) portal(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	send := func(kind, text string) {
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}
	file := func(name string) {
		data, err := os.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		send("text/javascript", string(data))
	}
	switch {
	case r.URL.Path == "/formio.js":
		file(filepath.Join(formio, "formio.form.min.js"))
	case r.URL.Path == "/standin.js":
		file("testdata/standin.js")
	case r.URL.Path == "/page.js":
		file("testdata/formio.js")
	case r.URL.Path == "/wards":
		of := r.URL.Query().Get("of")
		list := map[string][]map[string]string{"Hà Nội": {{"name": "Phường Ba Đình"}, {"name": "Phường Ngọc Hà"}}}[of]
		if list == nil {
			list = []map[string]string{}
		}
		data, err := json.Marshal(list)
		if err != nil {
			s.t.Error(err)
		}
		send("application/json", string(data))
	case r.URL.Path == "/mark": // leaves what a signed-in session leaves
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "of-" + host, Path: "/", Secure: true, MaxAge: 3600})
		send("text/html", `<!doctype html><title>m</title><script>
			localStorage.setItem("who", "somebody"); sessionStorage.setItem("who", "somebody")</script>`)
	case r.URL.Path == "/left":
		cookie := ""
		if c, err := r.Cookie("session"); err == nil {
			cookie = c.Value
		}
		send("text/html", `<!doctype html><title>l</title><p id="cookie">`+cookie+`</p>
			<script>document.documentElement.dataset.who = localStorage.getItem("who") || ""</script>`)
	case s.page.Path != "" && s.page.Path != "/" && strings.HasPrefix(r.URL.Path, s.page.Path):
		send("text/html", s.eForm())
	case r.URL.Path == "/ke-khai":
		send("text/html", `<!doctype html><html><title>Cổng</title><body>
			<iframe src="https://tokhaidientu.moj.gov.vn/e-form/x" width="900" height="700"></iframe></body></html>`)
	case r.URL.Path == "/owner":
		send("text/html", `<!doctype html><html><title>Cổng</title><body><div id="form"></div>`+
			`<script type="application/json" id="settings">`+s.settings()+
			`</script><script src="/formio.js"></script><script src="/page.js"></script></body></html>`)
	default:
		http.NotFound(w, r)
	}
}

func (s *standIn) settings() string {
	rename, drop := map[string]string{}, []string{}
	bare := func(n string) string { return strings.TrimSuffix(strings.TrimPrefix(n, "data["), "]") }
	for from, to := range s.version.rename {
		rename[bare(from)] = bare(to)
	}
	for _, n := range s.version.drop {
		drop = append(drop, bare(n))
	}
	data, err := json.Marshal(map[string]any{"signed": s.signed, "rename": rename, "drop": drop, "extra": s.version.extra,
		"reverse": s.version.shadow, "shadow": s.version.shadow, "stubborn": s.version.stubborn})
	if err != nil {
		s.t.Error(err)
	}
	return string(data)
}

// kinds are what the ministry's fields are, where the value doesn't tell.
var kinds = map[string]string{"NgayMat": "x-date-text", "NDK_NgaySinh": "x-date-text", "NgaySinh": "raw", "SoLuong": "raw",
	"SoGiayToTuyThanC":    "raw",
	"NYC_SoGiayToTuyThan": "raw", "ngayCapGiayTo-day": "raw", "ngayCapGiayTo-month": "raw", "ngayCapGiayTo-year": "raw"}

func kindOf(item Item, maps *Field, p *procedure.Procedure) string {
	if k := kinds[item.Name]; k != "" {
		return k
	}
	if item.Area != nil {
		return "x-select-area"
	}
	if maps.Value != "" {
		return "x-radio"
	}
	f, _ := p.Field(maps.From)
	switch {
	case maps.Values != nil, f.Type == procedure.Choice:
		return "x-select"
	case f.Type == procedure.Date, f.Type == procedure.PastDate:
		return "x-date"
	}
	return "x-input"
}

// eForm draws the ministry's form for the plan's items, in the version asked for.
func (s *standIn) eForm() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html><title>e-form</title><body><form>`)
	_, maps, _ := shipped(s.t)
	catalog, _, _ := shipped(s.t)
	p, err := catalog.Get(s.plan.Procedure)
	if err != nil {
		s.t.Error(err)
		return ""
	}
	for _, item := range s.page.Items {
		if slices.Contains(s.version.drop, item.Name) {
			continue
		}
		page := maps[p.Code].Pages[0]
		n := slices.IndexFunc(page.Fields, func(f Field) bool { return f.Name == item.Name })
		kind := kindOf(item, &page.Fields[n], p)
		name := item.Name
		if to := s.version.rename[name]; to != "" {
			name = to
		}
		label := item.Label
		if s.version.bare {
			label = ""
		}
		draw := func() {
			fmt.Fprintf(&b, `<div class="form-group"><label>%s</label>`, html.EscapeString(label))
			if kind == "raw" {
				fmt.Fprintf(&b, `<input name=%q data-means=%q>`, name, item.Name)
			} else {
				options := item.Value + "|Một thứ khác|Thứ nữa"
				if kind == "x-radio" {
					options = item.Value + "=Có|0=Không"
				}
				fmt.Fprintf(&b, `<%[1]s name="%[2]s" data-means="%[3]s" options="%[4]s"></%[1]s>`, kind, html.EscapeString(name), item.Name,
					html.EscapeString(options))
			}
			b.WriteString(`</div>`)
		}
		draw()
		if s.version.twice == item.Name {
			draw()
		}
	}
	for _, a := range s.page.Attach {
		fmt.Fprintf(&b, `<input type="file" multiple name=%q data-means=%q>`, a.Name, a.Name)
	}
	if s.version.extra != "" {
		fmt.Fprintf(&b, `<x-input name=%q></x-input>`, s.version.extra)
	}
	b.WriteString(`<button type="submit">Gửi</button></form><script type="application/json" id="settings">` + s.settings() +
		`</script><script src="/standin.js"></script></body></html>`)
	return b.String()
}

// chromium starts Chromium with the extension, whose daemon is the stand-in's, and the portal's hosts led to it.
func (s *standIn) chromium() context.Context {
	s.t.Helper()
	dir := s.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("extension")); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "address.json"), fmt.Appendf(nil, `{"daemon": %q}`, s.daemon.URL), 0o600); err != nil {
		s.t.Fatal(err)
	}
	ctx := chromiumtest.Whole(s.t, chromiumtest.Extension(dir, "MAP *:443 "+s.server.Listener.Addr().String())...)
	if err := chromedp.Do(ctx, chromedp.Navigate(Origin+"/popup.html")); err != nil {
		s.t.Fatalf("Chromium did not take the extension: %v", err)
	}
	return ctx
}

func (s *standIn) until(ctx context.Context, what, script string) {
	s.t.Helper()
	if err := chromiumtest.Until(ctx, script); err != nil {
		s.t.Fatalf("waited for %s in vain: %v", what, err)
	}
}

func (s *standIn) eval(ctx context.Context, script string, out any) {
	s.t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(`+script+`)`))
	if err == nil {
		err = json.Unmarshal([]byte(text), out)
	}
	if err != nil {
		s.t.Fatalf("%v in %s", err, script)
	}
}

// claim hands the plan to the extension as a person does: by the code, in its popup.
func (s *standIn) claim(ctx context.Context) {
	s.t.Helper()
	code, err := s.desk.Offer("v", Job{Work: func() (Work, error) { return s.plan, nil }})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(Origin+"/popup.html")); err != nil {
		s.t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#code"), code), chromedp.Click(chromedp.CSS("form button"))); err != nil {
		s.t.Fatal(err)
	}
	s.until(ctx, "the extension to take the work", `document.body.dataset.done === "1"`)
}

// result is what the extension says of a page.
type result struct {
	Page    string
	Filled  []string
	Open    []Open
	Unknown []string
	Lost    []string
}

// fill opens a page in a tab of its own, has all its frames filled, and gives the tab and what came of the page.
func (s *standIn) fill(popup context.Context, address, ready, page string) (context.Context, result) {
	s.t.Helper()
	tab := s.open(popup, address, ready)
	return tab, s.press(popup, page)
}

// open opens a page in a tab of its own.
func (s *standIn) open(popup context.Context, address, ready string) context.Context {
	s.t.Helper()
	tab, cancel := chromedp.NewContext(popup)
	s.t.Cleanup(cancel)
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		s.t.Fatal(err)
	}
	s.until(tab, "the form", ready)
	return tab
}

// press has all frames of all tabs filled, by a double touch on the panel's button, and gives what came of a page.
func (s *standIn) press(popup context.Context, page string) result {
	s.t.Helper()
	s.until(popup, "the page's frames", `(window.cleared = false, window.got = null, (async () => {
		await chrome.storage.session.set({results: {}});
		window.cleared = true;
		for (const tab of await chrome.tabs.query({url: "https://*/*"})) {
			for (const touch of [1, 2]) chrome.tabs.sendMessage(tab.id, {kind: "fill"}).catch(() => {});
		}
	})(), true)`)
	s.until(popup, "the extension's answer", fmt.Sprintf(`(window.cleared &&
		chrome.storage.session.get("results").then((s) => window.got = s.results && s.results[%q] || null), !!window.got)`, page))
	var r result
	s.eval(popup, `window.got`, &r)
	return r
}

// filledIn gives the value of each field of the page by what it means.
func (s *standIn) filledIn(tab context.Context) map[string][]string {
	s.t.Helper()
	var list [][2]string
	s.eval(tab, `[...document.querySelectorAll("[data-means]")].map((e) => [e.dataset.means, valueOf(e)])`, &list)
	values := map[string][]string{}
	for _, one := range list {
		values[one[0]] = append(values[one[0]], one[1])
	}
	return values
}

// everything answers every field of a procedure, each with a value of its own, so that one in a wrong place is seen.
func everything(p *procedure.Procedure) map[string]procedure.Answer {
	values := map[string]procedure.Answer{}
	for i := range p.Fields {
		f := &p.Fields[i]
		text := "Thử " + strings.ReplaceAll(f.ID, "_", " ")
		switch f.Type {
		case procedure.Date, procedure.PastDate:
			text = fmt.Sprintf("%d-%02d-%02d", 1950+i, 1+i%12, 1+i%28)
		case procedure.Person:
			text = fmt.Sprintf("0011990%05d", i)
		case procedure.Phone:
			text = fmt.Sprintf("09123456%02d", i)
		case procedure.Integer:
			text = fmt.Sprint(min(max(f.Min, i), max(f.Max, i)))
		case procedure.Choice:
			text = f.Choices[len(f.Choices)-1].Value
		case procedure.Address:
			text = fmt.Sprintf("Tổ %d, Phường Ba Đình, Thành phố Hà Nội", i)
		case procedure.Tick:
			text = "yes"
		}
		values[f.ID] = procedure.Answer{Text: text, Source: "user", Document: -1}
	}
	// Persons without a number, so that all the rest is asked of them.
	for _, person := range []string{"subject", "deceased"} {
		if _, ok := values[person+"_number"]; ok {
			values[person+"_number"] = procedure.Answer{Source: "user", Document: -1}
		}
	}
	return values
}

// answered plans a procedure of which everything is answered; its own form is the page.
func (s *standIn) answered(code string) {
	s.t.Helper()
	catalog, maps, units := shipped(s.t)
	p, err := catalog.Get(code)
	if err != nil {
		s.t.Fatal(err)
	}
	s.plan = maps.Plan(p, everything(p), units)
	s.page = s.plan.Pages[len(s.plan.Pages)-1]
}

// shownAs is what a control says that holds an item.
func shownAs(item Item) string {
	if a := item.Area; a != nil {
		return strings.Join([]string{a.Country, strings.TrimPrefix(a.Province, "Thành phố "),
			strings.TrimPrefix(a.Ward, "Phường "), a.Detail},
			"; ")
	}
	return item.Value
}

// Every map on the form as it is known and on three that have drifted: nothing is filled wrong or into another person's
// place, what could not be filled is listed, nothing is submitted.
func TestMinistryForms(t *testing.T) {
	s := newStandIn(t)
	popup := s.chromium()
	catalog, maps, units := shipped(t)
	wrong, missing, planned, forms, ran, drifted := 0, 0, 0, 0, 0, 0
	var codes []string
	for code := range maps {
		if code != EveryProcedure {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes) // so that a map is tried on the same versions each time
	for nth, code := range codes {
		p, err := catalog.Get(code)
		if err != nil {
			t.Fatal(err)
		}
		s.plan = maps.Plan(p, everything(p), units)
		s.page = s.plan.Pages[len(s.plan.Pages)-1]
		for _, a := range s.page.Attach {
			s.plan.Files = append(s.plan.Files, File{Paper: a.Paper, Name: a.Paper + ".pdf", MediaType: "application/pdf", Data: []byte("%PDF-")})
		}
		items := s.page.Items
		last := items[len(items)-1]
		aliased := map[string]string{}
		for _, i := range items {
			if len(i.Alias) > 0 {
				aliased[i.Name] = i.Alias[0]
			}
		}
		versions := []version{
			{name: "known"},
			{name: "aliases and shadows", rename: aliased, shadow: true},
			{name: "renamed, with labels", extra: "oChuaBiet",
				rename: map[string]string{items[0].Name: "tenMoi", items[len(items)/2].Name: "oMoi", last.Name: "cuoiMoi"}},
			{name: "dropped, doubled, without labels", drop: []string{items[1].Name, items[2].Name}, twice: items[0].Name, bare: true,
				rename: map[string]string{last.Name: "khongTen"}},
		}
		if os.Getenv("PORTAL_ALL") == "" { // one drifted version each, another for each map; all of them take two minutes
			versions = []version{versions[0], versions[1+nth%3]}
		}
		forms += len(versions)
		for _, v := range versions {
			t.Run(code+"/"+v.name, func(t *testing.T) {
				s.t, s.version = t, v
				ran++
				if len(v.drop) > 0 || v.extra != "" {
					drifted++
				}
				s.claim(popup)
				tab, r := s.fill(popup, "https://"+s.page.Hosts[0]+s.page.Path+"x", `document.readyState === "complete"`, s.page.ID)
				listed := ""
				for _, o := range r.Open {
					listed += o.Label + "\n"
				}
				values := s.filledIn(tab)
				for _, item := range items {
					there := values[item.Name]
					planned++
					for _, got := range there {
						switch {
						case got == shownAs(item):
						case got == "":
							missing++
							if !strings.Contains(listed, item.Label+"\n") {
								t.Errorf("%s was left empty and is not listed", item.Name)
							}
						default:
							wrong++
							t.Errorf("%s holds %q, want %q", item.Name, got, shownAs(item))
						}
					}
					if len(there) == 0 && !strings.Contains(listed, item.Label+"\n") {
						t.Errorf("%s is gone from the form and not listed", item.Name)
					}
				}
				if v.name == "known" && (len(r.Open) > 0 || len(r.Unknown) > 0 || len(r.Lost) > 0) {
					t.Errorf("on the known form: open %v, unknown %v, lost %v", r.Open, r.Unknown, r.Lost)
				}
				if v.extra != "" && !slices.Contains(r.Unknown, v.extra) {
					t.Errorf("the new field was not noticed: %v", r.Unknown)
				}
				if len(v.drop) > 0 && !slices.Contains(r.Lost, v.drop[0]) {
					t.Errorf("the lost field was not noticed: %v", r.Lost)
				}
				for _, a := range s.page.Attach {
					if got := values[a.Name]; len(got) != 1 || !strings.HasSuffix(got[0], ".pdf") {
						t.Errorf("%s: attached %v", a.Name, got)
					}
				}
				var record struct{ Submits, Enters int }
				s.eval(tab, `window.record`, &record)
				if record.Submits+record.Enters > 0 {
					t.Errorf("something was submitted: %+v", record)
				}
			})
		}
	}
	s.t = t
	t.Logf("%d fields planned on %d of %d forms: %d filled wrong, %d left empty and listed", planned, ran, forms, wrong, missing)
	if ran == forms && missing*100 > 5*planned { // of all maps together: a short form alone loses more
		t.Errorf("%d of %d fields were left empty", missing, planned)
	}
	if changes := s.desk.Changes(); drifted > 0 && len(changes) == 0 {
		t.Error("nobody told the technician that forms have changed")
	}
}

// The portal's own page, by the real Form.io: Part I stays as it came; Part II is opened and filled only where somebody
// else than the dossier's owner is signed in.
func TestOwnerPage(t *testing.T) {
	if _, err := os.Stat(filepath.Join(formio, "formio.form.min.js")); err != nil {
		t.Skip("the Form.io library is not there: .ci/setup test fetches it")
	}
	s := newStandIn(t)
	popup := s.chromium()
	catalog, maps, units := shipped(t)
	p, err := catalog.Get("2.000635")
	if err != nil {
		t.Fatal(err)
	}
	values := answers("applicant_name", "Lê Thị Mẫu", "applicant_birth", "1999-01-02", "applicant_sex", "Nữ", "applicant_number",
		"001199000001",
		"applicant_residence", "Tổ 5, Phường Ba Đình, Thành phố Hà Nội", "applicant_phone", "0912345678", "relation", "self")
	s.plan = maps.Plan(p, values, units)
	stranger := map[string]string{"fullname": "Trần Văn Nộp", "birthday": "01/01/1980", "identityNumber": "001080000009",
		"phoneNumber": "0900000000"}
	self := map[string]string{"fullname": "Lê Thị Mẫu", "birthday": "02/01/1999", "identityNumber": "001199000001", "phoneNumber": ""}
	want := map[string]string{"ownerFullname": "Lê Thị Mẫu", "ownerBirthday": "02/01/1999", "ownerIdentityNumber": "001199000001",
		"ownerProvince": "Hà Nội",
		"ownerDistrict": "Phường Ba Đình", "ownerAddress": "Tổ 5", "ownerPhoneNumber": "0912345678"}
	for _, c := range []struct {
		version version
		signed  map[string]string
		opens   bool
	}{
		{version{name: "signed in for another"}, stranger, true},
		{version{name: "signed in for oneself"}, self, false},
		{version{name: "renamed, found by label", rename: map[string]string{"data[ownerFullname]": "data[ownerName]",
			"data[ownerAddress]": "data[ownerStreet]"}}, stranger, true},
		{version{name: "another order, a new field", shadow: true, extra: "ownerReligion"}, stranger, true},
		{version{name: "fields gone", drop: []string{"data[ownerPhoneNumber]", "data[ownerBirthday]"}}, stranger, true},
		{version{name: "nobody signed in"}, map[string]string{"fullname": "", "identityNumber": ""}, false},
	} {
		t.Run(c.version.name, func(t *testing.T) {
			s.t, s.version, s.signed = t, c.version, c.signed
			s.claim(popup)
			tab, r := s.fill(popup, "https://dichvucong.gov.vn/owner", `document.documentElement.dataset.ready === "1"`, "owner")
			var data map[string]any
			s.eval(tab, `window.form.data`, &data)
			for key, value := range c.signed {
				if fmt.Sprint(data[key]) != value {
					t.Errorf("Part I: %s is %v now", key, data[key])
				}
			}
			listed := ""
			for _, o := range r.Open {
				listed += o.Label + ";"
			}
			for key, value := range want {
				name := key
				if to := c.version.rename["data["+key+"]"]; to != "" {
					name = strings.TrimSuffix(strings.TrimPrefix(to, "data["), "]")
				}
				got := ""
				if data[name] != nil {
					got = fmt.Sprint(data[name])
				}
				gone := slices.Contains(c.version.drop, "data["+key+"]")
				switch {
				case !c.opens || gone:
					if got != "" {
						t.Errorf("%s was filled with %q", key, got)
					}
				case got != value:
					t.Errorf("%s is %q, want %q; listed: %s", key, got, value, listed)
				}
			}
			if len(c.version.drop) > 0 && !strings.Contains(listed, "Số điện thoại chủ hồ sơ") {
				t.Errorf("what is gone is not listed: %s", listed)
			}
			if c.version.extra != "" && !slices.Contains(r.Unknown, "data["+c.version.extra+"]") {
				t.Errorf("the new field was not noticed: %v", r.Unknown)
			}
			var record struct{ Submits int }
			if s.eval(tab, `window.record`, &record); record.Submits > 0 {
				t.Error("the form was submitted")
			}
		})
	}
}

// A form that was open before the code was named gets its panel then. What a person changed by hand stays when the button is pressed once
// more, no file is attached again, and a choice that the form took back is not told as made.
func TestPressedAgain(t *testing.T) {
	s := newStandIn(t)
	popup := s.chromium()
	s.answered("1.000656")
	paper := s.page.Attach[0]
	s.plan.Files = []File{{Paper: paper.Paper, Name: "giay-bao-tu.pdf", MediaType: "application/pdf", Data: []byte("%PDF-")}}
	const choice, stubborn, text = "CapBanSao", "nktNoiChet", "NguyenNhanMat"
	s.version = version{stubborn: stubborn}
	tab := s.open(popup, "https://"+s.page.Hosts[0]+s.page.Path+"x", `document.readyState === "complete"`)
	s.claim(popup)
	s.until(tab, "the panel", `!!document.querySelector("motcua-panel")`)
	told := func(r result, label string) bool {
		return slices.ContainsFunc(r.Open, func(o Open) bool { return o.Label == label })
	}
	label := func(name string) string {
		for _, i := range s.page.Items {
			if i.Name == name {
				return i.Label
			}
		}
		t.Fatalf("the map has no %s", name)
		return ""
	}
	r := s.press(popup, s.page.ID)
	if slices.Contains(r.Filled, stubborn) || !told(r, label(stubborn)) {
		t.Errorf("a choice that the form took back is told as made: %v", r.Open)
	}
	if got := s.filledIn(tab); told(r, label(choice)) || told(r, label(text)) || got[choice][0] != "Có" {
		t.Fatalf("%v; open: %v", got[choice], r.Open)
	}
	const mine = "Già yếu"
	s.until(tab, "the words to be chosen", `(document.querySelector("[data-means=`+text+`] input").select(), true)`)
	if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS(`[data-means=`+choice+`] input[value="0"]`)),
		chromedp.SendKeys(chromedp.CSS(`[data-means=`+text+`] input`), mine)); err != nil {
		t.Fatal(err)
	}
	r = s.press(popup, s.page.ID)
	if got := s.filledIn(tab); got[choice][0] != "0" || got[text][0] != mine || !told(r, label(choice)) || !told(r, label(text)) {
		t.Errorf("what a person changed: %v, %v; open: %v", got[choice], got[text], r.Open)
	}
	var record struct{ Attached int }
	if s.eval(tab, `window.record`, &record); record.Attached != 1 || !slices.Contains(r.Filled, paper.Name) {
		t.Errorf("the file was attached %d times; filled %v", record.Attached, r.Filled)
	}
}

// A form on the portal's own host is filled by its own map, not by that of the owner page, which is at "/" there.
func TestFormBesideTheOwnerPage(t *testing.T) {
	s := newStandIn(t)
	popup := s.chromium()
	s.answered("2.002516")
	own := &s.plan.Pages[len(s.plan.Pages)-1]
	own.Hosts, own.Path = s.plan.Pages[0].Hosts, "/to-khai/"
	s.page = *own
	s.claim(popup)
	_, r := s.fill(popup, "https://dichvucong.gov.vn/to-khai/x", `document.readyState === "complete"`, own.ID)
	if len(r.Filled) != len(own.Items) {
		t.Errorf("%d of %d fields were filled; open: %v", len(r.Filled), len(own.Items), r.Open)
	}
}

// The ministry's form stands in a frame of the portal's page: its frame is filled, too. Nobody else than the extension
// is answered, and no page of the web hears of the visit.
func TestFrameAndStrangers(t *testing.T) {
	s := newStandIn(t)
	popup := s.chromium()
	s.answered("1.004873")
	s.claim(popup)
	tab, r := s.fill(popup, "https://dichvucong.gov.vn/ke-khai", `document.readyState === "complete"`, s.page.ID)
	if len(r.Filled) < len(s.page.Items)*9/10 {
		t.Errorf("%d of %d fields of the frame were filled; open: %v", len(r.Filled), len(s.page.Items), r.Open)
	}
	s.until(tab, "the panel", `!!document.querySelector("motcua-panel")?.dataset.open`)
	var inside bool
	if s.eval(tab, `document.querySelector("motcua-panel").shadowRoot !== null`, &inside); inside {
		t.Error("the page can read the panel")
	}
	for origin, want := range map[string]int{"https://dichvucong.gov.vn": 403, "": 403,
		"chrome-extension://aaaabbbbccccddddeeeeffffgggghhhh": 403, Origin: 404} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.daemon.URL+"/portal/claim", strings.NewReader("code=00000000"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("from %q: %d, want %d", origin, answer.StatusCode, want)
		}
	}
}

// After each citizen nothing of the portal stays in the browser: cookies and storage of its origins are gone, those of
// the rest stay.
func TestNothingStaysAfterACitizen(t *testing.T) {
	s := newStandIn(t)
	popup := s.chromium()
	s.answered("1.004873")
	s.claim(popup)
	origins := []string{"dichvucong.gov.vn", "www.dichvucong.gov.vn", "lienthong.dichvucong.gov.vn", "sso.dancuquocgia.gov.vn",
		"dichvucongnganhtuphap.moj.gov.vn", "tokhaidientu.moj.gov.vn",
		"dichvucongnnmt.mae.gov.vn", "dvc.moet.gov.vn", "dvc.moc.gov.vn"}
	const bystander = "thoitiet.gov.vn"
	tab, cancel := chromedp.NewContext(popup)
	t.Cleanup(cancel)
	left := func(host string) (cookie, who string) {
		tab, cancel := chromedp.NewContext(popup) // what a tab keeps for itself ends with it, and the wiping ends the portal's tabs
		defer cancel()
		if err := chromedp.Do(tab, chromedp.Navigate("https://"+host+"/left")); err != nil {
			t.Fatal(err)
		}
		s.eval(tab, `document.getElementById("cookie").textContent`, &cookie)
		s.eval(tab, `document.documentElement.dataset.who`, &who)
		return cookie, who
	}
	for _, host := range append(origins, bystander) {
		if err := chromedp.Do(tab, chromedp.Navigate("https://"+host+"/mark")); err != nil {
			t.Fatal(err)
		}
		if cookie, who := left(host); cookie == "" || who == "" {
			t.Fatalf("%s kept nothing even before: %q, %q", host, cookie, who)
		}
	}
	if err := chromedp.Do(tab, chromedp.Navigate("https://"+origins[0]+"/mark")); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(popup, chromedp.Click(chromedp.CSS("#wipe"))); err != nil {
		t.Fatal(err)
	}
	s.until(popup, "the wiping", `document.body.dataset.wiped === "1"`)
	s.until(popup, "the portal's tabs to be closed", `(chrome.tabs.query({url: "https://*.dichvucong.gov.vn/*"}).then((list) =>
		window.open = list.length), window.open === 0)`)
	for _, host := range origins {
		if cookie, who := left(host); cookie != "" || who != "" {
			t.Errorf("%s still knows the citizen: cookie %t, storage %t", host, cookie != "", who != "")
		}
	}
	if cookie, _ := left(bystander); cookie == "" {
		t.Error("a site that is none of the portal's was wiped, too")
	}
	var work any
	s.until(popup, "the session", `(chrome.storage.session.get(null).then((s) => window.rest = s), !!window.rest)`)
	if s.eval(popup, `window.rest.work || null`, &work); work != nil {
		t.Error("the extension still has the visit's data")
	}
}
