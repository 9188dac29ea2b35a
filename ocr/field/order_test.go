package field

import (
	"image"
	"slices"
	"strings"
	"testing"

	"motcua/ocr/lines"
)

// setIn lays text line by line from x, y on, letters ten wide and words eight apart, lines forty high.
func setIn(x, y int, rows ...string) []lines.Word {
	var out []lines.Word
	for i, l := range rows {
		at := x
		for _, w := range strings.Fields(l) {
			width := 10 * len([]rune(w))
			out = append(out, lines.Word{Text: w, Box: image.Rect(at, y+40*i, at+width, y+40*i+26), Line: y/40 + i})
			at += width + 8
		}
	}
	return out
}

func ordered(words []lines.Word) string {
	var rows []string
	for _, r := range InOrder(words) {
		rows = append(rows, r.Text())
	}
	return strings.Join(rows, " ")
}

func TestInOrder(t *testing.T) {
	left := []string{"mot hai ba bon nam sau", "bay tam chin muoi xuong", "len trong ngoai tren duoi", "truoc sau giua ben canh",
		"gan xa cao thap rong"}
	right := []string{"rung nui song bien troi", "mua nang gio bao lut", "cay la hoa qua canh", "chim ca trau bo ngua",
		"nha cua duong pho cho"}
	heading, foot := "tieu de cua ca trang nay rat dai va rong khong ngat", "dong cuoi trang chay dai qua ca hai cot cho den het"
	numbers, years := setIn(0, 0, "STT", "1", "2", "3", "4", "5"), setIn(500, 0, "Nam sinh", "1950", "1971", "1982", "1990", "2001")
	names := setIn(100, 0, "Ho ten", "Le An", "Vu Ba", "Ly Ty", "Do Mai", "Ho Sa")
	form := append(setIn(0, 0, "Ho va ten:", "Sinh ngay:", "Dan toc:"),
		setIn(400, 0, "Gioi tinh: Nu", "Quoc tich: Viet Nam", "Ton giao: Khong")...)
	columns := append(setIn(0, 100, left...), setIn(340, 110, right...)...)
	text := strings.Join(append(append([]string{}, left...), right...), " ")
	for name, c := range map[string]struct {
		words []lines.Word
		want  string
	}{
		"columns_one_after_the_other": {columns, text},
		"heading_and_foot_across":     {slices.Concat(setIn(60, 0, heading), columns, setIn(0, 400, foot)), heading + " " + text + " " + foot},
		"table_row_by_row": {slices.Concat(numbers, names, years),
			"STT Ho ten Nam sinh 1 Le An 1950 2 Vu Ba 1971 3 Ly Ty 1982 4 Do Mai 1990 5 Ho Sa 2001"},
		"form_across": {form,
			"Ho va ten: Gioi tinh: Nu Sinh ngay: Quoc tich: Viet Nam Dan toc: Ton giao: Khong"},
		"nothing": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ordered(c.words); got != c.want {
				t.Errorf("read\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Whatever the words, all of them are read, once each.
func TestInOrderLosesNothing(t *testing.T) {
	for n := range 60 {
		words := append(setIn(n*7%90, 0, strings.Repeat("a bc def ", 1+n%5), "x y z", strings.Repeat("gh ijk ", n%7)),
			setIn(200+n*5, n, "k l m", "n o", "p q r s", "t u v", "w x y")...)
		seen := 0
		for _, r := range InOrder(words) {
			seen += len(r.Words)
		}
		if seen != len(words) {
			t.Fatalf("of %d words %d are read", len(words), seen)
		}
	}
}
