package pdfa

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// namespace is that of the descriptive data, which no standard schema has.
const namespace = "urn:motcua:paper:1.0:"

// xmp is the metadata packet (ISO 16684-1), with the schema of our own properties as PDF/A wants it described.
func (i Info) xmp() []byte {
	part, conformance := string(i.Level[:1]), strings.ToUpper(string(i.Level[1:]))
	date := i.Created.Format(time.RFC3339)
	var b bytes.Buffer
	b.WriteString("<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n" +
		"<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n")
	fmt.Fprintf(&b, "<rdf:Description rdf:about=\"\" "+
		"xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\"><pdfaid:part>%s</pdfaid:part>"+
		"<pdfaid:conformance>%s</pdfaid:conformance></rdf:Description>\n",
		part, conformance)
	fmt.Fprintf(&b, "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:format>application/pdf</dc:format>"+
		"<dc:title><rdf:Alt><rdf:li "+
		"xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:title>"+
		"<dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language></rdf:Description>\n", escaped(i.Title), escaped(i.Language))
	fmt.Fprintf(&b, "<rdf:Description rdf:about=\"\" "+
		"xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"><xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%s</xmp:ModifyDate>"+
		"<xmp:MetadataDate>%s</xmp:MetadataDate><xmp:CreatorTool>%s</xmp:CreatorTool></rdf:Description>\n", date, date, date, escaped(i.Tool))
	fmt.Fprintf(&b, "<rdf:Description rdf:about=\"\" "+
		"xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\"><pdf:Producer>%s</pdf:Producer></rdf:Description>\n", escaped(i.Tool))
	i.Descriptive.xmp(&b)
	b.WriteString("</rdf:RDF>\n</x:xmpmeta>\n")
	b.WriteString(strings.Repeat(strings.Repeat(" ", 99)+"\n", 2)) // room for programs that add to it in place
	b.WriteString("<?xpacket end=\"w\"?>")
	return b.Bytes()
}

// xmp adds the descriptive data and the description of its schema; nothing where there is none.
func (d Descriptive) xmp(b *bytes.Buffer) {
	rows := []struct{ name, value, kind, says string }{
		{"kind", d.Kind, "Text", "Kind of paper / Loai giay to"},
		{"number", d.Number, "Text", "Number of the paper / So"},
		{"issued", d.Issued, "Date", "Day of issue / Ngay cap"},
		{"holder", d.Holder, "Text", "Whose paper it is / Ho ten"},
	}
	var values, schema strings.Builder
	for _, r := range rows {
		if r.value == "" {
			continue
		}
		fmt.Fprintf(&values, "<motcua:%s>%s</motcua:%s>", r.name, escaped(r.value), r.name)
		fmt.Fprintf(&schema, "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>%s</pdfaProperty:name>"+
			"<pdfaProperty:valueType>%s</pdfaProperty:valueType>"+
			"<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>%s</pdfaProperty:description></rdf:li>", r.name,
			r.kind, r.says)
	}
	if values.Len() == 0 {
		return
	}
	fmt.Fprintf(b, "<rdf:Description rdf:about=\"\" xmlns:motcua=%q>%s</rdf:Description>\n", namespace, values.String())
	fmt.Fprintf(b, "<rdf:Description rdf:about=\"\" xmlns:pdfaExtension=\"http://www.aiim.org/pdfa/ns/extension/\" "+
		"xmlns:pdfaSchema=\"http://www.aiim.org/pdfa/ns/schema#\" xmlns:pdfaProperty=\"http://www.aiim.org/pdfa/ns/property#\">"+
		"<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType=\"Resource\"><pdfaSchema:schema>Descriptive data of a digitised "+
		"paper</pdfaSchema:schema><pdfaSchema:namespaceURI>%s</pdfaSchema:namespaceURI>"+
		"<pdfaSchema:prefix>motcua</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>%s</rdf:Seq></pdfaSchema:property>"+
		"</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>\n", namespace, schema.String())
}

// dictionary is the document information, which says the same as the packet.
func (i Info) dictionary() string {
	_, offset := i.Created.Zone()
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	date := fmt.Sprintf("(D:%s%c%02d'%02d')", i.Created.Format("20060102150405"), sign, offset/3600, offset/60%60)
	return fmt.Sprintf("<< /Title %s /Creator %s /Producer %s /CreationDate %s /ModDate %s >>", text(i.Title), text(i.Tool), text(i.Tool),
		date, date)
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(norm.NFC.String(s))) // a bytes.Buffer takes everything
	return b.String()
}
