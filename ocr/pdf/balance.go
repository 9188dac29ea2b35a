package pdf

import (
	"bytes"
	"strings"
)

// Balance gives what has to stand before and behind a page's content so that what is drawn after it begins with the page's first state:
// a page may leave states and text objects open, and close more than it opened.
func Balance(content []byte) (before, behind string) {
	depth, least, text := 0, 0, false
	for word := range operators(content) {
		switch word {
		case "q":
			depth++
		case "Q":
			depth--
			least = min(least, depth)
		case "BT":
			text = true
		case "ET":
			text = false
		}
	}
	before = strings.Repeat("q ", 1-least) + "\n"
	behind = "\n" + strings.Repeat("Q ", 1-least+depth)
	if text {
		behind = "\nET" + behind
	}
	return before, behind
}

// operators gives the words of a content stream that are neither in a string, nor a name, nor in an inline image (ISO 32000-1, 7.2 and
// 8.9.7).
func operators(content []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 0; i < len(content); {
			switch c := content[i]; {
			case c == '%':
				i += until(content[i:], "\r\n")
			case c == '(':
				i += afterText(content[i:])
			case bytes.HasPrefix(content[i:], []byte("<<")):
				i += 2
			case c == '<':
				i += until(content[i:], ">")
			case bytes.IndexByte(delimiters, c) >= 0:
				i++
				if c == '/' {
					i += until(content[i:], string(delimiters))
				}
			default:
				n := until(content[i:], string(delimiters))
				word := string(content[i : i+n])
				if i += n; word == "ID" {
					i += afterImage(content[i:])
				}
				if !yield(word) {
					return
				}
			}
		}
	}
}

// delimiters end a word: white space, and the signs that begin something else.
var delimiters = []byte("\x00\t\n\f\r ()<>[]{}/%")

// until is how far the first of some signs is, or the end.
func until(content []byte, signs string) int {
	if n := bytes.IndexAny(content, signs); n >= 0 {
		return n
	}
	return len(content)
}

// afterText is how long a string in parentheses is.
func afterText(content []byte) int {
	open := 0
	for i := 0; i < len(content); i++ {
		switch content[i] {
		case '\\':
			i++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return i + 1
			}
		}
	}
	return len(content)
}

// afterImage is how long the data of an inline image is, up to its EI.
func afterImage(content []byte) int {
	const space = "\x00\t\n\f\r "
	for i := 0; ; {
		n := bytes.Index(content[i:], []byte("EI"))
		if n < 0 {
			return len(content)
		}
		i += n
		if i > 0 && strings.IndexByte(space, content[i-1]) >= 0 && (i+2 == len(content) || strings.IndexByte(space, content[i+2]) >= 0) {
			return i
		}
		i += 2
	}
}
