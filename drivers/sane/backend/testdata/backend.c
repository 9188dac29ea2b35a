#define _GNU_SOURCE
/* A SANE backend for tests that plays any device: what it is stands in the file that MOTCUA_DEVICE names, one
 * key=value a line, lists parted by |; what lies in it and what goes wrong next stands in the folder MOTCUA_STATE. It
 * shows how a frontend deals with the options and the answers of a device as they were told of; what it can't show is
 * the device itself.
 *
 * Keys: vendor, model, type; source, mode (names); option.source, option.mode, option.resolution (their options' names);
 * resolution (a list, or low-high); x, y (mm, the feeder's), glass-x, glass-y; least-x, least-y (the least of br-x and br-y); unit=pixel; page=1 (page-width and
 * page-height, at first 8.5 × 11 inches, bound the window, as fujitsu, canon_dr and epjitsu do); duplex (the name of a
 * switch to both sides); duplexes=Simplex|Duplex (that switch has words, and without the right one the backs go by unseen, whatever
 * the source is called); resets=1 (a source that is set sets mode and resolution back); ald=1 (a switch by which a page ends with its sheet); late=1 (an empty feeder shows at the read); lines=unknown (a page ends with its sheet);
 * fixed=1 (the source is chosen at the device); depth=1 (pages are black and white, whatever is asked); no-left=1 (the window
 * has no left edge); claim=3 (so many times the bytes of a line are claimed); reading=unblocked (a read may give nothing yet); nameless=1 (it opens only without a name); needs (a file without which
 * it does not open).
 * Files: feeder (sides that lie in it), fault ("jam 2": in the middle of page 2 of the next scan), away, hold, asleep (so
 * many times it does not open yet), place (its name, where that is not "one": it is plugged in elsewhere when that changes).
 */
#include <sane/sane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#ifndef BACKEND
#define BACKEND zoo
#endif
#define PASTE2(a, b, c) a##b##c
#define PASTE(a, b, c) PASTE2(a, b, c)
#define ENTRY(name) PASTE(sane_, BACKEND, _##name)

#define SHEET 297.0 /* mm */
#define FOOT 3.0    /* mm of black at a sheet's lower end: a page without it was cut */

enum { COUNT, SOURCE, MODE, RESOLUTION, PAGE_X, PAGE_Y, TL_X, TL_Y, BR_X, BR_Y, DUPLEX, ALD, OPTIONS };

static char text[4096], vendor[64] = "Zoo", model[64] = "Device", type[64] = "scanner";
static SANE_String_Const sources[32], modes[32], duplexes[32];
static char source[64], mode[64], sides[64], source_option[32] = "source", mode_option[32] = "mode", duplex_option[32], resolution_option[32] = "resolution";
static SANE_Word resolutions[32];
static SANE_Range resolution_range, page_x = {0, 0, 0}, page_y = {0, 0, 0}, range_x = {0, 0, 0}, range_y = {0, 0, 0},
	end_x = {0, 0, 0}, end_y = {0, 0, 0};
static double feeder_x, feeder_y, glass_x, glass_y, least_x, least_y;
static char needs[256];
static int fixed_source, one_bit, no_left, claim = 1;
static int resets, nameless, pixels, paged, late, unknown, unblocked, ald;
static SANE_Option_Descriptor options[OPTIONS];
static SANE_Word value[OPTIONS];
static char place[64] = "one", opened[64];
static SANE_Device device = {place, vendor, model, type};
static const SANE_Device *devices[] = {&device, NULL};
static int page, line, column, side;
static char fault[32];
static int fault_page;

static const char *path(const char *name) {
	static char p[512];
	snprintf(p, sizeof p, "%s/%s", getenv("MOTCUA_STATE") ? getenv("MOTCUA_STATE") : "/nowhere", name);
	return p;
}
static int is(const char *name) { return access(path(name), F_OK) == 0; }

static void look(void) {
	FILE *f = fopen(path("place"), "r");
	if (f && fscanf(f, "%63s", place) != 1) strcpy(place, "one");
	if (f) fclose(f);
}

static int split(char *from, SANE_String_Const *to) {
	int n = 0;
	for (char *s = strtok(from, "|"); s && n < 31; s = strtok(NULL, "|")) to[n++] = strdup(s);
	to[n] = NULL;
	return n;
}

