package report

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusanscondensedbold"
)

// PDF writes the report on A4: the totals, a bar chart of the days, the summaries and every row. made is
// the time printed at its foot; note is printed beside it (the head of the audit log, so that a printed
// report proves later that the log's end was not cut off).
func (r Report) PDF(w io.Writer, office, note string, made time.Time) error {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCreationDate(made)
	doc.SetModificationDate(made)
	doc.AddUTF8FontFromBytes("sans", "", dejavusanscondensed.TTF)
	doc.AddUTF8FontFromBytes("sans", "B", dejavusanscondensedbold.TTF)
	doc.SetTitle("Báo cáo tiếp nhận hồ sơ "+r.From+" – "+r.To, true)
	doc.SetMargins(18, 18, 18)
	doc.SetAutoPageBreak(true, 20)
	doc.AliasNbPages("{pages}")
	doc.SetFooterFunc(func() {
		doc.SetY(-14)
		doc.SetFont("sans", "", 7)
		doc.SetTextColor(90, 90, 90)
		doc.CellFormat(0, 4, "Lập lúc "+made.Format("15:04 02/01/2006")+"   "+note, "", 0, "L", false, 0, "")
		doc.SetX(-40)
		doc.CellFormat(0, 4, fmt.Sprintf("%d/{pages}", doc.PageNo()), "", 0, "R", false, 0, "")
	})
	doc.AddPage()
	page := pdfPage{doc, 210 - 36}
	page.heading(office, r)
	page.totals(r.Total)
	page.days(r.Days())
	page.shares("Theo thủ tục", r.By(ByProcedure))
	page.shares("Theo mức độ dịch vụ", r.By(ByLevel))
	page.shares("Theo kênh", r.By(ByChannel))
	if len(r.Ways) > 0 {
		page.shares("Giấy tờ không nộp bản quét", r.Ways)
	}
	if len(r.Addresses) > 0 {
		page.shares("Địa chỉ theo đơn vị hành chính cũ", r.Addresses)
	}
	page.answers(r)
	page.rows(r.Rows)
	if err := doc.Output(w); err != nil {
		return fmt.Errorf("write report as PDF: %w", err)
	}
	return nil
}

type pdfPage struct {
	*fpdf.Fpdf
	width float64 // mm between the margins
}

func (p pdfPage) heading(office string, r Report) {
	p.SetTextColor(20, 30, 40)
	p.SetFont("sans", "B", 17)
	p.CellFormat(0, 9, "Báo cáo tiếp nhận hồ sơ", "", 1, "L", false, 0, "")
	p.SetFont("sans", "", 10)
	line := "Từ " + vietnamese(r.From) + " đến " + vietnamese(r.To)
	if office != "" {
		line = office + " · " + line
	}
	p.CellFormat(0, 6, line, "", 1, "L", false, 0, "")
	p.Ln(4)
}

func (p pdfPage) totals(t Row) {
	p.SetFillColor(238, 242, 246)
	each := p.width / 4
	for _, c := range []struct {
		label string
		n     int
	}{{"Tiếp nhận", t.Accepted}, {"Đã gửi", t.Delivered}, {"Đang chờ", t.Waiting}, {"Bị giữ", t.Held}} {
		x, y := p.GetXY()
		p.Rect(x, y, each-3, 18, "F")
		p.SetFont("sans", "B", 18)
		p.SetXY(x+3, y+2)
		p.CellFormat(each-6, 8, strconv.Itoa(c.n), "", 0, "L", false, 0, "")
		p.SetFont("sans", "", 9)
		p.SetXY(x+3, y+11)
		p.CellFormat(each-6, 5, c.label, "", 0, "L", false, 0, "")
		p.SetXY(x+each, y)
	}
	p.Ln(24)
}

// days draws one bar a day.
func (p pdfPage) days(days []Share) {
	if len(days) < 2 {
		return
	}
	p.title("Theo ngày")
	const height = 34.0
	most := 1
	for _, d := range days {
		most = max(most, d.Count)
	}
	left, top := p.GetXY()
	step := p.width / float64(len(days))
	p.SetFillColor(0, 82, 136)
	p.SetDrawColor(140, 150, 160)
	p.SetFont("sans", "", 7)
	every := (len(days) + 14) / 15 // at most 15 labels fit
	for i, d := range days {
		bar := height * float64(d.Count) / float64(most)
		x := left + float64(i)*step
		if bar > 0 {
			p.Rect(x+step*0.15, top+height-bar, step*0.7, bar, "F")
		}
		if i%every == 0 {
			p.SetXY(x-4, top+height+1)
			p.CellFormat(step+8, 4, d.Label[8:]+"/"+d.Label[5:7], "", 0, "C", false, 0, "")
		}
	}
	p.Line(left, top+height, left+p.width, top+height)
	p.SetXY(left, top-5)
	p.CellFormat(p.width, 4, "cao nhất: "+strconv.Itoa(most), "", 0, "R", false, 0, "")
	p.SetXY(left, top+height+9)
}

