package daemon

import (
	"fmt"
	"os"
	"strings"
)

// Secret reads a one-line secret from a file; "" names none.
func Secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("read secret: %s must hold one line", file)
	}
	return text, nil
}
