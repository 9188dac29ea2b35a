package portal

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"motcua/agent/address"
	"motcua/agent/procedure"
	"motcua/agent/strict"
	"motcua/configs"
	"motcua/ocr/paper"
)

func shipped(t testing.TB) (*procedure.Catalog, Maps, *address.Table) {
	t.Helper()
	catalog, err := procedure.Check(configs.Procedures())
	if err != nil {
		t.Fatal(err)
	}
	maps, err := Load(configs.Portal(), catalog)
	if err != nil {
		t.Fatal(err)
	}
	units, err := address.Load(configs.Units())
	if err != nil {
		t.Fatal(err)
	}
	return catalog, maps, units
}

func answers(pairs ...string) map[string]procedure.Answer {
	values := map[string]procedure.Answer{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = procedure.Answer{Text: pairs[i+1], Source: paper.QR, Document: -1} // as read from a card
	}
	return values
}

func TestPlan(t *testing.T) {
	catalog, maps, units := shipped(t)
	p, err := catalog.Get("1.004873")
	if err != nil {
		t.Fatal(err)
	}
	work := maps.Plan(p, answers("relation", "self", "applicant_name", "Lê Thị Mẫu", "applicant_birth", "1999-01-02", "applicant_number",
		"001199000001",
		"applicant_paper", "cccd-2016", "status", "divorced", "ended_number", "12/2020/QĐST", "ended_date", "2020-03-04", "ended_issuer",
		"Tòa án",
		"ended_paper", "judgment", "purpose", "loan"), units)
	items := map[string]Item{}
	for _, page := range work.Pages {
		for _, item := range page.Items {
			items[item.Name] = item
		}
	}
	for name, want := range map[string]string{
		"HoVaTenC": "Lê Thị Mẫu", "HoVaTenC1": "Lê Thị Mẫu", "NgaySinhC1": "02/01/1999", "LoaiGiayToDinhDanhC": "Thẻ căn cước công dân",
		"nxnLoaiTinhTrangHonNhan": "3", "ngayCapGiayTo-day": "04", "ngayCapGiayTo-year": "2020", "quanhevoinguoiduocxacminh": "1",
		"data[ownerFullname]": "Lê Thị Mẫu",
	} {
		if items[name].Value != want {
			t.Errorf("%s: %q, want %q", name, items[name].Value, want)
		}
	}
	for _, name := range []string{"quanhekhac", "data[fullname]", "nycNoiCuTru"} {
		if _, ok := items[name]; ok {
			t.Errorf("%s is planned", name)
		}
	}
	missing := ""
	for _, o := range work.Missing {
		missing += o.Label + ";"
	}
	if strings.Contains(missing, "Số giấy tờ về hôn nhân") || !strings.Contains(missing, "Ngày cấp giấy tờ người yêu cầu") {
		t.Errorf("missing: %s", missing)
	}
}

