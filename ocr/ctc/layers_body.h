// What is done to floats, for registers of LANES of them: included by layers.c once for every width. NAME gives the functions
// their names, TARGET says for which processors.

typedef float NAME(v) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int NAME(mask) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define V NAME(v)
#define load(p) (*(const V *)(p))
#define store(p, x) (*(V *)(p) = (x))
// C has no choice between vectors: the comparison's mask picks the bits.
#define larger(a, b) ((V)(((NAME(mask))(a) & ((a) > (b))) | ((NAME(mask))(b) & ~((a) > (b)))))

// The largest of n numbers, one at least.
TARGET static float NAME(largest)(const float *in, size_t n) {
	V four[4]; // beside each other: one would wait for itself
	for (int k = 0; k < 4; k++)
		four[k] = in[0] - (V){0};
	size_t i = 0;
	for (; i + 4 * LANES <= n; i += 4 * LANES)
		for (int k = 0; k < 4; k++) {
			const V v = load(in + i + k * LANES);
			four[k] = larger(v, four[k]);
		}
	const V one = larger(four[0], four[1]), other = larger(four[2], four[3]), m = larger(one, other);
	float top = in[0];
	for (int k = 0; k < LANES; k++)
		top = m[k] > top ? m[k] : top;
	for (; i < n; i++)
		top = in[i] > top ? in[i] : top;
	return top;
}

TARGET static void NAME(rounded)(const float *in, size_t n, float by, int16_t *out) {
	for (size_t i = 0; i < n; i++)
		out[i] = (int32_t)(in[i] * by + 0.5f);
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
