// Package config is what a technician sets. In goes a YAML file; out comes a Config, or every mistake in
// the file at once with line and column. It promises that the shipped configs/motcua.yaml is the default
// (there is no second list of defaults in code) and that a Config it gave out is consistent.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"motcua/agent/strict"
	"motcua/drivers/all"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
	"motcua/ocr/pdfa"
	"motcua/queue/bandwidth"
)

// ErrUnusable is in every error that is the input's fault (the command line, a file, a form), not the machine's.
var ErrUnusable = errors.New("unusable input")

type unusable struct{ error }

func (u unusable) Unwrap() []error { return []error{u.error, ErrUnusable} }

// Unusable marks an error as the input's fault; its text stays. nil stays nil.
func Unusable(err error) error {
	if err == nil {
		return nil
	}
	return unusable{err}
}

// Config is one kiosk's configuration. configs/motcua.yaml explains every key.
type Config struct {
	Kiosk      Kiosk      `yaml:"kiosk" json:"kiosk"`
	Data       string     `yaml:"data" json:"data"`
	Web        Web        `yaml:"web" json:"web"`
	Procedures Procedures `yaml:"procedures" json:"procedures"`
	Devices    Devices    `yaml:"devices" json:"devices"`
	Scanner    Scanner    `yaml:"scanner" json:"scanner"`
	Sticks     Sticks     `yaml:"sticks" json:"sticks"`
	Readers    Readers    `yaml:"readers" json:"readers"`
	Reading    Reading    `yaml:"reading" json:"reading"`
	PDF        PDF        `yaml:"pdf" json:"pdf"`
	Sign       Sign       `yaml:"sign" json:"sign"`
	Queue      Queue      `yaml:"queue" json:"queue"`
	Upload     Upload     `yaml:"upload" json:"upload"`
	Announce   Announce   `yaml:"announce" json:"announce"`
	Answers    Answers    `yaml:"answers" json:"answers"`
	Payment    Payment    `yaml:"payment" json:"payment"`
	Privacy    Privacy    `yaml:"privacy" json:"privacy"`
	Log        Log        `yaml:"log" json:"log"`
	Metrics    Metrics    `yaml:"metrics" json:"metrics"`
}

// Privacy is what the law on personal data has people told: who decides about their data and who handles it. What is empty is
// not said by name.
type Privacy struct {
	Controller string   `yaml:"controller" json:"controller"`
	Processor  string   `yaml:"processor" json:"processor"`
	Contact    string   `yaml:"contact" json:"contact"`
	Recipients []string `yaml:"recipients" json:"recipients"`
}

// Kiosk says which kiosk this is.
type Kiosk struct {
	ID   string `yaml:"id" json:"id"`
	Ward string `yaml:"ward" json:"ward"`
}

// Web is the screen.
type Web struct {
	Listen        string   `yaml:"listen" json:"listen"`
	Hosts         []string `yaml:"hosts" json:"hosts"`
	Silence       Duration `yaml:"silence" json:"silence"`
	Warning       Duration `yaml:"warning" json:"warning"`
	HelpedSilence Duration `yaml:"helped_silence" json:"helped_silence"`
	HelpedWarning Duration `yaml:"helped_warning" json:"helped_warning"`
	UploadLimit   Size     `yaml:"upload_limit" json:"upload_limit"`
	Print         bool     `yaml:"print" json:"print"`
	LaterDays     int      `yaml:"later_days" json:"later_days"`

	ReceiptPrinter string `yaml:"receipt_printer" json:"receipt_printer"` // device file or host:port of an ESC/POS printer, or a queue by IPP
	ReceiptPaper   int    `yaml:"receipt_paper" json:"receipt_paper"`     // mm
	Printer        string `yaml:"printer" json:"printer"`                 // by IPP, for A4 sheets
}

// Procedures is what the office offers.
type Procedures struct {
	Dir    string   `yaml:"dir" json:"dir"`
	Offer  []string `yaml:"offer" json:"offer"`
	Signer string   `yaml:"signer" json:"signer"`
}

