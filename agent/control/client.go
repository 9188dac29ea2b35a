package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"motcua/agent/audit"
	"motcua/agent/person"
	"motcua/agent/staff"
	"motcua/queue"
)

// Client speaks to the daemon of a data folder.
type Client struct {
	http   http.Client
	secret string // of the daemon; empty where this user may not read it, who then may only ask how it is
}

// Dial finds the daemon of a data folder; ErrNoDaemon where there is none.
func Dial(ctx context.Context, dir string) (*Client, error) {
	c := &Client{}
	if secret, err := os.ReadFile(filepath.Join(dir, secretName)); err == nil {
		c.secret = string(secret)
	}
	c.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		path, done, err := short(dir)
		if err != nil {
			return nil, err
		}
		defer done()
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.Status(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("%w: %w", ErrNoDaemon, err)
	}
	return c, nil
}

// Close lets the connections go.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Status asks the daemon how it is.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodGet, "/status", nil, nil, &s)
	return s, err
}

// Get gives one submission.
func (c *Client) Get(ctx context.Context, idOrCode string) (s queue.Submission, err error) {
	err = c.call(ctx, http.MethodGet, "/submissions/"+url.PathEscape(idOrCode), nil, nil, &s)
	return s, err
}

// Each gives the submissions a filter selects, one after the other, as the daemon reads them.
func (c *Client) Each(ctx context.Context, f queue.Filter, do func(queue.Submission) error) error {
	if len(f.States) > 1 {
		return errors.New("list submissions: one state at a time")
	}
	q := url.Values{"after": {f.After}, "newest": {strconv.FormatBool(f.Newest)}, "limit": {strconv.Itoa(f.Limit)},
		"brief": {strconv.FormatBool(f.Brief)}}
	if len(f.States) == 1 {
		q.Set("state", string(f.States[0]))
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.Format(time.RFC3339))
	}
	if !f.Until.IsZero() {
		q.Set("until", f.Until.Format(time.RFC3339))
	}
	response, err := c.send(ctx, http.MethodGet, "/submissions?"+q.Encode(), nil, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		s, err := parseLine(lines.Bytes(), f.Brief)
		if err != nil {
			return fmt.Errorf("read the daemon's list: %w", err)
		}
		if err := do(s); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the daemon's list: %w", err)
	}
	return nil
}

// maxLine bounds one submission of a list, in bytes: a thousand times what the names and digests of its parts take.
const maxLine = 64 << 20

func parseLine(line []byte, brief bool) (s queue.Submission, err error) {
	if brief {
		return queue.ParseBrief(line)
	}
	err = json.Unmarshal(line, &s)
	return s, err
}

// RetryHeld makes due now what is held for a reason that contains a text.
func (c *Client) RetryHeld(ctx context.Context, reason string) (n int, err error) {
	err = c.call(ctx, http.MethodPost, "/retry-held?"+url.Values{"reason": {reason}}.Encode(), nil, nil, &n)
	return n, err
}

// Found lists what was set aside.
func (c *Client) Found(ctx context.Context) (found []queue.Found, err error) {
	err = c.call(ctx, http.MethodGet, "/found", nil, nil, &found)
	return found, err
}

// TakeFound takes in what was set aside.
func (c *Client) TakeFound(ctx context.Context, name string) (s queue.Submission, err error) {
	err = c.call(ctx, http.MethodPost, "/found/"+url.PathEscape(name), nil, nil, &s)
	return s, err
}

// DropFound destroys what was set aside.
func (c *Client) DropFound(ctx context.Context, name string) (f queue.Found, err error) {
	err = c.call(ctx, http.MethodDelete, "/found/"+url.PathEscape(name), nil, nil, &f)
	return f, err
}

// Retry makes a submission due now.
func (c *Client) Retry(ctx context.Context, idOrCode string) error {
	return c.call(ctx, http.MethodPost, "/submissions/"+url.PathEscape(idOrCode)+"/retry", nil, nil, nil)
}

// RetryAll makes everything due now.
func (c *Client) RetryAll(ctx context.Context) (n int, err error) {
	err = c.call(ctx, http.MethodPost, "/retry", nil, nil, &n)
	return n, err
}

// Drop removes a submission for good.
func (c *Client) Drop(ctx context.Context, idOrCode string) error {
	return c.call(ctx, http.MethodDelete, "/submissions/"+url.PathEscape(idOrCode), nil, nil, nil)
}

