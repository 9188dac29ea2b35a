// Package group is where the keys of PACE live (ICAO 9303-11, 4.4): an elliptic curve, or the multiplicative group of a
// prime field. In go secrets, nonces and the other side's public keys, out come generators, public keys and shared
// secrets. It promises that whatever comes from outside lies in the right group and is not its neutral element.
package group

import (
	"errors"
	"fmt"
	"math/big"

	"motcua/drivers/lds/internal/curve"
)

// Element is a point of a curve or a number modulo a prime.
type Element struct {
	point curve.Point
	power *big.Int
}

// Group is one set of standardised domain parameters (9303-11, 9.5.1).
type Group interface {
	Order() *big.Int
	Prime() *big.Int
	Base() Element
	// Public is the public key of the secret k over a generator; it is also the Diffie-Hellman secret of k with
	// another's public key.
	Public(k *big.Int, generator Element) Element
	// Generic is the generator of the generic mapping: of the nonce s and the shared secret of an anonymous
	// exchange (4.4.3.3.1).
	Generic(s *big.Int, shared Element) (Element, error)
	// Integrated is the generator that the integrated mapping gives for a pseudo-random number below Prime
	// (4.4.3.3.2). A group that is not Integrable has none.
	Integrated(r *big.Int) (Element, error)
	Integrable() bool
	Marshal(e Element) []byte
	Unmarshal(b []byte) (Element, error)
	Equal(a, b Element) bool
	// Secret is the shared secret that keys are derived from.
	Secret(e Element) ([]byte, error)
	// Tag is the tag of a public key in an authentication token.
	Tag() uint32
}

var errNeutral = errors.New("the neutral element")

// Standard gives the group of an id, nil for an id that names none or needs another protocol.
func Standard(id int, elliptic bool) Group {
	if !elliptic {
		return prime(id)
	}
	if c := curve.Standard(id); c != nil {
		return points{c}
	}
	return nil
}

// On is the group of a curve's points.
func On(c *curve.Curve) Group { return points{c} }

// Bounds of the prime fields whose parameters come from outside, in bits.
const (
	leastPrime = 1024 // the smallest of 9303-11, 9.5.1
	mostPrime  = 4096
)

// Modulo is the group of the powers of g modulo p, q of them; q may be nil where it is not told, as in PKCS #3. A q that is
// too short to hide a secret, or that is not the order of g, is refused.
func Modulo(p, g, q *big.Int) (Group, error) {
	const leastOrder = 160 // bits, as in RFC 5114
	one := big.NewInt(1)
	if p == nil || g == nil || p.BitLen() < leastPrime || p.BitLen() > mostPrime || p.Bit(0) == 0 {
		return nil, errors.New("a modulus of an odd length")
	}
	most := new(big.Int).Sub(p, one)
	if q == nil {
		q = most
	}
	rest := new(big.Int).Mod(most, q)
	if q.BitLen() < leastOrder || rest.Sign() != 0 || g.Cmp(one) <= 0 || g.Cmp(most) >= 0 || new(big.Int).Exp(g, q, p).Cmp(one) != 0 {
		return nil, errors.New("a generator without the order it is said to have")
	}
	return powers{p, g, q}, nil
}

// points are those of an elliptic curve; the cofactors of the standard's curves are 1.
type points struct{ c *curve.Curve }

func (g points) Order() *big.Int { return g.c.N }
func (g points) Prime() *big.Int { return g.c.P }
func (g points) Base() Element   { return Element{point: g.c.G} }
func (g points) Tag() uint32     { return 0x86 }
func (g points) Public(k *big.Int, generator Element) Element {
	return Element{point: g.c.Multiply(k, generator.point)}
}

func (g points) Generic(s *big.Int, shared Element) (Element, error) {
	p := g.c.Add(g.c.Multiply(s, g.c.G), shared.point)
	if p.Infinity() {
		return Element{}, errNeutral
	}
	return Element{point: p}, nil
}

// Integrable tells curves over a prime that is 3 modulo 4.
func (g points) Integrable() bool { return g.c.P.Bit(0) == 1 && g.c.P.Bit(1) == 1 }

