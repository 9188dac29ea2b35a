package group

import (
	"fmt"
	"math/big"
	"testing"
)

func groups() map[string]Group {
	all := map[string]Group{}
	for id := range 3 {
		all[fmt.Sprintf("prime %d", id)] = Standard(id, false)
	}
	for id := 8; id <= 18; id++ {
		all[fmt.Sprintf("curve %d", id)] = Standard(id, true)
	}
	return all
}

func TestTheTableIsWhatTheRFCSays(t *testing.T) {
	for id, bits := range [][2]int{{1024, 160}, {2048, 224}, {2048, 256}} {
		g := prime(id).(powers)
		if g.p.BitLen() != bits[0] || g.q.BitLen() != bits[1] || !g.p.ProbablyPrime(20) || !g.q.ProbablyPrime(20) {
			t.Errorf("%d: p of %d bits, q of %d", id, g.p.BitLen(), g.q.BitLen())
		}
		if _, err := g.member(g.g); err != nil {
			t.Errorf("%d: the generator: %v", id, err)
		}
	}
	for _, id := range []int{-1, 3, 8} {
		if Standard(id, false) != nil {
			t.Errorf("prime field %d is known", id)
		}
	}
	if Standard(0, true) != nil {
		t.Error("curve 0 is known")
	}
}

func TestBothSidesAgree(t *testing.T) {
	for name, g := range groups() {
		a, b, s := big.NewInt(123456789), big.NewInt(987654321), big.NewInt(55555)
		mine, theirs := g.Public(a, g.Base()), g.Public(b, g.Base())
		one, err := g.Generic(s, g.Public(a, theirs))
		if err != nil {
			t.Fatal(name, err)
		}
		other, err := g.Generic(s, g.Public(b, mine))
		if err != nil || !g.Equal(one, other) {
			t.Errorf("%s: generators differ, %v", name, err)
		}
		back, err := g.Unmarshal(g.Marshal(one))
		if err != nil || !g.Equal(back, one) {
			t.Errorf("%s: a key does not survive marshalling: %v", name, err)
		}
		if mapped, err := g.Integrated(s); err == nil {
			// The generator has the group's order: its order-th multiple is neutral.
			if _, err := g.Secret(g.Public(g.Order(), mapped)); err == nil {
				t.Errorf("%s: the mapped generator has another order", name)
			}
		} else if name != "curve 10" { // P-224 is over a prime that is 1 modulo 4
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	for name, g := range groups() {
		key := g.Marshal(g.Base())
		bad := [][]byte{nil, {0}, {1}, key[:len(key)-1], append(key, 0)}
		outside := append([]byte(nil), key...)
		outside[len(outside)-1] ^= 1
		bad = append(bad, outside)
		if p, ok := g.(powers); ok {
			bad = append(bad, p.p.Bytes(), new(big.Int).Sub(p.p, big.NewInt(1)).Bytes(), []byte{2})
		}
		for _, b := range bad {
			if _, err := g.Unmarshal(b); err == nil {
				t.Errorf("%s: %d bytes were taken for a key", name, len(b))
			}
		}
	}
}
