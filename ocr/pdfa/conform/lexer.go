package conform

import (
	"bytes"
	"slices"
)

// lexer takes a content stream apart.
type lexer struct {
	data   []byte
	at     int
	inline []byte // dictionary of the latest inline image
}

func blank(b byte) bool {
	return b == ' ' || b == '\n' || b == '\r' || b == '\t' || b == '\f' || b == 0
}

func delimiter(b byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), b) >= 0 }

// next gives a token, and whether it is an operand.
func (l *lexer) next() (token []byte, operand, ok bool) {
	if l.skip(); l.at >= len(l.data) {
		return nil, false, false
	}
	start := l.at
	switch b := l.data[l.at]; {
	case b == '(':
		l.literal()
		return l.data[start:l.at], true, true
	case b == '[' || b == ']' || b == '<' || b == '>' || b == '{' || b == '}' || b == ')':
		l.bracket(b)
		return l.data[start:l.at], true, true
	}
	l.at++
	for l.at < len(l.data) && !blank(l.data[l.at]) && !delimiter(l.data[l.at]) {
		l.at++
	}
	token = l.data[start:l.at]
	if value(token) {
		return token, true, true
	}
	if string(token) == "BI" {
		l.image()
		return []byte("EI"), false, true
	}
	return token, false, true
}

// bracket passes a bracket, and what is written in digits after it.
func (l *lexer) bracket(b byte) {
	l.at++
	if next := l.at < len(l.data) && l.data[l.at] == b; next && (b == '<' || b == '>') { // a dictionary's
		l.at++
	} else if b == '<' {
		for l.at < len(l.data) && l.data[l.at] != '>' {
			l.at++
		}
	}
}

// skip goes over blanks and comments.
func (l *lexer) skip() {
	for l.at < len(l.data) && (blank(l.data[l.at]) || l.data[l.at] == '%') {
		if l.data[l.at] == '%' {
			for l.at < len(l.data) && !eol(l.data[l.at]) {
				l.at++
			}
			continue
		}
		l.at++
	}
}

// value says whether a word is an operand: a name, a number or one of the three words for values.
func value(token []byte) bool {
	switch c := token[0]; c {
	case '/', '+', '-', '.':
		return true
	default:
		return c >= '0' && c <= '9' || slices.Contains([]string{"true", "false", "null"}, string(token))
	}
}

// literal passes a string in brackets.
func (l *lexer) literal() {
	depth := 0
	for ; l.at < len(l.data); l.at++ {
		switch l.data[l.at] {
		case '\\':
			l.at++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.at++
				return
			}
		}
	}
}

// image passes an inline image.
func (l *lexer) image() {
	id := bytes.Index(l.data[l.at:], []byte("ID"))
	if id < 0 {
		l.at = len(l.data)
		return
	}
	l.inline = l.data[l.at : l.at+id]
	for at := l.at + id + 2; at+2 <= len(l.data); at++ {
		if string(l.data[at:at+2]) == "EI" && blank(l.data[at-1]) && (at+2 == len(l.data) || blank(l.data[at+2])) {
			l.at = at + 2
			return
		}
	}
	l.at = len(l.data)
}
