package procedure

import "testing"

func TestAsksNamesThePerson(t *testing.T) {
	p := &Procedure{Roles: []Role{{ID: "mother", Name: Text{"Người mẹ", "Mother"}}}}
	for name, c := range map[string]struct {
		field Field
		want  Text
	}{
		"of_a_person": {Field{Group: "mother", Label: Text{"Họ và tên", "Full name"}},
			Text{"Họ và tên của người mẹ", "Full name of the mother"}},
		"before_the_braces": {Field{Group: "mother", Label: Text{"Số điện thoại (nếu có)", "Telephone (if any)"}},
			Text{"Số điện thoại của người mẹ (nếu có)", "Telephone of the mother (if any)"}},
		"named_already": {Field{Group: "mother", Label: Text{"Nơi sinh của người mẹ", "Birthplace of the mother"}},
			Text{"Nơi sinh của người mẹ", "Birthplace of the mother"}},
		"of_the_matter": {Field{Label: Text{"Số bản sao", "Copies"}}, Text{"Số bản sao", "Copies"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := p.Asks(&c.field); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
