package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// The four identity cards share most of their labels, and a side on which the title is lost is told from the others by those it has:
// so they share one list. Sources: PAPERS of the ministry (Circulars 59/2021/TT-BCA and 16/2024/TT-BCA for the chip cards, 61/2015/TT-BCA
// for the barcode card, Decision 57/2013/TT-BCA for the twelve-figure CMND) and public label lists.

// What stands under labels of its own and becomes part of a field, or a field of a person, by where it stands.
const (
	Surname paper.Name = "surname" // passports may part a name
	Given   paper.Name = "given names"
	Birth   paper.Name = "birth" // of whom the label before it names
)

// BirthOf are the fields that Birth becomes.
var BirthOf = map[Person]paper.Name{Wife: paper.WifeBirth, Husband: paper.HusbandBirth}

var identityLabels = slices.Concat(
	labels(paper.Number, "SODINHDANHCANHAN", "PERSONALIDENTIFICATIONNUMBER", "SOCANCUOC", "SONO", "SO"),
	labels(paper.FullName, "HOVATEN", "FULLNAME", "HOCHUDEMVATENKHAISINH", "HOCHUDEMVATEN", "HOTEN", "HOVATENKHAISINH"),
	stop("HOVATENGOIKHAC", "HOTENGOIKHAC"),
	labels(paper.DateOfBirth, "NGAYSINH", "DATEOFBIRTH", "SINHNGAY", "NGAYTHANGNAMSINH"),
	labels(paper.Sex, "GIOITINH", "SEX"),
	labels(paper.Nationality, "QUOCTICH", "NATIONALITY"),
	labels(paper.PlaceOfOrigin, "QUEQUAN", "PLACEOFORIGIN", "NGUYENQUAN"),
	labels(paper.PlaceOfBirth, "NOIDANGKYKHAISINH", "PLACEOFBIRTH", "PLACEOFBIRTHREGISTRATION"),
	labels(paper.PlaceOfResidence, "NOITHUONGTRU", "PLACEOFRESIDENCE", "NOICUTRU", "NOIDKHKTHUONGTRU", "NOIDANGKYHOKHAUTHUONGTRU",
		"NOIDKNKTHUONGTRU", "NOIDKTHUONGTRU"),
	labels(paper.DateOfExpiry, "COGIATRIDEN", "DATEOFEXPIRY", "NGAYTHANGNAMHETHAN"),
	labels(paper.DateOfIssue, "NGAYTHANGNAMCAP", "DATEOFISSUE", "NGAYTHANGNAM", "DATEMONTHYEAR", "NGAYCAP"),
	labels(paper.Ethnicity, "DANTOC"),
	labels(paper.Religion, "TONGIAO"),
	stop("DACDIEMNHANDANG", "PERSONALIDENTIFICATION", "DAUVETRIENGVADIHINH", "DAUVETRIENG", "DIHINH",
		"NGONTROTRAI", "NGONTROPHAI", "LEFTINDEXFINGER", "RIGHTINDEXFINGER",
		"CUCTRUONG", "GIAMDOC", "CUCCANHSAT", "DKQLCUTRUVADLQGVEDANCU", "CUCCANHSATQUANLYHANHCHINHVETRATTUXAHOI"),
	heads,
	stop("CANCUOCCONGDAN", "CITIZENIDENTITYCARD", "IDENTITYCARD", "CANCUOC", "GIAYCHUNGMINHNHANDAN", "CHUNGMINHNHANDAN"),
)

// heads stand at the head of most papers and end what is before them.
var heads = stop("BOCONGAN", "MINISTRYOFPUBLICSECURITY", "CONGHOAXAHOICHUNGHIAVIETNAM", "DOCLAPTUDOHANHPHUC", "SOCIALISTREPUBLICOFVIETNAM",
	"INDEPENDENCEFREEDOMHAPPINESS", "MAUSPECIMEN", "SPECIMEN")

// Unknown has the labels of identity cards, with which a side is read on which nothing tells the kind: its other side may.
var Unknown = Kind{ID: "", Shape: Card, Labels: identityLabels}

// What the fronts and backs of identity cards have and no other card: in Vietnamese, since "Date of birth" stands on half the cards of the
// world. In this house "Quê quán" with "Nơi thường trú" is an identity card.
var (
	originMark    = Mark{"QUEQUAN", "QUEQUANPLACEOFORIGIN", "PLACEOFORIGIN"}
	residenceMark = Mark{"NOITHUONGTRU", "NOITHUONGTRUPLACEOFRESIDENCE", "PLACEOFRESIDENCE"}
	nameMark      = Mark{"HOVATENFULLNAME"}
	expiryMark    = Mark{"COGIATRIDENDATEOFEXPIRY"}
	fingersMark   = Mark{"NGONTROTRAI", "NGONTROPHAI", "LEFTINDEXFINGER", "RIGHTINDEXFINGER"}
	marksMark     = Mark{"DACDIEMNHANDANG", "DACDIEMNHANDANGPERSONALIDENTIFICATION"}
	policeMark    = Mark{"CUCCANHSATQUANLYHANHCHINHVETRATTUXAHOI", "QUANLYHANHCHINHVETRATTUXAHOI", "DKQLCUTRUVADLQGVEDANCU",
		"FORADMINISTRATIVEMANAGEMENTOFSOCIALORDER"}
	issueMark = Mark{"NGAYTHANGNAMDATEMONTHYEAR"}
)
