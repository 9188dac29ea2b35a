// Package chip is an emulated ICAO chip for tests and demonstrations: files and keys in, answers to APDUs
// out, as 9303 parts 10 and 11 want them (PACE with all three mappings, BAC, active and chip authentication, secure messaging, the files of
// an identity card). A vpcd.Daemon can lay it on a virtual reader. It shares the ciphers with package lds,
// which are held to the standard's printed examples, but plays the other side of every protocol itself.
// What it can't show is a real chip's timing, its short temper after failures, and its maker's quirks.
package chip

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"time"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/group"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// PACE is one way to run PACE: a suite (1 3DES, 2 AES-128, 3 AES-192, 4 AES-256), the id of standardised domain
// parameters (0 to 2 prime fields, 8 to 18 curves), and the mapping: 1 DH generic, 2 ECDH generic, 3 DH integrated,
// 4 ECDH integrated, 6 ECDH chip authentication; 0 is 2.
type PACE struct{ Suite, Parameter, Mapping int }

func (p PACE) mapping() int {
	if p.Mapping == 0 {
		return 2
	}
	return p.Mapping
}

// Options is what a chip demands before it tells anything.
type Options struct {
	CAN  string
	MRZ  []string // the lines as printed; the key of BAC and of PACE-MRZ
	PACE []PACE
	BAC  bool
	Keys Keys

	NoMaster  bool // SELECT of the master file: no such command (real Vietnamese cards)
	NoShortID bool // READ BINARY with a short file identifier is refused; EF.CardAccess wants a SELECT

	WantsParameter bool // PACE's domain parameters must be named though there is one choice (6A87 without)

	MostRead int  // READ BINARY for more than so many bytes is refused (6700); 0: any
	Strict   bool // READ BINARY beyond the end of a file is refused, too
	Curt     bool // what it refuses it refuses without protection, and the session is at its end

	CardSecurity []byte // EF.CardSecurity; none where empty

	// Lie, where not nil, may alter what the chip answers in a step, as a card made to deceive does: a file by its name
	// ("EF.CardAccess", "DG1"), "nonce", "mapping", "key", "token", "challenge", "bac", "signature", "agreement",
	// "select"; "sealed" is any answer as secure messaging wraps it, status word and all.
	Lie func(step string, data []byte) []byte

	Delay time.Duration // of every answer

	Random io.Reader // crypto/rand.Reader where nil
}

// Chip is one emulated chip. Its methods may be called from any goroutine.
type Chip struct {
	files Files
	o     Options

	mu sync.Mutex // guards what follows: the state a reset clears
	state
	Commands int // transmitted since New
}

type state struct {
	application bool // the ICAO application is selected
	selected    []byte
	name        string // of the file selected
	step        string // what the answer is, for Lie
	session     *sm.Session
	next        *sm.Session // after chip authentication
	agreeing    bool
	prime       bool // by the key modulo a prime
	challenge   []byte

	pace struct {
		info      *PACE
		oid       []byte
		password  []byte
		nonce     []byte
		generator *group.Element
		theirs    []byte // the reader's ephemeral key
		mine      []byte
		secret    []byte
		mapping   *big.Int // the chip's secret key of the mapping
	}
}

// New is a chip with the files.
func New(files Files, o Options) *Chip {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Chip{files: files, o: o}
}

// ATR is that of a contactless chip card with T=1.
func (c *Chip) ATR() []byte { return []byte{0x3b, 0x80, 0x80, 0x01, 0x01} }

// Reset ends the session.
func (c *Chip) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = state{}
}

