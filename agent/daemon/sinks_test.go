package daemon

import (
	"reflect"
	"testing"

	"motcua/agent/config"
)

// What a new way out needs besides its package is named here: whoever configures it must get it, and doctor must look at
// the certificates that it trusts.
func TestEveryWayOut(t *testing.T) {
	for _, to := range config.ToAny {
		if to != config.ToNone && ways[to] == nil {
			t.Errorf("upload.to takes %q, and nothing opens it: add it to ways in sinks.go", to)
		}
	}
	var upload config.Upload
	all := reflect.ValueOf(&upload).Elem()
	for i := range all.NumField() {
		if all.Field(i).Kind() != reflect.Struct {
			continue
		}
		to := all.Type().Field(i).Tag.Get("yaml")
		if ways[to] == nil {
			t.Errorf("upload.%s has keys, and nothing opens it: add it to ways in sinks.go, and to ToAny in config.go", to)
		}
		file := all.Field(i).FieldByName("CAFile")
		if !file.IsValid() {
			continue
		}
		file.SetString("/nonexistent/authority.pem")
		if upload.To = to; len(certificates(config.Config{Upload: upload})) == 0 {
			t.Errorf("doctor does not look at upload.%s.ca_file: add it to certificates in checkqueue.go", to)
		}
	}
}
