#define ZX_USE_UTF8 1
#include "zxing.h"

#include <ZXing/ReadBarcode.h>
#include <cstdlib>
#include <cstring>

using namespace ZXing;

int mo_read_codes(const unsigned char *pix, int w, int h, int stride, int formats, int two_tone, mo_code *out, int max) {
	try {
		DecodeHints hints;
		BarcodeFormats f;
		if (formats & 1) f |= BarcodeFormat::QRCode;
		if (formats & 2) f |= BarcodeFormat::Code128;
		hints.setFormats(f);
		hints.setTryHarder(false);
		hints.setTryRotate(false);
		hints.setTryDownscale(false);
		hints.setMaxNumberOfSymbols(max);
		hints.setBinarizer(two_tone ? Binarizer::BoolCast : Binarizer::LocalAverage);
		auto found = ReadBarcodes(ImageView(pix, w, h, ImageFormat::Lum, stride), hints);
		int n = 0;
		for (auto &r : found) {
			if (n == max || !r.isValid()) continue;
			const auto &bytes = r.bytes();
			if (bytes.size() > sizeof out[n].text) continue;
			out[n].format = r.format() == BarcodeFormat::QRCode ? 1 : 2;
			out[n].length = (int)bytes.size();
			std::memcpy(out[n].text, bytes.data(), bytes.size());
			for (int i = 0; i < 4; i++) {
				out[n].corner[2 * i] = r.position()[i].x;
				out[n].corner[2 * i + 1] = r.position()[i].y;
			}
			n++;
		}
		return n;
	} catch (...) {
		return 0;
	}
}
