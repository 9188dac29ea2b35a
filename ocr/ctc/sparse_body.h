// ctc_rows where a pair is multiplied by two instructions: what is zero is left out. After a layer that lets no negative values
// through, a third to two thirds of all pairs are zeros, and sums of whole numbers are the same in any order. Included by layers.c;
// see dot_body.h for LANES, NAME, TARGET and DOT.

#define I NAME(whole)
#define F NAME(real)

// One place times w registers of channels, w a constant where it is inlined: its pairs that are not zero, whose weights are counted
// from skip bytes before this place's.
TARGET static inline __attribute__((always_inline)) void NAME(few)(const struct pair *p, const struct pair *to, const char *weights,
	size_t skip, const float *scale, const float *bias, float *out, int relu, const float *add, const int w) {
	I sum[12];
	for (int j = 0; j < w; j++)
		sum[j] = (I){0};
	for (; p < to; p++) {
		const I x = p->v - (I){0};
		const char *b = weights + (p->at - skip);
		for (int j = 0; j < w; j++)
			sum[j] = DOT(sum[j], x, *(const I *)(b + 4 * LANES * j));
	}
	for (int j = 0; j < w; j++) {
		F v = __builtin_convertvector(sum[j], F) * *(const F *)(scale + LANES * j) + *(const F *)(bias + LANES * j);
		if (add)
			v += *(const F *)(add + LANES * j);
		if (relu)
			v = (F)((I)v & (v > 0));
		*(F *)(out + LANES * j) = v;
	}
}

// sparse computes all channels of n places that are a pixel, an even number of inputs, apart.
TARGET static void NAME(sparse)(const int16_t *in, ptrdiff_t row, int step, int taps, int len, const int16_t *weights, const float *scale,
	const float *bias, int n, int cout, float *out, int relu, const float *add) {
	struct pair pairs[MOST_PAIRS + 1]; // one is laid beyond the last that counts
	const struct pair *starts[MOST_PLACES + 1];
	const int wide = len / step; // pixels that a place sees of a row
	const size_t pixel = (size_t)step / 2 * cout * 4, tap = (size_t)len / 2 * cout * 4;
	int block = MOST_PAIRS * 2 / taps / step - wide + 1;
	if (block > MOST_PLACES - wide + 1)
		block = MOST_PLACES - wide + 1;
	for (int i = 0; i < n; i += block) {
		const int places = block < n - i ? block : n - i;
		struct pair *p = pairs;
		for (int x = 0; x < places + wide - 1; x++) { // column by column, so that a place's pairs stand together
			starts[x] = p;
			for (int s = 0; s < taps; s++) {
				const int16_t *a = in + s * row + (ptrdiff_t)(i + x) * step;
				uint32_t at = s * tap + x * pixel;
				for (int k = 0; k < step; k += 2, at += 4 * cout) {
					const int32_t v = *(const NAME(pair) *)(a + k);
					*p = (struct pair){v, at};
					p += v != 0;
				}
			}
		}
		starts[places + wide - 1] = p;
		for (int o = 0, left = cout / LANES; left > 0;) {
			const int w = left % 10 == 0 ? 10 : left >= 12 ? 12 : left == 6 || left == 3 ? left : left >= 4 ? 4 : left >= 2 ? 2 : 1;
			for (int x = 0; x < places; x++) {
				const size_t done = (size_t)(i + x) * cout + o;
#define FEW(w) case w: NAME(few)(starts[x], starts[x + wide], (const char *)(weights + 2 * o), x * pixel, scale + o, bias + o, out + done, relu, add ? add + done : 0, w); break;
				switch (w) { FEW(12) FEW(10) FEW(6) FEW(4) FEW(3) FEW(2) FEW(1) }
#undef FEW
			}
			o += w * LANES;
			left -= w;
		}
	}
}

#undef I
#undef F
