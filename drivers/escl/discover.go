package escl

import (
	"context"
	"io"
	"log"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/mdns"

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

func discover(ctx context.Context, o Options, wait time.Duration) ([]found, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	entries := make(chan *mdns.ServiceEntry, 64)
	var queries sync.WaitGroup
	asked := 0
	for _, i := range interfaces {
		usable := i.Flags&net.FlagUp != 0 && i.Flags&net.FlagMulticast != 0
		if o.Interface != "" {
			usable = i.Name == o.Interface
		}
		if !usable {
			continue
		}
		for _, service := range []string{"_uscan._tcp", "_uscans._tcp"} {
			asked++
			queries.Go(func() {
				// An interface without an address cannot be asked, and another one may be.
				_ = mdns.QueryContext(ctx, &mdns.QueryParam{
					Service: service, Domain: "local", Timeout: wait, Interface: &i, Entries: entries,
					DisableIPv6: true, // link-local addresses would need their zone in the URL
					Logger:      log.New(io.Discard, "", 0),
				})
			})
		}
	}
	if asked == 0 {
		return nil, nil
	}
	go func() { // ends with the queries, which end in time
		queries.Wait()
		close(entries)
	}()
	var all []found
	at := map[string]int{}
	for e := range entries {
		f, ok := announced(e)
		if !ok {
			continue
		}
		key := f.uuid
		if key == "" {
			key = f.info.ID
		}
		k, known := at[key]
		switch {
		case !known:
			at[key] = len(all)
			all = append(all, f)
		case f.secure && !all[k].secure:
			all[k] = f
		}
	}
	return all, ctx.Err()
}

// announced reads a device's announcement.
func announced(e *mdns.ServiceEntry) (found, bool) {
	secure := strings.Contains(e.Name, "._uscans._tcp")
	if !secure && !strings.Contains(e.Name, "._uscan._tcp") || e.AddrV4 == nil || e.Port <= 0 {
		return found{}, false
	}
	txt := map[string]string{}
	for _, f := range e.InfoFields {
		if k, v, ok := strings.Cut(f, "="); ok {
			txt[strings.ToLower(k)] = strings.ToValidUTF8(v, "?")
		}
	}
	u := &url.URL{Scheme: "http", Host: e.AddrV4.String(), Path: "/" + strings.Trim(txt["rs"], "/")}
	usual := 80
	if secure {
		u.Scheme, usual = "https", 443
	}
	if e.Port != usual {
		u.Host = net.JoinHostPort(u.Host, strconv.Itoa(e.Port))
	}
	if u.Path == "/" {
		u.Path = "/eSCL"
	}
	f := found{base: u, uuid: normalUUID(txt["uuid"]), secure: secure}
	f.info = scan.Info{ID: prefix + u.String(), Driver: "escl", Model: txt["ty"], Kind: "network scanner"}
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
	return f, true
}