// Devices is what is known of makes of devices.
type Devices struct {
	Profiles string `yaml:"profiles" json:"profiles"`
}

// Scanner is the scanner at the counter.
type Scanner struct {
	Device   string      `yaml:"device" json:"device"`
	Source   scan.Source `yaml:"source" json:"source"`
	DPI      int         `yaml:"dpi" json:"dpi"`
	Paper    string      `yaml:"paper" json:"paper"`
	Watchdog Duration    `yaml:"watchdog" json:"watchdog"`

	DropBlank bool     `yaml:"drop_blank" json:"drop_blank"`
	Crop      bool     `yaml:"crop" json:"crop"`
	Set       []string `yaml:"set" json:"set"`
}

// Sticks are USB sticks that citizens bring.
type Sticks struct {
	Folder string `yaml:"folder" json:"folder"` // where the system mounts them; empty: none is taken
}

// Readers are devices that read without a picture.
type Readers struct {
	Serial []serial.Profile `yaml:"serial" json:"serial"`
	Known  bool             `yaml:"known" json:"known"`
	Chip   bool             `yaml:"chip" json:"chip"`
	CSCA   string           `yaml:"csca" json:"csca"`
}

// Reading bounds recognition.
type Reading struct {
	Workers   int      `yaml:"workers" json:"workers"`
	PageTime  Duration `yaml:"page_time" json:"page_time"`
	MaxPages  int      `yaml:"max_pages" json:"max_pages"`
	MaxPixels int      `yaml:"max_pixels" json:"max_pixels"`
	MaxBytes  Size     `yaml:"max_bytes" json:"max_bytes"`
}

// PDF is how digitised copies are written.
type PDF struct {
	Level   pdfa.Level `yaml:"level" json:"level"`
	MaxPage Size       `yaml:"max_page" json:"max_page"`
	Attach  bool       `yaml:"attach" json:"attach"`
}

// Sign is how digitised copies are signed, and whose signatures are trusted.
type Sign struct {
	Module       string `yaml:"module" json:"module"`
	Slot         string `yaml:"slot" json:"slot"`
	Certificate  string `yaml:"certificate" json:"certificate"`
	Organisation string `yaml:"organisation" json:"organisation"`
	TSA          string `yaml:"tsa" json:"tsa"`
	Kiosk        bool   `yaml:"kiosk" json:"kiosk"` // officers may sign in and sign at this kiosk's screen
	Book         string `yaml:"book" json:"book"`   // name of the register of certifications; the mark shows it with the kiosk's id
	Trust        string `yaml:"trust" json:"trust"`

	Wait Duration `yaml:"wait" json:"wait"` // how long what an officer compared at this kiosk waits to be signed
}

// Queue is the sealed queue.
type Queue struct {
	Keep    Duration `yaml:"keep" json:"keep"`
	Until   string   `yaml:"until" json:"until"`     // "delivered" or "acknowledged": what keep counts from
	Records Duration `yaml:"records" json:"records"` // how long a submission is remembered after its content was wiped
	MinFree Size     `yaml:"min_free" json:"min_free"`
	Key     string   `yaml:"key" json:"key"`
	TPM     string   `yaml:"tpm" json:"tpm"`   // the chip's device
	Boot    []int    `yaml:"boot" json:"boot"` // registers (PCRs) of the chip that the key is bound to
	SealTo  string   `yaml:"seal_to" json:"seal_to"`
	// OfficeOnly is for kiosks that must not be able to read what they hold.
	OfficeOnly bool `yaml:"office_only" json:"office_only"`
	Workers    int  `yaml:"workers" json:"workers"`
}

// Upload is where submissions go.
type Upload struct {
	To     string   `yaml:"to" json:"to"`
	Rate   string   `yaml:"rate" json:"rate"`
	Plan   []string `yaml:"plan" json:"plan"`
	Tus    Tus      `yaml:"tus" json:"tus"`
	S3     S3       `yaml:"s3" json:"s3"`
	Folder Folder   `yaml:"folder" json:"folder"`
}

// The values of Upload.To.
const (
	ToNone   = "none"
	ToTus    = "tus"
	ToS3     = "s3"
	ToFolder = "folder"
)

