// Package ipp prints documents on a queue of CUPS or on a printer that speaks IPP itself (RFC 8010, RFC 8011): in go a document
// and the printer's address, out comes the word that it was printed, or a *printer.Fault that says what a person can mend.
//
// It promises: a document that was not printed is not printed later. What waits in a queue for paper is somebody's; it must
// not come out in front of somebody else, so the job is cancelled before Print returns an error. Where a printer takes a document
// and is then away, or where the program is killed meanwhile, it is cancelled as soon as the printer can be asked (Jobs.Run), and
// nothing else is printed there before.
package ipp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	goipp "github.com/OpenPrinting/goipp"

	"motcua/drivers/printer"
)

const (
	printTime  = 20 * time.Second       // for a page: a laser printer that sleeps warms up for about ten seconds
	cancelTime = 5 * time.Second        // to take a job back
	beat       = 250 * time.Millisecond // between two looks at a job
	settling   = 1500 * time.Millisecond
	mostAnswer = 1 << 20 // bytes of an answer
)

// Document is what is printed.
type Document struct {
	Name      string // of the job, as the queue shows it: nobody's
	MediaType string // "application/pdf"
	Data      []byte
	Sides     string // IPP's word, "two-sided-long-edge"; empty for the printer's default
}

// ErrTarget is returned for what is no IPP printer.
var ErrTarget = errors.New("a printer by IPP is ipp://host/printers/name, or ipps://")

// Check tells whether a printer can be named so.
func Check(to string) error {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "ipp" && u.Scheme != "ipps" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ErrTarget
	}
	return nil
}

// Printer is a queue or a printer. Its methods may be called from any goroutine.
type Printer struct {
	to       string
	jobs     *Jobs
	patience time.Duration // to take a job back whose number is not known
}

// New gives the printer of an address; it is asked nothing yet. jobs is where it is noted what it is given; nil: in memory.
func New(to string, jobs *Jobs) *Printer {
	if jobs == nil {
		jobs = &Jobs{left: make(chan struct{}, 1)}
	}
	return &Printer{to: to, jobs: jobs, patience: cancelTime}
}

