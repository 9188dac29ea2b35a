//go:build !linux

package scan

import "context"

// hotplug gives no notice where there is no netlink: the watch looks by the clock alone.
func hotplug(context.Context) (notice <-chan struct{}, stop func()) { return nil, func() {} }