// Transmit answers one command.
func (c *Chip) Transmit(command []byte) []byte {
	time.Sleep(c.o.Delay)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Commands++
	cmd, err := apdu.Parse(command)
	if err != nil {
		return answer(nil, apdu.WrongLength)
	}
	if c.session == nil {
		return answer(c.tell(cmd))
	}
	if cmd.Class&0x0c == 0 {
		c.session = nil // a plain command ends the session
		return answer(nil, apdu.SMMissing)
	}
	plain, err := c.session.OpenCommand(cmd)
	if err != nil {
		c.session = nil
		return answer(nil, apdu.SMWrong)
	}
	session := c.session
	data, status := c.tell(plain)
	if c.o.Curt && status != apdu.OK && status != apdu.EndOfFile {
		c.session, c.next = nil, nil
		return answer(nil, status)
	}
	reply := session.SealResponse(plain.Ins, data, status)
	if c.o.Lie != nil {
		reply = c.o.Lie("sealed", reply)
	}
	if c.next != nil { // agreed on by this command, and used from the next one on
		c.session, c.next = c.next, nil
	}
	return reply
}

func answer(data []byte, status apdu.Status) []byte {
	return append(bytes.Clone(data), byte(status>>8), byte(status))
}

// tell is do, or what the chip says in place of it.
func (c *Chip) tell(cmd apdu.Command) ([]byte, apdu.Status) {
	c.step = "select"
	data, status := c.do(cmd)
	if c.o.Lie != nil {
		data = c.o.Lie(c.step, bytes.Clone(data))
	}
	return data, status
}

func (c *Chip) do(cmd apdu.Command) ([]byte, apdu.Status) {
	switch cmd.Ins {
	case 0xa4:
		return nil, c.selectFile(cmd)
	case 0xb0, 0xb1:
		return c.readBinary(cmd)
	case 0x84:
		if !c.application || !c.o.BAC {
			return nil, apdu.NotSupported
		}
		c.step, c.challenge = "challenge", c.random(8)
		return c.challenge, apdu.OK
	case 0x82:
		c.step = "bac"
		return c.externalAuthenticate(cmd)
	case 0x22:
		if cmd.P1 == 0x41 {
			return nil, c.setKey(cmd)
		}
		return nil, c.setAT(cmd)
	case 0x88:
		if c.o.Keys.Refuse {
			return nil, apdu.NotSupported
		}
		c.step = "signature"
		return c.internalAuthenticate(cmd)
	case 0x86:
		return c.generalAuthenticate(cmd)
	}
	return nil, apdu.NotSupported
}

func (c *Chip) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.o.Random, b); err != nil {
		panic(err)
	}
	return b
}

func (c *Chip) selectFile(cmd apdu.Command) apdu.Status {
	switch {
	case cmd.P1 == 0x00 && c.o.NoMaster:
		return apdu.NotSupported
	case cmd.P1 == 0x00:
		c.application, c.selected = false, nil
		return apdu.OK
	case cmd.P1 == 0x04:
		if !bytes.Equal(cmd.Data, []byte{0xa0, 0, 0, 2, 0x47, 0x10, 1}) || c.files == nil {
			return apdu.FileNotFound
		}
		c.application, c.selected = true, nil
		return apdu.OK
	case cmd.P1 == 0x02 && bytes.Equal(cmd.Data, []byte{0x01, 0x1c}) && !c.application && len(c.o.PACE) > 0:
		c.selected, c.name = c.cardAccess(), "EF.CardAccess"
		return apdu.OK
	case cmd.P1 == 0x02 && bytes.Equal(cmd.Data, []byte{0x01, 0x1d}) && !c.application && c.session != nil && len(c.o.CardSecurity) > 0:
		c.selected, c.name = c.o.CardSecurity, "EF.CardSecurity"
		return apdu.OK
	case cmd.P1 == 0x02 && len(cmd.Data) == 2 && cmd.Data[0] == 1 && c.application:
		return c.selectGroup(cmd.Data[1])
	}
	return apdu.FileNotFound
}

// selectGroup selects a file of the application.
func (c *Chip) selectGroup(id byte) apdu.Status {
	if c.session == nil {
		return apdu.NotSatisfied
	}
	file, ok := c.files[id]
	if !ok {
		return apdu.FileNotFound
	}
	c.selected, c.name = file, fmt.Sprintf("DG%d", id)
	if name, ok := map[byte]string{0x1e: "EF.COM", 0x1d: "EF.SOD"}[id]; ok {
		c.name = name
	}
	return apdu.OK
}

