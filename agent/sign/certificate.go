package sign

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"github.com/smallstep/pkcs7"
)

// leastRSA is how long, in bits, an RSA key must be (ETSI TS 119 312, table 3).
const leastRSA = 2048

// weak says whether a signature's method can be forged today: two files with one SHA-1 or MD5 digest can be made.
func weak(p *pkcs7.PKCS7, cert *x509.Certificate) bool {
	for _, s := range p.Signers {
		if d := s.DigestAlgorithm.Algorithm; d.Equal(pkcs7.OIDDigestAlgorithmSHA1) || d.Equal(oidMD5) {
			return true
		}
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() < leastRSA
}

var oidMD5 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}

// Uses of a certificate that are for documents: RFC 9336, Microsoft's and Adobe's own.
var documentUses = []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 36}, {1, 3, 6, 1, 4, 1, 311, 10, 3, 12}, {1, 2, 840, 113583, 1, 1, 5}}

// forFiles says whether a certificate may sign documents. Persons' certificates say so by the uses of mail or of a client; a web server's,
// a program's or a time stamp's are none, even of a trusted authority.
func forFiles(c *x509.Certificate) bool {
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return false
	}
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range []x509.ExtKeyUsage{x509.ExtKeyUsageAny, x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageClientAuth} {
		if slices.Contains(c.ExtKeyUsage, u) {
			return true
		}
	}
	return slices.ContainsFunc(c.UnknownExtKeyUsage, func(u asn1.ObjectIdentifier) bool {
		return slices.ContainsFunc(documentUses, u.Equal)
	})
}
