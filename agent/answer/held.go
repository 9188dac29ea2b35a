package answer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Held lists, by their first submissions, the dossiers of which a kiosk's store in dir keeps an answer, and a result. It needs no
// key and no open store: for who must tell what was on a kiosk.
func Held(dir string) (answers, results []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list answers: %w", err)
	}
	for _, e := range entries {
		if id, ok := strings.CutPrefix(e.Name(), recordPrefix); ok {
			answers = append(answers, id)
		}
		if id, ok := strings.CutPrefix(e.Name(), resultPrefix); ok {
			results = append(results, id)
		}
	}
	slices.Sort(answers)
	slices.Sort(results)
	return answers, results, nil
}
