// The arithmetic of the network. All planes are channels-last: a pixel's channels stand together, as many as a multiple
// of eight; rows and columns of zeros surround what a layer reads.
#include <stddef.h>

// Rows of a convolution: for each of n places along a row, out[i*cout+o] = bias[o] + sum of taps segments, each of
// which multiplies len inputs that stand together from in[s*row + i*step] on. weights stand as [taps*len][cout].
void ctc_rows(const float *in, ptrdiff_t row, int step, int taps, int len, const float *weights, const float *bias,
	int n, int cout, float *out, int relu, const float *add);

// Largest of each dx*dy block of dy rows of n places with c channels; out gets n/dx places.
void ctc_pool(const float *in, int n, int c, int dx, int dy, float *out);

// Each channel over seven places d apart, with zeros beyond the ends; then no negative values.
void ctc_deep(const float *in, int n, int c, int d, const float *weights, const float *bias, float *out);

// Makes do with what every processor has, so that a test can hold the two ways against each other.
void ctc_narrow(int on);
