package scan

import "bytes"

// Sniff tells what a scanned file is by its first bytes, since devices and programs label PDF as JPEG and
// the other way round, and by its last kilobyte whether it goes to its end. An empty type is a file that
// is no page. ocr/page tells more kinds and opens them; no driver imports that room, and whether a file is whole is this one's question.
func Sniff(head, tail []byte) (mediaType string, whole bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return "image/jpeg", bytes.Contains(tail, []byte("\xff\xd9")) // some pad behind it
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return "application/pdf", bytes.Contains(tail, []byte("%%EOF"))
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png", bytes.Contains(tail, []byte("IEND"))
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return "image/tiff", true
	}
	return "", false
}

// SniffAll is Sniff for a file that is at hand as a whole.
func SniffAll(data []byte) (mediaType string, whole bool) {
	return Sniff(data, data[max(0, len(data)-1024):])
}
