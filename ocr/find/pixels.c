#include "pixels.h"
#include <string.h>

// What is done is compiled where it is used: for every processor, and for those that have AVX2; see EACH below.
#define EVERY static inline __attribute__((always_inline))

EVERY void shrink(const uint8_t *in, ptrdiff_t stride, int f, int w, int h, uint8_t *out, uint16_t *sums) {
	const int n = w * f;
	for (int y = 0; y < h; y++) {
		memset(sums, 0, n * sizeof *sums);
		for (int k = 0; k < f; k++, in += stride)
			for (int x = 0; x < n; x++)
				sums[x] += in[x];
		for (int x = 0; x < w; x++) {
			uint32_t s = 0;
			for (int k = 0; k < f; k++)
				s += sums[x * f + k];
			*out++ = s / (f * f);
		}
	}
}

EVERY void resize(const uint8_t *in, ptrdiff_t stride, int n, int w, int h, const int32_t *from_x, const int32_t *count_x,
	const int32_t *weights_x, const int32_t *from_y, const int32_t *count_y, const int32_t *weights_y, uint8_t *out, int32_t *sums) {
	for (int y = 0; y < h; y++) {
		memset(sums, 0, n * sizeof *sums);
		const uint8_t *row = in + from_y[y] * stride;
		for (int k = 0; k < count_y[y]; k++, row += stride) {
			const int16_t weight = *weights_y++; // products of 16 bits: SSE2 has no others
			for (int x = 0; x < n; x++)
				sums[x] += weight * (int16_t)row[x];
		}
		const int32_t *weights = weights_x;
		for (int x = 0; x < w; x++) {
			const int32_t *at = sums + from_x[x];
			int32_t s = 1 << 19;
			for (int k = 0; k < count_x[x]; k++)
				s += *weights++ * at[k];
			*out++ = s >> 20;
		}
	}
}

// 64 bytes a word, each 0 or 1, to bits.
static inline void pack(const uint8_t *in, int words, uint64_t *bits) {
	for (int i = 0; i < words; i++) {
		uint64_t word = 0;
		for (int k = 0; k < 8; k++) {
			uint64_t eight;
			memcpy(&eight, in + 64 * i + 8 * k, 8);
			// Each of the eight comes to stand as one bit in the uppermost byte of the product.
			word |= (eight * 0x0102040810204080u >> 56) << 8 * k;
		}
		bits[i] = word;
	}
}

EVERY void ink(const uint8_t *in, ptrdiff_t stride, int w, int h, int r, int contrast, int first, int end, uint64_t *bits, int words, int32_t *sums) {
	int32_t *columns = sums, *before = sums + w; // sums of each column over the window's rows, and of the columns before each
	uint8_t *dark = (uint8_t *)(before + w + 1);
	memset(columns, 0, w * sizeof *columns);
	memset(dark, 0, 64 * words);
	int top = first - r < 0 ? 0 : first - r, bottom = top; // the window's rows
	for (int y = first; y < end; y++) {
		for (; bottom < h && bottom <= y + r; bottom++) {
			const uint8_t *row = in + bottom * stride;
			for (int x = 0; x < w; x++)
				columns[x] += row[x];
		}
		for (; top < y - r; top++) {
			const uint8_t *row = in + top * stride;
			for (int x = 0; x < w; x++)
				columns[x] -= row[x];
		}
		int32_t sum = 0;
		before[0] = 0;
		for (int x = 0; x < w; x++)
			before[x + 1] = sum += columns[x];
		// v + contrast < sum / n, the quotient cut off, is (v + contrast + 1) * n <= sum.
		const uint8_t *row = in + y * stride;
		const int rows = bottom - top, c = contrast + 1;
		const int left = r < w ? r : w, right = w - r > left ? w - r : left;
		for (int x = 0; x < left; x++) {
			const int to = x + r + 1 < w ? x + r + 1 : w;
			dark[x] = (row[x] + c) * to * rows <= before[to];
		}
		const int32_t n = (2 * r + 1) * rows;
		for (int x = left; x < right; x++)
			dark[x] = (row[x] + c) * n <= before[x + r + 1] - before[x - r];
		for (int x = right; x < w; x++)
			dark[x] = (row[x] + c) * (w - x + r) * rows <= before[w] - before[x - r];
		pack(dark, words, bits);
		bits += words;
	}
}

