package procedure

import "strings"

// Asks is a field's label with the person it is about: "Họ và tên của người mẹ". A label that names the person already,
// and one of the matter itself, stay as they are.
func (p *Procedure) Asks(f *Field) Text {
	role, ok := p.Role(f.Group)
	if !ok {
		return f.Label
	}
	return Text{
		VI: about(f.Label.VI, " của ", lowered(role.Name.VI)),
		EN: about(f.Label.EN, " of the ", lowered(role.Name.EN)),
	}
}

// lowered writes a role within a sentence.
func lowered(name string) string {
	first := []rune(name)
	if len(first) == 0 {
		return ""
	}
	return strings.ToLower(string(first[:1])) + string(first[1:])
}

// about puts a person into a label, before what stands in brackets at its end.
func about(label, of, person string) string {
	if label == "" || person == "" || strings.Contains(strings.ToLower(label), strings.ToLower(person)) {
		return label
	}
	head, rest := label, ""
	if at := strings.Index(label, " ("); at > 0 {
		head, rest = label[:at], label[at:]
	}
	return head + of + person + rest
}