// Integrated is the point encoding of 9303-11, appendix B.2 (affine coordinates), in its names.
func (g points) Integrated(t *big.Int) (Element, error) {
	c := g.c
	p, one := c.P, big.NewInt(1)
	if !g.Integrable() {
		return Element{}, fmt.Errorf("%s has no integrated mapping", c.Name)
	}
	mul := func(a, b *big.Int) *big.Int { m := new(big.Int).Mul(a, b); return m.Mod(m, p) }
	cubic := func(x *big.Int) *big.Int {
		v := new(big.Int).Add(mul(x, x), c.A)
		v = mul(v, x)
		return v.Add(v, c.B).Mod(v, p)
	}
	alpha := new(big.Int).Neg(mul(t, t))
	alpha.Mod(alpha, p)
	sum := new(big.Int).Add(alpha, mul(alpha, alpha))
	inverse, a := new(big.Int).ModInverse(sum.Mod(sum, p), p), new(big.Int).ModInverse(c.A, p)
	if inverse == nil || a == nil {
		return Element{}, errNeutral
	}
	x2 := mul(mul(new(big.Int).Neg(c.B), a), inverse.Add(inverse, one))
	h2 := cubic(x2)
	exponent := new(big.Int).Rsh(new(big.Int).Add(p, one), 2)
	exponent.Sub(new(big.Int).Sub(p, one), exponent)
	root := new(big.Int).Exp(h2, exponent, p)
	found := curve.Point{X: x2, Y: mul(root, h2)}
	if mul(mul(root, root), h2).Cmp(one) != 0 {
		u := mul(mul(mul(t, t), t), h2)
		found = curve.Point{X: mul(alpha, x2), Y: mul(root, u)}
	}
	if !c.Contains(found) {
		return Element{}, errNeutral
	}
	return Element{point: found}, nil
}

func (g points) Marshal(e Element) []byte { return g.c.Marshal(e.point) }

func (g points) Unmarshal(b []byte) (Element, error) {
	p, err := g.c.Unmarshal(b)
	return Element{point: p}, err
}

func (g points) Equal(a, b Element) bool { return a.point.Equal(b.point) }

func (g points) Secret(e Element) ([]byte, error) {
	if e.point.Infinity() {
		return nil, errNeutral
	}
	secret := make([]byte, g.c.Size())
	e.point.X.FillBytes(secret)
	return secret, nil
}

// powers are the numbers modulo p whose order divides q.
type powers struct{ p, g, q *big.Int }

func prime(id int) Group {
	if id < 0 || id >= len(primes) {
		return nil
	}
	n := func(hex string) *big.Int {
		v, _ := new(big.Int).SetString(hex, 16) // digits of the table below: a test reads them all
		return v
	}
	return powers{n(primes[id][0]), n(primes[id][1]), n(primes[id][2])}
}

func (g powers) Order() *big.Int { return g.q }
func (g powers) Prime() *big.Int { return g.p }
func (g powers) Base() Element   { return Element{power: g.g} }
func (g powers) Tag() uint32     { return 0x84 }
func (g powers) Public(k *big.Int, generator Element) Element {
	return Element{power: new(big.Int).Exp(generator.power, k, g.p)}
}

func (g powers) Generic(s *big.Int, shared Element) (Element, error) {
	v := new(big.Int).Exp(g.g, s, g.p)
	v.Mul(v, shared.power).Mod(v, g.p)
	return g.member(v)
}

func (g powers) Integrable() bool { return true }

func (g powers) Integrated(r *big.Int) (Element, error) {
	cofactor := new(big.Int).Sub(g.p, big.NewInt(1))
	return g.member(new(big.Int).Exp(r, cofactor.Div(cofactor, g.q), g.p))
}

func (g powers) member(v *big.Int) (Element, error) {
	one := big.NewInt(1)
	if v.Cmp(one) <= 0 || v.Cmp(new(big.Int).Sub(g.p, one)) >= 0 || new(big.Int).Exp(v, g.q, g.p).Cmp(one) != 0 {
		return Element{}, errors.New("a number outside the group")
	}
	return Element{power: v}, nil
}

func (g powers) Marshal(e Element) []byte {
	b := make([]byte, (g.p.BitLen()+7)/8)
	e.power.FillBytes(b)
	return b
}

func (g powers) Unmarshal(b []byte) (Element, error) {
	if len(b) > (g.p.BitLen()+7)/8 {
		return Element{}, errors.New("a number longer than the group's")
	}
	return g.member(new(big.Int).SetBytes(b))
}

func (g powers) Equal(a, b Element) bool { return a.power.Cmp(b.power) == 0 }

func (g powers) Secret(e Element) ([]byte, error) {
	if _, err := g.member(e.power); err != nil {
		return nil, errNeutral
	}
	return g.Marshal(e), nil
}

