package procedure

import (
	"os"
	"slices"
	"testing"

	"motcua/agent/address"
	"motcua/ocr/paper"
)

// An address of before July 2025 is filled as it is today only where that is sure; else somebody is asked, with
// the choices. The paper's own text is kept.
func TestPrefillTurnsAddressesIntoTodays(t *testing.T) {
	units, err := address.Load(os.DirFS("../../configs/units"))
	if err != nil {
		t.Fatal(err)
	}
	c := shipped(t)
	c.Use(units)
	p, err := c.Get("1.004194")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		on, want string
		doubt    paper.Doubt
		offers   int
	}{
		{"Tổ 5, Phường Trúc Bạch, Quận Ba Đình, Hà Nội", "Tổ 5, Phường Ba Đình, Thành phố Hà Nội", "", 0},
		{"Tổ 5, Phường Cống Vị, Quận Ba Đình, Hà Nội", "Tổ 5, Phường Cống Vị, Quận Ba Đình, Hà Nội", SplitUnit, 2},
		{"Xã Thạnh Lộc, Huyện Giồng Riềng, Tỉnh Kiên Giang", "Xã Thạnh Lộc, Huyện Giồng Riềng, Tỉnh Kiên Giang", UnsureUnit, 2},
		{"12 Hàng Thử, Phường Mẫu, Hà Nội", "12 Hàng Thử, Phường Mẫu, Hà Nội", "", 0},
	} {
		doc := card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ")
		f := doc.Fields[paper.PlaceOfResidence]
		f.Value = one.on
		doc.Fields[paper.PlaceOfResidence] = f
		v := p.Prefill([]paper.Document{doc}, Assignment{"applicant": {0}})["applicant_residence"]
		if v.Text != one.want || v.Review != (one.doubt != "") || one.doubt != "" && !slices.Contains(v.Doubts, one.doubt) ||
			len(v.Offers) != one.offers {
			t.Errorf("%s: %q, review %t %v, %d offers", one.on, v.Text, v.Review, v.Doubts, len(v.Offers))
		}
		if (one.want != one.on || one.doubt != "") && v.Old != one.on {
			t.Errorf("%s: the paper's text was lost: %q", one.on, v.Old)
		}
	}
}
