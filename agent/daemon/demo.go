package daemon

import (
	"cmp"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/agent/answer"
	"motcua/agent/config"
	"motcua/agent/office/desk"
	"motcua/agent/sign"
	"motcua/agent/staff"
	"motcua/configs"
	"motcua/ocr"
	"motcua/queue/receive"
)

// demo is the office inside the process: its receiver, and the officer's desk.
type demo struct {
	receiver *receive.Receiver
	address  string // where it is served, the same after a restart
	office   *Office
	token    *sign.Trial
	log      *slog.Logger
}

// The demo's kiosk, as its desk knows it, and who may sign in there.
const (
	demoKiosk   = "demo"
	demoOfficer = "canbo"
	demoPIN     = "714283"

	demoTokenPIN     = "471147" // of the soft token that stands for an officer's
	demoOrganisation = "UBND PHƯỜNG MẪU (CHẠY THỬ)"
	demoTrust        = "trust" // folder of the authority that made up the token's certificate
)

// Demo says how the demo differs from what it is without being told.
type Demo struct {
	Folder string // where all data lies; empty: ./var
	File   string // configuration; empty: what the technician's page made of the default
	Listen string // address of the screen; empty: the configured one
}

// RunDemo runs everything on a machine without any device, until ctx ends.
func RunDemo(ctx context.Context, s Streams, d Demo) (err error) {
	folder, err := filepath.Abs(cmp.Or(d.Folder, "var"))
	if err != nil {
		return config.Unusable(err)
	}
	if err := MakeDataFolder(folder); err != nil {
		return err
	}
	inbox := filepath.Join(folder, "received")
	log, err := config.Default(configs.FS)
	if err != nil {
		return err
	}
	office, err := openDemo(ctx, inbox, Logger(s.Err, log.Log))
	if err != nil {
		return Ended(ctx, err)
	}
	defer func() { err = errors.Join(err, office.close()) }()

	fmt.Fprintf(s.Out, "Demo: invented papers on a simulated scanner. Delivered files appear in %s\n", inbox)
	cfg, _, err := d.config(folder)
	if err != nil {
		return err
	}
	if err := demoStaff(ctx, s.Out, cfg); err != nil {
		return Ended(ctx, err)
	}
	fmt.Fprintf(s.Out, "Sign in as officer: %s, PIN %s, at the officer's desk http://%s%s\n", demoOfficer, demoPIN, office.address, desk.Path)
	if err := office.plugIn(folder); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "The same officer signs copies at the kiosk's screen, with a soft token of no worth: PIN %s\n", demoTokenPIN)
	for {
		cfg, file, err := d.config(folder)
		if err != nil {
			return err
		}
		cfg.Upload.Tus.Endpoint = "http://" + office.address + receive.Path
		if err := run(ctx, s, cfg, file, Attempt{}, office); !errors.Is(err, ErrRestart) {
			return err
		}
	}
}

// config is the default, or what the technician's page made of it, with the demo's own ends.
func (d Demo) config(folder string) (cfg config.Config, file string, err error) {
	if cfg, err = config.Default(configs.FS); err != nil {
		return cfg, "", err
	}
	if file = d.File; file == "" {
		file = filepath.Join(folder, config.DefaultFile)
	}
	data, err := os.ReadFile(file)
	if err == nil {
		cfg, err = config.Load(cfg, file, data)
	} else if d.File == "" && errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return cfg, file, config.Unusable(err)
	}
	cfg.Data = folder
	cfg.Kiosk.ID = demoKiosk
	if cfg.Kiosk.Ward == "" {
		cfg.Kiosk.Ward = "Phường Mẫu (chạy thử)"
	}
	cfg.Scanner.Device = "simulated"
	cfg.Web.Print = true // by the browser's own dialog
	cfg.Upload.To = config.ToTus
	cfg.Answers.From = config.FromDesk
	if cfg.Sign.Trust == "" {
		cfg.Sign.Trust = filepath.Join(folder, demoTrust)
	}
	if d.Listen != "" {
		cfg.Web.Listen = d.Listen
	}
	return cfg, file, nil
}