func (c *Chip) readBinary(cmd apdu.Command) ([]byte, apdu.Status) {
	offset := int(cmd.P1)<<8 | int(cmd.P2)
	switch {
	case cmd.Ins == 0xb1:
		at, ok := tlv.Find(cmd.Data, 0x54)
		if !ok || len(at) > 3 {
			return nil, apdu.WrongData
		}
		offset = int(new(big.Int).SetBytes(at).Int64())
	case cmd.P1 == 0x9c && !c.application: // EF.CardAccess by its short identifier
		if len(c.o.PACE) == 0 || c.o.NoShortID {
			return nil, apdu.FileNotFound
		}
		c.selected, c.name, offset = c.cardAccess(), "EF.CardAccess", int(cmd.P2)
	case cmd.P1&0x80 != 0:
		return nil, apdu.FileNotFound
	}
	c.step = c.name
	if c.selected == nil {
		return nil, apdu.NoConditions
	}
	if offset > len(c.selected) {
		return nil, apdu.WrongOffset
	}
	want := cmd.Le
	if cmd.Ins == 0xb1 {
		want -= 8
	}
	part := c.selected[offset:]
	status := apdu.OK
	if c.o.MostRead > 0 && want > c.o.MostRead || c.o.Strict && want > len(part) {
		return nil, apdu.WrongLength
	}
	if len(part) < want {
		status = apdu.EndOfFile
	}
	part = part[:min(len(part), max(want, 0))]
	if cmd.Ins == 0xb1 {
		part = tlv.Append(nil, 0x53, part)
	}
	return part, status
}

func (c *Chip) cardAccess() []byte {
	type info struct {
		Protocol  asn1.ObjectIdentifier
		Version   int
		Parameter int
	}
	var set []byte
	for _, p := range c.o.PACE {
		der, err := asn1.Marshal(info{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, p.mapping(), p.Suite}, 2, p.Parameter})
		if err != nil {
			panic(err)
		}
		set = append(set, der...)
	}
	return tlv.Append(nil, 0x31, set)
}

// key is MRZ_information: on a TD1 and a TD3 the digits stand in the lines as they are.
func (c *Chip) key() []byte {
	switch {
	case len(c.o.MRZ) == 3:
		return []byte(c.o.MRZ[0][5:15] + c.o.MRZ[1][0:7] + c.o.MRZ[1][8:15])
	case len(c.o.MRZ) == 2:
		return []byte(c.o.MRZ[1][0:10] + c.o.MRZ[1][13:20] + c.o.MRZ[1][21:28])
	}
	return []byte(strings.Repeat("?", 24))
}

func (c *Chip) externalAuthenticate(cmd apdu.Command) ([]byte, apdu.Status) {
	if c.challenge == nil || len(cmd.Data) != 40 {
		return nil, apdu.NoConditions
	}
	seed := sm.SHA1(c.key())[:16]
	enc, mac := sm.TDES.Derive(seed, sm.Enc), sm.TDES.Derive(seed, sm.MAC)
	challenge := c.challenge
	c.challenge = nil
	if !sm.TDES.Verify(mac, cmd.Data[:32], cmd.Data[32:]) {
		return nil, 0x6300
	}
	theirs := sm.TDES.Decrypt(enc, cmd.Data[:32]) // RND.IFD ‖ RND.IC ‖ K.IFD
	if !hmac.Equal(theirs[8:16], challenge) {
		return nil, 0x6300
	}
	mine := c.random(16)
	text := append(append(bytes.Clone(challenge), theirs[:8]...), mine...)
	cryptogram := sm.TDES.Encrypt(enc, text)
	shared := make([]byte, 16)
	subtle.XORBytes(shared, theirs[16:], mine)
	c.session = sm.NewSession(sm.TDES, shared, append(bytes.Clone(challenge[4:]), theirs[4:8]...))
	return append(cryptogram, sm.TDES.Sum(mac, cryptogram)...), apdu.OK
}

