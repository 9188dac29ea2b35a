/* A SANE backend for tests, built by them: an office scanner with a duplex feeder, sizes in pixels, a list
 * of resolutions and a mode for lineart, which SANE's own test backend has not, and with the bad habits of
 * some real backends. OFFICE in the environment says which: hang-start, hang-read, crash-read, jam-read, warm,
 * print, short, jpeg, busy, locked, padded, late (the feeder's end shows only at the
 * read), sheetfed (no choice of sources).
 * Each page's pixels tell its number and side, so that lost, doubled and swapped pages show. */
#include <sane/sane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT, SOURCE, MODE, RESOLUTION, TL_X, TL_Y, BR_X, BR_Y, OPTIONS };

static SANE_String_Const sources[] = {"Flatbed", "ADF", "ADF Back", "ADF Duplex", NULL};
static SANE_String_Const modes[] = {"Lineart", "Halftone", "Gray", "Color", NULL};
static const SANE_Word resolutions[] = {3, 100, 200, 300};
static SANE_Range width = {0, 80, 1}, height = {0, 60, 1};
static SANE_Option_Descriptor options[OPTIONS] = {
	{"", "Count", "", SANE_TYPE_INT, SANE_UNIT_NONE, sizeof(SANE_Word), SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_NONE, {NULL}},
	{"source", "Source", "", SANE_TYPE_STRING, SANE_UNIT_NONE, 16, SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_STRING_LIST, {sources}},
	{"mode", "Mode", "", SANE_TYPE_STRING, SANE_UNIT_NONE, 16, SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_STRING_LIST, {modes}},
	{"resolution", "Resolution", "", SANE_TYPE_INT, SANE_UNIT_DPI, sizeof(SANE_Word), SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_WORD_LIST, {NULL}},
	{"tl-x", "", "", SANE_TYPE_INT, SANE_UNIT_PIXEL, sizeof(SANE_Word), SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_RANGE, {NULL}},
	{"tl-y", "", "", SANE_TYPE_INT, SANE_UNIT_PIXEL, sizeof(SANE_Word), SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_RANGE, {NULL}},
	{"br-x", "", "", SANE_TYPE_INT, SANE_UNIT_PIXEL, sizeof(SANE_Word), SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_RANGE, {NULL}},
	{"br-y", "", "", SANE_TYPE_INT, SANE_UNIT_PIXEL, sizeof(SANE_Word), SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_RANGE, {NULL}},
};
static char source[16] = "Flatbed", mode[16] = "Lineart";
static SANE_Word numbers[OPTIONS] = {OPTIONS, 0, 0, 100, 0, 0, 80, 60};
static int page, line, column, tries, jammed;
static const SANE_Device device = {"one", "Office", "Duplex 3000", "sheetfed scanner"};
static const SANE_Device *devices[] = {&device, NULL};

static int habit(const char *name) {
	const char *h = getenv("OFFICE");
	return h && !strcmp(h, name);
}

static int fed(void) { return !strncmp(source, "ADF", 3) || habit("sheetfed"); }

