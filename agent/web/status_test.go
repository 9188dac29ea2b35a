package web

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"motcua/agent/answer"
	"motcua/agent/dossier"
	"motcua/agent/web/screen"
	"motcua/queue"
)

// codes with a right check character, as the queue makes them.
func codeFor(t *testing.T, start string) string {
	t.Helper()
	for _, c := range "23456789ABCDEFGHJKMNPQRTVWXYZ" {
		if code, ok := queue.ParseCode(start + string(c)); ok {
			return code
		}
	}
	t.Fatal("no code begins so")
	return ""
}

// answered has the office answer a dossier; result may be nil.
func (k *kiosk) answered(t *testing.T, number uint64, state answer.State, result []byte) answer.Answer {
	t.Helper()
	a := answer.Answer{Desk: "desk-1", Number: number, Submission: "DOSSIER", Code: codeFor(t, "7K3P92Q"), Procedure: "2.000815", State: state,
		Born: []int{1955}, Received: time.Now().Add(-time.Hour), At: time.Now()}
	if state == answer.NeedsMore || state == answer.Refused {
		a.Reasons, a.Text = []string{"side-missing", "of-a-later-program"}, "Mang thẻ gốc <b>màu xanh</b>"
	}
	if result != nil {
		sum := sha256.Sum256(result)
		a.Result = &answer.File{Name: "ban-sao.pdf", MediaType: "application/pdf", Size: int64(len(result)), SHA256: hex.EncodeToString(sum[:])}
	}
	if _, err := k.answers.Take(a, time.Now()); err != nil {
		t.Fatal(err)
	}
	if result != nil {
		if err := k.answers.PutResult(a, result); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func twoPages(t *testing.T) []byte {
	t.Helper()
	pdf := fpdf.New("P", "mm", "A4", "")
	for _, text := range []string{"INVENTED RESULT", "second page"} {
		pdf.AddPage()
		pdf.SetFont("Helvetica", "", 24)
		pdf.Cell(100, 20, text)
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhereADossierStands(t *testing.T) {
	k := newKiosk(t, func(o *screen.Options) { o.Print = true })
	a := k.answered(t, 1, answer.NeedsMore, nil)
	h := k.hand(t).get("/status")
	ask := func() *hand { return h.post("/status", "code", a.Code, "year", "1955") }
	ask().want(200, "/status", "Cần bổ sung", "Thẻ mới quét một mặt.", "Mang thẻ đến quét mặt còn lại.",
		"Mang thẻ gốc &lt;b&gt;màu xanh&lt;/b&gt;", "Nộp bổ sung tại đây")

	// Nobody who did not ask sees anything of it.
	stranger := k.hand(t)
	for _, path := range []string{"/status/result", "/status/result/1"} {
		stranger.get(path).want(200, "/status", "Nhập mã")
	}
	k.answered(t, 2, answer.Eligible, nil)
	ask().want(200, "/status", "Đủ điều kiện")
	if strings.Contains(h.body, "Nộp bổ sung tại đây") {
		t.Error("papers can be added where none are wanted")
	}

	result := twoPages(t)
	k.answered(t, 3, answer.Done, result)
	ask().want(200, "/status", "Đã giải quyết xong", "Xem kết quả")
	h.get("/status/result").want(200, "/status/result", `src="/status/result/1"`, `src="/status/result/2"`, "data-print", "Tôi đã lấy")
	if strings.Contains(h.body, `src="/status/result/3"`) {
		t.Error("a page too many")
	}
	for _, n := range []string{"1", "2"} {
		if h.get("/status/result/" + n); !strings.HasPrefix(h.body, "\xff\xd8") && !strings.HasPrefix(h.body, "\x89PNG") {
			t.Errorf("page %s is no picture", n)
		}
	}
	shown := sha256.Sum256(result)
	mended := append(slices.Clone(result), "\n% mended"...)
	k.answered(t, 4, answer.Done, mended) // while its citizen stands there with the one before
	h.post("/status/collected", "result", hex.EncodeToString(shown[:])).want(200, "/status/result", "Tôi đã lấy")
	if _, data, err := k.answers.Result("DOSSIER"); err != nil || !bytes.Equal(data, mended) {
		t.Errorf("the newer result, that nobody has seen: %d bytes, %v", len(data), err)
	}
	shown = sha256.Sum256(mended)
	h.post("/status/collected", "result", hex.EncodeToString(shown[:])).want(200, "/")
	if _, _, err := k.answers.Result("DOSSIER"); err != answer.ErrUnknown {
		t.Errorf("the result is still here: %v", err)
	}
	ask().want(200, "/status", "đã xóa")
	h.get("/status/result").want(200, "/status")

	ask()
	h.post("/status/done").want(200, "/")
	h.get("/status/result").want(200, "/status", "Nhập mã")
}

// What was asked about can't be looked at again when nobody has touched the screen for a while, nor by the browser's history.
func TestInquiryEndsBySilence(t *testing.T) {
	c := newClock()
	k := newKiosk(t, func(o *screen.Options) { o.Clock = c.now })
	a := k.answered(t, 1, answer.Done, twoPages(t))
	h := k.hand(t).get("/status")
	h.post("/status", "code", a.Code, "year", "1955").want(200, "/status", "Đã giải quyết xong")
	c.pass(screen.InquiryStays / 2)
	h.get("/status/result").want(200, "/status/result")
	c.pass(screen.InquiryStays + time.Second)
	h.get("/status/result").want(200, "/status", "Nhập mã")
	h.get("/status/result/1").want(200, "/status", "Nhập mã")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.server.URL+"/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if !strings.Contains(response.Header.Get("Cache-Control"), "no-store") {
		t.Error("the page may be kept by the browser")
	}
}

// "Needs more": the citizen adds a paper at any kiosk of the ward; it goes out as a supplement of the same dossier, without a form.
func TestSupplement(t *testing.T) {
	k := newKiosk(t)
	a := k.answered(t, 1, answer.NeedsMore, nil)
	h := k.hand(t).get("/status")
	h.post("/status/add", "procedure", "2.000815").want(200, "/status", "Nhập mã") // nobody has asked
	h.post("/status", "code", a.Code, "year", "1955")
	h.post("/status/add", "procedure", "2.000815").want(200, "/consent")
	h.post("/consent", "agreed", "yes").want(200, "/scan")
	h.upload("mat-sau.png", onePixel(t))
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if h.get("/check"); h.at == "/check" || time.Now().After(end) {
			break
		}
	}
	h.want(200, "/check")
	h.get("/confirm").want(200, "/confirm", "Sao y bản chính")
	h.post("/confirm").want(200, "/receipt")
	all, err := k.queue.List(queue.Filter{})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d submissions, %v", len(all), err)
	}
	sub := all[0]
	if sub.Labels[dossier.LabelSupplements] != "DOSSIER" || sub.Labels[dossier.LabelProcedure] != "2.000815" {
		t.Errorf("labels %v", sub.Labels)
	}
	if slices.ContainsFunc(sub.Parts, func(p queue.PartInfo) bool { return p.Name == dossier.FormPDF }) {
		t.Error("it carries an official form that nobody filled")
	}
	content, err := k.queue.Content(t.Context(), sub.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	form := formOf(t, content)
	if form.Supplements != "DOSSIER" || len(form.Values) != 0 || len(form.Pages) != 1 {
		t.Errorf("form: supplements %q, %d values, %d pages", form.Supplements, len(form.Values), len(form.Pages))
	}
}

func formOf(t *testing.T, content *queue.Content) (form dossier.Form) {
	t.Helper()
	z, err := zip.NewReader(content, content.Size())
	if err != nil {
		t.Fatal(err)
	}
	data, err := fs.ReadFile(z, "form.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &form); err != nil {
		t.Fatal(err)
	}
	return form
}

// Every state and reason that an office can give has its words.
func TestEveryAnswerHasWords(t *testing.T) {
	k := newKiosk(t)
	for _, lang := range []string{"vi", "en"} {
		for _, s := range append(slices.Clone(answer.States), "other") {
			for _, key := range []string{"answer." + string(s), "answer." + string(s) + ".text"} {
				if !k.site.Words.Has(lang, key) {
					t.Errorf("%s has no words for %s", lang, key)
				}
			}
		}
	}
}