func (c *Chip) setAT(cmd apdu.Command) apdu.Status {
	oid, ok := tlv.Find(cmd.Data, 0x80)
	reference, ok2 := tlv.Find(cmd.Data, 0x83)
	if !ok || !ok2 || len(reference) != 1 || cmd.P1 != 0xc1 || cmd.P2 != 0xa4 {
		return apdu.WrongData
	}
	parameter, chosen := tlv.Find(cmd.Data, 0x84)
	if !chosen && c.o.WantsParameter {
		return 0x6a87
	}
	if !chosen && len(c.o.PACE) > 1 {
		return apdu.WrongData // ambiguous
	}
	c.state.pace.info = nil
	for i, p := range c.o.PACE {
		want := []byte{0x04, 0x00, 0x7f, 0x00, 0x07, 0x02, 0x02, 0x04, byte(p.mapping()), byte(p.Suite)}
		if bytes.Equal(oid, want) && (!chosen || bytes.Equal(parameter, []byte{byte(p.Parameter)})) {
			c.state.pace.info = &c.o.PACE[i]
		}
	}
	if c.state.pace.info == nil {
		return apdu.WrongData
	}
	c.state.pace.oid = bytes.Clone(oid)
	switch reference[0] {
	case 1:
		c.state.pace.password = sm.SHA1(c.key())
	case 2:
		c.state.pace.password = []byte(c.o.CAN)
	default:
		return 0x6a88
	}
	return apdu.OK
}

// setKey begins chip authentication: with 3DES it carries the reader's key, with AES the next command does.
func (c *Chip) setKey(cmd apdu.Command) apdu.Status {
	if c.o.Keys.Agree == nil && c.o.Keys.Prime == nil || c.o.Keys.Refuse || c.session == nil {
		return apdu.NotSupported
	}
	if cmd.P2 == 0xa4 && c.o.Keys.Suite > 1 {
		oid, _ := tlv.Find(cmd.Data, 0x80)
		c.prime = len(oid) > 2 && oid[len(oid)-2] == 1
		if c.prime && c.o.Keys.Prime == nil || !c.prime && c.o.Keys.Agree == nil {
			return apdu.WrongData
		}
		c.agreeing = true
		return apdu.OK
	}
	theirs, ok := tlv.Find(cmd.Data, 0x91)
	if cmd.P2 != 0xa6 || !ok {
		return apdu.WrongData
	}
	const longestPoint = 2*66 + 1 // of a curve of 521 bits
	next, err := c.agree(theirs, 1, c.o.Keys.Agree == nil || c.o.Keys.Prime != nil && len(theirs) > longestPoint)
	if err != nil {
		return apdu.WrongData
	}
	c.next = next
	return apdu.OK
}

func (c *Chip) generalAuthenticate(cmd apdu.Command) ([]byte, apdu.Status) {
	body, ok := tlv.Find(cmd.Data, 0x7c)
	if theirs, has := tlv.Find(body, 0x80); ok && has && c.agreeing {
		c.step = "agreement"
		next, err := c.agree(theirs, c.o.Keys.Suite, c.prime)
		if err != nil {
			return nil, apdu.WrongData
		}
		c.next, c.agreeing = next, false
		return tlv.Append(nil, 0x7c, nil), apdu.OK
	}
	p := &c.state.pace
	if !ok || p.info == nil {
		return nil, apdu.NoConditions
	}
	suite, g := sm.Suite(p.info.Suite), group.Standard(p.info.Parameter, p.info.mapping()%2 == 0)
	if len(body) == 0 {
		p.nonce, p.generator = c.random(suite.NonceSize()), nil
		return c.reply(0x80, suite.Encrypt(suite.Derive(p.password, sm.Password), p.nonce))
	}
	if value, ok := tlv.Find(body, 0x81); ok && p.nonce != nil {
		return c.mapNonce(suite, g, value)
	}
	if value, ok := tlv.Find(body, 0x83); ok && p.generator != nil {
		return c.agreePACE(g, value)
	}
	if value, ok := tlv.Find(body, 0x85); ok && p.secret != nil {
		return c.confirmPACE(suite, g, value)
	}
	return nil, apdu.NoConditions
}

