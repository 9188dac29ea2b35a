package all

import (
	"context"

	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/v4l2"
)

// Drivers of devices that only Linux speaks to in this way.

var local = []Driver{
	{Scheme: "sane", What: "scanners", Open: openSANE, List: listSANE, Find: func(o Options) []scan.Finder { return sane.Finders(o.sane()) },
		Check: checkSANE},
}

var cameras = []Driver{
	{Scheme: "v4l2", What: "document cameras", Open: openV4L2, List: listV4L2, Find: findV4L2, Check: checkV4L2,
		Note: "this driver was tried against the kernel's rules only, never against a camera: look at the first pictures"},
}

func (o Options) sane() sane.Options {
	var hide []string
	if o.Data != "" {
		hide = []string{o.Data}
	}
	return sane.Options{Worker: o.Worker, Ready: o.Ready, Stall: o.Stall, Set: o.Set, Prefer: o.Prefer, Hide: hide}
}

func openSANE(o Options, id string) (Scanner, error) { return sane.Open(o.sane(), id), nil }

func listSANE(ctx context.Context, o Options, nearby bool) ([]scan.Info, error) {
	if nearby {
		return sane.ListLocal(ctx, o.sane())
	}
	return sane.List(ctx, o.sane())
}

func checkSANE(ctx context.Context, o Options, _ string) []scan.Finding {
	return sane.Check(ctx, o.sane())
}

func openV4L2(_ Options, id string) (Scanner, error) { return v4l2.Open(v4l2.Options{}, id), nil }

func listV4L2(ctx context.Context, _ Options, _ bool) ([]scan.Info, error) {
	return v4l2.List(ctx, v4l2.Options{})
}

func findV4L2(Options) []scan.Finder {
	return []scan.Finder{{Name: "v4l2", List: func(ctx context.Context) ([]scan.Info, error) { return v4l2.List(ctx, v4l2.Options{}) }}}
}

func checkV4L2(ctx context.Context, _ Options, _ string) []scan.Finding {
	return v4l2.Check(ctx, v4l2.Options{})
}
