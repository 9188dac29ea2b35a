// Command pack writes the browser extension as Chromium's policy ExtensionInstallForcelist takes it: a signed file (CRX3, see
// components/crx_file/crx3.proto in Chromium's sources) and the update manifest that leads to it. The same sources give the same bytes.
package main

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	from := flag.String("from", "agent/portal/extension", "the extension's `folder`")
	key := flag.String("key", "configs/packaging/extension.pem", "the `file` with the key that names it")
	out := flag.String("o", "dist/portal", "the `folder` to write to")
	home := flag.String("home", "/usr/share/motcua/portal", "the `folder` that the files will lie in on the kiosk")
	daemon := flag.String("daemon", "", "the daemon's `address`, instead of the one in the extension's address.json")
	flag.Parse()
	if err := write(*from, *key, *out, *home, *daemon); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func write(from, keyFile, out, home, daemon string) error {
	key, err := readKey(keyFile)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	hash := sha256.Sum256(public)
	id := hash[:16]
	archive, version, err := zipped(os.DirFS(from), daemon)
	if err != nil {
		return err
	}
	signed, err := sign(archive, id, public, key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make a place for it: %w", err)
	}
	where := url.URL{Scheme: "file", Path: home + "/motcua.crx"}
	manifest := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<gupdate xmlns="http://www.google.com/update2/response" protocol="2.0">
  <app appid="%s"><updatecheck codebase="%s" version="%s"/></app>
</gupdate>
`, name(id), where.String(), version)
	return errors.Join(
		os.WriteFile(filepath.Join(out, "motcua.crx"), signed, 0o644),
		os.WriteFile(filepath.Join(out, "update.xml"), []byte(manifest), 0o644))
}

func readKey(file string) (*rsa.PrivateKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("read the key: no PEM block in %s", file)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read the key: %s holds no RSA key", file)
	}
	return key, nil
}

// name is how Chromium writes an extension's id: hexadecimal in the letters a to p.
func name(id []byte) string {
	return strings.Map(func(r rune) rune {
		if r <= '9' {
			return 'a' + r - '0'
		}
		return 'k' + r - 'a'
	}, fmt.Sprintf("%x", id))
}

// zipped is the folder as an archive, and the version in its manifest.
func zipped(folder fs.FS, daemon string) (archive []byte, version string, err error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	err = fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(folder, path)
		if err != nil {
			return err
		}
		switch {
		case path == "address.json" && daemon != "":
			data, err = json.Marshal(map[string]string{"daemon": daemon})
		case path == "manifest.json":
			var m struct{ Version string }
			err = json.Unmarshal(data, &m)
			version = m.Version
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		f, err := w.Create(path) // without a time: the same files give the same archive
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return err
	})
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, "", fmt.Errorf("pack the extension: %w", err)
	}
	if version == "" {
		return nil, "", errors.New("pack the extension: its manifest has no version")
	}
	return out.Bytes(), version, nil
}

// Fields of crx3.proto, all of them of the wire type for bytes.
const (
	fieldRSA       = 2     // CrxFileHeader.sha256_with_rsa
	fieldSigned    = 10000 // CrxFileHeader.signed_header_data
	fieldPublic    = 1     // AsymmetricKeyProof.public_key
	fieldSignature = 2     // AsymmetricKeyProof.signature
	fieldID        = 1     // SignedData.crx_id
)

func field(number uint64, value []byte) []byte {
	const wireBytes = 2
	out := binary.AppendUvarint(nil, number<<3|wireBytes)
	out = binary.AppendUvarint(out, uint64(len(value)))
	return append(out, value...)
}

func sign(archive, id, public []byte, key *rsa.PrivateKey) ([]byte, error) {
	about := field(fieldID, id)
	hash := sha256.New()
	hash.Write([]byte("CRX3 SignedData\x00"))
	hash.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(about))))
	hash.Write(about)
	hash.Write(archive)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hash.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("sign the extension: %w", err)
	}
	proof := append(field(fieldPublic, public), field(fieldSignature, signature)...)
	header := append(field(fieldRSA, proof), field(fieldSigned, about)...)
	const format = 3
	out := binary.LittleEndian.AppendUint32([]byte("Cr24"), format)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	return append(append(out, header...), archive...), nil
}
