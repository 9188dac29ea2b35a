package office

import (
	"archive/zip"
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/dossier"
)

// What a kiosk says of a dossier leads no file of an export elsewhere, and is no formula in its table.
func TestExportOfHostileWords(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	r, parts := submission(t, "s1", "Lê Thị Thử", "079190012345", func(f *dossier.Form) { f.Procedure.Name = "=1+1" })
	r.Code = "../../../x"
	parts["manifest.json"].Data = []byte(manifestOf(t, r, parts))
	r.Code = ""
	if _, err := w.store.File(t.Context(), r, parts); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if n, err := w.store.Export(t.Context(), time.Now(), "hoa", &out); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if !filepath.IsLocal(f.Name) {
			t.Errorf("a file of the export leads to %s", f.Name)
		}
		if f.Name != "dossiers.csv" {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		table, err := io.ReadAll(in)
		if err != nil || strings.Contains(string(table), ",=1+1") {
			t.Errorf("a formula in the table: %v", err)
		}
	}
}
