package ctc

import "strings"

// blank is the class that stands between letters.
const blank = 0

// Signs are the letters the network tells apart, in the order of its classes behind the blank: what Vietnamese
// papers are printed with.
var Signs = []rune(" 0123456789" +
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" +
	vietnamese + strings.ToUpper(vietnamese) +
	".,:;/-()'\"&+%*<>|°№!?=_[]")

const vietnamese = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
