package person

import (
	"fmt"
	"io"
	"strings"
	"time"

	"motcua/queue"
)

// states are the states of a submission in the words of who it is about.
var states = map[queue.State]string{
	queue.Queued: "đang chờ gửi", queue.Sending: "đang gửi", queue.Held: "đang giữ lại, chờ cán bộ xem",
	queue.Delivered: "đã gửi đến cơ quan", queue.Acknowledged: "cơ quan đã nhận",
}

// Explain writes what was found as a text for the person: what is kept, what for, who has it, and how the rights are used.
func Explain(w io.Writer, ward string, made time.Time, f Found) error {
	office := ward
	if office == "" {
		office = "cơ quan tiếp nhận"
	}
	var err error
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	say("DỮ LIỆU CÁ NHÂN MÀ MÁY TIẾP NHẬN HỒ SƠ ĐANG GIỮ")
	say("%s, %s", office, made.Local().Format("15:04 02/01/2006"))
	say("")
	for _, r := range f.Records {
		name := r.Name
		if name == "" {
			name = "Thủ tục " + r.Procedure
		}
		say("Hồ sơ %s: %s", r.Code, name)
		say("  Nhận lúc %s, %s.", r.Accepted.Local().Format("15:04 02/01/2006"), states[r.State])
		if r.Purpose != "" {
			say("  Đã đồng ý lúc %s với mục đích:", r.Agreed.Local().Format("15:04 02/01/2006"))
			say("    %s", strings.Join(strings.Fields(r.Purpose), " "))
		}
		switch r.NoContent {
		case "wiped":
			say("  Nội dung đã xóa khỏi máy này sau khi gửi. Bản đã gửi ở %s.", office)
		case "sealed-to-office":
			say("  Nội dung đã khóa, chỉ %s mở được.", office)
		case "unreadable":
			say("  Máy không đọc được nội dung. Hãy hỏi %s.", office)
		}
		if r.Answered {
			say("  Máy còn giữ câu trả lời của cơ quan cho hồ sơ này: xem tại máy, bằng mã hồ sơ và năm sinh.")
		}
		for _, v := range r.Values {
			if v.Value == "" {
				continue
			}
			say("  - %s: %s", v.Label, strings.ReplaceAll(v.Value, "\n", "\n      "))
		}
		if r.Others > 0 {
			say("  Hồ sơ còn %d mục khác, về việc cần làm hoặc về người khác.", r.Others)
		}
		say("")
	}
	if len(f.Records) == 0 {
		say("Không tìm thấy hồ sơ nào nêu tên ông/bà trong những hồ sơ máy này mở được.")
		say("")
	}
	say("Máy đã xem %d hồ sơ. %d hồ sơ chỉ cơ quan mở được. %d hồ sơ đã xóa nội dung sau khi gửi.", f.Looked, f.Sealed, f.Wiped)
	if f.Unreadable > 0 {
		say("%d hồ sơ máy không đọc được.", f.Unreadable)
	}
	say("Những gì đã gửi đi nằm ở %s: muốn xem, sửa, xóa hoặc rút lại đồng ý, ông/bà hãy hỏi tại quầy.", office)
	say("Nhật ký của máy chỉ ghi mã hồ sơ, giờ và việc, không ghi họ tên hay số giấy tờ.")
	return err
}
