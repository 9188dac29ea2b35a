package cli

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/draw"
	"image/jpeg"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/rogpeppe/go-internal/testscript"

	"motcua/agent/programtest"
	"motcua/agent/staff"
	"motcua/configs"
	"motcua/drivers/escl/printer"
	"motcua/drivers/sane/backend"
	"motcua/drivers/scan"
	"motcua/drivers/zoo"
	"motcua/ocr/specimen"
)

// The scripts in testdata/script are the documentation of the commands. They run against the real binary,
// built as `make build` builds it: linking decides which libjpeg Leptonica gets.
func TestScript(t *testing.T) {
	t.Parallel()
	bin := filepath.Dir(built(t))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			e.Setenv("HOME", e.WorkDir)
			fixtures, err := filepath.Abs(filepath.Join("testdata", "upgrade"))
			if err != nil {
				return err
			}
			e.Setenv("FIXTURES", fixtures)
			e.Setenv("TZ", "Asia/Ho_Chi_Minh")
			// The configuration of the machine that runs the tests must not matter, nor its scanners.
			e.Setenv("SANE_CONFIG_DIR", filepath.Join(e.WorkDir, "sane"))
			if err := os.MkdirAll(filepath.Join(e.WorkDir, "sane"), 0o700); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "sane", "dll.conf"), []byte("test\n"), 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"specimen": drawSpecimen,
			"hugepng":  hugePNG,
			"lockpdf":  lockPDF,
			"port":     freePort,
			"busy":     busyPort,
			"exit":     exitCode,
			"until":    until,
			"pluck":    pluck,
			"samefile": sameFile,
			"fill":     fill,
			"unzipped": unzipped,
			"scanner":  playScanner,
			"netscan":  playNetworkScanner,
			"lines":    countLines,
			"zip":      zipFiles,
			"signin":   signIn,
			"measure":  measure,
		},
	})
}

// built gives the program, built once for all tests.
func built(t *testing.T) string {
	t.Helper()
	name, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// scratch is where the program is built; TestMain makes and removes it.
var scratch string

var build = sync.OnceValues(func() (string, error) {
	return programtest.Build(scratch, "motcua", "motcua/agent")
})

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "motcua-test-*"); err != nil {
		panic(err)
	}
	code := m.Run()
	browsers.Close()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// scanner BACKEND FILE SIDES makes SANE find the device that the file describes (see drivers/sane/backend), with so many
// sides in its feeder.
func playScanner(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: scanner BACKEND FILE SIDES")
	}
	sides, err := strconv.Atoi(args[2])
	ts.Check(err)
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "scanner-*")
	ts.Check(err)
	d, err := backend.Play(dir, args[0], ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(d.Load(sides))
	for _, e := range d.Env {
		name, value, _ := strings.Cut(e, "=")
		ts.Setenv(name, value)
	}
}

// netscan DEVICE PAGES plays a network scanner of the zoo (drivers/zoo) with so many pages in its feeder, and puts its id into
// SCANNER.
func playNetworkScanner(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: netscan DEVICE PAGES")
	}
	pages, err := strconv.Atoi(args[1])
	ts.Check(err)
	devices, err := zoo.Devices()
	ts.Check(err)
	at := slices.IndexFunc(devices, func(d zoo.Device) bool { return d.File == args[0] && d.ESCL != nil })
	if at < 0 {
		ts.Fatalf("no network scanner %s in the zoo", args[0])
	}
	device := printer.New(printer.Playing(*devices[at].ESCL))
	img := image.NewGray(image.Rect(0, 0, 210, 297))
	for n := range pages {
		draw.Draw(img, image.Rect(20, 20, 100+n, 60), image.Black, image.Point{}, draw.Src)
		page, _, err := scan.Encode(scan.Page{Image: img, DPI: 300})
		ts.Check(err)
		device.Feed(page)
	}
	server := httptest.NewServer(device)
	ts.Defer(server.Close)
	ts.Setenv("SCANNER", "escl:"+server.URL+device.Root())
}

// lines FILE N fails unless the JPEG file has N scan lines, give or take one.
func countLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines FILE N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	c, err := jpeg.DecodeConfig(f)
	ts.Check(err)
	if c.Height < want-1 || c.Height > want+1 {
		ts.Fatalf("%s has %d lines, want %d", args[0], c.Height, want)
	}
}

// specimen FILE SHEET writes a sheet of configs/specimens as an A4 scan at 300 dpi.
func drawSpecimen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: specimen FILE SHEET")
	}
	drawn, err := specimenNamed(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), drawn, 0o600))
}

// specimens are the sheets that were drawn, as JPEG, by their names: many scripts want the same, and drawing takes a second.
var specimens struct {
	mu    sync.Mutex // guards drawn
	drawn map[string][]byte
}

