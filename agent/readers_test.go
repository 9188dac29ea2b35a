package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/config"
	"motcua/agent/web"
	"motcua/drivers/lds/chip"
	"motcua/drivers/pcsc"
	"motcua/drivers/pcsc/vpcd"
	"motcua/drivers/serial"
	"motcua/ocr/paper"
)

// counter is a visit at the counter that has read some numbers and takes readings.
type counter struct {
	mu    sync.Mutex // guards cards
	cards []web.Expected
	taken chan map[paper.Name]string
}

func (c *counter) Expects() []web.Expected {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.cards)
}

func (c *counter) Offer(src paper.Source, values map[paper.Name]string) bool {
	values["source"] = string(src)
	c.taken <- values
	return true
}

func (c *counter) Trouble(error) {}

func (c *counter) expect(card web.Expected) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cards = append(c.cards, card)
}

func (c *counter) next(t *testing.T) map[paper.Name]string {
	t.Helper()
	select {
	case values := <-c.taken:
		return values
	case <-time.After(30 * time.Second):
		t.Fatal("no reading came")
		return nil
	}
}

func TestSerialReadingsReachTheVisit(t *testing.T) {
	master, port := terminal(t)
	var log strings.Builder
	c := &counter{taken: make(chan map[paper.Name]string, 1)}
	run, err := openReaders(config.Readers{Serial: []serial.Profile{{Port: port}}}, c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()

	// What was typed before the port was opened is thrown away, so the person scans until it is taken.
	const code = "001199000001||Lê Thị Mẫu|02011999|Nữ|1 Hàng Thử, Phường Mẫu, Hà Nội|10052021\r\n"
	var values map[paper.Name]string
	for values == nil {
		if _, err := io.WriteString(master, "https://example.vn/poster\r\n"+code); err != nil {
			t.Fatal(err)
		}
		select {
		case values = <-c.taken:
		case <-time.After(time.Second):
		case err := <-done:
			t.Fatalf("ended: %v", err)
		}
	}
	if values[paper.Number] != "001199000001" || values[paper.DateOfBirth] != "1999-01-02" || values["source"] != "qr" {
		t.Errorf("number %t, birth %t, source %s", values[paper.Number] == "001199000001", values[paper.DateOfBirth] == "1999-01-02", values["source"])
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "Mẫu") || strings.Contains(log.String(), "001199") {
		t.Errorf("the log tells what was read:\n%s", log.String())
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

func TestChipOpensByWhatAVisitHasRead(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	person := chip.Person{
		Number: "001199123456", Name: "Lê Thị Mẫu", Latin: "LE<<THI<MAU", Sex: "Nữ",
		Birth: time.Date(1999, 1, 2, 0, 0, 0, 0, time.UTC), Issue: time.Date(2021, 5, 10, 0, 0, 0, 0, time.UTC), Expiry: time.Date(2039, 1, 2, 0, 0, 0, 0, time.UTC),
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
	for _, card := range []struct {
		name    string
		options chip.Options
	}{
		{"PACE by the card access number", chip.Options{CAN: "123456", MRZ: person.MRZ(), PACE: []chip.PACE{{Suite: 2, Curve: 12}}, BAC: true}},
		{"BAC only, by number and dates", chip.Options{MRZ: person.MRZ(), BAC: true}},
	} {
		t.Run(card.name, func(t *testing.T) {
			c := &counter{taken: make(chan map[paper.Name]string, 1)}
			desk := &chipDesk{visits: c, log: slog.New(slog.NewTextHandler(t.Output(), nil)), service: pcsc.Service{Socket: d.Socket}}
			ctx, end := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- desk.run(ctx) }()
			remove, err := d.Insert(chip.New(files, card.options))
			if err != nil {
				t.Fatal(err)
			}
			// Another visit's card does not open it, and is tried once only.
			c.expect(web.Expected{Number: "001199654321", Birth: "1999-05-06", Expiry: "2039-05-06"})
			c.expect(web.Expected{Number: person.Number, Birth: "1999-01-02", Expiry: "2039-01-02"})
			values := c.next(t)
			if values[paper.FullName] != person.Name || values[paper.Number] != person.Number || values["source"] != "chip" {
				t.Error("the chip's values did not arrive")
			}
			remove()
			end()
			if err := <-done; err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
}