// at is the printer of an address, and a connection of its own.
func at(to string) printerAt {
	return printerAt{to: to, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// Print prints a document and waits until the queue says that it is printed. What an earlier Print could not take back, of this
// program or of one before, is taken back first.
func (q *Printer) Print(ctx context.Context, d Document) error {
	if err := Check(q.to); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	p := at(q.to)
	defer p.client.CloseIdleConnections()
	if err := q.jobs.settleAll(ctx, q.to); err != nil {
		return fmt.Errorf("print: take back what may be printed late: %w", err)
	}
	d.Name += "-" + rand.Text() // by which the job is found if the answer that names it is lost
	if err := q.jobs.give(q.to, d.Name); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	job, err := p.send(ctx, d)
	if err != nil && surelyNotTaken(err) {
		q.jobs.done(d.Name)
		return fmt.Errorf("print: %w", err)
	}
	if err != nil {
		q.takeBackLost(ctx, d.Name)
		return fmt.Errorf("print: %w", err)
	}
	if err := p.follow(ctx, job); err != nil {
		printed, gone := p.takeBack(ctx, job)
		if gone != nil { // it can't be asked now, and may print on
			q.takeBackLost(ctx, d.Name)
			return fmt.Errorf("print: %w", err)
		}
		q.jobs.done(d.Name)
		if printed { // in the last moment
			return nil
		}
		return fmt.Errorf("print: %w", err)
	}
	q.jobs.done(d.Name)
	return nil
}

// surelyNotTaken reports whether a printer has nothing of a document: there was no way to it, or it said so itself.
func surelyNotTaken(err error) bool {
	var way *net.OpError
	if errors.As(err, &way) && way.Op == "dial" {
		return true
	}
	var told *statusError
	return errors.As(err, &told) && (told.final() || slices.Contains(notTaken, told.status))
}

// errNoJob says that a printer took a document, and did not say by which number.
var errNoJob = errors.New("the printer names no job")

// takeBackLost takes back what the printer may have taken, or leaves it to be taken back later.
func (q *Printer) takeBackLost(ctx context.Context, name string) {
	q.jobs.leave(name)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.patience)
	defer cancel()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		settled, _ := q.jobs.settle(ctx, Late{Printer: q.to, Name: name}) // an error: it is asked again
		if settled {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// takeBack cancels a job; printed says that it was too late for that. With an error it is not known what becomes of it.
func (p printerAt) takeBack(ctx context.Context, job int) (printed bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	id := goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(job))
	if _, err := p.ask(ctx, goipp.OpCancelJob, nil, nil, id); err == nil {
		return false, nil
	}
	answer, err := p.ask(ctx, goipp.OpGetJobAttributes, nil, nil, id)
	if err != nil {
		return false, err
	}
	switch state, _ := number(answer.Job, "job-state"); state {
	case jobCompleted:
		return true, nil
	case jobCanceled, jobAborted:
		return false, nil
	default:
		return false, fmt.Errorf("the printer does not give up a job in state %d", state)
	}
}

// takeBackNamed cancels a job whose number is not known, where the printer took it although its answer never came. had says that
// the printer had it, and has given it up; without had and an error it has no such job now, or can't be asked for its jobs at all.
func (p printerAt) takeBackNamed(ctx context.Context, name string) (had bool, err error) {
	answer, err := p.ask(ctx, goipp.OpGetJobs, nil, nil,
		goipp.MakeAttr("requested-attributes", goipp.TagKeyword, goipp.String("job-id"), goipp.String("job-name")))
	var told *statusError
	if errors.As(err, &told) && told.final() {
		return false, nil // it answers, and has no such queue or no such list
	}
	if err != nil {
		return false, err
	}
	for _, g := range answer.Groups {
		id, ok := number(g.Attrs, "job-id")
		if !ok || !slices.Contains(words(g.Attrs, "job-name"), name) {
			continue
		}
		if _, err := p.takeBack(ctx, id); err != nil {
			return false, err
		}
		had = true
	}
	return had, nil
}

// printerAt is a printer and the connection to it.
type printerAt struct {
	to     string
	client *http.Client
}

// address is where the printer answers by HTTP; IPP's own port is 631.
func (p printerAt) address() string {
	u, _ := url.Parse(p.to) // was checked
	if u.Port() == "" {
		u.Host += ":631"
	}
	u.Scheme = strings.Replace(u.Scheme, "ipp", "http", 1)
	return u.String()
}

// ask sends an operation, with job attributes and a document where it has any, and gives the answer.
func (p printerAt) ask(ctx context.Context, op goipp.Op, job goipp.Attributes, document []byte,
	operation ...goipp.Attribute) (*goipp.Message, error) {
	m := goipp.NewRequest(goipp.DefaultVersion, op, 1)
	m.Operation.Add(goipp.MakeAttribute("attributes-charset", goipp.TagCharset, goipp.String("utf-8")))
	m.Operation.Add(goipp.MakeAttribute("attributes-natural-language", goipp.TagLanguage, goipp.String("en")))
	m.Operation.Add(goipp.MakeAttribute("printer-uri", goipp.TagURI, goipp.String(p.to)))
	for _, a := range operation {
		if a.Name == "job-id" { // names the job beside the printer, and so stands before whose it is (RFC 8011, 4.1.5)
			m.Operation.Add(a)
		}
	}
	m.Operation.Add(goipp.MakeAttribute("requesting-user-name", goipp.TagName, goipp.String("motcua")))
	for _, a := range operation {
		if a.Name != "job-id" {
			m.Operation.Add(a)
		}
	}
	m.Job = job
	head, err := m.EncodeBytes()
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", op, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address(), io.MultiReader(bytes.NewReader(head), bytes.NewReader(document)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	r.Header.Set("Content-Type", goipp.ContentType)
	r.ContentLength = int64(len(head) + len(document))
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, &printer.Fault{Code: printer.Unreachable, Err: err}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, &printer.Fault{Code: printer.Unreachable, Err: fmt.Errorf("%s: %s", op, answer.Status)}
	}
	out := &goipp.Message{}
	if err := out.Decode(io.LimitReader(answer.Body, mostAnswer)); err != nil {
		return nil, &printer.Fault{Code: printer.Unreachable, Err: fmt.Errorf("answer to %s: %w", op, err)}
	}
	return out, refusal(op, goipp.Status(out.Code))
}

// statusError is a printer's own word that it did not do what it was asked for.
type statusError struct {
	op     goipp.Op
	status goipp.Status
}

func (e *statusError) Error() string { return fmt.Sprintf("%s: %s", e.op, e.status) }

// final reports whether the printer surely did nothing, and would do nothing if it were asked again (RFC 8011, appendix B): a fault
// of its own, or a status that nobody here knows, may come after it did what it was asked for.
func (e *statusError) final() bool {
	const serverErrors = goipp.StatusErrorInternal
	if e.status >= goipp.StatusErrorBadRequest && e.status < serverErrors {
		return e.status != goipp.StatusErrorTimeout
	}
	return e.status == goipp.StatusErrorOperationNotSupported || e.status == goipp.StatusErrorVersionNotSupported
}

// notTaken are a printer's words that it takes no document at the moment.
var notTaken = []goipp.Status{goipp.StatusErrorServiceUnavailable, goipp.StatusErrorNotAcceptingJobs, goipp.StatusErrorBusy,
	goipp.StatusErrorPrinterIsDeactivated, goipp.StatusErrorTooManyJobs}

// refusal is what a status of IPP means to a person; nil where it went well.
func refusal(op goipp.Op, status goipp.Status) error {
	told := &statusError{op, status}
	switch {
	case status < goipp.StatusRedirectionOtherSite:
		return nil
	case slices.Contains(notTaken, status):
		return &printer.Fault{Code: printer.Stopped, Err: told}
	case status == goipp.StatusErrorNotFound:
		return &printer.Fault{Code: printer.Unreachable, Err: told}
	}
	return &printer.Fault{Code: printer.Refused, Err: told}
}

// send hands a document over and gives the job's number.
func (p printerAt) send(ctx context.Context, d Document) (job int, err error) {
	var wanted goipp.Attributes
	if d.Sides != "" {
		wanted.Add(goipp.MakeAttribute("sides", goipp.TagKeyword, goipp.String(d.Sides)))
	}
	answer, err := p.ask(ctx, goipp.OpPrintJob, wanted, d.Data,
		goipp.MakeAttribute("job-name", goipp.TagName, goipp.String(d.Name)),
		goipp.MakeAttribute("document-format", goipp.TagMimeType, goipp.String(d.MediaType)))
	if err != nil {
		return 0, err
	}
	if job, ok := number(answer.Job, "job-id"); ok {
		return job, nil
	}
	return 0, &printer.Fault{Code: printer.Refused, Err: errNoJob}
}

// States of a job and of a printer (RFC 8011, 5.3.7 and 5.4.11).
const (
	jobCanceled    = 7
	jobAborted     = 8
	jobCompleted   = 9
	printerStopped = 5
)

// follow looks at a job until it is printed, or the printer says why it is not.
func (p printerAt) follow(ctx context.Context, job int) error {
	began := time.Now()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		answer, err := p.ask(ctx, goipp.OpGetJobAttributes, nil, nil, goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(job)))
		if err != nil {
			return err
		}
		switch state, _ := number(answer.Job, "job-state"); state {
		case jobCompleted:
			return nil
		case jobCanceled, jobAborted:
			return &printer.Fault{Code: printer.Refused, Err: errors.New("the printer broke off: " +
				strings.Join(words(answer.Job, "job-state-reasons"), ", "))}
		}
		if about, err := p.ask(ctx, goipp.OpGetPrinterAttributes, nil, nil); err == nil {
			if f := trouble(about.Printer); f != nil && time.Since(began) > settling { // a sleeping printer may have troubles of yesterday
				return f
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return &printer.Fault{Code: printer.Silent, Err: context.Cause(ctx)}
		}
	}
}

