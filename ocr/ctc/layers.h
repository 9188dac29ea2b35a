// The arithmetic of the network. All planes are channels-last: a pixel's channels stand together, as many as a multiple
// of eight; rows and columns of zeros surround what a layer reads. What is multiplied are whole numbers of sixteen bits,
// which processors do two or four times as fast as floats; sums are scaled to floats.
#include <stddef.h>
#include <stdint.h>

// Rows of a convolution: for each of n places along a row, out[i*cout+o] = bias[o] + scale[o] * sum of taps segments, each of
// which multiplies len inputs, an even number, that stand together from in[s*row + i*step] on. weights stand as
// [taps*len/2][cout][2]. The caller sees to it that no sum overflows 32 bits.
void ctc_rows(const int16_t *in, ptrdiff_t row, int step, int taps, int len, const int16_t *weights, const float *scale, const float *bias,
	int n, int cout, float *out, int relu, const float *add);

// Brings n numbers, none negative, to whole ones from 0 to most. Gives what one of these is worth.
float ctc_whole(const float *in, size_t n, int most, int16_t *out);

// Largest of each dx*dy block of dy rows of n places with c channels; out gets n/dx places.
void ctc_pool(const float *in, int n, int c, int dx, int dy, float *out);

// Each channel over seven places d apart, with zeros beyond the ends; then no negative values.
void ctc_deep(const float *in, int n, int c, int d, const float *weights, const float *bias, float *out);

// Turns the scores of each of n places, which stand stride apart, into logarithms of probabilities.
void ctc_normalise(float *scores, int n, int stride, int classes);

// What of the processor may be used beyond what every one has; nothing until it is said.
enum { CTC_AVX2 = 1, CTC_AVXVNNI = 2, CTC_AVX512 = 4 }; // with FMA; dot products; dot products of 512 bits
void ctc_use(unsigned features);
