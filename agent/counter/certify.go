package counter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/sign"
)

// Certification is how an officer signs the copies of one submission.
type Certification struct {
	Signer     *sign.Signer // with the mark but its number
	Register   *sign.Register
	Submission string
	Officer    string // sign-in name
	Numbered   bool   // each copy gets a number of the register
}

// Sign signs copies, all but those that are left out. It gives all of them or an error, and changes nothing of what it was
// given. The errors are those of the signer, and of the register.
func (c Certification) Sign(ctx context.Context, copies []dossier.Copy, left []int, now time.Time) ([]dossier.Copy, error) {
	out := slices.Clone(copies)
	for i, one := range copies {
		if slices.Contains(left, i) {
			continue
		}
		s := *c.Signer
		s.Mark.Number = ""
		if c.Numbered && c.Register != nil {
			var err error
			if s.Mark.Number, err = c.Register.Number(sign.Certified{Submission: c.Submission, Copy: i + 1, Title: one.Title,
				Pages: len(one.Pages), Form: s.Mark.Form, Officer: c.Officer, Digest: fmt.Sprintf("%x", sha256.Sum256(one.Data)),
				At: now}); err != nil {
				return nil, err
			}
		}
		var signed bytes.Buffer
		if err := s.Sign(ctx, one.Data, &signed); err != nil {
			return nil, err
		}
		out[i].Data = signed.Bytes()
		out[i].Signature = &dossier.Signature{Form: s.Mark.Form, Number: s.Mark.Number, Officer: c.Officer}
	}
	return out, nil
}
