// Package ipp prints documents on a queue of CUPS or on a printer that speaks IPP itself (RFC 8010, RFC 8011): in go a document
// and the printer's address, out comes the word that it was printed, or a *printer.Fault that says what a person can mend.
//
// It promises: a document that was not printed is not printed later. What waits in a queue for paper is somebody's; it must
// not come out in front of somebody else, so the job is cancelled before Print returns an error. Where a printer takes a document
// and is then away, it is cancelled as soon as the printer can be asked, at the next Print at the latest.
package ipp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
	patience time.Duration // to take a job back whose number is not known

	mu   sync.Mutex // guards lost
	lost []string   // names of jobs that the printer may have taken, and that could not be taken back yet
}

// New gives the printer of an address; it is asked nothing yet.
func New(to string) *Printer { return &Printer{to: to, patience: cancelTime} }

// Print prints a document and waits until the queue says that it is printed. What an earlier Print could not take back is taken
// back first.
func (q *Printer) Print(ctx context.Context, d Document) error {
	if err := Check(q.to); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	p := printerAt{to: q.to, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
	defer p.client.CloseIdleConnections()
	if err := q.forget(ctx, p); err != nil {
		return fmt.Errorf("print: take back what may be printed late: %w", err)
	}
	d.Name += "-" + rand.Text() // by which the job is found if the answer that names it is lost
	job, err := p.send(ctx, d)
	if err != nil {
		q.remember(ctx, p, d.Name)
		return fmt.Errorf("print: %w", err)
	}
	if err := p.follow(ctx, job); err != nil {
		if p.takeBack(ctx, job) { // it was printed in the last moment
			return nil
		}
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// remember takes back what the printer may have taken, or keeps in mind that this is still to be done.
func (q *Printer) remember(ctx context.Context, p printerAt, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.patience)
	defer cancel()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for p.takeBackNamed(ctx, name) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			q.mu.Lock()
			defer q.mu.Unlock()
			q.lost = append(q.lost, name)
			return
		}
	}
}

// forget takes back what is still to be.
func (q *Printer) forget(ctx context.Context, p printerAt) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lost) > 0 {
		if err := p.takeBackNamed(ctx, q.lost[0]); err != nil {
			return err
		}
		q.lost = q.lost[1:]
	}
	return nil
}

// takeBack cancels a job; printed says that it was too late for that.
func (p printerAt) takeBack(ctx context.Context, job int) (printed bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	id := goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(job))
	if _, err := p.ask(ctx, goipp.OpCancelJob, nil, nil, id); err == nil {
		return false
	}
	answer, err := p.ask(ctx, goipp.OpGetJobAttributes, nil, nil, id)
	if err != nil {
		return false
	}
	state, _ := number(answer.Job, "job-state")
	return state == jobCompleted
}

// takeBackNamed cancels a job whose number is not known, where the printer took it although its answer never came. Without an
// error it is not printed any more, or was not taken.
func (p printerAt) takeBackNamed(ctx context.Context, name string) error {
	answer, err := p.ask(ctx, goipp.OpGetJobs, nil, nil,
		goipp.MakeAttr("requested-attributes", goipp.TagKeyword, goipp.String("job-id"), goipp.String("job-name")))
	var f *printer.Fault
	if errors.As(err, &f) && f.Code != printer.Unreachable {
		return nil // it answers, and has no such queue or no such list
	}
	if err != nil {
		return err
	}
	for _, g := range answer.Groups {
		id, ok := number(g.Attrs, "job-id")
		if !ok || !slices.Contains(words(g.Attrs, "job-name"), name) {
			continue
		}
		_, err := p.ask(ctx, goipp.OpCancelJob, nil, nil, goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(id)))
		if errors.As(err, &f) && f.Code != printer.Unreachable {
			return nil // it has ended meanwhile
		}
		if err != nil {
			return err
		}
	}
	return nil
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

// refusal is what a status of IPP means to a person; nil where it went well.
func refusal(op goipp.Op, status goipp.Status) error {
	switch {
	case status < goipp.StatusRedirectionOtherSite:
		return nil
	case status == goipp.StatusErrorNotAcceptingJobs, status == goipp.StatusErrorServiceUnavailable:
		return &printer.Fault{Code: printer.Stopped, Err: fmt.Errorf("%s: %s", op, status)}
	case status == goipp.StatusErrorNotFound:
		return &printer.Fault{Code: printer.Unreachable, Err: fmt.Errorf("%s: %s", op, status)}
	}
	return &printer.Fault{Code: printer.Refused, Err: fmt.Errorf("%s: %s", op, status)}
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
	return 0, &printer.Fault{Code: printer.Refused, Err: errors.New("the printer names no job")}
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
