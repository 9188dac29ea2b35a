#include <stddef.h>
#include <stdint.h>

/* What kept a directory from being decoded. */
enum { MOTCUA_TIFF_OK, MOTCUA_TIFF_DAMAGED, MOTCUA_TIFF_TOO_LARGE, MOTCUA_TIFF_UNSUPPORTED };

/* Finds the size of the directory at an offset; more than limit pixels are refused. */
int motcua_tiff_size(const uint8_t *data, size_t size, uint64_t dir, uint64_t limit, uint32_t *width, uint32_t *height);

/* Decodes that directory into width * height * 4 bytes of opaque RGBA as they are stored, on white. */
int motcua_tiff_decode(const uint8_t *data, size_t size, uint64_t dir, uint64_t limit, uint8_t *out);
