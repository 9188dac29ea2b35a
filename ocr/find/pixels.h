// The loops over every pixel of a page, in C so that they use the registers there are.
#include <stddef.h>
#include <stdint.h>

// Averages f*f pixels into one: h rows of w pixels come out. sums is room for w*f numbers.
void find_shrink(const uint8_t *in, ptrdiff_t stride, int f, int w, int h, uint8_t *out, uint16_t *sums);

// Brings rows of n pixels to w*h. Of each target row and column from and count say which source samples it is made of, and
// weights, one after the other and 1024 together, how much of each. sums is room for n numbers.
void find_resize(const uint8_t *in, ptrdiff_t stride, int n, int w, int h, const int32_t *from_x, const int32_t *count_x,
	const int32_t *weights_x, const int32_t *from_y, const int32_t *count_y, const int32_t *weights_y, uint8_t *out, int32_t *sums);

// Samples rows of n pixels bilinearly from a page of w*h. to maps (column + 0.5, row + 0.5, 1) to the page, as Plane does; rows
// from first to end are made. What lies off the page is white.
void find_cut(const uint8_t *in, ptrdiff_t stride, int w, int h, const double *to, int n, int first, int end, uint8_t *out);

// Marks in bits, words of 64 pixels a row with the lowest bit the leftmost, what is darker by contrast than the mean of the
// pixels at most r columns and rows away that lie on the picture of w*h. Rows from first to end are made; sums is room for
// 2*w + 1 + 16*words numbers.
void find_ink(const uint8_t *in, ptrdiff_t stride, int w, int h, int r, int contrast, int first, int end, uint64_t *bits, int words, int32_t *sums);

// Marks in bits, as find_ink does, what is more than t brighter or darker than mode.
void find_differing(const uint8_t *in, ptrdiff_t stride, int w, int h, int mode, int t, uint64_t *bits, int words);

// Marks in bits where brightness changes by more than t within three pixels, across and down together; not on the rim.
void find_texture(const uint8_t *in, ptrdiff_t stride, int w, int h, int t, uint64_t *bits, int words);

// Adds to what is known of each column what a row of w pixels shows: whether it is darker than what lies reach to the left
// and right, and how much; on paper also how bright those are and how bright it is. Where those two differ it tells nothing.
void find_streaks(const uint8_t *row, int w, int reach, int32_t *darker, int32_t *sum, int32_t *side, int32_t *through);

// Says that the processor has AVX2; until then what every one has is used.
void find_use_avx2(int have);
