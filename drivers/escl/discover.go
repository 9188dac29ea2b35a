package escl

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"motcua/drivers/scan"
)

// found is a device that announced itself.
type found struct {
	info   scan.Info
	base   *url.URL
	uuid   string
	secure bool
}

// List gives the devices that answer on the network within a second. Capabilities are what the
// announcement says of them; Probe knows more. A device that offers HTTPS is listed by that address only,
// because papers are personal.
func List(ctx context.Context, o Options) ([]scan.Info, error) {
	all, err := discover(ctx, o, time.Second)
	if err != nil {
		return nil, err
	}
	infos := make([]scan.Info, 0, len(all))
	for _, f := range all {
		infos = append(infos, f.info)
	}
	return infos, nil
}

// find looks for a device by its UUID.
func find(ctx context.Context, o Options, uuid string) (*url.URL, bool) {
	all, err := discover(ctx, o, time.Second)
	if err != nil {
		return nil, false
	}
	for _, f := range all {
		if f.uuid == uuid {
			return f.base, true
		}
	}
	return nil, false
}

// services are what scanners announce themselves as, in the clear and over TLS.
var services = []string{"_uscan._tcp", "_uscans._tcp"}

// discover asks every interface for announcements until wait is over. A machine without a network finds nothing, which is
// no error; one whose network cannot be asked says why.
func discover(ctx context.Context, o Options, wait time.Duration) ([]found, error) {
	interfaces, err := askable(o.Interface)
	if err != nil || len(interfaces) == 0 {
		return nil, err
	}
	browsing, done := context.WithTimeout(ctx, wait)
	defer done()
	instances, err := browse(browsing, interfaces, services...)
	if err != nil {
		return nil, err
	}
	var all list
	for _, i := range instances {
		all.add(announced(i))
	}
	return all, ctx.Err()
}

// list is devices, each once: by its UUID, or its address where it tells none. One that offers TLS is listed so.
type list []found

func (l *list) add(f found) {
	for i, known := range *l {
		if f.uuid != "" && known.uuid == f.uuid || known.info.ID == f.info.ID {
			if f.secure && !known.secure {
				(*l)[i] = f
			}
			return
		}
	}
	*l = append(*l, f)
}

// askable are the interfaces to ask: all that are up and carry multicast, whatever the routes say.
func askable(only string) (usable []net.Interface, err error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	for _, i := range interfaces {
		if only != "" && i.Name == only || only == "" && i.Flags&net.FlagUp != 0 && i.Flags&net.FlagMulticast != 0 &&
			i.Flags&net.FlagLoopback == 0 {
			usable = append(usable, i)
		}
	}
	if only != "" && len(usable) == 0 {
		return nil, fmt.Errorf("there is no network interface %q", only)
	}
	return usable, nil
}

// announced reads a device's announcement.
func announced(i instance) found {
	secure := i.service == services[1]
	txt := map[string]string{}
	for _, entry := range i.text {
		if k, v, ok := strings.Cut(entry, "="); ok {
			txt[strings.ToLower(k)] = strings.ToValidUTF8(v, "?")
		}
	}
	u := &url.URL{Scheme: "http", Host: i.address.String(), Path: "/" + strings.Trim(txt["rs"], "/")}
	usual := 80
	if secure {
		u.Scheme, usual = "https", 443
	}
	if i.port != usual {
		u.Host = net.JoinHostPort(u.Host, strconv.Itoa(i.port))
	}
	if u.Path == "/" {
		u.Path = "/eSCL"
	}
	f := found{base: u, uuid: normalUUID(txt["uuid"]), secure: secure}
	f.info = scan.Info{ID: prefix + u.String(), Driver: "escl", Model: txt["ty"], Kind: "network scanner"}
	if !secure {
		f.info.ByName = "it takes papers over the network in the clear"
	}
	if vendor, model, ok := strings.Cut(txt["ty"], " "); ok {
		f.info.Vendor, f.info.Model = vendor, model
	}
	for _, s := range strings.Split(txt["is"], ",") {
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "platen":
			f.info.Sources = append(f.info.Sources, scan.Flatbed)
		case "adf", "feeder":
			f.info.Sources = append(f.info.Sources, scan.ADF)
			if strings.EqualFold(txt["duplex"], "T") {
				f.info.Sources = append(f.info.Sources, scan.ADFDuplex)
			}
		}
	}
	for _, c := range strings.Split(txt["cs"], ",") {
		switch strings.ToLower(strings.TrimSpace(c)) {
		case "color":
			f.info.Modes = append(f.info.Modes, scan.Color)
		case "grayscale":
			f.info.Modes = append(f.info.Modes, scan.Gray)
		case "binary":
			f.info.Modes = append(f.info.Modes, scan.Lineart)
		}
	}
	return f
}
