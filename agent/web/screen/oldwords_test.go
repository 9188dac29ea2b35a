package screen

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// oldWords are those that other ones took the place of, in small letters: one voice speaks on every screen, paper and page of help.
var oldWords = []string{"báo người mất", "xác nhận độc thân", "ở trọ, ở tạm", "làm lại giấy khai sinh đã mất sổ gốc", "không mất tiền",
	"trả lệ phí", "trả tại quầy", "tất cả đều đúng", "thư điện tử", "nhật ký kiểm tra", "khám máy", "hàng đợi", "phiên làm việc",
	"phường đã nhận", "đang xử lý hồ sơ", "quý khách", "anh/chị", "bạn cần", "bạn có", "của bạn", "chưa xác minh"}

// Of what people read nothing stands in the words of before. What is not read by anybody (released procedures of tests) is left out, and
// so are the words that a search takes besides ours.
func TestOldWords(t *testing.T) {
	kinds := []string{".yaml", ".html", ".js", ".json", ".md"}
	looked := 0
	for _, root := range []string{"../../../agent", "../../../configs", "../../../README.md"} {
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.Name() == "testdata" {
				return filepath.SkipDir
			}
			if d.IsDir() || !slices.Contains(kinds, filepath.Ext(file)) {
				return nil
			}
			looked++
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			n := 0
			for line := range strings.Lines(strings.ToLower(string(text))) {
				n++
				if strings.HasPrefix(line, "keywords:") {
					continue
				}
				for _, word := range oldWords {
					if strings.Contains(line, word) {
						t.Errorf("%s:%d: %q", file, n, word)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 50 {
		t.Fatalf("only %d files were looked at", looked)
	}
}
