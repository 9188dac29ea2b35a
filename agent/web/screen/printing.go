package screen

import "errors"

// mendable is an error of a device that somebody at the counter can do something about; Message is a key of the catalogue.
type mendable interface {
	error
	Message() string
}

// Unprinted is the key of the sentence on what a printer's error means to whoever waits for the paper; "" where none fits.
func (s *Host) Unprinted(err error) string {
	var f mendable
	if errors.As(err, &f) && s.Words.Has("vi", f.Message()) {
		return f.Message()
	}
	return ""
}