// Content copies a submission's bundle to w, notes it in the audit log, and gives the SHA-256 the daemon
// says it must have.
func (c *Client) Content(ctx context.Context, w io.Writer, idOrCode string) (sha256 string, err error) {
	response, err := c.send(ctx, http.MethodGet, "/submissions/"+url.PathEscape(idOrCode)+"/content", nil, nil)
	if err != nil {
		return "", err
	}
	return response.Header.Get("X-Sha256"), drain(w, response)
}

// Export copies a sealed export to w.
func (c *Client) Export(ctx context.Context, w io.Writer, e Export) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	response, err := c.send(ctx, http.MethodPost, "/export", nil, bytes.NewReader(body))
	if err != nil {
		return err
	}
	return drain(w, response)
}

// Person looks for what is kept of one person.
func (c *Client) Person(ctx context.Context, q person.Query) (found person.Found, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return found, err
	}
	err = c.call(ctx, http.MethodPost, "/person", nil, bytes.NewReader(body), &found)
	return found, err
}

// Diagnostics copies the diagnostics bundle to w.
func (c *Client) Diagnostics(ctx context.Context, w io.Writer) error {
	response, err := c.send(ctx, http.MethodGet, "/diagnostics", nil, nil)
	if err != nil {
		return err
	}
	return drain(w, response)
}

func drain(w io.Writer, response *http.Response) error {
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("read from the daemon: %w", err)
	}
	return nil
}

// Import queues the submissions of an export.
func (c *Client) Import(ctx context.Context, r io.Reader, keys Keys) (done queue.Imported, err error) {
	text, err := json.Marshal(keys)
	if err != nil {
		return done, err
	}
	err = c.call(ctx, http.MethodPost, "/import", http.Header{keysHeader: {string(text)}}, r, &done)
	return done, err
}

// Verify has the daemon read every stored submission.
func (c *Client) Verify(ctx context.Context) (v queue.Verified, err error) {
	err = c.call(ctx, http.MethodGet, "/verify", nil, nil, &v)
	return v, err
}

// Reload has the daemon read the procedures anew.
func (c *Client) Reload(ctx context.Context) (n int, err error) {
	err = c.call(ctx, http.MethodPost, "/reload", nil, nil, &n)
	return n, err
}

// Audit gives what the daemon keeps of the audit log's head.
func (c *Client) Audit(ctx context.Context) (k audit.Kept, err error) {
	err = c.call(ctx, http.MethodGet, "/audit", nil, nil, &k)
	return k, err
}

// Staff lists who may sign in.
func (c *Client) Staff(ctx context.Context) (members []staff.Member, err error) {
	err = c.call(ctx, http.MethodGet, "/staff", nil, nil, &members)
	return members, err
}

// ChangeStaff has the daemon change its list of staff; who was removed is signed out at once.
func (c *Client) ChangeStaff(ctx context.Context, change StaffChange) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, "/staff", nil, bytes.NewReader(body), nil)
}

// Rekey has the daemon make a new kiosk key.
func (c *Client) Rekey(ctx context.Context, to string) (n int, err error) {
	err = c.call(ctx, http.MethodPost, "/rekey?to="+url.QueryEscape(to), nil, nil, &n)
	return n, err
}

// Enqueue hands a draft to the daemon.
func (c *Client) Enqueue(ctx context.Context, d queue.Draft) (s queue.Submission, err error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	head, err := json.Marshal(struct {
		ID     string
		Labels map[string]string
	}{d.ID, d.Labels})
	if err != nil {
		return s, err
	}
	if err := form.WriteField("labels", string(head)); err != nil {
		return s, err
	}
	for _, p := range d.Parts {
		if err := addPart(form, p); err != nil {
			return s, fmt.Errorf("read part %s: %w", p.Name, err)
		}
	}
	if err := form.Close(); err != nil {
		return s, err
	}
	err = c.call(ctx, http.MethodPost, "/submissions", http.Header{"Content-Type": {form.FormDataContentType()}}, &body, &s)
	return s, err
}

func addPart(form *multipart.Writer, p queue.Part) error {
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="part"; filename=%q`, p.Name))
	header.Set("Content-Type", p.MediaType)
	w, err := form.CreatePart(header)
	if err != nil {
		return err
	}
	r, err := p.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

func (c *Client) call(ctx context.Context, method, path string, header http.Header, body io.Reader, into any) error {
	response, err := c.send(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if into == nil {
		_, err := io.Copy(io.Discard, response.Body)
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://daemon"+path, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set(secretHeader, c.secret)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	var f fault
	if err := json.NewDecoder(response.Body).Decode(&f); err != nil {
		return nil, fmt.Errorf("ask the daemon: %s", response.Status)
	}
	e := &wireError{message: f.Message}
	for _, s := range sentinels {
		if s.code == f.Code {
			e.is = s.err
		}
	}
	return nil, e
}
