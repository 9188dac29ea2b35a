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

// What is only asked where somebody asks for another person waits for the answer that says so: at first one thing is lacking, not seven.
func TestWaitsForAnAnswerToCome(t *testing.T) {
	p, err := shipped(t).Get("1.004873")
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]bool{"": false, "self": false, "spouse": true} {
		for _, field := range []string{"subject_name", "subject_sex", "subject_residence"} {
			if got := p.Asked(field, map[string]Answer{"relation": {Text: answer}}); got != want {
				t.Errorf("%s asked %v where the relation is %q", field, got, answer)
			}
		}
	}
}