// primes holds p, g and q of RFC 5114.
var primes = [3][3]string{
	{ // 2.1: 1024-bit group with a subgroup of 160-bit order
		"B10B8F96A080E01DDE92DE5EAE5D54EC52C99FBCFB06A3C69A6A9DCA52D23B616073E28675A23D189838EF1E2EE652C0" +
			"13ECB4AEA906112324975C3CD49B83BFACCBDD7D90C4BD7098488E9C219A73724EFFD6FAE5644738FAA31A4FF55BCCC0" +
			"A151AF5F0DC8B4BD45BF37DF365C1A65E68CFDA76D4DA708DF1FB2BC2E4A4371",
		"A4D1CBD5C3FD34126765A442EFB99905F8104DD258AC507FD6406CFF14266D31266FEA1E5C41564B777E690F5504F213" +
			"160217B4B01B886A5E91547F9E2749F4D7FBD7D3B9A92EE1909D0D2263F80A76A6A24C087A091F531DBF0A0169B6A28A" +
			"D662A4D18E73AFA32D779D5918D08BC8858F4DCEF97C2A24855E6EEB22B3B2E5",
		"F518AA8781A8DF278ABA4E7D64B7CB9D49462353"},
	{ // 2.2: 2048 and 224
		"AD107E1E9123A9D0D660FAA79559C51FA20D64E5683B9FD1B54B1597B61D0A75E6FA141DF95A56DBAF9A3C407BA1DF15" +
			"EB3D688A309C180E1DE6B85A1274A0A66D3F8152AD6AC2129037C9EDEFDA4DF8D91E8FEF55B7394B7AD5B7D0B6C12207" +
			"C9F98D11ED34DBF6C6BA0B2C8BBC27BE6A00E0A0B9C49708B3BF8A317091883681286130BC8985DB1602E714415D9330" +
			"278273C7DE31EFDC7310F7121FD5A07415987D9ADC0A486DCDF93ACC44328387315D75E198C641A480CD86A1B9E587E8" +
			"BE60E69CC928B2B9C52172E413042E9B23F10B0E16E79763C9B53DCF4BA80A29E3FB73C16B8E75B97EF363E2FFA31F71" +
			"CF9DE5384E71B81C0AC4DFFE0C10E64F",
		"AC4032EF4F2D9AE39DF30B5C8FFDAC506CDEBE7B89998CAF74866A08CFE4FFE3A6824A4E10B9A6F0DD921F01A70C4AFA" +
			"AB739D7700C29F52C57DB17C620A8652BE5E9001A8D66AD7C17669101999024AF4D027275AC1348BB8A762D0521BC98A" +
			"E247150422EA1ED409939D54DA7460CDB5F6C6B250717CBEF180EB34118E98D119529A45D6F834566E3025E316A330EF" +
			"BB77A86F0C1AB15B051AE3D428C8F8ACB70A8137150B8EEB10E183EDD19963DDD9E263E4770589EF6AA21E7F5F2FF381" +
			"B539CCE3409D13CD566AFBB48D6C019181E1BCFE94B30269EDFE72FE9B6AA4BD7B5A0F1C71CFFF4C19C418E1F6EC0179" +
			"81BC087F2A7065B384B890D3191F2BFA",
		"801C0D34C58D93FE997177101F80535A4738CEBCBF389A99B36371EB"},
	{ // 2.3: 2048 and 256
		"87A8E61DB4B6663CFFBBD19C651959998CEEF608660DD0F25D2CEED4435E3B00E00DF8F1D61957D4FAF7DF4561B2AA30" +
			"16C3D91134096FAA3BF4296D830E9A7C209E0C6497517ABD5A8A9D306BCF67ED91F9E6725B4758C022E0B1EF4275BF7B" +
			"6C5BFC11D45F9088B941F54EB1E59BB8BC39A0BF12307F5C4FDB70C581B23F76B63ACAE1CAA6B7902D52526735488A0E" +
			"F13C6D9A51BFA4AB3AD8347796524D8EF6A167B5A41825D967E144E5140564251CCACB83E6B486F6B3CA3F7971506026" +
			"C0B857F689962856DED4010ABD0BE621C3A3960A54E710C375F26375D7014103A4B54330C198AF126116D2276E11715F" +
			"693877FAD7EF09CADB094AE91E1A1597",
		"3FB32C9B73134D0B2E77506660EDBD484CA7B18F21EF205407F4793A1A0BA12510DBC15077BE463FFF4FED4AAC0BB555" +
			"BE3A6C1B0C6B47B1BC3773BF7E8C6F62901228F8C28CBB18A55AE31341000A650196F931C77A57F2DDF463E5E9EC144B" +
			"777DE62AAAB8A8628AC376D282D6ED3864E67982428EBC831D14348F6F2F9193B5045AF2767164E1DFC967C1FB3F2E55" +
			"A4BD1BFFE83B9C80D052B985D182EA0ADB2A3B7313D3FE14C8484B1E052588B9B7D2BBD2DF016199ECD06E1557CD0915" +
			"B3353BBB64E0EC377FD028370DF92B52C7891428CDC67EB6184B523D1DB246C32F63078490F00EF8D647D148D4795451" +
			"5E2327CFEF98C582664B4C0F6CC41659",
		"8CF83642A709A097B447997640129DA299B1A47D1EB3750BA308B0FE64F5FBD3"},
}
