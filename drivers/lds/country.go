package lds

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Master lists hold the certificates of all states, and each of them could sign a card that says it is another's. So a card is
// vouched for by its own state alone: the country of its CSCA (9303-12, 7.1) is the one that DG1 names as the issuer.

// countries are those of a state's CSCAs, by what an MRZ calls the state (9303-3, 5): mostly ISO 3166 on both sides, with three
// letters there and two here. What nobody knows here has none.
func countries(state string) []string {
	switch state {
	case "D":
		return []string{"DE"}
	case "GBD", "GBN", "GBO", "GBP", "GBS":
		return []string{"GB"}
	case "CHN": // the passports of Hong Kong and Macao name China
		return []string{"CN", "HK", "MO"}
	case "UNO", "UNA":
		return []string{"UN"}
	case "EUE":
		return []string{"EU"}
	case "RKS":
		return []string{"KS", "XK"}
	}
	region, err := language.ParseRegion(state)
	if len(state) != 3 || err != nil || !region.IsCountry() {
		return nil
	}
	return []string{region.String()}
}

// country is that of a certificate's subject, in capitals; empty: it names none.
func (c *Certificate) country() string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.subject, &name); err != nil {
		return ""
	}
	var n pkix.Name
	n.FillFromRDNSequence(&name)
	if len(n.Country) != 1 {
		return ""
	}
	return strings.ToUpper(strings.TrimSpace(n.Country[0]))
}

// of gives the certificates of one state.
func of(state string, all []*Certificate) []*Certificate {
	own := countries(state)
	return slices.DeleteFunc(slices.Clone(all), func(c *Certificate) bool { return !slices.Contains(own, c.country()) })
}
