package citizen

import (
	"context"
	"errors"
	"net/http"
	"time"

	"motcua/agent/sign"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/ocr"
	"motcua/ocr/qr"
)

// A print of a certified copy bears a symbol with its number in the register and a digest of the copy. It is read by a reader at the
// counter or from the scanner's glass, and looked up in the register of this kiosk.

// verifyPrint looks up what a reader read.
func (s *Pages) verifyPrint(w http.ResponseWriter, r *http.Request) {
	s.showVerify(w, r, s.lookUp(r.PostFormValue("code")))
}

func (s *Pages) lookUp(code string) (b verifyBody) {
	number, digest, ok := qr.Copy(code)
	if !ok {
		b.Error = "verify.no-code"
		return b
	}
	b.Print = &printed{Standing: sign.NotHere, Number: number}
	if signing := s.Options.Console.Signing; signing != nil && signing.Register != nil {
		b.Print.Line, b.Print.Standing = signing.Register.Look(number, digest)
	}
	return b
}

// verifyScanTime bounds the scan of one page and its reading.
const verifyScanTime = 2 * time.Minute

// verifyScan reads the symbol from the page that lies in the scanner. The page itself is forgotten.
func (s *Pages) verifyScan(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(verifyScanTime + screen.AnswerTime))
	ctx, cancel := context.WithTimeout(r.Context(), verifyScanTime)
	defer cancel()
	code, fault := s.scanCode(ctx)
	if fault != "" {
		s.showVerify(w, r, verifyBody{Error: fault})
		return
	}
	s.showVerify(w, r, s.lookUp(code))
}

// scanCode gives the symbol's text of the page in the scanner, "" if it has none, or the key of a sentence about the scanner.
func (s *Pages) scanCode(ctx context.Context) (code, fault string) {
	sc := s.Scanner()
	if sc == nil {
		return "", "fault." + string(scan.NoDevice)
	}
	if !s.Scanning.TryLock() {
		return "", "fault." + string(scan.Busy)
	}
	defer s.Scanning.Unlock()
	for page, err := range sc.Scan(ctx, scan.Settings{Source: s.Source(sc), DPI: s.Options.DPI, MaxPages: 1}) {
		var data []byte
		if err == nil {
			data, _, err = scan.Encode(page)
		}
		if err != nil {
			return "", s.scanFault(err)
		}
		result := s.Options.Reader.Read(ctx, ocr.Input{Name: "print", Data: data, Words: true})
		clear(data)
		for _, d := range result.Documents {
			if d.Copy != "" {
				return d.Copy, ""
			}
		}
		return "", ""
	}
	return "", "fault." + string(scan.NoDocuments)
}

func (s *Pages) scanFault(err error) string {
	var f *scan.Fault
	if errors.As(err, &f) {
		s.Log.Warn("scan a print", "code", f.Code, "error", f)
		return f.Message()
	}
	s.Log.Error("scan a print", "error", err)
	return "fault." + string(scan.IOError)
}

// verifyLive gives the symbol that a reader at the counter reads next to the page, which asks about it.
func (s *Pages) verifyLive(w http.ResponseWriter, r *http.Request) {
	out, err := screen.NewStream(w)
	if err != nil {
		return
	}
	codes, done := s.AwaitCopyCode()
	defer done()
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	for {
		select {
		case code := <-codes:
			if out.Send(screen.Event{Kind: "code", Text: code}) != nil {
				return
			}
		case <-beat.C:
			if out.Beat() != nil {
				return
			}
		case <-s.Ending.Done():
			return
		case <-r.Context().Done():
			return
		}
	}
}
