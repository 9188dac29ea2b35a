package form

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// The DOCX is written by hand: the few parts of ECMA-376 that a form needs, in the units it uses: twentieths
// of a point (twips) for lengths, half points for letters.
const (
	twipsPerPoint = 20
	twipsPerMM    = 1440 / 25.4
)

// DOCX writes the form to be edited. The same sheet gives the same bytes.
func (s Sheet) DOCX() ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", contentTypes},
		{"_rels/.rels", packageRelations},
		{"docProps/core.xml", s.properties()},
		{"word/_rels/document.xml.rels", documentRelations},
		{"word/styles.xml", docxStyles},
		{"word/document.xml", s.document()},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: s.Made.UTC()})
		if err == nil {
			_, err = w.Write([]byte(part.text))
		}
		if err != nil {
			return nil, fmt.Errorf("write form as DOCX: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("write form as DOCX: %w", err)
	}
	return out.Bytes(), nil
}

const (
	xmlHead      = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	contentTypes = xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/word/document.xml" ` +
		`ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>` +
		`<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>` +
		`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`
	relations        = xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	packageRelations = relations +
		`<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" ` +
		`Target="word/document.xml"/>` +
		`<Relationship Id="r2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" ` +
		`Target="docProps/core.xml"/></Relationships>`
	documentRelations = relations +
		`<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" ` +
		`Target="styles.xml"/></Relationships>`
	wordSpace  = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"`
	docxStyles = xmlHead + `<w:styles ` + wordSpace + `><w:docDefaults><w:rPrDefault><w:rPr>` +
		`<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="Times New Roman" w:cs="Times New Roman"/>` +
		`<w:sz w:val="26"/><w:lang w:val="vi-VN"/></w:rPr></w:rPrDefault>` +
		`<w:pPrDefault><w:pPr><w:spacing w:before="0" w:after="0"/></w:pPr></w:pPrDefault></w:docDefaults></w:styles>`
)

func (s Sheet) properties() string {
	made := s.Made.UTC().Format(time.RFC3339)
	return xmlHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
		`<dc:title>` + escaped(s.Title) + `</dc:title><dc:subject>` + escaped(s.Subject) + `</dc:subject><dc:language>vi-VN</dc:language>` +
		`<dcterms:created xsi:type="dcterms:W3CDTF">` + made + `</dcterms:created></cp:coreProperties>`
}

func (s Sheet) document() string {
	var b strings.Builder
	b.WriteString(xmlHead + `<w:document ` + wordSpace + `><w:body>`)
	for _, block := range s.Blocks {
		switch block := block.(type) {
		case Paragraph:
			writeParagraph(&b, block, textWidth)
		case Table:
			// Room above; without a paragraph between them two tables in a row would be one.
			writeParagraph(&b, Paragraph{Size: 1, Before: max(block.Before-1, 0)}, textWidth)
			writeTable(&b, block)
		}
	}
	fmt.Fprintf(&b, `<w:sectPr><w:pgSz w:w="%d" w:h="%d"/>`+
		`<w:pgMar w:top="%d" w:right="%d" w:bottom="%d" w:left="%d" w:header="0" w:footer="0" w:gutter="0"/></w:sectPr></w:body></w:document>`,
		twips(pageWidth), twips(pageHeight), twips(marginTop), twips(marginRight), twips(marginBottom), twips(marginLeft))
	return b.String()
}

func twips(mm float64) int { return int(mm*twipsPerMM + 0.5) }

// writeParagraph writes lines in a column of width mm; dots that end a line run to its right edge.
func writeParagraph(b *strings.Builder, p Paragraph, width float64) {
	b.WriteString(`<w:p><w:pPr>`)
	if p.Keep {
		b.WriteString(`<w:keepNext/><w:keepLines/>`)
	}
	last := len(p.Runs) - 1
	if last >= 0 && p.Runs[last].Gap && p.Align == Left {
		fmt.Fprintf(b, `<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="%d"/></w:tabs>`, twips(width))
	}
	fmt.Fprintf(b, `<w:spacing w:before="%d" w:after="0"/>`, int(p.Before*twipsPerPoint))
	if p.Align != Left {
		fmt.Fprintf(b, `<w:jc w:val="%s"/>`, p.Align)
	}
	fmt.Fprintf(b, `<w:rPr><w:sz w:val="%d"/></w:rPr></w:pPr>`, int(p.Size*2))
	for i, r := range p.Runs {
		switch {
		case r.Gap && i == last && p.Align == Left:
			writeRun(b, r, p.Size, serif, `<w:tab/>`)
		case r.Gap:
			writeRun(b, r, p.Size, serif, text(strings.Repeat(".", shortGap)))
		default:
			for _, one := range families(r.Text) {
				writeRun(b, r, p.Size, one.family, text(one.text))
			}
		}
	}
	b.WriteString(`</w:p>`)
}

func writeRun(b *strings.Builder, r Run, size float64, family, content string) {
	b.WriteString(`<w:r><w:rPr>`)
	if family == symbols {
		b.WriteString(`<w:rFonts w:ascii="Segoe UI Symbol" w:hAnsi="Segoe UI Symbol" w:cs="Segoe UI Symbol"/>`)
	}
	if r.Bold {
		b.WriteString(`<w:b/>`)
	}
	if r.Italic {
		b.WriteString(`<w:i/>`)
	}
	fmt.Fprintf(b, `<w:sz w:val="%d"/></w:rPr>%s</w:r>`, int(size*2), content)
}

func text(s string) string { return `<w:t xml:space="preserve">` + escaped(s) + `</w:t>` }

// families divides text by font, as pieces does, but leaves its words together and its letters as they are:
// a word processor finds another font for what this one lacks.
func families(s string) []piece {
	var out []piece
	for _, r := range s {
		family := serif
		if strings.ContainsRune(Ticked+Unticked, r) {
			family = symbols
		}
		if n := len(out); n > 0 && out[n-1].family == family {
			out[n-1].text += string(r)
			continue
		}
		out = append(out, piece{string(r), family})
	}
	return out
}

func writeTable(b *strings.Builder, t Table) {
	b.WriteString(`<w:tbl><w:tblPr>`)
	fmt.Fprintf(b, `<w:tblW w:w="%d" w:type="dxa"/><w:tblLayout w:type="fixed"/>`+
		`<w:tblCellMar><w:left w:w="%[2]d" w:type="dxa"/><w:right w:w="%[2]d" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid>`,
		twips(textWidth), twips(cellPad))
	for _, w := range t.Widths {
		fmt.Fprintf(b, `<w:gridCol w:w="%d"/>`, twips(w*textWidth))
	}
	b.WriteString(`</w:tblGrid>`)
	for _, row := range t.Rows {
		b.WriteString(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
		for i, c := range row {
			fmt.Fprintf(b, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/>`, twips(t.Widths[i]*textWidth))
			if c.Border {
				b.WriteString(`<w:tcBorders>`)
				for _, side := range []string{"top", "left", "bottom", "right"} {
					fmt.Fprintf(b, `<w:%s w:val="single" w:sz="4" w:space="0" w:color="000000"/>`, side)
				}
				b.WriteString(`</w:tcBorders>`)
			}
			b.WriteString(`</w:tcPr>`)
			for _, p := range c.Paragraphs {
				writeParagraph(b, p, t.Widths[i]*textWidth-2*cellPad)
			}
			if len(c.Paragraphs) == 0 {
				writeParagraph(b, Paragraph{Size: textSize}, 0)
			}
			b.WriteString(`</w:tc>`)
		}
		b.WriteString(`</w:tr>`)
	}
	b.WriteString(`</w:tbl>`)
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
