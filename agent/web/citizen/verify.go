package citizen

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"motcua/agent/sign"
	"motcua/agent/web/screen"
)

// "Kiểm tra bản điện tử": who signed an e-copy, when, and whether it is unchanged since, without asking anybody, so that whoever
// is given one can accept it. The file is looked at and forgotten: nothing of it is kept. Of a print only its symbol can be looked up, in
// this kiosk's own register (verifyprint.go).

type verifyBody struct {
	Error string // key of a sentence about what was handed in
	// "good", "bad", "open" (nobody here can say whether the authority is one), or "part" (what was signed is good, and something was
	// added to it since); "" before a file was looked at.
	Result string
	Signed []shownSignature
	Print  *printed     // of a print whose symbol was read
	Scan   bool         // the scanner can read one
	Sight  template.URL // the first page, to be held against what one thinks one has
}

// printed is what this kiosk's register says of the symbol on a print. It is said of the symbol alone: whoever copies one onto
// another paper changes nothing of it.
type printed struct {
	Standing sign.Standing
	Number   string
	Line     sign.Certified // with sign.Entered and sign.SameCopy
}

// Class is how a standing is shown: nothing that a symbol says is enough to take a print.
func (p printed) Class() string {
	if p.Standing == sign.OtherCopy {
		return "bad"
	}
	return "open"
}

// shownSignature is a verdict as it is shown.
type shownSignature struct {
	sign.Verdict
	At      time.Time
	Stamped bool   // At was said by a time stamp authority, not by the signer's own clock
	Why     string // key of the sentence about what speaks against it
}

// sightWidth is the width in pixels of the first page's picture.
const sightWidth = 420

func (s *Pages) verify(w http.ResponseWriter, r *http.Request) {
	var b verifyBody
	if r.Method == http.MethodPost {
		if files := screen.FilesOf(r, "file"); len(files) == 1 {
			b = s.examine(r, files[0].Data)
			clear(files[0].Data)
		} else {
			b.Error = "verify.no-file"
		}
	}
	s.showVerify(w, r, b)
}

func (s *Pages) showVerify(w http.ResponseWriter, r *http.Request, b verifyBody) {
	back := "/"
	if t := s.Session(w, r).Sitting(); t != nil {
		_ = t.Visit.Touch(s.Now())
		back = s.WhereTo(t.Visit.State())
	}
	status := http.StatusOK
	if b.Error != "" {
		status = http.StatusUnprocessableEntity
	}
	b.Scan = s.Scanner() != nil
	if b.Result != "" || b.Print != nil { // as with a dossier that was looked up: it doesn't stay for the next person
		w.Header().Set("Refresh", strconv.Itoa(statusStays)+"; url=/verify")
	}
	s.Render(w, r, status, "verify", screen.View{Back: back, Path: "/verify", Body: b})
}

// examine looks at a file.
func (s *Pages) examine(r *http.Request, data []byte) (b verifyBody) {
	found, err := sign.Verify(data, s.Options.Trust)
	switch {
	case err != nil && len(found) == 0:
		b.Error = "verify.no-pdf"
		return b
	case len(found) == 0:
		b.Error = "verify.unsigned"
		return b
	}
	b.Result = "bad"
	if last := found[len(found)-1]; sign.Sound(found) && err == nil {
		b.Result = "good"
	} else if last.Trusted = true; err == nil && sign.Sound(append(found[:len(found)-1:len(found)-1], last)) {
		b.Result = "open"
	}
	sight := data
	if part, _ := sign.SignedPart(data, s.Options.Trust); part != nil { // that is shown, not what somebody laid over it
		b.Result, sight = "part", part
	}
	for i, v := range found {
		shown := shownSignature{Verdict: v, At: v.Claimed, Stamped: !v.Stamped.IsZero()}
		if shown.Stamped {
			shown.At = v.Stamped
		}
		switch {
		case v.Why == sign.Added && i < len(found)-1: // a later signature, and whatever else its signer laid over this one's pages
			shown.Why = "verify.why.later"
		case v.Why != "":
			shown.Why = "verify.why." + string(v.Why)
		}
		b.Signed = append(b.Signed, shown)
	}
	if picture, err := s.Options.Reader.Preview(r.Context(), sight, 1, sightWidth); err == nil {
		b.Sight = template.URL("data:" + http.DetectContentType(picture) + ";base64," + base64.StdEncoding.EncodeToString(picture))
	} // a page that can't be drawn says nothing of the signature
	return b
}