// reply answers a step of PACE.
func (c *Chip) reply(tag uint32, value []byte) ([]byte, apdu.Status) {
	c.step = map[uint32]string{0x80: "nonce", 0x82: "mapping", 0x84: "key", 0x86: "token"}[tag]
	return tlv.Append(nil, 0x7c, tlv.Append(nil, tag, value)), apdu.OK
}

// scalar draws a private key.
func (c *Chip) scalar(g group.Group) *big.Int {
	for {
		b := c.random((g.Order().BitLen() + 7) / 8)
		b[0] &= 0xff >> (8*len(b) - g.Order().BitLen())
		if k := new(big.Int).SetBytes(b); k.Sign() > 0 && k.Cmp(g.Order()) < 0 {
			return k
		}
	}
}

// mapNonce makes the generator that both sides go on with.
func (c *Chip) mapNonce(suite sm.Suite, g group.Group, value []byte) ([]byte, apdu.Status) {
	p := &c.state.pace
	var generator group.Element
	var answer []byte
	if m := p.info.mapping(); m == 3 || m == 4 {
		r, err := suite.PseudoRandom(p.nonce, value, g.Prime())
		if err != nil {
			return nil, apdu.WrongData
		}
		if generator, err = g.Integrated(r); err != nil {
			return nil, apdu.WrongData
		}
	} else {
		theirs, err := g.Unmarshal(value)
		if err != nil {
			return nil, apdu.WrongData
		}
		k := c.scalar(g)
		p.mapping = k
		if generator, err = g.Generic(new(big.Int).SetBytes(p.nonce), g.Public(k, theirs)); err != nil {
			return nil, apdu.WrongData
		}
		answer = g.Marshal(g.Public(k, g.Base()))
	}
	p.generator = &generator
	return c.reply(0x82, answer)
}

func (c *Chip) agreePACE(g group.Group, value []byte) ([]byte, apdu.Status) {
	p := &c.state.pace
	theirs, err := g.Unmarshal(value)
	if err != nil {
		return nil, apdu.WrongData
	}
	k := c.scalar(g)
	if p.secret, err = g.Secret(g.Public(k, theirs)); err != nil {
		return nil, apdu.WrongData
	}
	p.theirs, p.mine = bytes.Clone(value), g.Marshal(g.Public(k, *p.generator))
	return c.reply(0x84, p.mine)
}

// confirmPACE checks the reader's token and opens the session.
func (c *Chip) confirmPACE(suite sm.Suite, g group.Group, value []byte) ([]byte, apdu.Status) {
	p := &c.state.pace
	mac := suite.Derive(p.secret, sm.MAC)
	token := func(key []byte) []byte {
		return suite.Sum(mac, tlv.Append(nil, 0x7f49, tlv.Append(nil, 0x06, p.oid), tlv.Append(nil, g.Tag(), key)))
	}
	if !hmac.Equal(token(p.mine), value) {
		c.state.pace.info = nil
		return nil, 0x6300
	}
	c.session = sm.NewSession(suite, p.secret, nil)
	data, status := c.reply(0x86, token(p.theirs))
	if p.info.mapping() == 6 && c.o.Keys.Map != nil {
		body, _ := tlv.Find(data, 0x7c)
		data = tlv.Append(nil, 0x7c, body, tlv.Append(nil, 0x8a, c.proof(suite, p.secret, p.mapping)))
	}
	return data, status
}
