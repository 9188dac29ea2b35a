package mrz_test

import (
	"testing"
	"time"

	"motcua/ocr/mrz"
)

var now = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

var card = []string{"IDVNM2046599247079204659924<<7", "0401146M2901145VNM<<<<<<<<<<<6", "KIEU<<MINH<QUYEN<LONG<<<<<<<<<"}

func TestParse(t *testing.T) {
	t.Run("card_is_proven_throughout", func(t *testing.T) {
		z, err := mrz.Parse(card, now)
		if err != nil {
			t.Fatal(err)
		}
		if z.PersonalNumber != (mrz.Value{Text: "079204659924", Proven: true}) || !z.Composite ||
			z.Birth != (mrz.Value{Text: "2004-01-14", Proven: true}) || z.Expiry != (mrz.Value{Text: "2029-01-14", Proven: true}) ||
			z.Sex.Text != "M" || z.Nationality.Text != "VNM" || z.Family != "KIEU" || z.Given != "MINH QUYEN LONG" || !z.NameWhole {
			t.Errorf("%+v", z)
		}
	})
	t.Run("letters_among_digits_are_digits", func(t *testing.T) {
		z, _ := mrz.Parse([]string{"IDVNM2O46599247O792O4659924<<7", "O4OI146M29OII45VNM<<<<<<<<<<<6", card[2]}, now)
		if z.PersonalNumber.Text != "079204659924" || !z.PersonalNumber.Proven || z.Birth.Text != "2004-01-14" {
			t.Errorf("%+v", z)
		}
	})
	t.Run("wrong_birth_digit_is_not_guessed_at", func(t *testing.T) {
		z, _ := mrz.Parse([]string{card[0], "0401746M2901145VNM<<<<<<<<<<<6", card[2]}, now)
		if z.Birth.Text != "2004-01-14" && z.Birth.Proven {
			t.Errorf("a wrong date counts as proven: %+v", z.Birth)
		}
	})
	t.Run("lost_filler_and_noise_around", func(t *testing.T) {
		z, err := mrz.Parse([]string{"some text", card[0][:27] + "<7", " " + card[1] + " .", card[2] + "<<"}, now)
		if err != nil || !z.PersonalNumber.Proven || !z.Birth.Proven {
			t.Errorf("%+v %v", z, err)
		}
	})
	t.Run("passport", func(t *testing.T) {
		z, err := mrz.Parse([]string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}, now)
		if err != nil || !z.Passport || z.DocumentNumber.Text != "L898902C3" || !z.DocumentNumber.Proven || !z.Composite ||
			z.Birth.Text != "1974-08-12" || z.Given != "ANNA MARIA" {
			t.Errorf("%+v %v", z, err)
		}
	})
	t.Run("plain_text_is_none", func(t *testing.T) {
		if _, err := mrz.Parse([]string{"CONG HOA XA HOI CHU NGHIA VIET NAM", "DOC LAP TU DO HANH PHUC ABCDEF", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
			now); err == nil {
			t.Error("found an MRZ")
		}
	})
}

// No single misread digit may end in a proven value that is wrong.
func TestSingleErrorsAreNeverProven(t *testing.T) {
	for line := range 2 {
		for i := range 30 {
			for d := byte('0'); d <= '9'; d++ {
				c := card[line][i]
				if c == d || c < '0' || c > '9' {
					continue
				}
				l := []string{card[0], card[1], card[2]}
				l[line] = l[line][:i] + string(d) + l[line][i+1:]
				z, err := mrz.Parse(l, now)
				if err != nil {
					continue
				}
				for name, v := range map[string][2]string{"number": {z.PersonalNumber.Text, "079204659924"}, "birth": {z.Birth.Text, "2004-01-14"},
					"expiry": {z.Expiry.Text, "2029-01-14"}} {
					proven := map[string]bool{"number": z.PersonalNumber.Proven, "birth": z.Birth.Proven, "expiry": z.Expiry.Proven}[name]
					if v[0] != v[1] && proven {
						t.Errorf("line %d column %d read as %c: %s is %s and counts as proven", line+1, i+1, d, name, v[0])
					}
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(card[0], card[1], card[2])
	f.Add("P<VNMNGUYEN<<VAN<AN", "B12345678<VNM9001011M3001011", "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if z, err := mrz.Parse([]string{a, b, c}, now); err == nil && z.PersonalNumber.Proven && len(z.PersonalNumber.Text) != 12 {
			t.Errorf("proven number of %d digits", len(z.PersonalNumber.Text))
		}
	})
}
