// The layers for registers of LANES floats: included by layers.c once for every width. NAME gives the functions their
// names, TARGET says for which processors, PLACES how many places are summed at once so that the sums stay in registers.

typedef float NAME(v) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int NAME(mask) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define V NAME(v)
#define load(p) (*(const V *)(p))
#define store(p, x) (*(V *)(p) = (x))
// C has no choice between vectors: the comparison's mask picks the bits.
#define larger(a, b) ((V)(((NAME(mask))(a) & ((a) > (b))) | ((NAME(mask))(b) & ~((a) > (b)))))

// p places times w registers of channels; both are constants where it is inlined.
TARGET static inline __attribute__((always_inline)) void NAME(tile)(const float *in, ptrdiff_t row, int step, int taps, int len,
	const float *weights, const float *bias, int cout, float *out, int relu, const float *add, const int p, const int w) {
	V sum[PLACES][2];
	for (int i = 0; i < p; i++)
		for (int j = 0; j < w; j++)
			sum[i][j] = load(bias + LANES * j);
	for (int s = 0; s < taps; s++) {
		const float *a = in + s * row;
		for (int k = 0; k < len; k++) {
			V b[2];
			for (int j = 0; j < w; j++)
				b[j] = load(weights + LANES * j);
			weights += cout;
			for (int i = 0; i < p; i++) {
				V x = a[i * step + k] - (V){0};
				for (int j = 0; j < w; j++)
					sum[i][j] += x * b[j];
			}
		}
	}
	for (int i = 0; i < p; i++)
		for (int j = 0; j < w; j++) {
			V v = sum[i][j];
			if (add)
				v += load(add + i * cout + LANES * j);
			if (relu)
				v = larger(v, (V){0});
			store(out + i * cout + LANES * j, v);
		}
}

// rows computes the channels from o to end, of cout.
TARGET static void NAME(rows)(const float *in, ptrdiff_t row, int step, int taps, int len, const float *weights, const float *bias,
	int n, int cout, float *out, int relu, const float *add, int o, int end) {
	while (o < end) {
		const int two = o + 2 * LANES <= end;
		int i = 0;
#define TILE(p, w) NAME(tile)(in + i * step, row, step, taps, len, weights + o, bias + o, cout, out + i * cout + o, relu, add ? add + i * cout + o : 0, p, w)
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

TARGET static void NAME(pool)(const float *in, int n, int c, int dx, int dy, float *out) {
	for (int x = 0; x < n / dx; x++)
		for (int k = 0; k < c; k += LANES) {
			V m = load(in + (size_t)x * dx * c + k);
			for (int y = 0; y < dy; y++)
				for (int i = 0; i < dx; i++) {
					V v = load(in + ((size_t)y * n + x * dx + i) * c + k);
					m = larger(v, m);
				}
			store(out + (size_t)x * c + k, m);
		}
}

TARGET static void NAME(deep)(const float *in, int n, int c, int d, const float *weights, const float *bias, float *out) {
	for (int x = 0; x < n; x++)
		for (int k = 0; k < c; k += LANES) {
			V sum = load(bias + k);
			for (int t = 0; t < 7; t++) {
				int at = x + (t - 3) * d;
				if (at >= 0 && at < n)
					sum += load(in + (size_t)at * c + k) * load(weights + t * c + k);
			}
			store(out + (size_t)x * c + k, larger(sum, (V){0}));
		}
}

#undef V
#undef load
#undef store
#undef larger
