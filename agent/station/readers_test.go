package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/config"
	"motcua/agent/profile"
	"motcua/agent/visit"
	"motcua/configs"
	"motcua/drivers/lds"
	"motcua/drivers/lds/chip"
	"motcua/drivers/pcsc"
	"motcua/drivers/pcsc/vpcd"
	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
)

// patience bounds every wait for a thing that a sound program does at once, on a machine that has other work to do.
const patience = 10 * time.Minute

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sane-worker" { // a test opened a scanner: this is its child
		if err := sane.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// counter is a visit at the counter that has read some numbers and takes readings.
type counter struct {
	mu    sync.Mutex // guards cards
	cards []visit.Card
	taken chan map[paper.Name]string
	told  []string    // keys of sentences
	faces chan []byte // pictures of chips; nil: nobody wants them
}

func (c *counter) WantsFace(string) bool { return c.faces != nil }

func (c *counter) Face(_ string, picture []byte) { c.faces <- slices.Clone(picture) }

func (c *counter) Expects() []visit.Card {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.cards)
}

func (c *counter) Offer(src paper.Source, values map[paper.Name]string) bool {
	values["source"] = string(src)
	c.taken <- values
	return true
}

func (c *counter) CopyCode(text string) bool {
	if _, _, ok := qr.Copy(text); !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, "copy")
	return true
}

func (c *counter) Trouble(err error) {
	var fault *scan.Fault
	if errors.As(err, &fault) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told = append(c.told, fault.Message())
	}
}

func (c *counter) expect(card visit.Card) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cards = append(c.cards, card)
}

func (c *counter) next(t *testing.T) map[paper.Name]string {
	t.Helper()
	select {
	case values := <-c.taken:
		return values
	case <-time.After(patience):
		t.Fatal("no reading came")
		return nil
	}
}

// scanned types a reader's text until a reading of it is taken: what was typed before the port was opened is thrown
// away. done is how the desk ends, which it must not.
func (c *counter) scanned(t *testing.T, master io.Writer, text string, done <-chan error) map[paper.Name]string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := io.WriteString(master, text); err != nil {
			t.Fatal(err)
		}
		select {
		case values := <-c.taken:
			return values
		case <-time.After(time.Second):
		case err := <-done:
			t.Fatalf("ended: %v", err)
		}
	}
	t.Fatal("no reading came")
	return nil
}