// demoStaff lets a newcomer see the staff's pages. Their PINs are known to everybody, so they exist in the
// demo's folder only. After the daemon has run for a while their list is sealed.
func demoStaff(ctx context.Context, out io.Writer, cfg config.Config) error {
	roster, err := OpenRoster(ctx, cfg)
	if err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		role staff.Role
		pin  string
	}{{"tinhnguyen", staff.Volunteer, "258036"}, {"kythuat", staff.Technician, "147960"},
		{demoOfficer, staff.Officer, demoPIN}} {
		if err := roster.Add(m.name, m.role, m.pin); err != nil && !errors.Is(err, staff.ErrExists) {
			return fmt.Errorf("add the demo's %s: %w", m.role, err)
		}
		if m.role != staff.Officer { // told with the desk
			fmt.Fprintf(out, "Sign in as %s: %s, PIN %s\n", m.role, m.name, m.pin)
		}
	}
	return nil
}

// openDemo opens the demo's office. What it receives stays in the clear beside the desk: a newcomer wants to see it.
func openDemo(ctx context.Context, inbox string, log *slog.Logger) (_ *demo, err error) {
	d := &demo{log: log}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open the demo's office: %w", err), d.close())
		}
	}()
	if err := MakeDataFolder(inbox); err != nil {
		return nil, err
	}
	if d.office, err = OpenOffice(ctx, OfficeOptions{Dir: inbox, KeepPlain: true, Log: log}); err != nil {
		return nil, err
	}
	if err := d.office.Roster.Add(demoOfficer, demoPIN); err != nil && !errors.Is(err, staff.ErrExists) {
		return nil, err
	}
	wake := func(receive.Receipt) { d.office.Inbox.Wake() }
	if d.receiver, err = receive.New(receive.Options{Dir: inbox, Log: log, Received: wake}); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d.address = l.Addr().String()
	return d, l.Close()
}

// plugIn makes the demo's soft token, and lets this machine trust it.
func (d *demo) plugIn(folder string) (err error) {
	if d.token, err = sign.NewTrial(demoOrganisation, time.Now()); err != nil {
		return err
	}
	trust := filepath.Join(folder, demoTrust)
	if err := MakeDataFolder(trust); err != nil {
		return err
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.token.Root().Raw})
	if err := os.WriteFile(filepath.Join(trust, "demo.pem"), root, 0o600); err != nil {
		return fmt.Errorf("plug in the demo's token: %w", err)
	}
	return nil
}

// sign opens the demo's token.
func (d *demo) sign(_ context.Context, pin string, mark sign.Mark) (*sign.Signer, func(), error) {
	if pin != demoTokenPIN {
		return nil, nil, &sign.Error{Failure: sign.WrongPIN, Text: "The PIN is wrong."}
	}
	mark.Organisation = demoOrganisation
	return &sign.Signer{Key: d.token, Now: time.Now, Mark: mark}, func() {}, nil
}

// close ends what openDemo opened, as far as it came.
func (d *demo) close() (err error) {
	if d.receiver != nil {
		err = errors.Join(err, d.receiver.Close())
	}
	if d.office != nil {
		err = errors.Join(err, d.office.Close())
	}
	return err
}

// run serves the office; the pages are shown by the kiosk's own reader.
func (d *demo) run(ctx context.Context, ward string, reader *ocr.Reader) error {
	// What served before a restart closed the listener; kiosk and officers find the office where it was.
	listener, err := net.Listen("tcp", d.address)
	if err != nil {
		return fmt.Errorf("open the demo's office: %w", err)
	}
	defer listener.Close()
	line := fmt.Sprintf("Bản chạy thử: %s, PIN %s", demoOfficer, demoPIN)
	pages, err := desk.New(desk.Options{Store: d.office.Store, Roster: d.office.Roster, Preview: reader.Preview, Ward: ward, Demo: line,
		Signer: desk.DefaultSigner, Log: d.log})
	if err != nil {
		return fmt.Errorf("build the demo's desk: %w", err)
	}
	ours := func(http.ResponseWriter, *http.Request) (string, bool) { return demoKiosk, true } // there is no other
	mux := http.NewServeMux()
	mux.Handle(receive.Path, d.receiver)
	mux.Handle(answer.Path, answer.NewServer(d.office.Store, ours, d.log))
	mux.Handle(desk.Path, pages)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.receiver.Run(ctx) })
	group.Go(func() error { return d.office.Run(ctx) })
	group.Go(func() error { return pages.Run(ctx) })
	group.Go(func() error { return Serve(ctx, listener, mux, "", "") })
	return group.Wait()
}
