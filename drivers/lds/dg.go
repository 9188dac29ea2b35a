package lds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"motcua/drivers/lds/internal/tlv"
)

// parseDG1 gives the MRZ.
func parseDG1(file []byte) (mrz, error) {
	text, ok := tlv.Find(file, 0x61, 0x5f1f)
	if !ok {
		return mrz{}, errors.New("DG1 holds no MRZ")
	}
	return parseMRZ(string(text))
}

// parseDG2 gives the first face picture. The templates of 9303-10, 4.7.2 are followed to the biometric
// data block; in it a picture is found by the structure of ISO 19794-5 and, for the newer ISO 39794-5, by
// its signature.
func parseDG2(file []byte) (picture []byte, kind string, err error) {
	template, ok := tlv.Find(file, 0x75, 0x7f61, 0x7f60)
	if !ok {
		return nil, "", errors.New("DG2 holds no biometric template")
	}
	record, ok := tlv.Find(template, 0x5f2e)
	if !ok {
		if record, ok = tlv.Find(template, 0x7f2e); !ok {
			return nil, "", errors.New("DG2 holds no biometric data")
		}
	}
	if picture := faceRecord(record); picture != nil {
		record = picture
	}
	for _, s := range signatures {
		if i := bytes.Index(record, s.magic); i >= 0 {
			return bytes.Clone(record[i:]), s.kind, nil
		}
	}
	return nil, "", errors.New("DG2 holds no picture of a known kind")
}

var signatures = []struct {
	magic []byte
	kind  string
}{
	{[]byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), "image/jp2"},
	{[]byte("\xff\x4f\xff\x51"), "image/jp2"}, // a bare codestream
	{[]byte("\xff\xd8\xff"), "image/jpeg"},
}

// faceRecord takes the picture out of an ISO 19794-5:2005 record: a header of 14 bytes, then for the
// first face 20 bytes of information, 8 for each feature point and 12 about the picture.
func faceRecord(b []byte) []byte {
	if len(b) < 14+20+12 || !bytes.HasPrefix(b, []byte("FAC\x00")) {
		return nil
	}
	face := b[14:]
	length, points := int(binary.BigEndian.Uint32(face)), int(binary.BigEndian.Uint16(face[4:]))
	begin := 20 + 8*points + 12
	if length > len(face) || begin >= length {
		return nil
	}
	return face[begin:length]
}

// dg13 is what the Vietnamese data group says.
type dg13 struct {
	fields  map[string]string
	unknown map[int]string
	twice   []string // fields told twice with different values
}

// The entries of DG13 that are one text each. 13 holds father and mother, 14 the spouse.
var dg13Names = map[int]string{1: "number", 2: "full_name", 3: "date_of_birth", 4: "sex", 5: "nationality",
	6: "ethnicity", 7: "religion", 8: "place_of_origin", 9: "place_of_residence", 10: "personal_identification",
	11: "date_of_issue", 12: "date_of_expiry", 14: "spouse_name", 15: "old_number"}

// parseDG13 reads the Vietnamese data group. Its structure is not published; cards issued since 2021 hold,
// somewhere below tag 6D, sequences of an integer that numbers the entry and one or more strings
// (30 L 02 01 n 0C L text; for the parents 30 L 02 01 0D 30 L 0C L father 30 L 0C L mother). So it looks
// for those wherever they stand, and passes over what it does not know: a newer card must not fail.
func parseDG13(file []byte) (dg13, error) {
	out := dg13{map[string]string{}, map[int]string{}, nil}
	body, ok := tlv.Find(file, 0x6d)
	if !ok {
		return out, errors.New("DG13 has no tag 6D")
	}
	objects, err := tlv.All(body)
	if err != nil && len(objects) == 0 {
		return out, errors.New("DG13 is malformed")
	}
	out.walk(objects, 0)
	// One reader of such cards says that the old number stands in entry 16, others call that one unknown: its shape tells.
	if old := out.unknown[16]; len(old) == 9 && strings.Trim(old, "0123456789") == "" {
		if out.fields["old_number"] == "" {
			out.fields["old_number"] = old
			delete(out.unknown, 16)
		} else if out.fields["old_number"] == old {
			delete(out.unknown, 16)
		}
	}
	if len(out.fields) == 0 && len(out.unknown) == 0 {
		return out, errors.New("DG13 holds no entry this program knows")
	}
	return out, nil
}

