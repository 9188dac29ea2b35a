package daemon

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/agent/sign"
)

func TestCheckSigning(t *testing.T) {
	dir := t.TempDir()
	key, err := sign.NewTrial("Phường Mẫu", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key.Root().Raw})
	library, empty, full := filepath.Join(dir, "lib.so"), filepath.Join(dir, "empty"), filepath.Join(dir, "full")
	for _, f := range []string{empty, full} {
		if err := os.Mkdir(f, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range map[string][]byte{library: nil, filepath.Join(full, "a.pem"): root} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		sign       config.Sign
		bad, doubt int
	}{
		"nothing is signed":     {config.Sign{}, 0, 0},
		"all there":             {config.Sign{Module: library, Trust: full}, 0, 0},
		"no library":            {config.Sign{Module: library + "x", Trust: full}, 1, 0},
		"an empty folder":       {config.Sign{Module: library, Trust: empty}, 1, 0},
		"no folder":             {config.Sign{Trust: full + "x"}, 1, 0},
		"signed, nobody trusts": {config.Sign{Module: library}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bad, doubt := 0, 0
			for _, f := range checkSigning(config.Config{Sign: c.sign}) {
				switch f.State {
				case doctor.Broken:
					bad++
				case doctor.Look:
					doubt++
				}
			}
			if bad != c.bad || doubt != c.doubt {
				t.Errorf("%d bad, %d doubtful", bad, doubt)
			}
		})
	}
}
