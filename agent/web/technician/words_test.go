package technician

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"motcua/agent/web/screen"
)

func TestDoctorSpeaksVietnamese(t *testing.T) {
	p, err := loadPhrases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, mend, what, mended string }{
		{"procedures: 21 procedures are offered", "", "Thủ tục: có 21 thủ tục", ""},
		{"recognition: a specimen card is read in 52 ms, 9 fields right", "", "Nhận dạng: đọc thẻ mẫu trong 52 ms, đúng 9 mục", ""},
		{"hub: the hub cannot be used: no route to host", "correct upload in the configuration",
			"Nơi nhận: không dùng được nơi nhận: no route to host", "sửa mục upload trong cấu hình"},
		{"queue: what nobody has put into words yet", "", "Hồ sơ chờ gửi: what nobody has put into words yet", ""},
		{"no area at all", "", "no area at all", ""},
	} {
		if got := p.finding(screen.Finding{What: c.in, Mend: c.mend}); got.What != c.what || got.Mend != c.mended {
			t.Errorf("%q, %q", got.What, got.Mend)
		}
	}
	// What the checks say when all is well is what a technician reads every day: all of it has words.
	said := regexp.MustCompile(`doctor\.Good\("([^"]+)"`)
	seen := 0
	for _, pattern := range []string{"../../daemon/*.go", "../../station/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range said.FindAllStringSubmatch(string(source), -1) {
				example := regexp.MustCompile(`%[a-z]`).ReplaceAllString(m[1], "7")
				if seen++; example != "7" && p.say(example) == example {
					t.Errorf("%s says %q, which has no Vietnamese", filepath.Base(name), m[1])
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d sentences were found in the sources", seen)
	}
}
