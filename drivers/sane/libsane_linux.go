package sane

/*
#cgo LDFLAGS: -lsane
#include <stdlib.h>
#include <sane/sane.h>

static const char *motcua_string(const SANE_Option_Descriptor *d, int i) { return d->constraint.string_list[i]; }
static SANE_Word motcua_word(const SANE_Option_Descriptor *d, int i) { return d->constraint.word_list[i]; }
static SANE_Range motcua_range(const SANE_Option_Descriptor *d) { return *d->constraint.range; }
static const SANE_Device *motcua_device(const SANE_Device **list, int i) { return list[i]; }
*/
import "C"

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"
)

// status is a SANE_Status; the two after ACCESS_DENIED are spoken by newer backends only.
type status int

const (
	statusGood status = iota
	statusUnsupported
	statusCancelled
	statusDeviceBusy
	statusInval
	statusEOF
	statusJammed
	statusNoDocs
	statusCoverOpen
	statusIOError
	statusNoMem
	statusAccessDenied
	statusWarmingUp
	statusHWLocked
)

func (s status) Error() string {
	switch s {
	case statusWarmingUp:
		return "Lamp not ready, please retry"
	case statusHWLocked:
		return "Scanner mechanism locked for transport"
	}
	return C.GoString(C.sane_strstatus(C.SANE_Status(s)))
}

// check turns what a SANE call gave into an error.
func check(s C.SANE_Status) error {
	if s == C.SANE_STATUS_GOOD {
		return nil
	}
	return status(s)
}

