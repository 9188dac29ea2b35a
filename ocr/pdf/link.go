package pdf

// See symbols.a: it keeps MuPDF's bundled libjpeg from taking the place of the system's.

/*
#cgo LDFLAGS: ${SRCDIR}/symbols.a
*/
import "C"
