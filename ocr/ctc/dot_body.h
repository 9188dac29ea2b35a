// ctc_rows for registers of LANES sums: included by layers.c once for every way to multiply pairs. NAME gives the functions
// their names, TARGET says for which processors, PLACES how many places are summed at once so that the sums stay in registers;
// DOT(sum, x, b) adds to each sum the products of a pair of x and a pair of b.

typedef int32_t NAME(whole) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef float NAME(real) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t NAME(pair) __attribute__((aligned(2), may_alias));
#define I NAME(whole)
#define F NAME(real)

// p places times w registers of channels; both are constants where it is inlined.
TARGET static inline __attribute__((always_inline)) void NAME(tile)(const int16_t *in, ptrdiff_t row, int step, int taps, int len,
	const int16_t *weights, const float *scale, const float *bias, int cout, float *out, int relu, const float *add, const int p, const int w) {
	I sum[PLACES][2];
	for (int i = 0; i < p; i++)
		for (int j = 0; j < w; j++)
			sum[i][j] = (I){0};
	for (int s = 0; s < taps; s++) {
		const int16_t *a = in + s * row;
		for (int k = 0; k < len; k += 2) {
			I b[2];
			for (int j = 0; j < w; j++)
				b[j] = *(const I *)(weights + 2 * LANES * j);
			weights += 2 * cout;
			for (int i = 0; i < p; i++) {
				const I x = *(const NAME(pair) *)(a + i * step + k) - (I){0};
				for (int j = 0; j < w; j++)
					sum[i][j] = DOT(sum[i][j], x, b[j]);
			}
		}
	}
	for (int i = 0; i < p; i++)
		for (int j = 0; j < w; j++) {
			F v = __builtin_convertvector(sum[i][j], F) * *(const F *)(scale + LANES * j) + *(const F *)(bias + LANES * j);
			if (add)
				v += *(const F *)(add + i * cout + LANES * j);
			if (relu) // C has no choice between vectors: the comparison's mask picks the bits
				v = (F)((I)v & (v > 0));
			*(F *)(out + i * cout + LANES * j) = v;
		}
}

// rows computes the channels from o to end, of cout.
TARGET static void NAME(rows)(const int16_t *in, ptrdiff_t row, int step, int taps, int len, const int16_t *weights, const float *scale,
	const float *bias, int n, int cout, float *out, int relu, const float *add, int o, int end) {
	while (o < end) {
		const int two = o + 2 * LANES <= end;
		int i = 0;
#define TILE(p, w) NAME(tile)(in + i * step, row, step, taps, len, weights + 2 * o, scale + o, bias + o, cout, out + i * cout + o, relu, add ? add + i * cout + o : 0, p, w)
		for (; i + PLACES <= n; i += PLACES) {
			if (two)
				TILE(PLACES, 2);
			else
				TILE(PLACES, 1);
		}
		for (; i < n; i++) {
			if (two)
				TILE(1, 2);
			else
				TILE(1, 1);
		}
#undef TILE
		o += two ? 2 * LANES : LANES;
	}
}

#undef I
#undef F
