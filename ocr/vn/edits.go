package vn

// Edits is how many letters must be added, dropped or exchanged for a to become b (Levenshtein). Give it []rune for text with tones,
// []byte for plain capitals.
func Edits[T comparable](a, b []T) int {
	row := make([]int, len(b)+1) // of the letters of b, for as many letters of a as were looked at
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			change := diagonal
			if x != y {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