// How many pixels are marked at a time.
enum { batch = 512 };

EVERY void differing(const uint8_t *in, ptrdiff_t stride, int w, int h, int mode, int t, uint64_t *bits, int words) {
	for (int y = 0; y < h; y++, in += stride, bits += words)
		for (int x = 0; x < w; x += batch) {
			const int n = w - x < batch ? w - x : batch;
			uint8_t on[batch] = {0};
			for (int i = 0; i < n; i++) {
				const int d = in[x + i] - mode;
				on[i] = (d > t) | (d < -t);
			}
			pack(on, (n + 63) / 64, bits + x / 64);
		}
}

EVERY void texture(const uint8_t *in, ptrdiff_t stride, int w, int h, int t, uint64_t *bits, int words) {
	memset(bits, 0, (size_t)words * h * sizeof *bits);
	for (int y = 1; y < h - 1; y++) {
		const uint8_t *row = in + y * stride;
		for (int x = 0; x < w; x += batch) {
			const int n = w - x < batch ? w - x : batch;
			uint8_t on[batch] = {0};
			for (int i = x == 0; i < n - (x + n == w); i++) {
				const int across = row[x + i + 1] - row[x + i - 1], down = row[x + i + stride] - row[x + i - stride];
				on[i] = across * across + down * down > t * t;
			}
			pack(on, (n + 63) / 64, bits + y * words + x / 64);
		}
	}
}

EVERY void streaks(const uint8_t *row, int w, int reach, int32_t *darker, int32_t *sum, int32_t *side, int32_t *through) {
	for (int x = reach; x < w - reach; x++) {
		const int left = row[x - reach], right = row[x + reach], here = row[x];
		const int apart = left - right, plain = -(apart <= 24 && apart >= -24); // all bits or none
		const int beside = (left + right) / 2, paper = plain & -(beside > 100);
		int d = (left < right ? left : right) - here;
		darker[x] += plain & (d > 2);
		d = d < -30 ? -30 : d > 30 ? 30 : d;
		sum[x] += plain & d;
		side[x] += paper & beside;
		through[x] += paper & here;
	}
}

// Where a place of the cutting lies on the page, in 1/65536 of a pixel.
static void on_page(const double *to, double x, double y, int64_t *ix, int64_t *iy) {
	const double one = 1 << 16, d = to[6] * x + to[7] * y + to[8];
	*ix = ((to[0] * x + to[1] * y + to[2]) / d - 0.5) * one;
	*iy = ((to[3] * x + to[4] * y + to[5]) / d - 0.5) * one;
}

static inline uint8_t blend(const uint8_t *p, ptrdiff_t stride, int ax, int ay) {
	const uint8_t *q = p + stride;
	const int top = (p[0] << 8) + (p[1] - p[0]) * ax, bottom = (q[0] << 8) + (q[1] - q[0]) * ax;
	return ((top << 8) + (bottom - top) * ay) >> 16;
}

