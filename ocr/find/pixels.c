#include "pixels.h"
#include <string.h>

#if defined(__x86_64__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

WIDE void find_shrink(const uint8_t *in, ptrdiff_t stride, int f, int w, int h, uint8_t *out, uint16_t *sums) {
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

WIDE void find_resize(const uint8_t *in, ptrdiff_t stride, int n, int w, int h, const int32_t *from_x, const int32_t *count_x,
	const int32_t *weights_x, const int32_t *from_y, const int32_t *count_y, const int32_t *weights_y, uint8_t *out, int32_t *sums) {
	for (int y = 0; y < h; y++) {
		memset(sums, 0, n * sizeof *sums);
		const uint8_t *row = in + from_y[y] * stride;
		for (int k = 0; k < count_y[y]; k++, row += stride) {
			const int32_t weight = *weights_y++;
			for (int x = 0; x < n; x++)
				sums[x] += weight * row[x];
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

void find_cut(const uint8_t *in, ptrdiff_t stride, int w, int h, const double *to, int n, int first, int end, uint8_t *out) {
	// Positions in 1/65536 of a pixel; along a row they go in equal steps unless the paper was seen at a slant.
	const double one = 1 << 16;
	const int slanted = to[6] != 0 || to[7] != 0;
	const int64_t step_x = to[0] * one, step_y = to[3] * one;
	for (int y = first; y < end; y++) {
		const double fy = y + 0.5;
		int64_t ix = (to[0] * 0.5 + to[1] * fy + to[2] - 0.5) * one, iy = (to[3] * 0.5 + to[4] * fy + to[5] - 0.5) * one;
		for (int x = 0; x < n; x++) {
			if (slanted) {
				const double fx = x + 0.5, d = to[6] * fx + to[7] * fy + to[8];
				ix = ((to[0] * fx + to[1] * fy + to[2]) / d - 0.5) * one;
				iy = ((to[3] * fx + to[4] * fy + to[5]) / d - 0.5) * one;
			}
			int64_t x0 = ix >> 16, y0 = iy >> 16;
			const int ax = ix >> 8 & 255, ay = iy >> 8 & 255;
			ix += step_x;
			iy += step_y;
			if (x0 < 0 || y0 < 0 || x0 >= w - 1 || y0 >= h - 1) {
				if (x0 < -1 || y0 < -1 || x0 > w || y0 > h) {
					*out++ = 255;
					continue;
				}
				x0 = x0 < 0 ? 0 : x0 > w - 2 ? w - 2 : x0;
				y0 = y0 < 0 ? 0 : y0 > h - 2 ? h - 2 : y0;
			}
			const uint8_t *p = in + y0 * stride + x0, *q = p + stride;
			const int top = (p[0] << 8) + (p[1] - p[0]) * ax, bottom = (q[0] << 8) + (q[1] - q[0]) * ax;
			*out++ = ((top << 8) + (bottom - top) * ay) >> 16;
		}
	}
}
