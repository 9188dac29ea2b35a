package diagnostics

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/agent/recent"
	"motcua/queue"
)

func TestBundle(t *testing.T) {
	var out bytes.Buffer
	err := Write(&out, Input{
		Time:     time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		Config:   config.Config{Kiosk: config.Kiosk{ID: "mau-1"}, Payment: config.Payment{Account: "0071001234567", Name: "UBND PHUONG MAU"}},
		Findings: []doctor.Finding{{Area: "hub", State: doctor.Broken, What: "the hub cannot be used", Mend: "check the network"}},
		Log:      []recent.Line{{Text: "running"}},
		Stats:    &queue.Stats{Free: 7},
		Submissions: []queue.Submission{{ID: "01M85V20H3J8EQ36KTHD592PTE", Code: "7K3P-92QX", State: queue.Held, LastError: "413",
			Labels: map[string]string{"procedure": "2.000815"}}},
		AuditHead: "3:abc",
	})
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all += f.Name + "\n" + string(data)
	}
	for _, want := range []string{"the hub cannot be used", "running", `"free": 7`, "01M85V20H3J8EQ36KTHD592PTE", `"last_error": "413"`,
		"3:abc", "mau-1", "goroutine", `"kernel"`} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing of %q", want)
		}
	}
	// A receipt code lets anybody ask where a submission stands; an account is nobody's business.
	for _, never := range []string{"7K3P-92QX", "0071001234567"} {
		if strings.Contains(all, never) {
			t.Errorf("%s is in the bundle", never)
		}
	}
}
