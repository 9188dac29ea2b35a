package escl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
)

// The libraries to be had for DNS-SD ask from a port of their own. That makes a responder answer as to an old resolver: in
// one packet of 512 bytes, which holds one scanner of five ("not fitting in legacy unicast packet, dropping", says avahi),
// and it leaves the way to the routing table, which has none for multicast without a default route. So the questions are
// put here, from the port of mDNS and on every interface (RFC 6762, 5.2 and 6.7); names and records are miekg/dns's.

var mdnsGroup = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}

// instance is one service that was announced, as far as its records have come.
type instance struct {
	name    string // "Acme Office._uscan._tcp.local."
	service string // "_uscan._tcp"
	host    string
	port    int
	text    []string
	address net.IP // IPv4
}

// complete reports whether all that is needed has come.
func (i instance) complete() bool { return i.port > 0 && i.address != nil && i.text != nil }

// records gathers what responders say.
type records struct {
	services  map[string]string // by instance name
	srv       map[string]*dns.SRV
	txt       map[string][]string
	addresses map[string][]net.IP // by host name
	networks  []*net.IPNet        // that this machine is in
}

func newRecords(interfaces []net.Interface) *records {
	r := &records{services: map[string]string{}, srv: map[string]*dns.SRV{}, txt: map[string][]string{}, addresses: map[string][]net.IP{}}
	for _, i := range interfaces {
		addresses, _ := i.Addrs() // without, any address is as good as the next
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok {
				r.networks = append(r.networks, n)
			}
		}
	}
	return r
}

// browse asks the interfaces for instances of the services until ctx ends and gives those whose records came.
func browse(ctx context.Context, interfaces []net.Interface, services ...string) ([]instance, error) {
	conn, err := listenMDNS(ctx, interfaces)
	if err != nil {
		return nil, fmt.Errorf("ask the network for scanners (mDNS): %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	r := newRecords(interfaces)
	buf := make([]byte, 9000) // RFC 6762, 17
	pause := firstPause
	for ctx.Err() == nil {
		if err := ask(conn, interfaces, r.questions(services)); err != nil {
			return nil, fmt.Errorf("ask the network for scanners (mDNS): %w", err)
		}
		next := time.Now().Add(pause)
		pause *= 2
		for ctx.Err() == nil && time.Now().Before(next) {
			_ = conn.SetReadDeadline(next)
			if ctx.Err() != nil { // it may have ended just before
				break
			}
			n, _, _, err := conn.ReadFrom(buf)
			if err != nil {
				break
			}
			r.read(buf[:n], services)
		}
	}
	return r.instances(), nil
}

// firstPause is until the question is put again; it doubles. Packets get lost, and a look takes a second.
const firstPause = 200 * time.Millisecond

// listenMDNS opens the port of mDNS beside whoever else has it, as avahi does, and joins the group on every interface.
func listenMDNS(ctx context.Context, interfaces []net.Interface) (*ipv4.PacketConn, error) {
	shared := net.ListenConfig{Control: sharePort}
	socket, err := shared.ListenPacket(ctx, "udp4", fmt.Sprintf("0.0.0.0:%d", mdnsGroup.Port))
	if err != nil {
		return nil, err
	}
	conn := ipv4.NewPacketConn(socket)
	joined := 0
	var errs []error
	for _, i := range interfaces {
		if err := conn.JoinGroup(&i, mdnsGroup); err != nil { // one that is going down just now is no reason to give up
			errs = append(errs, fmt.Errorf("%s: %w", i.Name, err))
			continue
		}
		joined++
	}
	if joined == 0 {
		_ = conn.Close()
		return nil, errors.Join(errs...)
	}
	_ = conn.SetMulticastTTL(255)       // RFC 6762, 11; without it most answer all the same
	_ = conn.SetMulticastLoopback(true) // a scanner may be shared by this very machine
	return conn, nil
}

// ask puts the questions on every interface. It fails where none takes them.
func ask(conn *ipv4.PacketConn, interfaces []net.Interface, questions []dns.Question) error {
	m := dns.Msg{Question: questions}
	packet, err := m.Pack()
	if err != nil {
		return err
	}
	var errs []error
	for _, i := range interfaces {
		if _, err := conn.WriteTo(packet, &ipv4.ControlMessage{IfIndex: i.Index}, mdnsGroup); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", i.Name, err))
		}
	}
	if len(errs) == len(interfaces) {
		return errors.Join(errs...)
	}
	return nil
}

// questions are for the services, and for what is missing of the instances that are known.
func (r *records) questions(services []string) (all []dns.Question) {
	put := func(name string, kind uint16) {
		all = append(all, dns.Question{Name: name, Qtype: kind, Qclass: dns.ClassINET})
	}
	for _, s := range services {
		put(s+".local.", dns.TypePTR)
	}
	for name := range r.services {
		srv := r.srv[name]
		if srv == nil {
			put(name, dns.TypeSRV)
		} else if len(r.addresses[host(srv)]) == 0 {
			put(srv.Target, dns.TypeA)
		}
		if r.txt[name] == nil {
			put(name, dns.TypeTXT)
		}
	}
	return all[:min(len(all), maxQuestions)]
}

// maxQuestions fit a packet; the others are put the next time.
const maxQuestions = 12

func host(srv *dns.SRV) string { return strings.ToLower(srv.Target) }

// read takes a packet's records. A time to live of zero takes back what was said.
func (r *records) read(packet []byte, services []string) {
	var m dns.Msg
	if err := m.Unpack(packet); err != nil || !m.Response {
		return
	}
	for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
		switch rr := rr.(type) {
		case *dns.PTR:
			service := strings.TrimSuffix(strings.ToLower(rr.Hdr.Name), ".local.")
			switch name := strings.ToLower(rr.Ptr); {
			case !slices.Contains(services, service):
			case rr.Hdr.Ttl == 0:
				delete(r.services, name)
			default:
				r.services[name] = service
			}
		case *dns.SRV:
			r.srv[strings.ToLower(rr.Hdr.Name)] = rr
		case *dns.TXT:
			r.txt[strings.ToLower(rr.Hdr.Name)] = rr.Txt
		case *dns.A:
			name := strings.ToLower(rr.Hdr.Name)
			if !slices.ContainsFunc(r.addresses[name], rr.A.Equal) {
				r.addresses[name] = append(r.addresses[name], rr.A)
			}
		}
	}
}

// reachable is the address of a host to use: one of a network that this machine is in, before others, and its loopback last.
func (r *records) reachable(host string) (best net.IP) {
	worth := func(ip net.IP) int {
		switch {
		case ip.IsLoopback():
			return 1
		case slices.ContainsFunc(r.networks, func(n *net.IPNet) bool { return n.Contains(ip) }):
			return 3
		}
		return 2
	}
	for _, ip := range r.addresses[host] {
		if best == nil || worth(ip) > worth(best) || worth(ip) == worth(best) && ip.String() < best.String() {
			best = ip
		}
	}
	return best
}

// instances are the complete ones, by name.
func (r *records) instances() (all []instance) {
	for name, service := range r.services {
		i := instance{name: name, service: service, text: r.txt[name]}
		if srv := r.srv[name]; srv != nil {
			i.host, i.port = srv.Target, int(srv.Port)
			i.address = r.reachable(host(srv))
		}
		if i.complete() {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b instance) int { return strings.Compare(a.name, b.name) })
	return all
}
