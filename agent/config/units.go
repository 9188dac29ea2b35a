package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written 90s, 10m, 24h or 30d.
type Duration time.Duration

// D is the value for the standard library.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String is one number where it is whole days, hours or minutes ("1d", "90m"), else as time.Duration writes it.
func (d Duration) String() string {
	const day = 24 * time.Hour
	t := time.Duration(d)
	switch {
	case t == 0:
		return "0s"
	case t%day == 0:
		return fmt.Sprintf("%dd", t/day)
	case t%time.Hour == 0:
		return fmt.Sprintf("%dh", t/time.Hour)
	case t%time.Minute == 0:
		return fmt.Sprintf("%dm", t/time.Minute)
	}
	return t.String()
}

// MarshalText is the inverse of UnmarshalText.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads time.ParseDuration's form, and days.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			*d = Duration(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	t, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("must be a duration such as 30s, 5m, 24h or 30d, not %q", s)
	}
	*d = Duration(t)
	return nil
}

// Size is a number of bytes, written 500 kB, 30 MB or 20 GB (powers of ten).
type Size int64

var (
	sizeForm  = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?(B|kB|KB|MB|GB|TB)?$`)
	sizeUnits = map[string]float64{"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
)

// String writes it in the largest unit that it is a whole number of: "20 MB".
func (s Size) String() string {
	for _, unit := range []string{"TB", "GB", "MB", "kB"} {
		if n := Size(sizeUnits[unit]); s != 0 && s%n == 0 {
			return fmt.Sprintf("%d %s", s/n, unit)
		}
	}
	return fmt.Sprintf("%d B", int64(s))
}

// MarshalText is the inverse of UnmarshalText.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a number with or without a unit; "" is 0.
func (s *Size) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	m := sizeForm.FindStringSubmatch(string(text))
	if m == nil {
		return fmt.Errorf("must be a size such as 500 kB, 30 MB or 20 GB, not %q", text)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n*sizeUnits[m[2]] > 1e18 {
		return fmt.Errorf("is too large a size: %q", text)
	}
	*s = Size(n * sizeUnits[m[2]])
	return nil
}
