package qr

import (
	"regexp"
	"strings"
)

// separatorHead begins the text of the symbol on a sheet that separates the papers of two submissions in a stack.
const separatorHead = "motcua:separator:"

// procedureCode is a procedure's code as the national database writes it ("2.000815"), or one of a province's own.
var procedureCode = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$`)

// SeparatorText is what the symbol on a separator sheet says; an empty procedure names none.
func SeparatorText(procedure string) string { return separatorHead + procedure }

// Separator tells whether a symbol's text is a separator sheet's, and which procedure it names; "" where it names none.
func Separator(text string) (procedure string, ok bool) {
	procedure, ok = strings.CutPrefix(text, separatorHead)
	if !ok || procedure != "" && !procedureCode.MatchString(procedure) {
		return "", false
	}
	return procedure, true
}
