package address

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"motcua/configs"
)

func shipped(t testing.TB) *Table {
	t.Helper()
	table, err := Load(configs.Units())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestConvert(t *testing.T) {
	table := shipped(t)
	for _, c := range []struct {
		name, text string
		state      State
		want       string // the address of today, or one of the offers
	}{
		{"a ward that became one of today's", "12 Phó Đức Chính, Phường Nguyễn Thái Bình, Quận 1, Thành phố Hồ Chí Minh", Split, ""},
		{"without the words for kinds", "Tổ 5, Trúc Bạch, Ba Đình, Hà Nội", Moved, "Tổ 5, Phường Ba Đình, Thành phố Hà Nội"},
		{"shortened", "P. Trúc Bạch, Q. Ba Đình, TP. Hà Nội", Moved, "Phường Ba Đình, Thành phố Hà Nội"},
		{"numbers with zeros", "P.012, Q. Gò Vấp, TP Hồ Chí Minh", Moved, "Phường An Hội Tây, Thành phố Hồ Chí Minh"},
		{"tones placed the other way", "Phường Hoà Quý, Quận Ngũ Hành Sơn, Thành phố Đà Nẵng", Moved, ", Thành phố Đà Nẵng"},
		{"as the other source spells it", "Xã Ea D'Rơng, Huyện Cư M'gar, Tỉnh Đắk Lắk", Moved, ", Tỉnh Đắk Lắk"},
		{"a split ward", "Số 1, Phường Cống Vị, Quận Ba Đình, Hà Nội", Split, "Số 1, Phường Ngọc Hà, Thành phố Hà Nội"},
		{"sources that disagree", "Xã Thạnh Lộc, Huyện Giồng Riềng, Tỉnh Kiên Giang", Unsure, "Xã Thạnh Lộc, Tỉnh An Giang"},
		{"both sources against a third", "Xã Thạch Lâm, Huyện Bảo Lâm, Tỉnh Cao Bằng", Unsure, "Xã Quảng Lâm, Tỉnh Cao Bằng"},
		{"already of today", "12 Lê Lợi, Phường Ba Đình, Thành phố Hà Nội", Today, ""},
		{"nothing known", "12 Hàng Thử, Phường Mẫu, Hà Nội", Unknown, ""},
		{"a wrong kind is no match", "Xã Trúc Bạch, Quận Ba Đình, Hà Nội", Unknown, ""},
		{"too little", "Hà Nội", Unknown, ""},
		{"empty", "", Unknown, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := table.Convert(c.text)
			if c.name == "a ward that became one of today's" {
				if got.State != Moved && got.State != Split {
					t.Errorf("%q: %+v", c.text, got)
				}
				return
			}
			if got.State != c.state {
				t.Fatalf("%q: %+v", c.text, got)
			}
			if c.state == Moved && !strings.HasSuffix(got.Text, c.want) {
				t.Errorf("%q: %q", c.text, got.Text)
			}
			if (c.state == Split || c.state == Unsure) && !strings.Contains(strings.Join(got.Offer, "\n"), c.want) {
				t.Errorf("%q: %q", c.text, got.Offer)
			}
		})
	}
}

// Every old unit under its own full name gives what the table says of it; a split one is always asked.
func TestEveryUnit(t *testing.T) {
	table := shipped(t)
	count := map[State]int{}
	seen := map[string]bool{}
	for _, olds := range table.old {
		for _, o := range olds {
			text := "Thôn Mẫu, " + strings.Join(o.names[:], ", ")
			got := table.Convert(text)
			if got.State == Moved && o.kind != Moved || got.State == Unknown || got.State == Today {
				t.Errorf("%s: %s, the table says %s", text, got.State, o.kind)
			}
			if o.kind == Split && len(got.Offer) < 2 {
				t.Errorf("%s: a split with %d choices", text, len(got.Offer))
			}
			for _, offer := range got.choices() {
				if !strings.HasPrefix(offer, "Thôn Mẫu, ") {
					t.Errorf("%s: what stands before the unit was lost: %s", text, offer)
				}
				if again := table.Convert(offer); again.State != Today && again.State != Unsure {
					t.Errorf("%s is %s: what was converted must be of today", offer, again.State)
				}
			}
			if id := o.names[0] + "|" + o.names[1] + "|" + o.names[2]; !seen[id] && strings.Join(o.to, " ") != "" {
				seen[id] = true
				count[o.kind]++
			}
		}
	}
	t.Logf("%d with one unit of today, %d split, %d unsure; %s", count[Moved], count[Split], count[Unsure], table.Made)
	if count[Split] < 471 || count[Moved] < 9400 {
		t.Error("the table has lost units")
	}
}

func TestReadRefusesWhatIsNoTable(t *testing.T) {
	zipped := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"not gzip": []byte("x"), "empty": zipped(""), "another file": zipped("a\tb\n"),
		"a code that is none": zipped("new\t00004\tPhường A\tTỉnh B\none\t1\tT\tH\tX\t00005\n"),
		"cut":                 zipped("new\t00004\tPhường A\tTỉnh B\n")[:20],
	} {
		if _, err := Read(bytes.NewReader(data)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzConvert(f *testing.F) {
	table := shipped(f)
	f.Add("12, Phường Cống Vị, Quận Ba Đình, Hà Nội")
	f.Add(",,,")
	f.Add("t. , q., 0")
	f.Fuzz(func(t *testing.T, text string) { table.Convert(text) })
}