static void read_device(void) {
	FILE *f = fopen(getenv("MOTCUA_DEVICE") ? getenv("MOTCUA_DEVICE") : "/nowhere", "r");
	while (f && fgets(text, sizeof text, f)) {
		text[strcspn(text, "\r\n")] = 0;
		char *v = strchr(text, '=');
		if (!v || *text == '#') continue;
		*v++ = 0;
		if (!strcmp(text, "vendor")) snprintf(vendor, sizeof vendor, "%s", v);
		if (!strcmp(text, "model")) snprintf(model, sizeof model, "%s", v);
		if (!strcmp(text, "type")) snprintf(type, sizeof type, "%s", v);
		if (!strcmp(text, "source")) split(v, sources);
		if (!strcmp(text, "mode")) split(v, modes);
		if (!strcmp(text, "option.source")) snprintf(source_option, sizeof source_option, "%s", v);
		if (!strcmp(text, "option.mode")) snprintf(mode_option, sizeof mode_option, "%s", v);
		if (!strcmp(text, "duplex")) snprintf(duplex_option, sizeof duplex_option, "%s", v);
		if (!strcmp(text, "duplexes")) split(v, duplexes);
		if (!strcmp(text, "resets")) resets = atoi(v);
		if (!strcmp(text, "x")) feeder_x = atof(v);
		if (!strcmp(text, "y")) feeder_y = atof(v);
		if (!strcmp(text, "glass-x")) glass_x = atof(v);
		if (!strcmp(text, "nameless")) nameless = atoi(v);
		if (!strcmp(text, "needs")) snprintf(needs, sizeof needs, "%s", v);
		if (!strcmp(text, "least-x")) least_x = atof(v);
		if (!strcmp(text, "least-y")) least_y = atof(v);
		if (!strcmp(text, "option.resolution")) snprintf(resolution_option, sizeof resolution_option, "%s", v);
		if (!strcmp(text, "glass-y")) glass_y = atof(v);
		if (!strcmp(text, "unit")) pixels = !strcmp(v, "pixel");
		if (!strcmp(text, "page")) paged = atoi(v);
		if (!strcmp(text, "fixed")) fixed_source = atoi(v);
		if (!strcmp(text, "depth")) one_bit = atoi(v) == 1;
		if (!strcmp(text, "no-left")) no_left = atoi(v);
		if (!strcmp(text, "claim")) claim = atoi(v);
		if (!strcmp(text, "ald")) ald = atoi(v);
		if (!strcmp(text, "late")) late = atoi(v);
		if (!strcmp(text, "lines")) unknown = !strcmp(v, "unknown");
		if (!strcmp(text, "reading")) unblocked = !strcmp(v, "unblocked");
		if (!strcmp(text, "resolution")) {
			int low, high;
			if (sscanf(v, "%d-%d", &low, &high) == 2) {
				resolution_range = (SANE_Range){low, high, 1};
			} else {
				SANE_String_Const list[32];
				resolutions[0] = split(v, list);
				for (int i = 0; i < resolutions[0]; i++) resolutions[i + 1] = atoi(list[i]);
			}
		}
	}
	if (f) fclose(f);
	if (!feeder_x) feeder_x = glass_x;
	if (!feeder_y) feeder_y = glass_y;
	if (!glass_x) glass_x = feeder_x;
	if (!glass_y) glass_y = feeder_y > 440 ? SHEET : feeder_y;
}

/* What scans from here takes sheets one after another: any source but a glass. */
static int fed(void) {
	static const char *glass[] = {"flatbed", "fb", "platen", "normal", "document table", "reflective", "flat bed", NULL};
	if (!sources[0]) return strstr(type, "sheet") != NULL;
	for (int i = 0; glass[i]; i++)
		if (!strcasecmp(source, glass[i])) return 0;
	return strcasestr(source, "glass") == NULL && strcasestr(source, "flatbed") == NULL;
}

static SANE_Word length(double mm) { return pixels ? (SANE_Word)(mm / 25.4 * value[RESOLUTION]) : SANE_FIX(mm); }
static double millimetres(SANE_Word w) { return pixels ? w * 25.4 / value[RESOLUTION] : SANE_UNFIX(w); }