func libInit() (version string, err error) {
	var code C.SANE_Int
	if err := check(C.sane_init(&code, nil)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d.%d.%d", code>>24&0xff, code>>16&0xff, code&0xffff), nil
}

func libExit() { C.sane_exit() }

// libDevices lists devices. Asked for local ones only, backends that search the network, and wait for
// answers, keep still.
func libDevices(local bool) ([]device, error) {
	var list **C.SANE_Device
	only := C.SANE_Bool(C.SANE_FALSE)
	if local {
		only = C.SANE_TRUE
	}
	if err := check(C.sane_get_devices(&list, only)); err != nil {
		return nil, err
	}
	var found []device
	for i := 0; ; i++ {
		d := C.motcua_device(list, C.int(i))
		if d == nil {
			return found, nil
		}
		found = append(found, device{goString(d.name), goString(d.vendor), goString(d.model), goString(d._type)})
	}
}

// goString copies a device's text; backends send bytes of any encoding.
func goString(s C.SANE_String_Const) string {
	if s == nil {
		return ""
	}
	return strings.ToValidUTF8(C.GoString(s), "?")
}

type handle struct{ h C.SANE_Handle }

func libOpen(name string) (handle, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var h handle
	return h, check(C.sane_open(c, &h.h))
}

func (h handle) close()       { C.sane_close(h.h) }
func (h handle) cancel()      { C.sane_cancel(h.h) }
func (h handle) start() error { return check(C.sane_start(h.h)) }

func (h handle) params() (params, error) {
	var p C.SANE_Parameters
	err := check(C.sane_get_parameters(h.h, &p))
	return params{
		Format: int(p.format), Last: p.last_frame != 0, BytesPerLine: int(p.bytes_per_line),
		PixelsPerLine: int(p.pixels_per_line), Lines: int(p.lines), Depth: int(p.depth),
	}, err
}

// buffer is memory that is not Go's, for sane_read to fill.
type buffer struct {
	p    unsafe.Pointer
	size int
}

func bufferAt(mem []byte) buffer { return buffer{unsafe.Pointer(unsafe.SliceData(mem)), len(mem)} }
func (b buffer) bytes() []byte   { return unsafe.Slice((*byte)(b.p), b.size) }

// read fills the buffer from one place to another at most and gives the number of bytes read.
func (h handle) read(b buffer, from, to int) (int, error) {
	var n C.SANE_Int
	err := check(C.sane_read(h.h, (*C.SANE_Byte)(unsafe.Add(b.p, from)), C.SANE_Int(to-from), &n))
	if n < 0 || int(n) > to-from {
		n = 0
	}
	return int(n), err
}

// option is a SANE_Option_Descriptor with numbers in their natural unit: fixed-point values are floats.
type option struct {
	index            int
	name             string
	kind             C.SANE_Value_Type
	size             int
	mm               bool // the unit is millimetres
	pixel            bool
	settable         bool
	strings          []string
	words            []float64
	hasRange         bool
	minimum, maximum float64
	quant            float64
}

// options reads the active options. It must be read anew after any option was set: one option can
// change what another allows.
func (h handle) options() (map[string]option, error) {
	var count C.SANE_Int
	if err := check(C.sane_control_option(h.h, 0, C.SANE_ACTION_GET_VALUE, unsafe.Pointer(&count), nil)); err != nil {
		return nil, err
	}
	all := map[string]option{}
	for i := 1; i < int(count); i++ {
		d := C.sane_get_option_descriptor(h.h, C.SANE_Int(i))
		if d == nil || d.name == nil || d.cap&C.SANE_CAP_INACTIVE != 0 {
			continue
		}
		o := option{
			index: i, name: goString(d.name), kind: d._type, size: int(d.size),
			mm: d.unit == C.SANE_UNIT_MM, pixel: d.unit == C.SANE_UNIT_PIXEL, settable: d.cap&C.SANE_CAP_SOFT_SELECT != 0,
		}
		switch d.constraint_type {
		case C.SANE_CONSTRAINT_STRING_LIST:
			for k := 0; ; k++ {
				s := C.motcua_string(d, C.int(k))
				if s == nil {
					break
				}
				o.strings = append(o.strings, C.GoString(s))
			}
		case C.SANE_CONSTRAINT_WORD_LIST:
			for k := range int(C.motcua_word(d, 0)) {
				o.words = append(o.words, o.natural(C.motcua_word(d, C.int(k+1))))
			}
		case C.SANE_CONSTRAINT_RANGE:
			r := C.motcua_range(d)
			o.hasRange, o.minimum, o.maximum, o.quant = true, o.natural(r.min), o.natural(r.max), o.natural(r.quant)
		}
		all[o.name] = o
	}
	return all, nil
}

func (o option) natural(w C.SANE_Word) float64 {
	if o.kind == C.SANE_TYPE_FIXED {
		return float64(w) / 65536
	}
	return float64(w)
}

func (o option) word(v float64) C.SANE_Word {
	if o.kind == C.SANE_TYPE_FIXED {
		return C.SANE_Word(v * 65536)
	}
	return C.SANE_Word(v)
}

// number reads an int or fixed option.
func (h handle) number(o option) (float64, error) {
	var w C.SANE_Word
	if o.size != C.sizeof_SANE_Word || o.kind != C.SANE_TYPE_INT && o.kind != C.SANE_TYPE_FIXED {
		return 0, fmt.Errorf("option %s is no number", o.name)
	}
	err := check(C.sane_control_option(h.h, C.SANE_Int(o.index), C.SANE_ACTION_GET_VALUE, unsafe.Pointer(&w), nil))
	return o.natural(w), err
}

// flag reads a switch.
func (h handle) flag(o option) (bool, error) {
	var w C.SANE_Word
	err := check(C.sane_control_option(h.h, C.SANE_Int(o.index), C.SANE_ACTION_GET_VALUE, unsafe.Pointer(&w), nil))
	return w != 0, err
}

// text reads an option that is words.
func (h handle) text(o option) (string, error) {
	c := C.calloc(1, C.size_t(max(o.size, 0)+1))
	defer C.free(c)
	err := check(C.sane_control_option(h.h, C.SANE_Int(o.index), C.SANE_ACTION_GET_VALUE, c, nil))
	return C.GoString((*C.char)(c)), err
}

// setNumber sets an int or fixed option and gives what the device made of it.
func (h handle) setNumber(o option, v float64) (float64, error) {
	if o.size != C.sizeof_SANE_Word {
		return 0, fmt.Errorf("option %s takes more than one value", o.name)
	}
	if o.hasRange {
		v = min(max(v, o.minimum), o.maximum)
	}
	w := o.word(v)
	var info C.SANE_Int
	err := check(C.sane_control_option(h.h, C.SANE_Int(o.index), C.SANE_ACTION_SET_VALUE, unsafe.Pointer(&w), &info))
	return o.natural(w), err
}

func (h handle) setString(o option, v string) error {
	// The backend may write as much as the option's size back.
	size := max(o.size, len(v)+1)
	c := C.calloc(1, C.size_t(size))
	defer C.free(c)
	copy(unsafe.Slice((*byte)(c), size), v)
	return check(C.sane_control_option(h.h, C.SANE_Int(o.index), C.SANE_ACTION_SET_VALUE, c, nil))
}

// set gives an option a value as it stands in a profile.
func (h handle) set(o option, v string) error {
	if !o.settable {
		return fmt.Errorf("option %s cannot be set", o.name)
	}
	switch o.kind {
	case C.SANE_TYPE_STRING:
		return h.setString(o, v)
	case C.SANE_TYPE_BOOL:
		on := 0.0
		switch strings.ToLower(v) {
		case "yes", "true", "on", "1":
			on = 1
		case "no", "false", "off", "0":
		default:
			return fmt.Errorf("option %s takes yes or no, not %q", o.name, v)
		}
		_, err := h.setNumber(o, on)
		return err
	case C.SANE_TYPE_INT, C.SANE_TYPE_FIXED:
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return fmt.Errorf("option %s takes a number, not %q", o.name, v)
		}
		_, err = h.setNumber(o, n)
		return err
	}
	return fmt.Errorf("option %s takes no value", o.name)
}

func (o option) isString() bool { return o.kind == C.SANE_TYPE_STRING }
func (o option) isBool() bool   { return o.kind == C.SANE_TYPE_BOOL }
