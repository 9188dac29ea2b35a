// The narrow part of zxing-cpp that recognition uses, as C.
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	int format; // 1: QR, 2: Code 128
	int length;
	int corner[8]; // x, y of top-left, top-right, bottom-right, bottom-left as the symbol is read
	unsigned char text[3000];
} mo_code;

int mo_read_codes(const unsigned char *pix, int w, int h, int stride, int formats, int two_tone, mo_code *out, int max);

#ifdef __cplusplus
}
#endif
