package lds

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParseCertificates reads certificates of a file: PEM blocks, or DER ones in a row. One that cannot be read is an error for
// all: whoever trusts certificates by the dozen uses ParseAuthorities.
func ParseCertificates(file []byte) ([]*Certificate, error) {
	all, left, err := plainCertificates(file)
	switch {
	case err != nil:
		return nil, err
	case len(left) > 0:
		return nil, left[0]
	case len(all) == 0:
		return nil, errors.New("no certificate in the file")
	}
	return all, nil
}

// ParseAuthorities reads CSCA certificates as they are handed out: PEM, DER, a master list (9303-12, 9; CMS, signed), or LDIF
// as the ICAO directory gives it, with certificates or master lists in it. A certificate that cannot be read is left out
// and named in left; err means that there is nothing in the file to trust. A master list is believed only if one of pinned
// signed it or issued its signer: anybody can sign a list.
func ParseAuthorities(file []byte, pinned []*Certificate) (all []*Certificate, left []error, err error) {
	add := func(certs []*Certificate, problems []error, e error) {
		all, left = append(all, certs...), append(left, problems...)
		if e != nil {
			left = append(left, e)
		}
	}
	switch {
	case isLDIF(file):
		for _, a := range ldifValues(file) {
			switch a.name {
			case "usercertificate", "cacertificate":
				add(parseAll(a.value))
			case "pkdmasterlistcontent", "cscamasterlistdata":
				add(masterList(a.value, pinned))
			}
		}
	default:
		if _, e := parseSigned(file); e == nil {
			add(masterList(file, pinned))
			break
		}
		add(plainCertificates(file))
	}
	if len(all) == 0 {
		return nil, nil, errors.Join(append([]error{errors.New("no certificate to trust in the file")}, left...)...)
	}
	return all, left, nil
}

// plainCertificates reads PEM blocks or DER in a row.
func plainCertificates(file []byte) (all []*Certificate, left []error, err error) {
	if !bytes.Contains(file, []byte("-----BEGIN")) {
		return parseAll(file)
	}
	n := 0
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		n++
		c, _, e := parseCertificate(block.Bytes)
		if e != nil {
			left = append(left, fmt.Errorf("certificate %d%s: %w", n, subjectOf(block.Bytes), e))
			continue
		}
		all = append(all, c)
	}
	return all, left, nil
}

// parseAll reads DER certificates in a row. Only what is no DER at all ends it.
func parseAll(der []byte) (all []*Certificate, left []error, err error) {
	for n := 1; len(der) > 0; n++ {
		c, rest, e := parseCertificate(der)
		if e != nil {
			var skip asn1.RawValue
			if rest, err = asn1.Unmarshal(der, &skip); err != nil {
				return all, left, fmt.Errorf("certificate %d: %w", n, err)
			}
			left = append(left, fmt.Errorf("certificate %d%s: %w", n, subjectOf(skip.FullBytes), e))
		} else {
			all = append(all, c)
		}
		der = rest
	}
	return all, left, nil
}

// subjectOf names a certificate that could not be read, where so much of it can be.
func subjectOf(der []byte) string {
	var outer struct{ TBS asn1.RawValue }
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		if _, err = asn1.UnmarshalWithParams(der, &outer.TBS, ""); err != nil {
			return ""
		}
	}
	// The subject is the second name in it: a country and a common name are printed as they are.
	var words []string
	for _, part := range bytes.Split(outer.TBS.FullBytes, []byte{0x06, 0x03, 0x55, 0x04}) { // attribute types 2.5.4.x
		if len(part) > 3 && int(part[2]) <= len(part)-3 && (part[0] == 6 || part[0] == 3) {
			words = append(words, strings.ToValidUTF8(string(part[3:3+int(part[2])]), "?"))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s)", strings.Join(words, ", "))
}

// oidMasterList is id-icao-cscaMasterList.
var oidMasterList = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 2}

// masterList opens a CSCA master list.
func masterList(der []byte, pinned []*Certificate) (all []*Certificate, left []error, err error) {
	signed, err := parseSigned(der)
	if err != nil {
		return nil, nil, fmt.Errorf("master list: %w", err)
	}
	signer, err := signed.verify(oidMasterList)
	if err != nil {
		return nil, nil, fmt.Errorf("master list: %w", err)
	}
	known := false
	for _, p := range pinned {
		known = known || bytes.Equal(p.raw, signer.raw) || p.issued(signer)
	}
	if !known {
		return nil, nil, fmt.Errorf("master list signed by %s, whom nothing here vouches for: put the signer's certificate, or that of its "+
			"CSCA, into the folder signers", signer.Subject())
	}
	var list struct {
		Version int
		Certs   asn1.RawValue
	}
	if _, err := asn1.Unmarshal(signed.content, &list); err != nil {
		return nil, nil, fmt.Errorf("master list: %w", err)
	}
	return parseAll(list.Certs.Bytes)
}

// isLDIF tells a directory's text by its first lines (RFC 2849).
func isLDIF(file []byte) bool {
	for line := range bytes.Lines(file[:min(len(file), 4096)]) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		lower := bytes.ToLower(line)
		return bytes.HasPrefix(lower, []byte("dn:")) || bytes.HasPrefix(lower, []byte("version:"))
	}
	return false
}

type attribute struct {
	name  string // lower case, without options
	value []byte
}

// ldifValues gives the attributes that are written in base64; a line that begins with a blank goes on with the one before.
func ldifValues(file []byte) (all []attribute) {
	text := strings.ReplaceAll(string(file), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\n ", "")
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "::")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, ";")
		der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		if err != nil {
			continue
		}
		all = append(all, attribute{strings.ToLower(name), der})
	}
	return all
}
