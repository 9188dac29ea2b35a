//go:build !linux

package scan

import "context"

// Plugged gives no notice where there is no netlink: the watch looks by the clock alone.
func Plugged(context.Context) (notice <-chan struct{}, stop func()) { return nil, func() {} }