// An address goes to the portal only where it names units of today.
func TestAreaOfToday(t *testing.T) {
	_, _, units := shipped(t)
	got := apart("Tổ 5, phố Trúc Bạch, Phường Ba Đình, Thành phố Hà Nội", units)
	if got == nil || *got != (AreaPart{"Việt Nam", "Thành phố Hà Nội", "Phường Ba Đình", "Tổ 5, phố Trúc Bạch"}) {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{"Tổ 5, Phường Cống Vị, Quận Ba Đình, Hà Nội", "12 Hàng Thử, Phường Mẫu, Hà Nội", "", "Hà Nội"} {
		if got := apart(text, units); got != nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// What the extension may tell of forms that changed has an end: whoever has a token names pages of the map, each kept once, and a page
// that is seen the same way again is not logged again.
func TestChangesAreOfPagesThatAMapHas(t *testing.T) {
	var logged bytes.Buffer
	d := NewDesk(time.Now, slog.New(slog.NewTextHandler(&logged, nil)))
	code, err := d.Offer("v1", Job{Work: func() (Work, error) {
		return Work{Procedure: "1.004873", Pages: []PagePlan{{ID: "owner"}, {ID: "declaration"}}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	w, err := d.Claim(code)
	if err != nil {
		t.Fatal(err)
	}
	tell := func(token, page, unknown string) int {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, PathPrefix+"changed",
			strings.NewReader(url.Values{"token": {token}, "page": {page}, "unknown": {unknown}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", Origin)
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, r)
		return answer.Code
	}
	for i := range 1000 {
		if got := tell(w.Token, "made_up_"+strconv.Itoa(i), "x"); got != http.StatusForbidden {
			t.Fatalf("a page that no map has: %d", got)
		}
	}
	for _, token := range []string{"", "x"} {
		if got := tell(token, "owner", "x"); got != http.StatusForbidden {
			t.Errorf("token %q: %d", token, got)
		}
	}
	for _, unknown := range []string{"a", "a", "a b", "a b"} {
		for _, page := range []string{"owner", "declaration"} {
			if got := tell(w.Token, page, unknown); got != http.StatusNoContent {
				t.Errorf("%s: %d", page, got)
			}
		}
	}
	got := d.Changes()
	if len(got) != 2 || got[0].Procedure != "1.004873" || !slices.Equal(got[1].Unknown, []string{"a", "b"}) || got[1].Seen.IsZero() {
		t.Errorf("%+v", got)
	}
	if n := strings.Count(logged.String(), "has changed"); n != 4 {
		t.Errorf("logged %d times: %s", n, &logged)
	}
}

func TestDesk(t *testing.T) {
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	d := NewDesk(func() time.Time { return now }, nil)
	work := func() (Work, error) { return Work{Procedure: "1.004873"}, nil }
	code := func() string {
		c, err := d.Offer("v1", Job{Work: work})
		if err != nil || len(c) != CodeDigits {
			t.Fatalf("%q, %v", c, err)
		}
		return c
	}
	refused := func(c string, want error) {
		t.Helper()
		if _, err := d.Claim(c); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	c := code()
	w, err := d.Claim(c)
	if err != nil || w.Token == "" {
		t.Fatal(err)
	}
	refused(c, ErrCode) // once
	refused("", ErrCode)
	c = code()
	now = now.Add(CodeLife + time.Second)
	refused(c, ErrCode) // too late
	c = code()
	d.Close("v1")
	refused(c, ErrCode) // the visit is over
	c = code()
	second := code()
	if c != second {
		refused(c, ErrCode) // only the newest
	}
	for range MaxTries - 2 {
		refused("x", ErrCode)
	}
	refused("x", ErrTries)
	refused(second, ErrCode) // guessed at: it has ended
}

func TestLoadListsEveryMistake(t *testing.T) {
	catalog, _, _ := shipped(t)
	fitting, err := Load(fstest.MapFS{"1.004873.yaml": {Data: []byte(`procedure: "1.004873"
version: "1"
looked_up: 2026-11-29
sources: [x]
pages:
  - id: e
    hosts: [a.b]
    locked: [C]
    fields:
      - {name: A, from: aplicant_name, label: x}
      - {name: A, from: applicant_name, label: x}
      - {name: C, from: applicant_name, label: x}
      - {name: D, from: applicant_name}
      - {name: E, label: x}
      - {name: F, from: applicant_name, label: x, take: half}
      - {name: H, from: status, label: x, values: {divorsed: y}}
      - {name: I, from: applicant_name, label: x, take: area}
      - {name: J, from: applicant_residence, label: x, take: day}
      - {name: K, from: applicant_name, label: x, when: ["status=widwed"]}
      - {name: L, from: applicant_name, label: x, given: applicant_birth}
      - {name: M, label: x, value: y, given: aplicant_birth}
      - {name: N, label: x, value: y, take: area}
    attach:
      - {name: G, label: x, paper: nothing}
  - {id: e, hosts: [a.b], path: e/}
`)}}, catalog)
	var problems strict.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	if fitting["1.004873"] != nil {
		t.Error("a map with mistakes is used")
	}
	for _, want := range []string{`did you mean "applicant_name"?`, `"A" is empty, used twice, or locked`, `"C" is empty`, "needs label",
		"needs either from or value",
		"must be one of [area", `"nothing" is no paper`, "a path that begins with", `id "e" is used twice`,
		`"divorsed" is not an answer of status; did you mean "divorced"?`, "applicant_name has no area: it is of type name, not address",
		"applicant_residence has no day", `"widwed" is not an answer of status; did you mean "widowed"?`, "given goes with value",
		`did you mean "applicant_birth"?`, "take and values go with from"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// A map is of no use where the extension does not run, and of harm where its traces are not wiped: each host is named in
// the manifest and in background.js. A map is looked at only where there is a procedure of its code.
func TestWhatAMapNeedsBesides(t *testing.T) {
	catalog, maps, _ := shipped(t)
	var manifest struct {
		Hosts   []string `json:"host_permissions"`
		Scripts []struct {
			Matches []string `json:"matches"`
			JS      []string `json:"js"`
		} `json:"content_scripts"`
	}
	data, err := os.ReadFile("extension/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	var filled []string
	for _, script := range manifest.Scripts {
		if slices.Contains(script.JS, "fill.js") {
			filled = append(filled, script.Matches...)
		}
	}
	background, err := os.ReadFile("extension/background.js")
	if err != nil {
		t.Fatal(err)
	}
	_, origins, _ := strings.Cut(string(background), "const ORIGINS = [")
	origins, _, _ = strings.Cut(origins, "]")
	covers := func(patterns []string, host string) bool {
		_, above, _ := strings.Cut(host, ".")
		return slices.Contains(patterns, "https://"+host+"/*") || slices.Contains(patterns, "https://*."+host+"/*") ||
			slices.Contains(patterns, "https://*."+above+"/*")
	}
	for code, m := range maps {
		if _, err := catalog.Get(code); err != nil && code != EveryProcedure {
			t.Errorf("configs/portal/%s.yaml: there is no procedure of this code in configs/procedures, so nothing of the map is checked", code)
		}
		for _, page := range m.Pages {
			for _, host := range page.Hosts {
				if !covers(filled, host) {
					t.Errorf("%s: the extension does not run on %s: name it in content_scripts of extension/manifest.json", code, host)
				}
				if !covers(manifest.Hosts, host) {
					t.Errorf("%s: the extension may not wipe %s: name it in host_permissions of extension/manifest.json", code, host)
				}
				if !strings.Contains(origins, `"https://`+host+`"`) {
					t.Errorf("%s: what a citizen leaves on %s is not wiped: name it in ORIGINS of extension/background.js", code, host)
				}
			}
		}
	}
}
