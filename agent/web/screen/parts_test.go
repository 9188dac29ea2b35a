package screen

import (
	"bytes"
	"mime/multipart"
	"testing"
)

func TestReadParts(t *testing.T) {
	sess := &Session{CSRF: "right"}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	_ = form.WriteField("csrf", "right")
	_ = form.WriteField("act", "go")
	w, _ := form.CreateFormFile("file", "a.jpg")
	_, _ = w.Write([]byte("one"))
	w, _ = form.CreateFormFile("file", "b.jpg")
	_, _ = w.Write([]byte("two"))
	_ = form.Close()
	values, files, err := readParts(multipart.NewReader(&b, form.Boundary()), sess, false)
	if err != nil || values.Get("act") != "go" || len(files) != 2 || string(files[1].Data) != "two" {
		t.Errorf("%v %v %v", values, files, err)
	}
}
