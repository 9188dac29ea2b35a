#include "layers.h"

// Four lanes: every amd64 and arm64 processor has them.
#define LANES 4
#define PLACES 4
#define TARGET
#define NAME(x) narrow_##x
#include "layers_body.h"
#undef LANES
#undef PLACES
#undef TARGET
#undef NAME

#if defined(__x86_64__)
// Eight lanes and fused multiplication, in most processors made since 2013.
#define LANES 8
#define PLACES 6
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) wide_##x
#include "layers_body.h"
#undef LANES
#undef PLACES
#undef TARGET
#undef NAME

// Sixteen lanes, and twice the registers.
#define LANES 16
#define PLACES 8
#define TARGET __attribute__((target("avx512f")))
#define NAME(x) vast_##x
#include "layers_body.h"
static int narrow_only;
void ctc_narrow(int on) { narrow_only = on; }
#define ANY(x) (!narrow_only && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? wide_##x : narrow_##x)
#else
void ctc_narrow(int on) { (void)on; }
#define ANY(x) narrow_##x
#endif

void ctc_rows(const float *in, ptrdiff_t row, int step, int taps, int len, const float *weights, const float *bias,
	int n, int cout, float *out, int relu, const float *add) {
	int done = 0;
#if defined(__x86_64__)
	if (!narrow_only && __builtin_cpu_supports("avx512f")) {
		done = cout / 16 * 16;
		vast_rows(in, row, step, taps, len, weights, bias, n, cout, out, relu, add, 0, done);
	}
#endif
	ANY(rows)(in, row, step, taps, len, weights, bias, n, cout, out, relu, add, done, cout);
}

void ctc_pool(const float *in, int n, int c, int dx, int dy, float *out) { ANY(pool)(in, n, c, dx, dy, out); }

void ctc_deep(const float *in, int n, int c, int d, const float *weights, const float *bias, float *out) {
	ANY(deep)(in, n, c, d, weights, bias, out);
}