// ToAny are all of them.
var ToAny = []string{ToNone, ToTus, ToS3, ToFolder}

// Tus is a hub that speaks tus 1.0.
type Tus struct {
	Endpoint   string `yaml:"endpoint" json:"endpoint"`
	TokenFile  string `yaml:"token_file" json:"token_file"`
	CAFile     string `yaml:"ca_file" json:"ca_file"`
	CertFile   string `yaml:"cert_file" json:"cert_file"`
	KeyFile    string `yaml:"key_file" json:"key_file"`
	Chunk      Size   `yaml:"chunk" json:"chunk"`
	AllowPlain bool   `yaml:"allow_plain" json:"allow_plain"`
}

// S3 is an S3-compatible store.
type S3 struct {
	Endpoint        string `yaml:"endpoint" json:"endpoint"`
	Region          string `yaml:"region" json:"region"`
	Bucket          string `yaml:"bucket" json:"bucket"`
	Prefix          string `yaml:"prefix" json:"prefix"`
	CredentialsFile string `yaml:"credentials_file" json:"credentials_file"`
	CAFile          string `yaml:"ca_file" json:"ca_file"`
}

// Folder is a mounted share.
type Folder struct {
	Dir     string `yaml:"dir" json:"dir"`
	Mounted bool   `yaml:"mounted" json:"mounted"`
}

// Announce is a NATS JetStream that follows a fleet of kiosks.
type Announce struct {
	URL        string   `yaml:"url" json:"url"`
	Stream     string   `yaml:"stream" json:"stream"`
	CredsFile  string   `yaml:"creds_file" json:"creds_file"`
	TokenFile  string   `yaml:"token_file" json:"token_file"`
	CAFile     string   `yaml:"ca_file" json:"ca_file"`
	CertFile   string   `yaml:"cert_file" json:"cert_file"`
	KeyFile    string   `yaml:"key_file" json:"key_file"`
	AllowPlain bool     `yaml:"allow_plain" json:"allow_plain"`
	Heartbeat  Duration `yaml:"heartbeat" json:"heartbeat"`
}

// Answers is how the office's answers come back.
type Answers struct {
	From string `yaml:"from" json:"from"`
	URL  string `yaml:"url" json:"url"`
	Ward string `yaml:"ward" json:"ward"`

	ResultDays int `yaml:"result_days" json:"result_days"`
}

// The values of Answers.From.
const (
	FromNone = "none"
	FromDesk = "desk"
	FromNATS = "nats"
)

// Payment is the account that takes fees.
type Payment struct {
	BIN     string `yaml:"bin" json:"bin"`
	Account string `yaml:"account" json:"account"`
	Name    string `yaml:"name" json:"name"`
	Bank    string `yaml:"bank" json:"bank"`
}

// Log is the daemon's own log.
type Log struct {
	Level  string `yaml:"level" json:"level"`
	Format string `yaml:"format" json:"format"`
}

// Metrics is the monitoring endpoint.
type Metrics struct {
	Listen string `yaml:"listen" json:"listen"`
}

// DefaultFile is the name of the commented default in the configs folder.
const DefaultFile = "motcua.yaml"

// Default reads the shipped default from the configs folder.
func Default(configs fs.FS) (Config, error) {
	data, err := fs.ReadFile(configs, DefaultFile)
	if err != nil {
		return Config{}, fmt.Errorf("read default configuration: %w", err)
	}
	var c Config
	f := strict.Decode(DefaultFile, data, &c)
	c.check(f)
	return c, f.Problems().Err()
}

// Load lays a file over the defaults. The error is strict.Problems with every mistake of the file.
func Load(defaults Config, name string, data []byte) (Config, error) {
	c := defaults
	f := strict.Decode(name, data, &c)
	c.check(f)
	return c, f.Problems().Err()
}

var (
	kioskForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)
	binForm   = regexp.MustCompile(`^[0-9]{6}$`)
	bankForm  = regexp.MustCompile(`^[0-9A-Za-z]{6,19}$`)
	hostForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	wardForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	codeForm  = regexp.MustCompile(`^[0-9]\.[0-9]{6}$`)

	signerForm = regexp.MustCompile(`^RW[A-Za-z0-9+/]{54}$`)
)

