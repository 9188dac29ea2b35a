package escl

import (
	"net"
	"testing"

	"github.com/miekg/dns"
)

func FuzzRecords(f *testing.F) {
	m := dns.Msg{MsgHdr: dns.MsgHdr{Response: true}, Answer: []dns.RR{
		&dns.PTR{Hdr: dns.RR_Header{Name: "_uscan._tcp.local.", Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: 120},
			Ptr: `Office\.2._uscan._tcp.local.`},
		&dns.SRV{Hdr: dns.RR_Header{Name: `Office\.2._uscan._tcp.local.`, Rrtype: dns.TypeSRV, Class: dns.ClassINET, Ttl: 120},
			Target: "office.local.", Port: 80},
	}}
	packet, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packet)
	f.Fuzz(func(t *testing.T, packet []byte) {
		r := newRecords(nil)
		r.read(packet, services)
		r.questions(services)
		for _, i := range r.instances() {
			announced(i)
		}
	})
}

// A scanner is where its own records say, whoever passed them on: a router between two networks repeats them (NAPS2 874).
func TestRecordsThatARouterPassesOn(t *testing.T) {
	head := func(name string, kind uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: 120}
	}
	const name = "Office._uscans._tcp.local."
	m := dns.Msg{MsgHdr: dns.MsgHdr{Response: true}, Answer: []dns.RR{
		&dns.PTR{Hdr: head("_uscans._tcp.local.", dns.TypePTR), Ptr: name},
		&dns.SRV{Hdr: head(name, dns.TypeSRV), Target: "office.local.", Port: 443},
		&dns.TXT{Hdr: head(name, dns.TypeTXT), Txt: []string{"rs=eSCL", "ty=Office"}},
		&dns.A{Hdr: head("router.local.", dns.TypeA), A: net.IPv4(192, 168, 0, 1)},
		&dns.A{Hdr: head("office.local.", dns.TypeA), A: net.IPv4(192, 168, 2, 86)},
	}}
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	r := newRecords(nil)
	r.read(packet, services)
	if all := r.instances(); len(all) != 1 || all[0].address.String() != "192.168.2.86" || all[0].port != 443 {
		t.Errorf("%+v", all)
	}
}
