package curve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"
)

func TestStandardCurves(t *testing.T) {
	for _, id := range Standards {
		c := Standard(id)
		t.Run(c.Name, func(t *testing.T) {
			if !c.P.ProbablyPrime(20) || !c.N.ProbablyPrime(20) || !c.Contains(c.G) {
				t.Fatal("parameters are wrong")
			}
			if !c.Multiply(c.N, c.G).Infinity() {
				t.Error("n·G is not infinity")
			}
			k, _ := rand.Int(rand.Reader, c.N)
			p := c.Multiply(k, c.G)
			back, err := c.Unmarshal(c.Marshal(p))
			if err != nil || !back.Equal(p) {
				t.Errorf("unmarshal: %v", err)
			}
			off := c.Marshal(p)
			off[len(off)-1] ^= 1
			if _, err := c.Unmarshal(off); err == nil {
				t.Error("a point off the curve was taken")
			}
		})
	}
}

// The standard library stands as the second opinion where it knows the curve.
func TestAgreesWithStandardLibrary(t *testing.T) {
	for id, std := range map[int]elliptic.Curve{10: elliptic.P224(), 12: elliptic.P256(), 15: elliptic.P384(), 18: elliptic.P521()} {
		c := Standard(id)
		key, err := ecdsa.GenerateKey(std, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		uncompressed, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		public, err := c.Unmarshal(uncompressed)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Multiply(new(big.Int).SetBytes(secret), c.G).Equal(public) {
			t.Errorf("%s: multiplication differs", c.Name)
		}
		digest := sha256.Sum256([]byte("text"))
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		if !c.Verify(public, digest[:], r, s) {
			t.Errorf("%s: a good signature was refused", c.Name)
		}
		digest[0] ^= 1
		if c.Verify(public, digest[:], r, s) || c.Verify(public, digest[:], big.NewInt(0), s) {
			t.Errorf("%s: a bad signature was taken", c.Name)
		}
	}
}

// Jacobian and affine arithmetic must give the same points, at the corners too.
func TestMultiplyIsRepeatedAddition(t *testing.T) {
	for _, id := range Standards {
		c := Standard(id)
		sum := Point{}
		for k := range int64(40) {
			if got := c.Multiply(big.NewInt(k), c.G); !got.Equal(sum) {
				t.Errorf("%s: %d·G differs", c.Name, k)
			}
			sum = c.Add(sum, c.G)
		}
		minus := c.Multiply(new(big.Int).Sub(c.N, big.NewInt(1)), c.G)
		if !c.Add(minus, c.G).Infinity() || !c.Multiply(new(big.Int).Add(c.N, big.NewInt(1)), c.G).Equal(c.G) {
			t.Errorf("%s: (n±1)·G is wrong", c.Name)
		}
	}
}

func BenchmarkMultiply(b *testing.B) {
	for _, id := range []int{13, 16, 18} {
		c := Standard(id)
		k := new(big.Int).Sub(c.N, big.NewInt(12345))
		b.Run(c.Name, func(b *testing.B) {
			for b.Loop() {
				c.Multiply(k, c.G)
			}
		})
	}
}
