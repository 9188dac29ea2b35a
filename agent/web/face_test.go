package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"motcua/agent/web/screen"
	"motcua/ocr/paper"
)

// portraits are a picture of nobody as chips hold them: JPEG and JPEG 2000.
func portraits(t *testing.T) map[string][]byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 240, 320))
	for i := range 240 * 320 {
		x, y := i%240, i/240
		img.Set(x, y, color.RGBA{uint8(x), uint8(y / 2), uint8(x ^ y), 255})
	}
	dir := t.TempDir()
	var asPNG, asJPEG bytes.Buffer
	if err := png.Encode(&asPNG, img); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&asJPEG, img, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in.png"), asPNG.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("opj_compress", "-i", "in.png", "-o", "out.jp2", "-r", "20")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v (package libopenjp2-tools)\n%s", err, out)
	}
	jp2, err := os.ReadFile(filepath.Join(dir, "out.jp2"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"JPEG": asJPEG.Bytes(), "JPEG 2000": jp2}
}

// The picture in a chip is shown to a volunteer who is signed in, beside its person, and is kept nowhere.
func TestFaceIsForStaffAndNeverKept(t *testing.T) {
	const number = "001199000001"
	for name, picture := range portraits(t) {
		t.Run(name, func(t *testing.T) {
			kept := &recorded{}
			k := newKiosk(t, withStaff(t), withDrafts(t), func(o *screen.Options) { kept.Drafts, o.Drafts = o.Drafts, kept })
			citizen := k.hand(t).toScan("2.000815")
			if !k.site.Offer(paper.Chip, map[paper.Name]string{paper.Number: number, paper.FullName: "Lê Thị Mẫu"}) {
				t.Fatal("the reading was not taken")
			}
			if k.site.WantsFace(number) {
				t.Error("a picture is wanted where only a citizen sits")
			}
			k.site.Face(number, bytes.Clone(picture)) // nobody wants it
			table := k.site.Sessions.Visits()[0]
			if table.Faces.Of(number) != 0 {
				t.Fatal("the picture was taken for a citizen's screen")
			}

			lan := k.hand(t).signIn("lan", volunteerPIN)
			lan.post("/desk/take/" + table.Visit.ID)
			if k.site.WantsFace("001199999999") || !k.site.WantsFace(number) {
				t.Fatal("the picture of this card, and of no other, is wanted")
			}
			k.site.Face(number, bytes.Clone(picture))
			if k.site.WantsFace(number) {
				t.Error("it is wanted again")
			}
			lan.upload("a.png", onePixel(t))
			lan.follow("done")
			lan.get("/check").want(200, "/check", `src="/desk/face/1"`, "Ảnh không được lưu lại")
			lan.get("/desk/face/1").want(200, "/desk/face/1")
			shown, err := jpeg.Decode(strings.NewReader(lan.body))
			if err != nil || shown.Bounds().Dx() != 240 {
				t.Fatalf("%v, %v", shown, err)
			}
			decoded := []byte(lan.body)
			if lan.get("/desk/face/2"); lan.code != http.StatusNotFound {
				t.Errorf("a picture that there is not: %d", lan.code)
			}
			citizen.get("/desk/face/1").want(200, "/staff")
			other := k.hand(t).signIn("lan", volunteerPIN)
			if other.get("/desk/face/1"); other.code != http.StatusNotFound {
				t.Errorf("at another desk: %d", other.code)
			}
			told := kept.all()
			for _, p := range [][]byte{picture, decoded} {
				for _, form := range []string{string(p[len(p)/2 : len(p)/2+60]), base64.StdEncoding.EncodeToString(p[len(p)/2/3*3 : len(p)/2/3*3+60])} {
					if strings.Contains(told, form) {
						t.Error("a draft holds the picture")
					}
				}
			}
			if !strings.Contains(told, number) {
				t.Error("no draft of the visit was looked at")
			}
			table.End()
			if _, ok := table.Faces.Get(1); ok || table.Faces.Of(number) != 0 {
				t.Error("the picture outlives the visit")
			}
			if lan.get("/desk/face/1"); lan.code != http.StatusNotFound {
				t.Errorf("after the visit: %d", lan.code)
			}
		})
	}
}

// recorded are drafts that remember what was to be kept, before it is sealed.
type recorded struct {
	screen.Drafts
	mu   sync.Mutex // guards told
	told bytes.Buffer
}

func (r *recorded) Keep(id string, record any) error {
	data, err := json.Marshal(record)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.told.Write(data)
	r.mu.Unlock()
	return r.Drafts.Keep(id, record)
}

func (r *recorded) KeepPage(id, page string, data []byte) error {
	r.mu.Lock()
	r.told.Write(data)
	r.mu.Unlock()
	return r.Drafts.KeepPage(id, page, data)
}

func (r *recorded) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told.String()
}
