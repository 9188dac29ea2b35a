package ocr

import (
	"testing"
	"time"

	"motcua/ocr/paper"
)

func TestCertain(t *testing.T) {
	for _, c := range []struct {
		why            string
		name           paper.Name
		text           string
		conf           float64
		reread, second bool
		want           bool
	}{
		{"one reading is never enough", paper.FullName, "TRẦN THỊ HÀ", 0.999, false, false, false},
		{"clear letters of known names, read again", paper.FullName, "TRẦN THỊ HÀ", 0.98, true, false, true},
		{"unclear letters, read again by the same reader", paper.FullName, "TRẦN THỊ HÀ", 0.9, true, false, false},
		{"unclear letters, read alike by another", paper.FullName, "TRẦN THỊ HÀ", 0.85, true, true, true},
		{"a tone that a coarse scan made a blob, read alike by another", paper.FullName, "CHÂU THỊ THỦY", 0.595, true, true, false},
		{"letters that the other reader alone read twice", paper.FullName, "TRẦN THỊ HÀ", 0.7, false, true, false},
		{"a word that is no known name needs clearer letters", paper.FullName, "ĐINH THỊ NGỌC HOẠ", 0.98, true, false, false},
		{"a name that lost its first letters", paper.FullName, "UYỄN TÂM", 0.999, true, true, false},
		{"a single word", paper.FullName, "NGUYỄN", 0.999, true, true, false},
		{"figures, read again", paper.Number, "079204659924", 0.95, true, false, true},
		{"figures that two readers see differently", paper.DateOfIssue, "2024-01-13", 0.996, false, false, false},
		{"address of before July 2025", paper.PlaceOfResidence, "12 Lê Lợi, Bến Nghé, Quận 1, Hồ Chí Minh", 0.98, true, false, true},
		{"a commune that its district has not, but one like it", paper.PlaceOfOrigin, "Đồng Vàn, Bình Liêu, Quảng Ninh", 0.999, true,
			true, false},
		{"a commune that its district has", paper.PlaceOfOrigin, "Đồng Văn, Bình Liêu, Quảng Ninh", 0.85, true, false, true},
		{"a commune of since July 2025", paper.PlaceOfBirth, "Phường Thuận Hóa, Huế", 0.85, true, false, true},
		{"short forms of units", paper.PlaceOfResidence, "KP. 3, P. Lái Thiêu, TP. Thuận An, T. Bình Dương", 0.98, true, false, true},
		{"a hamlet with a Roman number", paper.PlaceOfResidence, "Ấp Thành III, Bến Nghé, Quận 1, Hồ Chí Minh", 0.98, true, false,
			true},
		{"a highland name without its apostrophe", paper.PlaceOfResidence, "Thôn Đạ M Bin, Bến Nghé, Quận 1, Hồ Chí Minh", 0.999, true, true,
			false},
		{"a house's number without its stroke", paper.PlaceOfResidence, "250 29 Lê Lợi, Bến Nghé, Quận 1, Hồ Chí Minh", 0.999, true, true, false},
		{"its district was lost", paper.PlaceOfResidence, "12 Lê Lợi, Bến Nghé, Hồ Chí Minh", 0.98, true, true, false},
		{"address of after July 2025", paper.PlaceOfResidence, "Tổ 18, Xã Văn Quán, Hà Nội", 0.98, true, false, true},
		{"it begins with what is left of a row", paper.PlaceOfOrigin, "óm, Lộc An, Ninh Kiều, Cần Thơ", 0.98, true, true, false},
		{"no province", paper.PlaceOfOrigin, "Bến Nghé, Quận 1, Hồ Chí", 0.99, true, true, false},
		{"a passport's place of birth", paper.PlaceOfBirth, "Vĩnh Long", 0.98, true, false, true},
		{"two engines misread one mark alike, of a street in no list", paper.PlaceOfResidence, "12 Lê Lợi, Bến Nghé, Quận 1, Hồ Chí Minh", 0.9,
			false, true, false},
		{"a listed commune that both engines read with doubt", paper.PlaceOfOrigin, "Đồng Văn, Bình Liêu, Quảng Ninh", 0.6, false, true,
			false},
		{"no such people", paper.Ethnicity, "Kỉnh", 0.99, true, true, false},
	} {
		if got := trusted(c.name, paper.Evidence{Value: c.text, Conf: c.conf, Reread: c.reread, Second: c.second}); got != c.want {
			t.Errorf("%s: %t", c.why, got)
		}
	}
}