// m places of a row, from ix, iy on.
static inline void cut_part(const uint8_t *in, ptrdiff_t stride, int w, int h, int64_t ix, int64_t iy, int32_t step_x, int32_t step_y, int m, uint8_t *out) {
	const int64_t x0 = ix >> 16, x1 = (ix + (int64_t)step_x * m) >> 16, y0 = iy >> 16, y1 = (iy + (int64_t)step_y * m) >> 16;
	if (x0 >= 0 && x1 >= 0 && y0 >= 0 && y1 >= 0 && x0 < w - 1 && x1 < w - 1 && y0 < h - 1 && y1 < h - 1) {
		const uint8_t *p = in + y0 * stride + x0;
		int32_t dx = ix & 65535, dy = iy & 65535;
		for (int i = 0; i < m; i++) {
			out[i] = blend(p + (dy >> 16) * stride + (dx >> 16), stride, dx >> 8 & 255, dy >> 8 & 255);
			dx += step_x, dy += step_y;
		}
		return;
	}
	for (int i = 0; i < m; i++) {
		int64_t x = ix >> 16, y = iy >> 16;
		const int ax = ix >> 8 & 255, ay = iy >> 8 & 255;
		ix += step_x, iy += step_y;
		if (x < -1 || y < -1 || x > w || y > h) {
			out[i] = 255;
			continue;
		}
		x = x < 0 ? 0 : x > w - 2 ? w - 2 : x;
		y = y < 0 ? 0 : y > h - 2 ? h - 2 : y;
		out[i] = blend(in + y * stride + x, stride, ax, ay);
	}
}

void find_cut(const uint8_t *in, ptrdiff_t stride, int w, int h, const double *to, int n, int first, int end, uint8_t *out) {
	// Between places so many columns apart one goes in equal steps, even where the paper was seen at a slant. Strips of columns,
	// because in a paper that lies on its side each column is another row of the page.
	enum { part = 16, strip = 4 * part };
	for (int left = 0; left < n; left += strip) {
		const int right = left + strip < n ? left + strip : n;
		for (int y = first; y < end; y++) {
			int64_t x0, y0, x1, y1;
			on_page(to, left + 0.5, y + 0.5, &x0, &y0);
			for (int x = left; x < right; x += part, x0 = x1, y0 = y1) {
				on_page(to, x + part + 0.5, y + 0.5, &x1, &y1);
				cut_part(in, stride, w, h, x0, y0, (x1 - x0) / part, (y1 - y0) / part, right - x < part ? right - x : part, out + (size_t)(y - first) * n + x);
			}
		}
	}
}

#if defined(__x86_64__)
static int avx2;
void find_use_avx2(int have) { avx2 = have; }
#define EACH(name, parameters, arguments) \
	__attribute__((target("avx2"))) static void wide_##name parameters { name arguments; } \
	void find_##name parameters { \
		if (avx2) \
			wide_##name arguments; \
		else \
			name arguments; \
	}
#else
void find_use_avx2(int have) { (void)have; }
#define EACH(name, parameters, arguments) void find_##name parameters { name arguments; }
#endif

EACH(shrink,
	(const uint8_t *in, ptrdiff_t stride, int f, int w, int h, uint8_t *out, uint16_t *sums),
	(in, stride, f, w, h, out, sums))
EACH(resize,
	(const uint8_t *in, ptrdiff_t stride, int n, int w, int h, const int32_t *from_x, const int32_t *count_x,
	 const int32_t *weights_x, const int32_t *from_y, const int32_t *count_y, const int32_t *weights_y, uint8_t *out, int32_t *sums),
	(in, stride, n, w, h, from_x, count_x, weights_x, from_y, count_y, weights_y, out, sums))
EACH(ink,
	(const uint8_t *in, ptrdiff_t stride, int w, int h, int r, int contrast, int first, int end, uint64_t *bits, int words, int32_t *sums),
	(in, stride, w, h, r, contrast, first, end, bits, words, sums))
EACH(differing,
	(const uint8_t *in, ptrdiff_t stride, int w, int h, int mode, int t, uint64_t *bits, int words),
	(in, stride, w, h, mode, t, bits, words))
EACH(texture,
	(const uint8_t *in, ptrdiff_t stride, int w, int h, int t, uint64_t *bits, int words),
	(in, stride, w, h, t, bits, words))
EACH(streaks,
	(const uint8_t *row, int w, int reach, int32_t *darker, int32_t *sum, int32_t *side, int32_t *through),
	(row, w, reach, darker, sum, side, through))