func TestSerialReadingsReachTheVisit(t *testing.T) {
	master, port := terminal(t)
	var log strings.Builder
	c := &counter{taken: make(chan map[paper.Name]string, 1)}
	run, err := OpenReaders(config.Readers{Serial: []serial.Profile{{Port: port}}}, nil, c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()

	const code = "001199000001||Lê Thị Mẫu|02011999|Nữ|1 Hàng Thử, Phường Mẫu, Hà Nội|10052021\r\n"
	values := c.scanned(t, master, "https://example.vn/poster\r\n"+code, done)
	if values[paper.Number] != "001199000001" || values[paper.DateOfBirth] != "1999-01-02" || values["source"] != "qr" {
		t.Errorf("number %t, birth %t, source %s", values[paper.Number] == "001199000001", values[paper.DateOfBirth] == "1999-01-02",
			values["source"])
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "Mẫu") || strings.Contains(log.String(), "001199") {
		t.Errorf("the log tells what was read:\n%s", log.String())
	}
}

// The person at the screen is told what a reader sent that is no card's code or not all of one, and a code that is held
// before the reader counts once.
func TestWhatASerialReaderSends(t *testing.T) {
	const whole = "001199000001||Lê Thị Mẫu|02011999|Nữ|1 Hàng Thử, Phường Mẫu, Hà Nội|10052021"
	const torn = "001199000001||NGUYN VN N|02011999|N?|12/5 ???ng s? 3|10052021"
	for name, c := range map[string]struct {
		texts       []string
		taken       int
		told, field string
	}{
		"whole":                          {[]string{whole}, 1, "", "LÊ THỊ MẪU"},
		"AIM identifier":                 {[]string{"]Q1" + whole}, 1, "", "LÊ THỊ MẪU"},
		"torn":                           {[]string{torn}, 1, "fault.torn-code", ""},
		"held before the reader":         {[]string{whole, whole, whole}, 1, "", "LÊ THỊ MẪU"},
		"one after another":              {[]string{whole, "NR", whole}, 2, "fault.no-read", "LÊ THỊ MẪU"},
		"nothing read":                   {[]string{"NOREAD"}, 0, "fault.no-read", ""},
		"a poster":                       {[]string{"https://example.vn/poster"}, 0, "fault.not-a-card", ""},
		"a code of VNeID's for a minute": {[]string{"eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}, 0, "fault.not-a-card", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := &counter{taken: make(chan map[paper.Name]string, len(c.texts))}
			d := &lineDesk{visits: v, log: slog.New(slog.DiscardHandler)}
			at := time.Now()
			for i, text := range c.texts {
				d.take(serial.Reading{Text: text, Port: "/dev/reader", At: at.Add(time.Duration(i) * time.Second)})
			}
			if len(v.taken) != c.taken || strings.Join(v.told, " ") != c.told {
				t.Errorf("%d readings taken, told %v; want %d, %q", len(v.taken), v.told, c.taken, c.told)
			}
			for range len(v.taken) {
				if got := <-v.taken; got[paper.FullName] != c.field || got[paper.Number] == "" || got[paper.DateOfBirth] != "1999-01-02" {
					t.Errorf("got %q, want %q", got[paper.FullName], c.field)
				}
			}
		})
	}
}

// terminal is a serial line: what is written to the master comes in at the port.
func terminal(t *testing.T) (master *os.File, port string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", n)
}

func TestAKnownReaderIsUsedFromWhenItIsPluggedIn(t *testing.T) {
	master, port := terminal(t)
	profiles, err := profile.Load(os.DirFS("../../configs/devices"))
	if err != nil {
		t.Fatal(err)
	}
	dev := t.TempDir()
	byID := filepath.Join(dev, "serial", "by-id")
	if err := os.MkdirAll(byID, 0o700); err != nil {
		t.Fatal(err)
	}
	c := &counter{taken: make(chan map[paper.Name]string, 1)}
	desk := &lineDesk{visits: c, log: slog.New(slog.DiscardHandler), profiles: profiles, bus: &serial.Bus{Dev: dev}}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- desk.run(ctx)
		close(done) // whoever waits a second time must not wait for ever
	}()
	defer func() {
		end()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	// A port of a make that nobody knows is left alone: what hangs on it may not be a reader. It stands before the known
	// one, so that it has been looked at once that one is read.
	_, other := terminal(t)
	if err := os.Symlink(other, filepath.Join(byID, "usb-FTDI_FT232R_USB_UART-if00-port0")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(byID, "usb-Newland_Auto-ID_NLS-HR22_0001-if00")
	if err := os.Symlink(port, link); err != nil {
		t.Fatal(err)
	}
	if got := c.scanned(t, master, "001199000001||Lê Thị Mẫu|02011999|Nữ|1 Hàng Thử, Phường Mẫu, Hà Nội|10052021\r",
		done); got[paper.Number] != "001199000001" {
		t.Errorf("got %v", got)
	}
	f, err := os.OpenFile(other, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("the unknown port is held open: %v", err)
	}
	f.Close()
}

// A profile of the office's own tunes SANE's test device: its source and its options, those the device lacks left out.
func TestAProfileTunesTheScanner(t *testing.T) {
	conf, own := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(conf, "dll.conf"), []byte("test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SANE_CONFIG_DIR", conf)
	if err := os.WriteFile(filepath.Join(own, "test.yaml"), []byte(`device: SANE's test device
match: ["sane:test:*"]
auto: prefer
scanner:
  source: adf
  set: [no-such-option=1, test-picture=Solid black, depth=7]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Default(configs.FS)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Devices.Profiles = t.TempDir(), own
	cfg.Scanner.DropBlank, cfg.Scanner.DPI = false, 50
	profiles, err := LoadProfiles(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"sane:test:0", "auto"} {
		cfg.Scanner.Device, cfg.Scanner.Source = id, ""
		s, err := OpenScanner(cfg, profiles, false)
		if err != nil {
			t.Fatal(err)
		}
		info, err := s.(Prober).Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(info.Sources) < 2 || info.Sources[0] != scan.ADF {
			t.Errorf("%s: sources %v, want the profile's first", id, info.Sources)
		}
		pages := 0
		for page, err := range s.Scan(t.Context(), scan.Settings{DPI: 50, MaxPages: 2}) {
			if err != nil {
				t.Fatal(err)
			}
			pages++
			if r, g, b, _ := page.Image.At(40, 40).RGBA(); r+g+b > 3*0x2000 {
				t.Errorf("%s: the profile's test picture was not set", id)
			}
		}
		if pages != 2 {
			t.Errorf("%s: %d pages, want 2 of the feeder", id, pages)
		}
		s.Close()
	}
	// A guess that the scanner cannot serve is corrected; an order is not.
	cfg.Scanner.Source = scan.ADFDuplex // which the test device lacks
	s, err := OpenScanner(cfg, profiles, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, err := range s.Scan(t.Context(), scan.Settings{DPI: 50, Source: scan.ADFDuplex}) {
		if !errors.Is(err, &scan.Fault{Code: scan.Unsupported}) {
			t.Errorf("got %v, want that the scanner has no such source", err)
		}
	}
}

func TestChipOpensByWhatAVisitHasRead(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	person := chip.Person{
		Face:   append([]byte("\xff\xd8\xff\xe0"), make([]byte, 3000)...),
		Number: "001199123456", Name: "Lê Thị Mẫu", Latin: "LE<<THI<MAU", Sex: "Nữ",
		Birth: time.Date(1999, 1, 2, 0, 0, 0, 0, time.UTC), Issue: time.Date(2021, 5, 10, 0, 0, 0, 0, time.UTC),
		Expiry: time.Date(2039, 1, 2, 0, 0, 0, 0, time.UTC),
	}
	state, err := chip.NewState(now)
	if err != nil {
		t.Fatal(err)
	}
	files := person.Groups()
	if err := state.Sign(files); err != nil {
		t.Fatal(err)
	}
	d, err := vpcd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	trusted, err := lds.ParseCertificates(state.CSCA())
	if err != nil {
		t.Fatal(err)
	}
	unsigned := maps.Clone(files)
	delete(unsigned, 0x1d)
	pace := chip.Options{CAN: "123456", MRZ: person.MRZ(), PACE: []chip.PACE{{Suite: 2, Parameter: 12}}, BAC: true}
	for _, card := range []struct {
		name    string
		options chip.Options
		files   chip.Files
		trusted []*lds.Certificate
		source  string
	}{
		{"PACE by the card access number", pace, files, trusted, "chip"},
		{"BAC only, by number and dates", chip.Options{MRZ: person.MRZ(), BAC: true}, files, trusted, "chip"},
		{"signed by nobody who is known", pace, files, nil, "chip-unchecked"},
		{"not signed", pace, unsigned, trusted, "chip-unchecked"},
	} {
		t.Run(card.name, func(t *testing.T) {
			c := &counter{taken: make(chan map[paper.Name]string, 1), faces: make(chan []byte, 1)}
			desk := &chipDesk{visits: c, trusted: card.trusted, log: slog.New(slog.NewTextHandler(t.Output(), nil)),
				service: pcsc.Service{Socket: d.Socket}}
			ctx, end := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- desk.run(ctx) }()
			remove, err := d.Insert(chip.New(card.files, card.options))
			if err != nil {
				t.Fatal(err)
			}
			// Another visit's card does not open it, and is tried once only.
			c.expect(visit.Card{Number: "001199654321", Birth: "1999-05-06", Expiry: "2039-05-06"})
			c.expect(visit.Card{Number: person.Number, Birth: "1999-01-02", Expiry: "2039-01-02"})
			values := c.next(t)
			if values[paper.FullName] != person.Name || values[paper.Number] != person.Number || values["source"] != card.source {
				t.Errorf("the chip's values did not arrive from %s, but from %s", card.source, values["source"])
			}
			if card.source == "chip" {
				select {
				case picture := <-c.faces:
					if !slices.Equal(picture, person.Face) {
						t.Errorf("a picture of %d bytes came, %d lie in the chip", len(picture), len(person.Face))
					}
				case <-time.After(patience):
					t.Error("no picture came")
				}
			}
			remove()
			end()
			if err := <-done; err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			if len(c.faces) > 0 {
				t.Error("the picture of a chip that was not checked came")
			}
		})
	}
}
