package pdf

// See local_symbols.a: it keeps MuPDF's bundled libjpeg from taking the place of the system's.

/*
#cgo LDFLAGS: ${SRCDIR}/local_symbols.a
*/
import "C"
