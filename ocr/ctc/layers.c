#include "layers.h"
#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// pair is two inputs, one of them not zero, and where the weights of its row's outputs lie, in bytes.
struct pair { int32_t v; uint32_t at; };
enum { MOST_PAIRS = 4096, MOST_PLACES = 64 }; // of a row's part: 32 kB, which stay in the nearest memory

// What every amd64 and arm64 processor has.
#define LANES 4
#define PLACES 4
#define TARGET
#define NAME(x) narrow_##x
#if defined(__SSE2__)
#define DOT(sum, x, b) ((narrow_whole)_mm_add_epi32((__m128i)(sum), _mm_madd_epi16((__m128i)(x), (__m128i)(b))))
#else
static inline int32_t two(int32_t x, int32_t b) { return (int16_t)x * (int16_t)b + (x >> 16) * (b >> 16); }
#define DOT(sum, x, b) ((sum) + (narrow_whole){two((x)[0], (b)[0]), two((x)[1], (b)[1]), two((x)[2], (b)[2]), two((x)[3], (b)[3])})
#endif
#include "layers_body.h"
#include "dot_body.h"
#include "sparse_body.h"
#undef LANES
#undef PLACES
#undef TARGET
#undef NAME
#undef DOT

#if defined(__x86_64__)
// Eight lanes, in most processors made since 2013.
#define LANES 8
#define PLACES 5
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) wide_##x
#define DOT(sum, x, b) ((wide_whole)_mm256_add_epi32((__m256i)(sum), _mm256_madd_epi16((__m256i)(x), (__m256i)(b))))
#include "layers_body.h"
#include "dot_body.h"
#undef PLACES
#undef TARGET
#undef NAME
#undef DOT

// The same in one instruction, in small ones made since 2021.
#define PLACES 6
#define TARGET __attribute__((target("avx2,avxvnni")))
#define NAME(x) dotted_##x
#define DOT(sum, x, b) ((dotted_whole)_mm256_dpwssd_avx_epi32((__m256i)(sum), (__m256i)(x), (__m256i)(b)))
#include "dot_body.h"
#undef LANES
#undef PLACES
#undef TARGET
#undef NAME
#undef DOT

// Sixteen lanes, and twice the registers.
#define LANES 16
#define PLACES 8
#define TARGET __attribute__((target("avx512f,avx512vnni")))
#define NAME(x) vast_##x
#define DOT(sum, x, b) ((vast_whole)_mm512_dpwssd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(b)))
#include "dot_body.h"
#undef LANES
#undef PLACES
#undef TARGET
#undef NAME
#undef DOT

static unsigned have;
void ctc_use(unsigned features) { have = features; }
#define ANY(x) (have & CTC_AVX2 ? wide_##x : narrow_##x)
#else
enum { have = 0 };
void ctc_use(unsigned features) { (void)features; }
#define ANY(x) narrow_##x
#endif

void ctc_rows(const int16_t *in, ptrdiff_t row, int step, int taps, int len, const int16_t *weights, const float *scale, const float *bias,
	int n, int cout, float *out, int relu, const float *add) {
	int done = 0;
#if defined(__x86_64__)
	if (have & CTC_AVX512) {
		done = cout / 16 * 16;
		vast_rows(in, row, step, taps, len, weights, scale, bias, n, cout, out, relu, add, 0, done);
	}
	if (have & CTC_AVXVNNI) {
		dotted_rows(in, row, step, taps, len, weights, scale, bias, n, cout, out, relu, add, done, cout);
		return;
	}
#endif
	// With AVX2 loads are what takes the time, and leaving out is no faster.
	if (!(have & CTC_AVX2) && step % 2 == 0 && taps * (len + step) <= 2 * MOST_PAIRS && len % step == 0 && len / step < MOST_PLACES) {
		narrow_sparse(in, row, step, taps, len, weights, scale, bias, n, cout, out, relu, add);
		return;
	}
	ANY(rows)(in, row, step, taps, len, weights, scale, bias, n, cout, out, relu, add, done, cout);
}

float ctc_whole(const float *in, size_t n, int most, int16_t *out) {
	const float top = ANY(largest)(in, n);
	ANY(rounded)(in, n, top > 0 ? most / top : 0, out);
	return top / most;
}

void ctc_pool(const float *in, int n, int c, int dx, int dy, float *out) { ANY(pool)(in, n, c, dx, dy, out); }

void ctc_deep(const float *in, int n, int c, int d, const float *weights, const float *bias, float *out) {
	ANY(deep)(in, n, c, d, weights, bias, out);
}

void ctc_normalise(float *scores, int n, int stride, int classes) {
	for (; n > 0; n--, scores += stride) {
		const float top = ANY(largest)(scores, classes);
		float sum = 0;
		for (int c = 0; c < classes; c++)
			if (scores[c] > top - 16) // what is left out is less than 1 in 10,000 together
				sum += expf(scores[c] - top);
		const float off = top + logf(sum);
		for (int c = 0; c < classes; c++)
			scores[c] -= off;
	}
}
