package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// The makers' libraries are closed and of every quality, and one that crashes or hangs must cost a signature, not the daemon
// with the citizens' visits in its memory. So each session with a token lives in a process of its own (Serve), which ends with
// the session. It is asked by one JSON value a question, on its standard input, and answers likewise on a pipe of its own: some
// libraries write to standard output.

// TokenConfig says where a key lies.
type TokenConfig struct {
	Module      string   // the PKCS#11 library, such as /usr/lib/vnpt-ca/libcryptoki.so
	Slot        string   // label of the token, or the slot's number; empty: the only one
	Certificate string   // label or hexadecimal id; empty: the only one that has a key
	Worker      []string `json:"-"` // the command that runs Serve; empty: this very program with the argument token-worker
}

// How long a library may take. Tokens sign within a second or two; some look at every slot for several when they are opened.
const (
	openingTime = time.Minute
	signingTime = 30 * time.Second
)

// question is what is asked of a worker: Open first, then Digest any number of times.
type question struct {
	Open   *TokenConfig `json:",omitempty"`
	PIN    string       `json:",omitempty"`
	Digest []byte       `json:",omitempty"`
	Hash   crypto.Hash  `json:",omitempty"`
}

// reply is what a worker answers: certificates (DER) or a signature, or why not.
type reply struct {
	Certificate []byte   `json:",omitempty"`
	Chain       [][]byte `json:",omitempty"`
	Signature   []byte   `json:",omitempty"`
	Failure     Failure  `json:",omitempty"`
	Text        string   `json:",omitempty"`
}

func refusal(err error) reply {
	var e *Error
	if errors.As(err, &e) {
		return reply{Failure: e.Failure, Text: e.Error()}
	}
	return reply{Failure: TokenFault, Text: err.Error()}
}

// answers is the descriptor of the pipe that a worker answers on.
const answers = 3

// Serve answers for one token until in ends, even where the token's library hangs: the process is to end then. Only a Token
// can start such a process.
func Serve(in io.Reader) error {
	out := os.NewFile(answers, "answers")
	if _, err := out.Stat(); err != nil {
		return fmt.Errorf("answer for the token: this process is started for a signature, not by hand: %w", err)
	}
	defer out.Close()
	questions, asked := make(chan question), make(chan error, 1)
	go func() { // ends with the process, as the library may
		d := json.NewDecoder(in)
		for {
			var q question
			if err := d.Decode(&q); err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				asked <- err
				return
			}
			questions <- q
		}
	}()
	answered := make(chan error, 1)
	closing, closed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(closed)
		answered <- answer(questions, closing, json.NewEncoder(out))
	}()
	select {
	case err := <-answered:
		return err
	case err := <-asked:
		close(closing)
		select { // a library that behaves is closed in order
		case <-closed:
		case <-time.After(time.Second):
		}
		return err
	}
}

// answer holds the library.
func answer(questions <-chan question, closing <-chan struct{}, out *json.Encoder) error {
	var m *module
	defer func() {
		if m != nil {
			m.close()
		}
	}()
	for {
		var q question
		select {
		case q = <-questions:
		case <-closing:
			return nil
		}
		var r reply
		switch {
		case m == nil && q.Open != nil:
			var err error
			if m, err = load(*q.Open, q.PIN); err != nil {
				r = refusal(err)
				break
			}
			r.Certificate = m.cert.Raw
			for _, c := range m.chain {
				r.Chain = append(r.Chain, c.Raw)
			}
		case m != nil && q.Open == nil:
			value, err := m.sign(q.Digest, q.Hash)
			if err != nil {
				r = refusal(err)
				break
			}
			r.Signature = value
		default:
			return errors.New("a token is opened once, and before it signs")
		}
		if err := out.Encode(r); err != nil {
			return fmt.Errorf("answer for the token: %w", err)
		}
	}
}

// Token is an open session with a token, in a process of its own. It is not safe for concurrent use. Close it.
type Token struct {
	cmd   *exec.Cmd
	end   context.CancelFunc
	to    io.WriteCloser
	from  *os.File
	in    *json.Decoder
	cert  *x509.Certificate
	chain []*x509.Certificate
}

// Open opens a token with a PIN, which is given to it once and not kept. The session ends with ctx, or by Close.
func Open(ctx context.Context, c TokenConfig, pin string) (*Token, error) {
	if c.Module == "" {
		return nil, failed(NoModule, nil, "No token is set up: name the library of its maker in the configuration (sign.module).")
	}
	argv := c.Worker
	if len(argv) == 0 {
		argv = []string{"/proc/self/exe", "token-worker"}
	}
	t, err := start(ctx, argv)
	if err != nil {
		return nil, failed(TokenFault, err, "The token's process does not start: restart the computer and try again.")
	}
	r, err := t.ask(question{Open: &c, PIN: pin}, openingTime)
	if err == nil {
		err = t.learn(r)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func start(ctx context.Context, argv []string) (*Token, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	to, err := cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	from, theirs, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{theirs} // descriptor 3; what a library says by itself may name people, and goes nowhere
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		cancel()
		from.Close()
		return nil, err
	}
	return &Token{cmd: cmd, end: cancel, to: to, from: from, in: json.NewDecoder(from)}, nil
}

// ask puts a question and waits for its answer so long.
func (t *Token) ask(q question, limit time.Duration) (reply, error) {
	var r reply
	_ = t.from.SetReadDeadline(time.Now().Add(limit)) // a pipe of the system's takes one
	err := json.NewEncoder(t.to).Encode(q)
	if err == nil {
		err = t.in.Decode(&r)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return r, failed(TokenFault, nil, "The token does not answer: pull it out, plug it in and try again; nothing was signed by half.")
	case err != nil:
		return r, failed(TokenFault, nil,
			"The token's library broke down: pull the token out, plug it in and try again; nothing was signed by half.")
	case r.Failure != "":
		return r, &Error{Failure: r.Failure, Text: r.Text}
	}
	return r, nil
}

func (t *Token) learn(r reply) (err error) {
	if t.cert, err = x509.ParseCertificate(r.Certificate); err != nil {
		return failed(NoCertificate, err, "The token's certificate cannot be read: ask the authority that issued it.")
	}
	for _, der := range r.Chain {
		if c, err := x509.ParseCertificate(der); err == nil {
			t.chain = append(t.chain, c)
		}
	}
	return nil
}

// Close ends the session; the PIN must be given again.
func (t *Token) Close() {
	t.to.Close()
	timer := time.AfterFunc(5*time.Second, t.end) // a library that hangs
	_ = t.cmd.Wait()                              // how it ended changes nothing
	timer.Stop()
	t.end()
	t.from.Close()
}

// Certificate is the signer's.
func (t *Token) Certificate() *x509.Certificate { return t.cert }

// Chain are the authorities' certificates on the token.
func (t *Token) Chain() []*x509.Certificate { return t.chain }

// Sign signs a digest by RSA (PKCS #1 v1.5) or ECDSA.
func (t *Token) Sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	r, err := t.ask(question{Digest: digest, Hash: hash}, signingTime)
	return r.Signature, err
}