/* Ranges follow the source and, with page=1, the sheet that was told. */
static void follow(void) {
	int sheet = paged && fed();
	options[PAGE_X].cap = options[PAGE_Y].cap = SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT | (sheet ? 0 : SANE_CAP_INACTIVE);
	page_x.max = length(feeder_x), page_y.max = length(feeder_y);
	range_x.max = sheet ? value[PAGE_X] : length(fed() ? feeder_x : glass_x);
	range_y.max = sheet ? value[PAGE_Y] : length(fed() ? feeder_y : glass_y);
	end_x.max = range_x.max, end_y.max = range_y.max;
	end_x.min = length(least_x), end_y.min = length(least_y);
	if (value[BR_X] > range_x.max) value[BR_X] = range_x.max;
	if (value[BR_Y] > range_y.max) value[BR_Y] = range_y.max;
}

static void option(int n, const char *name, SANE_Value_Type kind, int size, SANE_Unit unit) {
	options[n] = (SANE_Option_Descriptor){name, name, "", kind, unit, size, SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_NONE, {NULL}};
}

SANE_Status ENTRY(init)(SANE_Int *version, SANE_Auth_Callback authorize) {
	(void)authorize;
	read_device();
	SANE_Value_Type kind = pixels ? SANE_TYPE_INT : SANE_TYPE_FIXED;
	SANE_Unit unit = pixels ? SANE_UNIT_PIXEL : SANE_UNIT_MM;
	option(COUNT, "", SANE_TYPE_INT, sizeof(SANE_Word), SANE_UNIT_NONE);
	options[COUNT].cap = SANE_CAP_SOFT_DETECT;
	option(SOURCE, source_option, SANE_TYPE_STRING, 64, SANE_UNIT_NONE);
	option(MODE, mode_option, SANE_TYPE_STRING, 64, SANE_UNIT_NONE);
	options[SOURCE].constraint_type = options[MODE].constraint_type = SANE_CONSTRAINT_STRING_LIST;
	options[SOURCE].constraint.string_list = sources, options[MODE].constraint.string_list = modes;
	if (!sources[0]) options[SOURCE].cap |= SANE_CAP_INACTIVE;
	if (!modes[0]) options[MODE].cap |= SANE_CAP_INACTIVE;
	if (fixed_source) options[SOURCE].cap = SANE_CAP_HARD_SELECT | SANE_CAP_SOFT_DETECT;
	if (sources[0]) snprintf(source, sizeof source, "%s", sources[0]);
	if (modes[0]) snprintf(mode, sizeof mode, "%s", modes[0]);
	option(RESOLUTION, resolution_option, SANE_TYPE_INT, sizeof(SANE_Word), SANE_UNIT_DPI);
	if (resolutions[0]) {
		options[RESOLUTION].constraint_type = SANE_CONSTRAINT_WORD_LIST, options[RESOLUTION].constraint.word_list = resolutions;
		value[RESOLUTION] = resolutions[1];
	} else {
		options[RESOLUTION].constraint_type = SANE_CONSTRAINT_RANGE, options[RESOLUTION].constraint.range = &resolution_range;
		value[RESOLUTION] = resolution_range.min > 100 ? resolution_range.min : 100;
	}
	static const char *names[] = {"page-width", "page-height", "tl-x", "tl-y", "br-x", "br-y"};
	SANE_Range *ranges[] = {&page_x, &page_y, &range_x, &range_y, &end_x, &end_y};
	for (int i = 0; i < 6; i++) {
		option(PAGE_X + i, names[i], kind, sizeof(SANE_Word), unit);
		options[PAGE_X + i].constraint_type = SANE_CONSTRAINT_RANGE, options[PAGE_X + i].constraint.range = ranges[i];
	}
	if (no_left) options[TL_X].cap |= SANE_CAP_INACTIVE;
	if (duplexes[0]) {
		option(DUPLEX, duplex_option, SANE_TYPE_STRING, 64, SANE_UNIT_NONE);
		options[DUPLEX].constraint_type = SANE_CONSTRAINT_STRING_LIST, options[DUPLEX].constraint.string_list = duplexes;
		snprintf(sides, sizeof sides, "%s", duplexes[0]);
	} else option(DUPLEX, duplex_option, SANE_TYPE_BOOL, sizeof(SANE_Word), SANE_UNIT_NONE);
	if (!*duplex_option) options[DUPLEX].cap |= SANE_CAP_INACTIVE;
	option(ALD, "ald", SANE_TYPE_BOOL, sizeof(SANE_Word), SANE_UNIT_NONE);
	if (!ald) options[ALD].cap |= SANE_CAP_INACTIVE;
	value[COUNT] = OPTIONS;
	value[PAGE_X] = length(215.9), value[PAGE_Y] = length(279.4);
	value[BR_X] = length(215.9), value[BR_Y] = length(279.4);
	follow();
	if (version) *version = SANE_VERSION_CODE(1, 0, 0);
	return SANE_STATUS_GOOD;
}
void ENTRY(exit)(void) {}
SANE_Status ENTRY(get_devices)(const SANE_Device ***list, SANE_Bool local) {
	(void)local;
	look();
	*list = devices + is("away");
	return SANE_STATUS_GOOD;
}
SANE_Status ENTRY(open)(SANE_String_Const name, SANE_Handle *h) {
	look();
	if (*name && (strcmp(name, place) || nameless)) return SANE_STATUS_INVAL;
	FILE *f = *needs ? fopen(needs, "r") : NULL;
	if (*needs && !f) return SANE_STATUS_IO_ERROR;
	if (f) fclose(f);
	int times = 0;
	f = fopen(path("asleep"), "r+");
	if (f && fscanf(f, "%d", &times) != 1) times = 0;
	if (f) rewind(f), fprintf(f, "%d\n", times > 0 ? times - 1 : 0), fclose(f);
	if (times > 0 || is("away")) return SANE_STATUS_IO_ERROR;
	strcpy(opened, place);
	*h = (SANE_Handle)&device;
	return SANE_STATUS_GOOD;
}
void ENTRY(close)(SANE_Handle h) { (void)h; }
const SANE_Option_Descriptor *ENTRY(get_option_descriptor)(SANE_Handle h, SANE_Int n) {
	(void)h;
	return n >= 0 && n < OPTIONS ? &options[n] : NULL;
}
static int listed(const SANE_String_Const *list, const char *v) {
	for (; *list; list++)
		if (!strcmp(*list, v)) return 1;
	return 0;
}
SANE_Status ENTRY(control_option)(SANE_Handle h, SANE_Int n, SANE_Action action, void *v, SANE_Int *info) {
	(void)h;
	if (n < 0 || n >= OPTIONS || options[n].cap & SANE_CAP_INACTIVE) return SANE_STATUS_INVAL;
	char *name = n == SOURCE ? source : n == MODE ? mode : n == DUPLEX && duplexes[0] ? sides : NULL;
	if (info) *info = 0;
	if (action == SANE_ACTION_GET_VALUE) {
		if (name) strcpy(v, name);
		else *(SANE_Word *)v = value[n];
		return SANE_STATUS_GOOD;
	}
	if (action != SANE_ACTION_SET_VALUE || !(options[n].cap & SANE_CAP_SOFT_SELECT)) return SANE_STATUS_UNSUPPORTED;
	if (name) {
		if (!listed(n == SOURCE ? sources : n == MODE ? modes : duplexes, v)) return SANE_STATUS_INVAL;
		strcpy(name, v);
		if (n == SOURCE && resets) {
			if (modes[0]) snprintf(mode, sizeof mode, "%s", modes[0]);
			value[RESOLUTION] = resolutions[0] ? resolutions[1] : resolution_range.min;
		}
	} else {
		SANE_Word w = *(SANE_Word *)v;
		const SANE_Range *r = options[n].constraint_type == SANE_CONSTRAINT_RANGE ? options[n].constraint.range : NULL;
		if (r && (w < r->min || w > r->max)) return SANE_STATUS_INVAL;
		value[n] = w;
	}
	follow();
	if (info && n != BR_X && n != BR_Y) *info = SANE_INFO_RELOAD_OPTIONS | SANE_INFO_RELOAD_PARAMS;
	return SANE_STATUS_GOOD;
}
static int dots(double mm) { return (int)(mm / 25.4 * value[RESOLUTION]); }
static int has(const char *in, const char *word) { return strcasestr(in, word) != NULL; }
SANE_Status ENTRY(get_parameters)(SANE_Handle h, SANE_Parameters *p) {
	(void)h;
	p->last_frame = SANE_TRUE;
	p->depth = has(mode, "lineart") || has(mode, "black") || has(mode, "bitonal") || has(mode, "bw") || has(mode, "binary") || has(mode, "monochrome") || one_bit ? 1 : 8;
	p->format = p->depth == 8 && !has(mode, "gray") && !has(mode, "grey") ? SANE_FRAME_RGB : SANE_FRAME_GRAY;
	p->pixels_per_line = dots(millimetres(value[BR_X] - value[TL_X]));
	p->lines = dots(millimetres(value[BR_Y] - value[TL_Y]));
	if ((unknown || value[ALD]) && fed()) p->lines = -1;
	p->bytes_per_line = p->depth == 1 ? (p->pixels_per_line + 7) / 8 : p->pixels_per_line * (p->format == SANE_FRAME_RGB ? 3 : 1);
	p->bytes_per_line *= claim;
	return SANE_STATUS_GOOD;
}