func (d *dg13) walk(objects []tlv.Object, depth int) {
	if depth > 8 {
		return
	}
	for _, o := range objects {
		if !o.Constructed() {
			continue
		}
		parts, err := tlv.All(o.Value)
		if err != nil {
			continue
		}
		id, isEntry := entryID(parts)
		if !isEntry {
			d.walk(parts, depth+1)
			continue
		}
		d.entry(id, texts(parts[1:], 0))
	}
}

// entryID tells an entry from a container that happens to begin with an integer, such as a version.
func entryID(parts []tlv.Object) (int, bool) {
	if len(parts) == 0 || parts[0].Tag != 0x02 || len(parts[0].Value) == 0 || len(parts[0].Value) > 2 {
		return 0, false
	}
	for _, p := range parts[1:] {
		if inner, err := tlv.All(p.Value); p.Constructed() && err == nil && slices.ContainsFunc(inner, holdsEntry) {
			return 0, false
		}
	}
	return int(new(big.Int).SetBytes(parts[0].Value).Int64()), true
}

func holdsEntry(o tlv.Object) bool {
	if !o.Constructed() {
		return false
	}
	first, _, err := tlv.Next(o.Value)
	return err == nil && first.Tag == 0x02
}

// texts are the strings among the objects and below, in order, empty ones too: their place has a meaning.
func texts(objects []tlv.Object, depth int) []string {
	var all []string
	for _, o := range objects {
		switch {
		case o.Tag == 0x0c || o.Tag == 0x13 || o.Tag == 0x16 || o.Tag == 0x14 || o.Tag == 0x04:
			if utf8.Valid(o.Value) {
				all = append(all, clean(string(o.Value)))
			} else {
				all = append(all, "")
			}
		case o.Tag == 0x1e && len(o.Value)%2 == 0: // BMPString
			units := make([]uint16, len(o.Value)/2)
			for i := range units {
				units[i] = binary.BigEndian.Uint16(o.Value[2*i:])
			}
			all = append(all, clean(string(utf16.Decode(units))))
		case o.Constructed() && depth < 8:
			if inner, err := tlv.All(o.Value); err == nil {
				all = append(all, texts(inner, depth+1)...)
			}
		}
	}
	return all
}

func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

func (d *dg13) entry(id int, texts []string) {
	set := func(name, value string) {
		if value == "" {
			return
		}
		if strings.HasPrefix(name, "date_") {
			value = dg13Date(value)
		}
		if before, ok := d.fields[name]; ok && before != value {
			d.twice = append(d.twice, name)
			return
		}
		d.fields[name] = value
	}
	name, known := dg13Names[id]
	switch {
	case id == 13 && len(texts) == 2:
		set("father_name", texts[0])
		set("mother_name", texts[1])
	case known && len(texts) == 1:
		set(name, texts[0])
	case known && len(texts) > 1 && id != 1:
		set(name, strings.Join(slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" }), ", "))
	default:
		if text := strings.TrimSpace(strings.Join(texts, " ")); text != "" {
			d.unknown[id] = text
		}
	}
}

// dg13Date turns dd/mm/yyyy into ISO; anything else ("Không thời hạn", a year alone) stays as it is.
func dg13Date(s string) string {
	if strings.EqualFold(s, endless) {
		return endless // one spelling, as DG1 has but one
	}
	for _, layout := range []string{"02/01/2006", "2/1/2006", "02-01-2006", "20060102"} {
		if d, err := time.Parse(layout, s); err == nil {
			return d.Format(time.DateOnly)
		}
	}
	return s
}
