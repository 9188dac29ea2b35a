package sign

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/x509"
	"io"
	"slices"
	"time"
)

// A file that is to be good for years has, behind its signature, what shows that the certificate was good then (a "DSS": lists of
// withdrawn certificates, and answers for one) and a time stamp over all of it (PAdES B-LT and B-LTA, EN 319 142-1, 5.4 and 5.5). Both
// vouch for themselves: list and answer are their authority's, the time stamp its own authority's. So they are taken wherever they stand,
// and the structure of a file that anybody may have made is not read. Whether the rest of what was added changes what is seen nobody says
// here: SignedPart gives the file as it was signed.

// proof is a time stamp over a file, of an authority that this machine trusts.
type proof struct {
	from int64 // where it begins: what stands before is covered
	at   time.Time
	by   string
}

// beside is the trust for one file, with what the file brings.
func (t *Trust) beside(pdf []byte) *Trust {
	own := Trust{}
	if t != nil {
		own = *t
	}
	own.brought, own.proofs = brought(pdf), nil
	for _, m := range byteRange.FindAllSubmatchIndex(pdf, mostSignatures) {
		r := numbers(pdf, m)
		if begin, end := r[1], r[2]; begin <= 0 || end <= begin || end > int64(len(pdf)) ||
			kindOf(ownDictionary(pdf, int64(m[0]), begin, end)) != stampFilter {
			continue
		}
		if v := verify(pdf, m, &own); v.Intact && v.Proved {
			own.proofs = append(own.proofs, proof{from: r[1], at: v.Stamped, by: v.Stamper})
		}
	}
	return &own
}

// proof is the earliest time stamp over a signature that ends there, given while its certificate was valid.
func (t *Trust) proof(end int64, cert *x509.Certificate) (first proof, found bool) {
	for _, p := range t.proofs {
		if p.from >= end && !p.at.After(cert.NotAfter) && (!found || p.at.Before(first.at)) {
			first, found = p, true
		}
	}
	return first, found
}

// Bounds of the work that a hostile file can ask for.
const (
	mostBrought = 50        // lists and answers
	mostTried   = 2000      // streams that are unpacked
	longestList = 4 << 20   // bytes of one, unpacked
	sequence    = 0x30      // with which DER's lists begin
	longestAll  = 100 << 20 // bytes that are unpacked in all
)

var (
	streamBegins = []byte("stream")
	streamEnds   = []byte("endstream")
)

// brought is the evidence among a file's streams.
func brought(pdf []byte) (e evidence) {
	unpacked := int64(0)
	for tried := 0; tried < mostTried && len(e.lists)+len(e.answers) < mostBrought && unpacked < longestAll; tried++ {
		i := bytes.Index(pdf, streamBegins)
		if i < 0 {
			break
		}
		pdf = bytes.TrimLeft(pdf[i+len(streamBegins):], "\r\n")
		end := bytes.Index(pdf, streamEnds)
		if end < 0 {
			break
		}
		body := pdf[:end]
		pdf = pdf[end+len(streamEnds):]
		if len(body) > longestList || len(body) < 2 {
			continue
		}
		if body[0]&0x0F == 8 { // deflate (RFC 1950)
			body = inflated(body)
			unpacked += int64(len(body))
		}
		if len(body) < 2 || body[0] != sequence {
			continue
		}
		e.take(body)
	}
	return e
}

// inflated is what is packed, if it begins as a list does; of one that is cut no list can be read.
func inflated(body []byte) []byte {
	packed, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	b := bufio.NewReader(io.LimitReader(packed, longestList))
	if first, err := b.Peek(1); err != nil || first[0] != sequence {
		return nil
	}
	all, _ := io.ReadAll(b)
	return all
}

// SignedPart gives a file as it was when it was last signed, and the verdicts on that, where something was added to it since and what was
// signed is good; else nil. It is the signer's own file, to its last byte.
func SignedPart(pdf []byte, trust *Trust) ([]byte, []Verdict) {
	ranges := byteRange.FindAllSubmatchIndex(pdf, mostSignatures)
	for _, m := range slices.Backward(ranges) {
		r := numbers(pdf, m)
		size := r[2] + r[3]
		if r[1] <= 0 || r[2] <= r[1] || r[3] <= 0 || r[2] > int64(len(pdf)) || size > int64(len(pdf)) {
			return nil, nil
		}
		if kindOf(ownDictionary(pdf, int64(m[0]), r[1], r[2])) == stampFilter {
			continue
		}
		if size == int64(len(pdf)) { // nothing was added
			return nil, nil
		}
		if found, err := verifyAll(pdf[:size], trust.beside(pdf)); err == nil && Sound(found) {
			return pdf[:size], found
		}
		return nil, nil
	}
	return nil, nil
}