static int both(void) { return has(source, "duplex") || has(source, "both") || (*duplex_option && value[DUPLEX]) || has(sides, "duplex"); }

/* Takes the next side that lies in the feeder; without both sides, the backs go by unseen. */
static SANE_Status feed(void) {
	int left = 0;
	FILE *f = fopen(path("feeder"), "r+");
	if (!f || fscanf(f, "%d", &left) != 1 || left <= 0) {
		if (f) fclose(f);
		return SANE_STATUS_NO_DOCS;
	}
	rewind(f);
	fprintf(f, "%d   \n", duplexes[0] && both() && !has(sides, "duplex") ? left - 2 : left - 1);
	fclose(f);
	return SANE_STATUS_GOOD;
}

SANE_Status ENTRY(start)(SANE_Handle h) {
	(void)h;
	look();
	if (is("away") || strcmp(opened, place)) return SANE_STATUS_IO_ERROR;
	if (page == 0) {
		FILE *f = fopen(path("fault"), "r");
		*fault = 0, fault_page = 0;
		if (f) {
			if (fscanf(f, "%31s %d", fault, &fault_page) < 2) fault_page = 1;
			fclose(f);
			unlink(path("fault"));
		}
	}
	side = both();
	if (fed()) {
		SANE_Status s = feed();
		if (s && !late) return page = 0, s;
		if (s) line = -2; /* the read will tell */
		else line = 0;
	} else line = 0;
	page++;
	column = 0;
	return SANE_STATUS_GOOD;
}

