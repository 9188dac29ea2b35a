package web

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/sign"
	"motcua/agent/web/screen"
)

// tokenScript puts a key and its certificate into SoftHSM, which stands for an officer's token.
const tokenScript = `set -e
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/CN=CA Mau' \
	-addext 'basicConstraints=critical,CA:TRUE'
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out req.pem -subj '/CN=Phuong Mau'
printf 'keyUsage=critical,digitalSignature,nonRepudiation\n' >ext
openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile ext -outform DER -out cert.der
softhsm2-util --init-token --free --label officer --so-pin 0000 --pin "$PIN"
softhsm2-util --import key.pem --token officer --label sign --id 01 --pin "$PIN"
pkcs11-tool --module "$MODULE" --token-label officer --login --pin "$PIN" --write-object cert.der --type cert --id 01 --label sign`

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// softToken gives the folder that holds a token and its authority.
func softToken(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	settings := "directories.tokendir = " + dir + "\nobjectstore.backend = file\nlog.level = ERROR\n"
	if err := os.WriteFile(conf, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", tokenScript)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PIN="+tokenPIN, "MODULE="+softHSM)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make a token (Debian packages openssl, softhsm2, opensc): %v: %s", err, out)
	}
	return dir
}

// At the kiosk's own screen a real PKCS#11 library signs, in its own process.
func TestOfficerSignsByToken(t *testing.T) {
	dir := softToken(t)
	k := newKiosk(t, withStaff(t), withDrafts(t), withOfficer(t, newToken(t)), func(o *screen.Options) {
		o.Console.Signing.Open = func(ctx context.Context, pin string, mark sign.Mark) (*sign.Signer, func(), error) {
			key, err := sign.Open(ctx, sign.TokenConfig{Module: softHSM}, pin)
			if err != nil {
				return nil, nil, err
			}
			mark.Organisation = "UBND PHƯỜNG MẪU"
			return &sign.Signer{Key: key, Now: time.Now, Mark: mark}, key.Close, nil
		}
	})
	h := k.hand(t).officer()
	h.toConfirm().compared()
	id := h.waiting()[0]
	h.post("/officer/sign", "visit", id, "form", "SAO Y", "pin", "000000").want(422, "/officer", "PIN không đúng")
	h.post("/officer/sign", "visit", id, "form", "SAO Y", "pin", tokenPIN).want(200, "/officer/signed", "Đã ký số và gửi 1 hồ sơ.")
	pemBytes, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pemBytes)
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if n := len(k.certified(t, nil, k.submissions(t)[0].ID)); n != 1 {
		t.Fatalf("%d signed copies were sent", n)
	}
	for name, data := range k.parts(t, k.submissions(t)[0].ID) {
		if !strings.Contains(name, "copy-") {
			continue
		}
		if found, err := sign.Verify(data, &sign.Trust{Roots: roots}); err != nil || !sign.Sound(found) || found[0].Signer != "Phuong Mau" {
			t.Errorf("%+v %v", found, err)
		}
	}
	month := h.get("/officer/book").body
	if !strings.Contains(month, "SCT/BS") {
		t.Error("the book is not named")
	}
	h.get("/officer/book.csv")
	want := []string{"\ufeffmáy,quyển số,số,", "kiosk-1,SCT/BS,1,20", "SAO Y,hoa," + k.submissions(t)[0].Code}
	for _, w := range want {
		if !strings.Contains(h.body, w) {
			t.Errorf("the table has no %q: %s", w, h.body)
		}
	}
}
