// Package pdf rasterises PDF pages by MuPDF.
package pdf