static SANE_Status broken(void) {
	if (page != fault_page || !*fault) return SANE_STATUS_GOOD;
	if (!strcmp(fault, "hang")) for (;;) sleep(1);
	if (!strcmp(fault, "crash")) *(volatile int *)8 = 0;
	page = 0;
	if (!strcmp(fault, "jam")) return SANE_STATUS_JAMMED;
	if (!strcmp(fault, "cover")) return SANE_STATUS_COVER_OPEN;
	return SANE_STATUS_IO_ERROR;
}

SANE_Status ENTRY(read)(SANE_Handle h, SANE_Byte *data, SANE_Int max, SANE_Int *length_) {
	SANE_Parameters p;
	ENTRY(get_parameters)(h, &p);
	*length_ = 0;
	if (line == -2) return page = 0, SANE_STATUS_NO_DOCS;
	int end = dots(SHEET), foot = dots(SHEET - FOOT), lines = p.lines < 0 ? end : p.lines;
	if (p.lines < 0 && lines > dots(millimetres(value[BR_Y]))) lines = dots(millimetres(value[BR_Y]));
	if (line >= lines) return SANE_STATUS_EOF;
	if (line >= lines / 2) {
		SANE_Status s = broken();
		if (s) return s;
		if (is("hold")) {
			usleep(1000);
			return SANE_STATUS_GOOD;
		}
	}
	if (unblocked && line % 7 == 3 && column == 0 && (side ^= 2) & 2) return SANE_STATUS_GOOD;
	/* A line's bytes are the page's number; its foot is black, and what lies below the sheet is dark grey. */
	int until = line < lines / 2 ? lines / 2 : lines; /* so that the middle is seen */
	while (*length_ < max && line < until) {
		int v = line >= end ? 64 : line >= foot ? 0 : p.depth == 1 ? 0 : 128 + page % 120;
		if (p.depth == 1) v = line >= foot && line < end ? 255 : 0;
		int n = p.bytes_per_line - column < max - *length_ ? p.bytes_per_line - column : max - *length_;
		memset(data + *length_, v, n);
		*length_ += n, column += n;
		if (column == p.bytes_per_line) line++, column = 0;
	}
	return SANE_STATUS_GOOD;
}
void ENTRY(cancel)(SANE_Handle h) { (void)h; page = 0; }
SANE_Status ENTRY(set_io_mode)(SANE_Handle h, SANE_Bool n) { (void)h; return n ? SANE_STATUS_UNSUPPORTED : SANE_STATUS_GOOD; }
SANE_Status ENTRY(get_select_fd)(SANE_Handle h, SANE_Int *fd) { (void)h; (void)fd; return SANE_STATUS_UNSUPPORTED; }
