package escl

import (
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