SANE_Status sane_office_init(SANE_Int *version, SANE_Auth_Callback authorize) {
	(void)authorize;
	options[RESOLUTION].constraint.word_list = resolutions;
	options[TL_X].constraint.range = options[BR_X].constraint.range = &width;
	options[TL_Y].constraint.range = options[BR_Y].constraint.range = &height;
	if (habit("sheetfed")) options[SOURCE].cap |= SANE_CAP_INACTIVE;
	if (version) *version = SANE_VERSION_CODE(1, 0, 0);
	return SANE_STATUS_GOOD;
}
void sane_office_exit(void) {}
SANE_Status sane_office_get_devices(const SANE_Device ***list, SANE_Bool local) {
	(void)local;
	*list = devices;
	return SANE_STATUS_GOOD;
}
SANE_Status sane_office_open(SANE_String_Const name, SANE_Handle *h) {
	if (*name && strcmp(name, "one")) return SANE_STATUS_INVAL;
	if (habit("busy") && tries++ < 2) return SANE_STATUS_DEVICE_BUSY;
	if (habit("print")) printf("a backend that prints to standard output\n"), fflush(stdout);
	*h = (SANE_Handle)&device;
	return SANE_STATUS_GOOD;
}
void sane_office_close(SANE_Handle h) { (void)h; }
const SANE_Option_Descriptor *sane_office_get_option_descriptor(SANE_Handle h, SANE_Int n) {
	(void)h;
	return n >= 0 && n < OPTIONS ? &options[n] : NULL;
}
SANE_Status sane_office_control_option(SANE_Handle h, SANE_Int n, SANE_Action action, void *v, SANE_Int *info) {
	(void)h;
	char *text = n == SOURCE ? source : n == MODE ? mode : NULL;
	if (info) *info = SANE_INFO_RELOAD_OPTIONS;
	if (n < 0 || n >= OPTIONS) return SANE_STATUS_INVAL;
	if (action == SANE_ACTION_GET_VALUE) {
		if (text) strcpy(v, text);
		else *(SANE_Word *)v = numbers[n];
		return SANE_STATUS_GOOD;
	}
	if (action != SANE_ACTION_SET_VALUE) return SANE_STATUS_UNSUPPORTED;
	if (text) {
		strncpy(text, v, 15);
		if (n == SOURCE) height.max = fed() ? 90 : 60;
	} else numbers[n] = *(SANE_Word *)v;
	return SANE_STATUS_GOOD;
}
SANE_Status sane_office_get_parameters(SANE_Handle h, SANE_Parameters *p) {
	(void)h;
	p->last_frame = SANE_TRUE;
	p->depth = !strcmp(mode, "Lineart") ? 1 : 8;
	p->format = habit("jpeg") ? 0x0B : !strcmp(mode, "Color") ? SANE_FRAME_RGB : SANE_FRAME_GRAY;
	p->pixels_per_line = numbers[BR_X] - numbers[TL_X];
	p->lines = numbers[BR_Y] - numbers[TL_Y];
	p->bytes_per_line = p->depth == 1 ? (p->pixels_per_line + 7) / 8 : p->pixels_per_line * (p->format == SANE_FRAME_RGB ? 3 : 1);
	if (habit("padded")) p->bytes_per_line += 5;
	return SANE_STATUS_GOOD;
}
SANE_Status sane_office_start(SANE_Handle h) {
	(void)h;
	if (habit("warm") && tries++ < 3) return 12; /* SANE_STATUS_WARMING_UP */
	if (jammed) return SANE_STATUS_DEVICE_BUSY; /* until it is cancelled */
	if (habit("locked")) return 13;              /* SANE_STATUS_HW_LOCKED */
	if (habit("hang-start") && page == 1) for (;;) sleep(1);
	if (fed() && page == 6 && !habit("late")) {
		page = 0;
		return SANE_STATUS_NO_DOCS;
	}
	page++;
	line = column = 0;
	return SANE_STATUS_GOOD;
}
SANE_Status sane_office_read(SANE_Handle h, SANE_Byte *data, SANE_Int max, SANE_Int *length) {
	SANE_Parameters p;
	sane_office_get_parameters(h, &p);
	*length = 0;
	if (page == 7) {
		page = 0;
		return SANE_STATUS_NO_DOCS;
	}
	if (habit("hang-read") && line > 5 && page == 1) for (;;) sleep(1);
	if (habit("jam-read") && fed() && line > 5 && page == 2) {
		jammed = 1;
		return SANE_STATUS_JAMMED;
	}
	if (habit("crash-read") && line > 5 && page == 2) *(volatile int *)8 = 0;
	if (line == (habit("short") ? p.lines / 2 : p.lines)) return SANE_STATUS_EOF;
	/* Every read ends with a line, and a line's bytes are the page's number and the line's. */
	for (; *length < max && column < p.bytes_per_line; column++)
		data[(*length)++] = column % 2 ? line : page * 16;
	if (column == p.bytes_per_line) line++, column = 0;
	return SANE_STATUS_GOOD;
}
void sane_office_cancel(SANE_Handle h) { (void)h; jammed = 0; if (!fed()) page = 0; }
SANE_Status sane_office_set_io_mode(SANE_Handle h, SANE_Bool n) { (void)h; return n ? SANE_STATUS_UNSUPPORTED : SANE_STATUS_GOOD; }
SANE_Status sane_office_get_select_fd(SANE_Handle h, SANE_Int *fd) { (void)h; (void)fd; return SANE_STATUS_UNSUPPORTED; }