// Marks that two networks see alike on every letter need nobody's list, and marks that may as well be others are trusted on nobody's word.
func TestMarksDecide(t *testing.T) {
	for _, c := range []struct {
		name paper.Name
		e    paper.Evidence
		want bool
	}{
		{paper.FullName, paper.Evidence{Value: "LÂM HỔNG THŨY", Conf: 0.6, Marks: paper.MarksSure}, true},
		{paper.FullName, paper.Evidence{Value: "LÂM HỒNG THỦY", Conf: 0.999, Reread: true, Second: true, Marks: paper.MarksOpen}, false},
		{paper.FullName, paper.Evidence{Value: "LÂM HXNG THŨY", Conf: 0.999, Reread: true, Marks: paper.MarksSure}, false},        // no syllable
		{paper.PlaceOfOrigin, paper.Evidence{Value: "Đồng Vàn, Bình Liêu, Quảng Ninh", Conf: 0.9, Marks: paper.MarksSure}, false}, // Đồng Văn
		{paper.PlaceOfOrigin, paper.Evidence{Value: "Đồng Văn, Bình Liêu, Quảng Ninh", Conf: 0.99, Reread: true, Second: true,
			Marks: paper.MarksOpen}, false},
		{paper.PlaceOfResidence, paper.Evidence{Value: "Xóm Nghỉ, Nghỉ Xá, Quận 1, Hồ Chí Minh", Conf: 0.85, Marks: paper.MarksSure}, true},
		{paper.PlaceOfResidence, paper.Evidence{Value: "Xóm Nghỉ, Hồ Chí Minh", Conf: 0.99, Reread: true,
			Marks: paper.MarksSure}, false}, // it lacks parts
	} {
		if got := trusted(c.name, c.e); got != c.want {
			t.Errorf("%s, marks %s: trusted %t", c.e.Value, c.e.Marks, got)
		}
	}
}

// Readings of an address that part it otherwise don't say the same: a comma at a row's end that was not there was once used without a flag.
func TestSamePrint(t *testing.T) {
	const where = ", Thường Kiệt, Bến Nghé, Quận 1, Hồ Chí Minh"
	for _, c := range []struct {
		name        paper.Name
		again, text string
		want        bool
	}{
		{paper.PlaceOfResidence, "Số 44 Lý Thường Kiệt, Bến Nghé, Quận 1, Hồ Chí Minh", "Số 44 Lý" + where, false},
		{paper.PlaceOfResidence, "Số 44 Lý" + where, "Số 44 Lý" + where, true},
		{paper.PlaceOfResidence, "29-11" + where, "29/11" + where, false},
		{paper.PlaceOfOrigin, "Đô Vinh, Phan Rang Tháp Chàm, Ninh Thuận", "Đô Vinh, Phan Rang - Tháp Chàm, Ninh Thuận", true},
		{paper.FullName, "NGUYÊN TRÃI", "NGUYỄN TRÃI", false},
		{paper.FullName, "", "", false},
	} {
		if got := samePrint(c.name, c.again, c.text); got != c.want {
			t.Errorf("%q, %q: %t", c.again, c.text, got)
		}
	}
}

// The back of an identity card of twelve figures looks as the barcode card's does; it belongs to the front that lies beside it.
func TestBackOfATwelveFigureCard(t *testing.T) {
	for number, want := range map[string]int{"020075240439": 1, "024513687": 2} {
		front := &readSide{Kind: paper.CMND, Side: "front", Page: 1, Readings: map[paper.Name][]paper.Evidence{}}
		front.add(paper.Number, paper.Evidence{Value: number, Source: paper.OCR, Conf: 0.99})
		back := &readSide{Kind: paper.CCCD2016, Side: "back", Page: 1, Readings: map[paper.Name][]paper.Evidence{}}
		back.add(paper.DateOfIssue, paper.Evidence{Value: "2015-08-14", Source: paper.OCR, Conf: 0.99})
		docs := assemble([]*readSide{front, back}, time.Now())
		if len(docs) != want {
			t.Errorf("with %d figures there are %d papers, want %d", len(number), len(docs), want)
		} else if want == 1 && (docs[0].Type != paper.CMND || docs[0].Fields[paper.DateOfIssue].Value == "") {
			t.Errorf("one paper, but %v", docs[0])
		}
	}
}

// Of three cards on one glass nothing but its place says whose back without a number is: what it says must be looked at.
func TestBackOfAnUnknownCardIsDoubted(t *testing.T) {
	side := func(kind paper.Kind, side string, values map[paper.Name]string) *readSide {
		f := &readSide{Kind: kind, Side: side, Page: 1, Readings: map[paper.Name][]paper.Evidence{}}
		for n, v := range values {
			f.add(n, paper.Evidence{Value: v, Source: paper.OCR, Conf: 0.99, Reread: true, Second: true})
		}
		return f
	}
	front := func(number string) *readSide {
		return side(paper.CCCD, "front", map[paper.Name]string{paper.Number: number, paper.FullName: "TRẦN THỊ HÀ"})
	}
	back := func() *readSide { return side("", "back", map[paper.Name]string{paper.DateOfIssue: "2022-05-03"}) }
	alone := assemble([]*readSide{front("079192000001"), back()}, time.Now())
	if len(alone) != 1 || alone[0].Fields[paper.DateOfIssue].Review {
		t.Errorf("one card: %v", alone)
	}
	for _, d := range assemble([]*readSide{front("079192000001"), front("001192000002"), back()}, time.Now()) {
		if f, ok := d.Fields[paper.DateOfIssue]; ok && !f.Review {
			t.Errorf("one of two cards: %v", f)
		}
	}
}
