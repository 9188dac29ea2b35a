package answer

import (
	"slices"

	"motcua/agent/procedure"
)

// Words is a sentence in both languages.
type Words = procedure.Text

func say(vi, en string) Words { return Words{VI: vi, EN: en} }

// Reason is one that an officer chooses from the list: what a citizen is told, and what to bring.
type Reason struct {
	Code  string
	For   []State // where it may be chosen
	Words Words
	Bring Words // what helps; empty where nothing does
}

// Listed are the reasons to choose from, in the order of the list.
var Listed = []Reason{
	{"paper-missing", []State{NeedsMore},
		say("Hồ sơ còn thiếu giấy tờ.", "A paper is missing."),
		say("Mang giấy tờ ghi ở dưới đến bất kỳ máy nào của nơi đã nộp và quét thêm.",
			"Bring the paper named below to any kiosk of this office and scan it.")},
	{"unreadable", []State{NeedsMore},
		say("Có trang quét mờ hoặc mất góc, không đọc được.", "A page is blurred or cut off and can't be read."),
		say("Mang lại bản giấy để quét lại.", "Bring the paper again to scan it once more.")},
	{"side-missing", []State{NeedsMore},
		say("Thẻ mới quét một mặt.", "Only one side of the card was scanned."),
		say("Mang thẻ đến quét mặt còn lại.", "Bring the card to scan its other side.")},
	{"paper-expired", []State{NeedsMore, Refused},
		say("Giấy tờ đã hết hạn.", "A paper is no longer valid."),
		say("Mang giấy tờ còn hạn.", "Bring a valid one.")},
	{"value-differs", []State{NeedsMore},
		say("Thông tin trong tờ khai khác với giấy tờ.", "The form says other than the papers."),
		say("Mang bản gốc của giấy tờ để đối chiếu.", "Bring the original papers to compare.")},
	{"original-needed", []State{NeedsMore},
		say("Cần xem bản gốc.", "The original has to be seen."),
		say("Mang bản gốc đến quầy một cửa.", "Bring the original to the counter.")},
	{"present-in-person", []State{NeedsMore, Eligible},
		say("Ông/bà cần có mặt để ký.", "You have to come and sign."),
		say("Mang theo thẻ căn cước.", "Bring your identity card.")},
	{"fee-unpaid", []State{NeedsMore},
		say("Chưa nhận được lệ phí.", "The fee was not received."),
		say("Mang giấy hẹn này đến nộp lệ phí tại quầy.", "Bring this receipt and pay at the counter.")},
	{"other-office", []State{Refused},
		say("Việc này thuộc thẩm quyền của cơ quan khác.", "Another office is responsible."),
		say("Hỏi quầy một cửa để biết nơi nộp.", "Ask at the counter where to hand it in.")},
	{"not-entitled", []State{Refused},
		say("Trường hợp này không đủ điều kiện theo quy định.", "The conditions of the law are not met."),
		say("Ông/bà có quyền hỏi lý do bằng văn bản và khiếu nại.", "You may ask for the reasons in writing, and object.")},
	{"already-done", []State{Refused},
		say("Việc này đã được giải quyết trong hồ sơ khác.", "This was settled by another dossier."), Words{}},
	{"withdrawn", []State{Refused},
		say("Hồ sơ được rút theo yêu cầu của người nộp.", "It was withdrawn as the applicant asked."), Words{}},
}

// ReasonOf gives the words of a code. A code of a later program has none: what the officer typed and the state are shown then.
func ReasonOf(code string) (Reason, bool) {
	i := slices.IndexFunc(Listed, func(r Reason) bool { return r.Code == code })
	if i < 0 {
		return Reason{}, false
	}
	return Listed[i], true
}

// ReasonsFor lists what may be chosen with a state.
func ReasonsFor(s State) []Reason {
	var out []Reason
	for _, r := range Listed {
		if slices.Contains(r.For, s) {
			out = append(out, r)
		}
	}
	return out
}