func specimenNamed(name string) ([]byte, error) {
	specimens.mu.Lock()
	defer specimens.mu.Unlock()
	if drawn := specimens.drawn[name]; drawn != nil {
		return drawn, nil
	}
	sheets, err := specimen.Load(configs.FS, "specimens")
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(sheets, func(s specimen.Sheet) bool { return s.Name == name })
	if at < 0 {
		return nil, fmt.Errorf("no specimen %q", name)
	}
	page, err := sheets[at].DrawFront()
	if err != nil {
		return nil, err
	}
	var drawn bytes.Buffer
	if err := jpeg.Encode(&drawn, page.RGBA, &jpeg.Options{Quality: 90}); err != nil {
		return nil, err
	}
	if specimens.drawn == nil {
		specimens.drawn = map[string][]byte{}
	}
	specimens.drawn[name] = drawn.Bytes()
	return drawn.Bytes(), nil
}

// hugepng FILE SIDE writes a small PNG file of SIDE x SIDE black-and-white pixels.
func hugePNG(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hugepng FILE SIDE")
	}
	side, err := strconv.Atoi(args[1])
	ts.Check(err)
	var out, packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	line := make([]byte, 1+(side+7)/8)
	for range side {
		_, err := z.Write(line)
		ts.Check(err)
	}
	ts.Check(z.Close())
	chunk := func(kind string, data []byte) {
		body := append([]byte(kind), data...)
		ts.Check(binary.Write(&out, binary.BigEndian, uint32(len(data))))
		out.Write(body)
		ts.Check(binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body)))
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(side))
	header = binary.BigEndian.AppendUint32(header, uint32(side))
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk("IHDR", append(header, 1, 0, 0, 0, 0))
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o600))
}

// lockpdf FILE IMAGE makes a PDF of an image that opens with a password only.
func lockPDF(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lockpdf FILE IMAGE")
	}
	model.ConfigPath = "disable" // pdfcpu would write a configuration into the home folder
	plain := ts.MkAbs(args[0] + ".plain")
	ts.Check(api.ImportImagesFile([]string{ts.MkAbs(args[1])}, plain, nil, nil))
	ts.Check(api.EncryptFile(plain, ts.MkAbs(args[0]), model.NewAESConfiguration("citizen", "owner", 256)))
	ts.Check(os.Remove(plain))
}

// port NAME sets an environment variable to a free TCP port.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// busy NAME sets an environment variable to a TCP port that is taken until the script ends.
func busyPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: busy NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// exit CODE PROGRAM ARG… runs a program and wants exactly this exit code; stdout and stderr are kept.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var failed *exec.ExitError
	if err != nil {
		got = -1
		if asExit(err, &failed) {
			got = failed.ExitCode()
		}
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code is %d (%v), want %s", got, err, args[0])
	}
}

func asExit(err error, to **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*to = e
	return ok
}

// until REGEXP PROGRAM ARG… runs a program again and again, until its standard output matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM ARG...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("never matched %s (%v); last output:\n%s", args[0], err, ts.ReadFile("stdout"))
		}
	}
}

// pluck NAME REGEXP sets an environment variable to the first group found in the last standard output.
func pluck(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pluck NAME REGEXP")
	}
	found, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	m := found.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) < 2 {
		ts.Fatalf("%s not found in\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], m[1])
}

// samefile GLOB FILE… wants the files of GLOB, in order, to be byte for byte the FILEs.
func sameFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: samefile GLOB FILE...")
	}
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) != len(args)-1 {
		ts.Fatalf("%d files match %s, want %d: %v", len(found), args[0], len(args)-1, found)
	}
	for i, name := range found {
		if ts.ReadFile(name) != ts.ReadFile(args[i+1]) {
			ts.Fatalf("%s differs from %s", name, args[i+1])
		}
	}
}

// fill FILE… puts the environment's values in the place of ${NAME} in files.
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fill FILE...")
	}
	for _, name := range args {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(os.Expand(ts.ReadFile(name), ts.Getenv)), 0o600))
	}
}

// unzipped GLOB DIR lays the files of an archive into a folder.
func unzipped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unzipped GLOB DIR")
	}
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%d files match %s", len(found), args[0])
	}
	z, err := zip.OpenReader(found[0])
	ts.Check(err)
	defer z.Close()
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), z))
}

// measure SOCKET PCR writes something into a register of the TPM at a socket, as another boot loader would.
func measure(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: measure SOCKET PCR")
	}
	pcr, err := strconv.Atoi(args[1])
	ts.Check(err)
	chip, err := linuxudstpm.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer chip.Close()
	digest := sha256.Sum256([]byte("another boot loader"))
	_, err = tpm2.PCRExtend{
		PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(pcr), Auth: tpm2.PasswordAuth(nil)},
		Digests:   tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{{HashAlg: tpm2.TPMAlgSHA256, Digest: digest[:]}}},
	}.Execute(chip)
	ts.Check(err)
}

// signin FILE NAME PIN wants this person to be let in by the list of staff.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: signin FILE NAME PIN")
	}
	roster, err := staff.Open(ts.MkAbs(args[0]), time.Now, nil)
	ts.Check(err)
	_, err = roster.SignIn(args[1], args[2], "script")
	ts.Check(err)
}
