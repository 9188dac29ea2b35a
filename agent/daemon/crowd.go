package daemon

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// How many connections a listener keeps open at once. A browser takes six and a stream, a ward behind one address a few dozen; beyond these
// somebody fills the memory, and file descriptors of which the queue needs some.
const (
	ownMost     = 1024 // of this machine: its screen, its command line, a proxy before the daemon
	othersMost  = 2048 // of all others together
	addressMost = 256  // of each of these
)

// crowd counts a listener's open connections, and closes what comes beyond its bounds at once. What this machine opens counts by itself: no
// neighbour on the network takes the place of the kiosk's own screen. Nobody waits for a place, since a listener that waits would let
// the screen wait behind whoever was there first.
type crowd struct {
	own, others, address int // its bounds

	mu   sync.Mutex                // guards the rest
	open map[net.Conn]netip.Prefix // those that are counted, and where they come from; the zero prefix is this machine
	from map[netip.Prefix]int      // how many come from where
}

func newCrowd() *crowd {
	return &crowd{own: ownMost, others: othersMost, address: addressMost, open: map[net.Conn]netip.Prefix{}, from: map[netip.Prefix]int{}}
}

// watch is what http.Server.ConnState calls.
func (c *crowd) watch(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !c.enters(conn) {
			conn.Close() // the server finds it closed when it reads
		}
	case http.StateClosed, http.StateHijacked:
		c.leaves(conn)
	}
}

func (c *crowd) enters(conn net.Conn) bool {
	at := origin(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	mine := c.from[netip.Prefix{}]
	full := mine >= c.own
	if at.IsValid() {
		full = len(c.open)-mine >= c.others || c.from[at] >= c.address
	}
	if full {
		return false
	}
	c.open[conn] = at
	c.from[at]++
	return true
}

func (c *crowd) leaves(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, counted := c.open[conn]
	if !counted {
		return // it was turned away
	}
	delete(c.open, conn)
	if c.from[at]--; c.from[at] == 0 {
		delete(c.from, at)
	}
}

// origin tells where a connection comes from: an address, of IPv6 its network, of whose addresses one machine takes as many as it likes.
// The zero prefix is this machine, also where there is no address at all, as of a socket in the file system.
func origin(conn net.Conn) netip.Prefix {
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{}
	}
	from := remote.Addr().Unmap()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if from.IsLoopback() || err == nil && local.Addr().Unmap().WithZone("") == from.WithZone("") {
		return netip.Prefix{}
	}
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	prefix, _ := from.WithZone("").Prefix(bits)
	return prefix
}