// reasons are the printer-state-reasons (RFC 8011, 5.4.12; PWG 5100.9) that keep a job waiting, in the order in which they are told.
var reasons = []struct {
	prefix string
	code   printer.Code
}{
	{"media-jam", printer.Jammed}, {"media-empty", printer.NoPaper}, {"media-needed", printer.NoPaper},
	{"input-tray-missing", printer.NoPaper},
	{"cover-open", printer.CoverOpen}, {"door-open", printer.CoverOpen}, {"interlock-open", printer.CoverOpen},
	{"marker-supply-empty", printer.NoInk}, {"toner-empty", printer.NoInk},
	{"offline", printer.Unreachable}, {"timed-out", printer.Unreachable}, {"shutdown", printer.Unreachable},
	{"paused", printer.Stopped}, {"moving-to-paused", printer.Stopped},
}

// trouble is why a printer does not print; nil where it says nothing that keeps a job waiting.
func trouble(about goipp.Attributes) *printer.Fault {
	told := words(about, "printer-state-reasons")
	for _, r := range reasons {
		for _, one := range told {
			if strings.HasPrefix(one, r.prefix) && !strings.HasSuffix(one, "-report") {
				return &printer.Fault{Code: r.code}
			}
		}
	}
	if state, _ := number(about, "printer-state"); state == printerStopped {
		return &printer.Fault{Code: printer.Stopped}
	}
	return nil
}

func number(attributes goipp.Attributes, name string) (int, bool) {
	for _, a := range attributes {
		if a.Name == name && len(a.Values) > 0 {
			if n, ok := a.Values[0].V.(goipp.Integer); ok {
				return int(n), true
			}
		}
	}
	return 0, false
}

func words(attributes goipp.Attributes, name string) []string {
	var out []string
	for _, a := range attributes {
		for _, v := range a.Values {
			if s, ok := v.V.(goipp.String); ok && a.Name == name {
				out = append(out, string(s))
			}
		}
	}
	return out
}