// answers tells week by week what the office answered.
func (p pdfPage) answers(r Report) {
	if r.Answers.Answered == 0 {
		return
	}
	p.title("Trả lời của cơ quan theo tuần")
	cells := func(style string, texts ...string) {
		p.SetFont("sans", style, 9)
		for i, text := range texts {
			width, align := 22.0, "R"
			if i == 0 {
				width, align = p.width-float64(len(texts)-1)*22, "L"
			}
			p.CellFormat(width, 5, text, "", 0, align, false, 0, "")
		}
		p.Ln(5)
	}
	cells("B", "Tuần", "Tiếp nhận", "Đã trả lời", "Bổ sung", "Đã xong", "Từ chối", "Giờ (giữa)")
	line := func(name string, accepted int, a Answers) {
		cells("", name, strconv.Itoa(accepted), strconv.Itoa(a.Answered), strconv.Itoa(a.NeedsMore), strconv.Itoa(a.Done),
			strconv.Itoa(a.Refused), a.Took())
	}
	for _, w := range r.Weeks() {
		line(w.Days(), w.Accepted, w.Answers)
	}
	line("Tổng", r.Total.Accepted, r.Answers)
	p.Ln(4)
}

func (p pdfPage) title(text string) {
	p.SetTextColor(20, 30, 40)
	p.SetFont("sans", "B", 11)
	p.CellFormat(0, 8, text, "", 1, "L", false, 0, "")
}

// shares draws a line a label with a bar and its count.
func (p pdfPage) shares(head string, shares []Share) {
	if len(shares) == 0 {
		return
	}
	p.title(head)
	const label, count = 92.0, 14.0
	room := p.width - label - count
	most := 1
	for _, s := range shares {
		most = max(most, s.Count)
	}
	p.SetFillColor(0, 82, 136)
	p.SetFont("sans", "", 9)
	for _, s := range shares {
		p.CellFormat(label, 6, p.fit(s.Label, label-2), "", 0, "L", false, 0, "")
		x, y := p.GetXY()
		p.Rect(x, y+1, max(0.4, room*float64(s.Count)/float64(most)), 4, "F")
		p.SetX(x + room)
		p.CellFormat(count, 6, strconv.Itoa(s.Count), "", 1, "R", false, 0, "")
	}
	p.Ln(3)
}

func (p pdfPage) rows(rows []Row) {
	if len(rows) == 0 {
		p.SetFont("sans", "", 10)
		p.CellFormat(0, 8, "Không có hồ sơ nào trong thời gian này.", "", 1, "L", false, 0, "")
		return
	}
	p.title("Chi tiết")
	widths := []float64{20, 26, 66, 30, 0, 0}
	widths[4] = (p.width - 142) / 2
	widths[5] = widths[4]
	head := func() {
		p.SetFont("sans", "B", 8)
		for i, h := range []string{"Ngày", "Phường/xã", "Thủ tục", "Mức độ", "Tiếp nhận", "Đã gửi"} {
			align := "L"
			if i > 3 {
				align = "R"
			}
			p.CellFormat(widths[i], 6, h, "B", 0, align, false, 0, "")
		}
		p.Ln(6)
		p.SetFont("sans", "", 8)
	}
	head()
	_, bottom := p.GetPageSize()
	for _, r := range rows {
		if p.GetY() > bottom-27 {
			p.AddPage()
			head()
		}
		for i, cell := range []string{vietnamese(r.Day), r.Ward, r.Procedure + " " + r.Name, levelName(r),
			strconv.Itoa(r.Accepted), strconv.Itoa(r.Delivered)} {
			align := "L"
			if i > 3 {
				align = "R"
			}
			p.CellFormat(widths[i], 5.5, p.fit(cell, widths[i]-2), "", 0, align, false, 0, "")
		}
		p.Ln(5.5)
	}
}

// fit shortens a text to a width in mm.
func (p pdfPage) fit(text string, width float64) string {
	if p.GetStringWidth(text) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && p.GetStringWidth(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// vietnamese writes a day as people there do.
func vietnamese(day string) string {
	t, err := time.Parse(DayForm, day)
	if err != nil {
		return day
	}
	return t.Format("02/01/2006")
}
