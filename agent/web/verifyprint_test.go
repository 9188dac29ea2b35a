package web

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/sign"
	"motcua/agent/web/screen"
	"motcua/drivers/simulated"
	"motcua/ocr/pdf"
	"motcua/ocr/qr"
)

// printedCopy is a certified copy that stands in a register, the register, and what the symbol on a print of it says.
func printedCopy(t *testing.T) (signed []byte, register *sign.Register, code string) {
	t.Helper()
	register, err := sign.OpenRegister(filepath.Join(t.TempDir(), "certified.jsonl"), "SCT/BS", "")
	if err != nil {
		t.Fatal(err)
	}
	plain := twoPages(t)
	digest := fmt.Sprintf("%x", sha256.Sum256(plain))
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.Local)
	line := sign.Certified{Submission: "01", Copy: 1, Title: "Giấy khai sinh", Pages: 2, Form: "SAO Y", Officer: "canbo", At: at}
	if _, err := register.Number(line); err != nil { // as builds wrote it that kept no digest
		t.Fatal(err)
	}
	line.Copy, line.Digest = 2, digest
	number, err := register.Number(line)
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.NewTrial("Phường Mẫu", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := sign.Signer{Key: key, Now: time.Now, Mark: sign.Mark{Form: "SAO Y", Organisation: "UBND PHƯỜNG MẪU", Number: number}}
	if err := s.Sign(t.Context(), plain, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), register, qr.CopyText("SAO Y", number, digest)
}

// Of a print the kiosk says what its register says, and that this is not the paper's word.
func TestVerifyPrint(t *testing.T) {
	signed, register, code := printedCopy(t)
	k := newKiosk(t, func(o *screen.Options) { o.Console.Signing = &screen.Signing{Register: register} })
	h := k.hand(t).get("/verify")
	const warns = "Mã có thể bị chép sang giấy khác"
	for name, c := range map[string]struct {
		code   string
		status int
		says   []string
	}{
		"same": {code, 200, []string{"có trong sổ chứng thực của máy này", "2/2026 SCT/BS", "Giấy khai sinh", "2 trang",
			"30/11/2026", warns}},
		"capitals": {strings.ToUpper(code), 200, []string{"có trong sổ chứng thực của máy này", warns}},
		// many wards call their book the same
		"other_copy": {code[:len(code)-3] + "000", 200, []string{`class="verdict bad"`, "Mã không khớp với sổ của máy này",
			"nơi khác hoặc máy khác có cùng ký hiệu sổ", warns}},
		"old_line":   {strings.Replace(code, "2/2026", "1/2026", 1), 200, []string{"chưa đối chiếu được mã", warns}},
		"not_here":   {strings.Replace(code, "2/2026", "9/2026", 1), 200, []string{"Sổ của máy này không có số này", warns}},
		"other_book": {strings.Replace(code, "SCT/BS", "SCT/BS-2", 1), 200, []string{"Sổ của máy này không có số này", warns}},
		"no_symbol":  {"https://example.vn", 422, []string{"Không đọc được mã QR"}},
	} {
		t.Run(name, func(t *testing.T) {
			h.get("/verify").post("/verify/print", "code", c.code).want(c.status, "/verify/print", c.says...)
			if strings.Contains(h.body, `class="verdict good"`) {
				t.Error("a symbol alone makes a print good")
			}
			if name == "other_copy" && strings.Contains(h.body, "Giấy khai sinh") {
				t.Error("whoever has a number only is told what it is of")
			}
		})
	}
	// Laid on the glass, as our own pages show it.
	k.scanner = simulated.New([]simulated.Sheet{{DPI: 300, Front: func() (image.Image, error) {
		d, err := pdf.Open(signed)
		if err != nil {
			return nil, err
		}
		defer d.Close()
		img, _, err := d.Rasterise(1, 300, 1e8)
		return img, err
	}}}, simulated.Options{LinesPerSecond: -1})
	h.get("/verify").want(200, "/verify", "Đọc mã bằng máy quét")
	h.post("/verify/scan").want(200, "/verify/scan", "có trong sổ chứng thực của máy này", "2/2026 SCT/BS")
	k.scanner = simulated.New([]simulated.Sheet{drawn(specimens(t)[0])}, simulated.Options{LinesPerSecond: -1})
	h.get("/verify").post("/verify/scan").want(422, "/verify/scan", "Không đọc được mã QR")
}

// A reader at the counter, whether it types or not, leads from the page to what the register says.
func TestVerifyPrint_reader_in_the_browser(t *testing.T) {
	t.Parallel()
	_, register, code := printedCopy(t)
	k := newKiosk(t, func(o *screen.Options) { o.Console.Signing = &screen.Signing{Register: register} })
	if k.site.CopyCode(code) {
		t.Error("nobody waits for a code, and it was taken")
	}
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/verify"))
	settled(t, ctx)
	await(t, "a page that waits", func() bool { return k.site.CopyCode(code) })
	holds(t, ctx, "what the register says", `location.pathname === "/verify/print" && document.querySelector(".verdict.open")`)
	fitsOn(t, ctx, "print", [][2]int64{{1024, 768}, {768, 1024}}, []string{"xl"})
	axe(t, ctx, "print")
	do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
	settled(t, ctx)
	const keys = `for (const key of %q) dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})); true`
	eval[bool](t, ctx, fmt.Sprintf(keys, code))
	holds(t, ctx, "what the register says", `location.pathname === "/verify/print" && document.querySelector(".verdict.open")`)
}