// check notes what each value alone cannot say.
func (c *Config) check(f *strict.File) {
	if !kioskForm.MatchString(c.Kiosk.ID) {
		f.Problem("kiosk.id", "must be 1 to 63 letters, digits and hyphens, not %q", c.Kiosk.ID)
	}
	if len(c.Kiosk.Ward) > 200 {
		f.Problem("kiosk.ward", "is longer than 200 bytes")
	}
	if !filepath.IsAbs(c.Data) {
		f.Problem("data", "must be an absolute path, not %q", c.Data)
	}
	c.checkWeb(f)
	if c.Procedures.Signer != "" && !signerForm.MatchString(c.Procedures.Signer) {
		f.Problem("procedures.signer", "must be a minisign public key: 56 signs that begin with RW, the second line of the .pub file")
	}
	for i, code := range c.Procedures.Offer {
		if !codeForm.MatchString(code) {
			f.Problem(at("procedures.offer", i), "must look like 2.000815, not %q", code)
		}
	}
	c.checkDevices(f)
	c.checkReading(f)
	c.checkPDF(f)
	c.checkSign(f)
	c.checkQueue(f)
	c.checkUpload(f)
	if c.Announce.URL != "" {
		between(f, "announce.heartbeat", c.Announce.Heartbeat, time.Second, 24*time.Hour)
		if (c.Announce.CertFile == "") != (c.Announce.KeyFile == "") {
			f.Problem("announce", "cert_file and key_file belong together")
		}
	}
	c.checkAnswers(f)
	c.checkPayment(f)
	oneOf(f, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(f, "log.format", c.Log.Format, "text", "json")
	if c.Metrics.Listen != "" {
		address(f, "metrics.listen", c.Metrics.Listen)
	}
}

// ippQueue is a printer's address by IPP, without a name or PIN in it.
var ippQueue = regexp.MustCompile(`^ipps?://(\[[0-9A-Fa-f:]+\]|[0-9A-Za-z.-]+)(:[0-9]{1,5})?/[0-9A-Za-z._~/-]+$`)

var hostPort = regexp.MustCompile(`^(\[[0-9A-Fa-f:]+\]|[0-9A-Za-z.-]+):[0-9]{1,5}$`)

func (c *Config) checkWeb(f *strict.File) {
	if host := address(f, "web.listen", c.Web.Listen); host != "" && !loopback(host) {
		f.Problem("web.listen", "must be on loopback (127.0.0.1, [::1] or localhost): the pages have no login for the network")
	}
	for i, h := range c.Web.Hosts {
		if !hostForm.MatchString(h) {
			f.Problem(at("web.hosts", i), "must be a host name without scheme or port, not %q", h)
		}
	}
	between(f, "web.silence", c.Web.Silence, 15*time.Second, time.Hour)
	between(f, "web.helped_silence", c.Web.HelpedSilence, time.Minute, 8*time.Hour)
	if c.Web.Warning <= 0 || c.Web.Warning >= c.Web.Silence {
		f.Problem("web.warning", "must be more than 0 and less than web.silence (%s)", c.Web.Silence)
	}
	if c.Web.HelpedWarning <= 0 || c.Web.HelpedWarning >= c.Web.HelpedSilence {
		f.Problem("web.helped_warning", "must be more than 0 and less than web.helped_silence (%s)", c.Web.HelpedSilence)
	}
	c.checkPrinters(f)
	if c.Web.LaterDays < 0 || c.Web.LaterDays > 30 {
		f.Problem("web.later_days", "must be between 0 (not offered) and 30")
	}
	if c.Web.UploadLimit < 100e3 || c.Web.UploadLimit > 1e9 {
		f.Problem("web.upload_limit", "must be between 100 kB and 1 GB")
	}
}

// checkPrinters judges what prints receipts and sheets.
func (c *Config) checkPrinters(f *strict.File) {
	if p := c.Web.ReceiptPrinter; p != "" && !strings.HasPrefix(p, "/dev/") && !hostPort.MatchString(p) && !ippQueue.MatchString(p) {
		f.Problem("web.receipt_printer", "must be a device such as /dev/usb/lp0, host:port such as 192.0.2.7:9100, or a queue of CUPS "+
			"such as ipp://localhost/printers/phieu, not %q", p)
	}
	if p := c.Web.Printer; p != "" && !ippQueue.MatchString(p) {
		f.Problem("web.printer", "must be a printer by IPP such as ipp://localhost/printers/a4, not %q", p)
	}
	if c.Web.ReceiptPaper != 58 && c.Web.ReceiptPaper != 80 {
		f.Problem("web.receipt_paper", "must be 58 or 80 (mm)")
	}
}

// checkScanner asks the registry of drivers whether the id can be one.
func (c *Config) checkScanner(f *strict.File) {
	if c.Scanner.Device == "auto" || c.Scanner.Device == "none" {
		return
	}
	scheme, rest, _ := strings.Cut(c.Scanner.Device, ":")
	i := slices.IndexFunc(all.Drivers, func(d all.Driver) bool { return d.Scheme == scheme })
	switch {
	case i < 0:
		f.Problem("scanner.device", "must be auto, none, or begin with %s, not %q", all.Schemes(), c.Scanner.Device)
	case rest == "" && !all.Drivers[i].Alone:
		f.Problem("scanner.device", "needs what comes after %s:, see `motcua devices`", scheme)
	case scheme == "hotfolder" && !filepath.IsAbs(rest):
		f.Problem("scanner.device", "must be hotfolder: and an absolute path")
	}
}

func (c *Config) checkDevices(f *strict.File) {
	if c.Sticks.Folder != "" && (!filepath.IsAbs(c.Sticks.Folder) || filepath.Clean(c.Sticks.Folder) == "/") {
		f.Problem("sticks.folder", "must be the absolute path of the folder that sticks are mounted in, such as /run/motcua-sticks")
	}
	if c.Devices.Profiles != "" && !filepath.IsAbs(c.Devices.Profiles) {
		f.Problem("devices.profiles", "must be an absolute path")
	}
	c.checkScanner(f)
	if c.Scanner.Source != "" {
		oneOf(f, "scanner.source", string(c.Scanner.Source), string(scan.Flatbed), string(scan.ADF), string(scan.ADFDuplex))
	}
	if c.Scanner.DPI < 150 || c.Scanner.DPI > 600 {
		f.Problem("scanner.dpi", "must be between 150 and 600, not %d", c.Scanner.DPI)
	}
	if _, err := scan.Paper(c.Scanner.Paper); err != nil {
		f.Problem("scanner.paper", "%v", err)
	}
	for i, option := range c.Scanner.Set {
		if name, _, ok := strings.Cut(option, "="); !ok || name == "" {
			f.Problem(at("scanner.set", i), "must be written option=value, such as brightness=10, not %q", option)
		}
	}
	between(f, "scanner.watchdog", c.Scanner.Watchdog, 10*time.Second, 30*time.Minute)
	for i, profile := range c.Readers.Serial {
		if err := profile.Validate(); err != nil {
			f.Problem(at("readers.serial", i), "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	if c.Readers.CSCA != "" && !filepath.IsAbs(c.Readers.CSCA) {
		f.Problem("readers.csca", "must be an absolute path")
	}
}

func (c *Config) checkSign(f *strict.File) {
	for key, path := range map[string]string{"sign.module": c.Sign.Module, "sign.trust": c.Sign.Trust} {
		if path != "" && !filepath.IsAbs(path) {
			f.Problem(key, "must be an absolute path")
		}
	}
	if u, err := url.Parse(c.Sign.TSA); c.Sign.TSA != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		f.Problem("sign.tsa", "must be the http address of a time stamp authority")
	}
	if c.Sign.Module != "" && c.Sign.Organisation == "" {
		f.Problem("sign.organisation", "must name the office as the mark on a signed copy shows it")
	}
	if w := c.Sign.Wait.D(); w < 12*time.Hour || w > 14*24*time.Hour {
		f.Problem("sign.wait", "must be between 12h and 14d")
	}
	if c.Sign.Kiosk && c.Sign.Module == "" {
		f.Problem("sign.kiosk", "needs sign.module, the library of the token that is plugged in here")
	}
	if c.Sign.Kiosk && !c.PDF.Attach {
		f.Problem("sign.kiosk", "needs pdf.attach: what is signed are the copies that are sent")
	}
}

// leastPage is the size under which no page of a paper can be read: A4 in gray at 130 dpi.
const leastPage = 50_000

func (c *Config) checkPDF(f *strict.File) {
	if !slices.Contains(pdfa.Levels, c.PDF.Level) {
		f.Problem("pdf.level", "must be one of 2b and 1b")
	}
	if c.PDF.MaxPage != 0 && c.PDF.MaxPage < leastPage {
		f.Problem("pdf.max_page", "must be 0 (the scan as it came) or at least 50 kB, or print cannot be read")
	}
}

func (c *Config) checkReading(f *strict.File) {
	if c.Reading.Workers < 0 || c.Reading.Workers > 64 {
		f.Problem("reading.workers", "must be between 0 and 64")
	}
	between(f, "reading.page_time", c.Reading.PageTime, time.Second, 10*time.Minute)
	if c.Reading.MaxPages < 1 || c.Reading.MaxPages > 10000 {
		f.Problem("reading.max_pages", "must be between 1 and 10,000")
	}
	if c.Reading.MaxPixels < 1e6 || c.Reading.MaxPixels > 400e6 {
		f.Problem("reading.max_pixels", "must be between 1,000,000 and 400,000,000")
	}
	if c.Reading.MaxBytes < 1e6 || c.Reading.MaxBytes > 2e9 {
		f.Problem("reading.max_bytes", "must be between 1 MB and 2 GB")
	}
}

func (c *Config) checkQueue(f *strict.File) {
	if c.Queue.Keep < 0 || c.Queue.Keep > Duration(365*24*time.Hour) {
		f.Problem("queue.keep", "must be between 0s and 365d")
	}
	oneOf(f, "queue.until", c.Queue.Until, "delivered", "acknowledged")
	if c.Queue.Records < Duration(24*time.Hour) || c.Queue.Records > Duration(3660*24*time.Hour) {
		f.Problem("queue.records", "must be between 1d and 3660d")
	}
	oneOf(f, "queue.key", c.Queue.Key, "auto", "tpm", "file")
	for i, n := range c.Queue.Boot {
		if n < 0 || n > 15 { // the others may be set back by anybody, or belong to other programs
			f.Problem(fmt.Sprintf("queue.boot[%d]", i), "must be a register between 0 and 15")
		}
	}
	if len(c.Queue.Boot) > 0 && c.Queue.Key == "file" {
		f.Problem("queue.boot", "binds a key in the TPM; with key: file there is none")
	}
	if c.Queue.SealTo != "" {
		if _, err := age.ParseX25519Recipient(c.Queue.SealTo); err != nil {
			f.Problem("queue.seal_to", "is not an age recipient (age1…): %v", err)
		}
	}
	if c.Queue.OfficeOnly && c.Queue.SealTo == "" {
		f.Problem("queue.office_only", "needs seal_to: the office's key")
	}
	if c.Queue.Workers < 1 || c.Queue.Workers > 16 {
		f.Problem("queue.workers", "must be between 1 and 16")
	}
}

func (c *Config) checkUpload(f *strict.File) {
	if !oneOf(f, "upload.to", c.Upload.To, ToAny...) {
		return
	}
	t, s3 := c.Upload.Tus, c.Upload.S3
	switch c.Upload.To {
	case ToTus:
		u := endpoint(f, "upload.tus.endpoint", t.Endpoint)
		if u != nil && u.Scheme == "http" && !t.AllowPlain && !loopback(u.Hostname()) {
			f.Problem("upload.tus.endpoint", "is http:// to another machine: use https://, or say allow_plain: true")
		}
		if (t.CertFile == "") != (t.KeyFile == "") {
			f.Problem("upload.tus", "cert_file and key_file belong together")
		}
	case ToS3:
		endpoint(f, "upload.s3.endpoint", s3.Endpoint)
		if s3.Bucket == "" {
			f.Problem("upload.s3.bucket", "is missing")
		}
		if s3.CredentialsFile == "" { // no keys in the configuration, so that it may be shown and copied
			f.Problem("upload.s3.credentials_file", "is missing")
		}
	case ToFolder:
		if !filepath.IsAbs(c.Upload.Folder.Dir) {
			f.Problem("upload.folder.dir", "must be an absolute path, not %q", c.Upload.Folder.Dir)
		}
	}
	if t.Chunk < 64e3 || t.Chunk > 1e9 {
		f.Problem("upload.tus.chunk", "must be between 64 kB and 1 GB")
	}
	if _, err := bandwidth.ParseRate(c.Upload.Rate); err != nil {
		f.Problem("upload.rate", "%v", err)
	}
	for i, window := range c.Upload.Plan {
		if _, err := bandwidth.ParseWindow(window); err != nil {
			f.Problem(at("upload.plan", i), "%v", err)
		}
	}
}

func (c *Config) checkAnswers(f *strict.File) {
	a := c.Answers
	oneOf(f, "answers.from", a.From, FromNone, FromDesk, FromNATS)
	if a.ResultDays < 1 || a.ResultDays > 90 {
		f.Problem("answers.result_days", "must be between 1 and 90")
	}
	switch a.From {
	case FromDesk:
		if a.URL == "" && (c.Upload.To != ToTus || c.Upload.Tus.Endpoint == "") {
			f.Problem("answers.url", "is missing: without upload.to: tus the desk's address is not known")
		}
	case FromNATS:
		if c.Announce.URL == "" {
			f.Problem("answers.from", "nats needs announce.url: the same server is asked")
		}
		if !wardForm.MatchString(a.Ward) {
			f.Problem("answers.ward", "must be the ward's code among the province's, of letters, digits, - and _")
		}
	}
	if a.URL == "" {
		return
	}
	if u := endpoint(f, "answers.url", a.URL); u != nil && u.Scheme == "http" && !c.Upload.Tus.AllowPlain && !loopback(u.Hostname()) {
		f.Problem("answers.url", "is http:// to another machine: use https://, or say upload.tus.allow_plain: true")
	}
}

func (c *Config) checkPayment(f *strict.File) {
	p := c.Payment
	if p == (Payment{}) {
		return
	}
	if !binForm.MatchString(p.BIN) {
		f.Problem("payment.bin", "must be the bank's six digits at NAPAS, not %q", p.BIN)
	}
	if !bankForm.MatchString(p.Account) {
		f.Problem("payment.account", "must be 6 to 19 letters and digits")
	}
}

func at(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

func oneOf(f *strict.File, path, value string, allowed ...string) bool {
	for _, a := range allowed {
		if value == a {
			return true
		}
	}
	what := fmt.Sprintf("must be one of %s, not %q", strings.Join(allowed, ", "), value)
	if near := strict.Nearest(value, allowed); near != "" {
		what += fmt.Sprintf("; did you mean %q?", near)
	}
	f.Problem(path, "%s", what)
	return false
}

func between(f *strict.File, path string, d Duration, low, high time.Duration) {
	if d < Duration(low) || d > Duration(high) {
		f.Problem(path, "must be between %s and %s, not %s", Duration(low), Duration(high), d)
	}
}

func address(f *strict.File, path, value string) (host string) {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		f.Problem(path, "must be host:port, such as 127.0.0.1:8080, not %q", value)
		return ""
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		f.Problem(path, "port must be a number between 0 and 65535, not %q", port)
	}
	if host == "" {
		f.Problem(path, "needs a host before the colon: 127.0.0.1 for this machine only")
	}
	return host
}

func endpoint(f *strict.File, path, value string) *url.URL {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		f.Problem(path, "must be an https:// address, not %q", value)
		return nil
	}
	if u.User != nil {
		f.Problem(path, "must not hold a name or password; secrets go into a file")
	}
	return u
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
