package field

import (
	"motcua/ocr/fields"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
)

// FromRows takes a value from a second reading of its rows, as the first was taken.
func FromRows(n paper.Name, rows [][]lines.Word) (string, float64, bool) {
	f := reader(n)
	if f == nil {
		return "", 0, false
	}
	if fields.TypeOf(n) == fields.PersonName { // on forms in title case
		f = func(p []piece) (Value, bool) { return personName(p, true) }
	}
	var p []piece
	for i, r := range rows {
		for _, w := range r {
			p = append(p, piece{w.Text, w.Box, w.Conf, w.Low, i})
		}
	}
	v, ok := f(p)
	return v.Text, v.Conf, ok
}

// Tidied is an address as it would be given if it had been read so the first time.
func Tidied(n paper.Name, text string) string {
	v := Value{Text: text, Conf: 1, Low: 1}
	tidyPlace(n, &v)
	return v.Text
}
