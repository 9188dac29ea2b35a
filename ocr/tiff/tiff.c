/* libtiff on bytes in memory. It reads nothing but those bytes, says nothing, and is told to take the pixels in the order
   in which they are stored: the orientation is applied by whoever asked. */
#include <string.h>
#include <tiffio.h>

#include "tiff.h"

struct bytes {
	const uint8_t *data;
	toff_t size, at;
};

static tmsize_t take(thandle_t h, void *buf, tmsize_t n) {
	struct bytes *b = h;
	if (n < 0 || b->at >= b->size)
		return 0;
	if ((toff_t)n > b->size - b->at)
		n = (tmsize_t)(b->size - b->at);
	memcpy(buf, b->data + b->at, (size_t)n);
	b->at += (toff_t)n;
	return n;
}

static tmsize_t put(thandle_t h, void *buf, tmsize_t n) {
	(void)h, (void)buf, (void)n;
	return 0;
}

static toff_t seek(thandle_t h, toff_t to, int from) {
	struct bytes *b = h;
	switch (from) {
	case SEEK_SET: b->at = to; break;
	case SEEK_CUR: b->at += to; break;
	case SEEK_END: b->at = b->size + to; break;
	}
	return b->at;
}

static int shut(thandle_t h) { (void)h; return 0; }
static toff_t length(thandle_t h) { return ((struct bytes *)h)->size; }

static TIFF *at(struct bytes *b, uint64_t dir) {
	TIFFSetErrorHandler(NULL); /* nothing of a paper goes to standard error */
	TIFFSetWarningHandler(NULL);
	TIFF *t = TIFFClientOpen("page", "rm", b, take, put, seek, shut, length, NULL, NULL);
	if (t && !TIFFSetSubDirectory(t, dir)) {
		TIFFClose(t);
		return NULL;
	}
	return t;
}

static int size_of(TIFF *t, uint64_t limit, uint32_t *w, uint32_t *h) {
	char why[1024];
	if (!TIFFGetField(t, TIFFTAG_IMAGEWIDTH, w) || !TIFFGetField(t, TIFFTAG_IMAGELENGTH, h) || *w == 0 || *h == 0)
		return MOTCUA_TIFF_DAMAGED;
	if (*w > limit / *h)
		return MOTCUA_TIFF_TOO_LARGE;
	/* A strip or tile is decoded whole. */
	if (TIFFIsTiled(t) ? TIFFTileSize64(t) > 16 * limit : TIFFStripSize64(t) > 16 * limit)
		return MOTCUA_TIFF_TOO_LARGE;
	if (TIFFRGBAImageOK(t, why))
		return MOTCUA_TIFF_OK;
	/* What programs of science and of the press write is whole, and says what it is. */
	uint16_t bits = 0, format = 0, packing = 0;
	TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &bits);
	TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
	TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &packing);
	uint16_t meaning = 0;
	TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &meaning);
	const int gray = meaning == PHOTOMETRIC_MINISBLACK || meaning == PHOTOMETRIC_MINISWHITE, small = bits == 1 || bits == 2 || bits == 4;
	const int decoded = bits == 8 || (small && (gray || meaning == PHOTOMETRIC_PALETTE)) || (bits == 16 && (gray || meaning == PHOTOMETRIC_RGB));
	return bits > 64 || (decoded && format == SAMPLEFORMAT_UINT && TIFFIsCODECConfigured(packing)) ? MOTCUA_TIFF_DAMAGED : MOTCUA_TIFF_UNSUPPORTED;
}

int motcua_tiff_size(const uint8_t *data, size_t size, uint64_t dir, uint64_t limit, uint32_t *w, uint32_t *h) {
	struct bytes b = {data, size, 0};
	TIFF *t = at(&b, dir);
	if (!t)
		return MOTCUA_TIFF_DAMAGED;
	int rc = size_of(t, limit, w, h);
	TIFFClose(t);
	return rc;
}

int motcua_tiff_decode(const uint8_t *data, size_t size, uint64_t dir, uint64_t limit, uint8_t *out) {
	struct bytes b = {data, size, 0};
	uint32_t w, h;
	TIFF *t = at(&b, dir);
	if (!t)
		return MOTCUA_TIFF_DAMAGED;
	int rc = size_of(t, limit, &w, &h);
	if (rc == MOTCUA_TIFF_OK) {
		uint16_t extras = 0, *kinds = NULL;
		TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &extras, &kinds);
		/* A fourth sample of which nothing is said is no alpha, though libtiff takes it for one. */
		int alpha = extras > 0 && kinds && kinds[0] != EXTRASAMPLE_UNSPECIFIED;
		TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
		uint32_t *raster = (uint32_t *)out;
		if (!TIFFReadRGBAImageOriented(t, w, h, raster, ORIENTATION_TOPLEFT, 1))
			rc = MOTCUA_TIFF_DAMAGED;
		else
			for (size_t i = 0; i < (size_t)w * h; i++) {
				uint32_t v = raster[i];
				uint32_t white = alpha ? 255 - TIFFGetA(v) : 0;
				uint32_t r = TIFFGetR(v) + white, g = TIFFGetG(v) + white, bl = TIFFGetB(v) + white;
				out[4 * i] = r > 255 ? 255 : r;
				out[4 * i + 1] = g > 255 ? 255 : g;
				out[4 * i + 2] = bl > 255 ? 255 : bl;
				out[4 * i + 3] = 255;
			}
	}
	TIFFClose(t);
	return rc;
}
