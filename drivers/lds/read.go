package lds

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/tlv"
	"motcua/drivers/scan"
)

// aid is the ICAO application.
var aid = []byte{0xa0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}

// The files, by the number of their data group; EF.COM and EF.SOD have numbers of their own here.
const (
	efCOM = 0x1e
	efSOD = 0x1d
)

// Read opens the chip and reads it: PACE where the chip offers it, else BAC; then DG1, DG13, the
// security object and last the face. The context ends it between two commands. After Read the card
// wants a reset before it is read again.
func Read(ctx context.Context, t Transmitter, a Access, o Options) (Card, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Block <= 0 {
		o.Block = 223 // with everything around it, the longest that fits a short response
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.random == nil {
		o.random = rand.Reader
	}
	if a.CAN == "" && a.MRZ == (Key{}) {
		return Card{}, errors.New("open chip: neither CAN nor MRZ key given")
	}
	o.Progress(Progress{File: "access"})
	c := &channel{t: t}
	var card Card
	var err error
	if card.Access, err = c.open(ctx, a, o); err != nil {
		return Card{}, fmt.Errorf("open chip: %w", mendable(err))
	}
	if err := c.read(ctx, &card, o); err != nil {
		return Card{}, mendable(err)
	}
	return card, nil
}

// mendable makes a fault of a status word nobody expected there.
func mendable(err error) error {
	var status apdu.Status
	var known *scan.Fault
	if errors.As(err, &status) && !errors.As(err, &known) {
		return damaged(err)
	}
	return err
}

// open grants access and says how. A wrong CAN is tried again with the MRZ where both are given.
func (c *channel) open(ctx context.Context, a Access, o Options) (string, error) {
	infos, err := c.cardAccess(ctx)
	if err != nil {
		return "", err
	}
	var last error
	if len(infos) > 0 && a.CAN != "" {
		if last = c.pace(ctx, infos, paceCAN, []byte(a.CAN), o.random); last == nil {
			return "PACE-CAN", c.enter(ctx)
		}
		if a.MRZ == (Key{}) && !errors.Is(last, errNoPACE) || !goesOn(last) {
			return "", last
		}
	}
	if len(infos) > 0 && a.MRZ != (Key{}) && !errors.Is(last, errNoPACE) {
		password, err := a.MRZ.hash()
		if err != nil {
			return "", err
		}
		if last = c.pace(ctx, infos, paceMRZ, password, o.random); last == nil {
			return "PACE-MRZ", c.enter(ctx)
		}
		// A wrong key is as wrong for BAC: asking again only wears out the chip's patience.
		if isFault(last, WrongMRZ) || !goesOn(last) {
			return "", last
		}
	}
	if err := c.selectApplication(ctx); err != nil {
		return "", err
	}
	if a.MRZ == (Key{}) {
		return "", fault(UnsupportedCard, "This chip opens only with the MRZ: scan the back of the card first.", last)
	}
	if err := c.bac(ctx, a.MRZ, o.random); err != nil {
		var status apdu.Status
		if errors.As(err, &status) && !isFault(err, WrongMRZ) && !isFault(err, DamagedChip) {
			return "", fault(UnsupportedCard, "The chip and this program have no way of access in common. Read the card with the scanner.",
				errors.Join(last, err))
		}
		return "", err
	}
	return "BAC", nil
}

// goesOn reports whether another way of access may be tried: the card is there and answers.
func goesOn(err error) bool {
	var status apdu.Status
	return errors.As(err, &status) || errors.Is(err, errNoPACE)
}

func isFault(err error, code scan.Code) bool { return errors.Is(err, fault(code, "", nil)) }

// cardAccess reads what the chip offers. A chip without EF.CardAccess has BAC only.
func (c *channel) cardAccess(ctx context.Context) ([]paceInfo, error) {
	// Some chips have no master file to select; then the file below is asked for all the same.
	if _, _, err := c.do(ctx, apdu.Command{Ins: 0xa4, P2: 0x0c, Data: []byte{0x3f, 0x00}}); err != nil {
		return nil, err
	}
	// READ BINARY with short file identifier 1C selects the file and reads its beginning. Real Vietnamese cards were met that
	// refuse that and take a SELECT of 011C.
	file, status, err := c.do(ctx, apdu.Command{Ins: 0xb0, P1: 0x9c, Le: 256})
	if err != nil {
		return nil, err
	}
	_, header, length, cut := tlv.Header(file)
	if status != apdu.OK && status != apdu.EndOfFile || cut != nil || header+length > len(file) {
		_, selected, err := c.do(ctx, apdu.Command{Ins: 0xa4, P1: 0x02, P2: 0x0c, Data: []byte{0x01, 0x1c}})
		if err != nil {
			return nil, err
		}
		if selected != apdu.OK && (status != apdu.OK && status != apdu.EndOfFile || len(file) == 0) {
			return nil, nil // neither way: there is none
		}
		file, err = c.file(ctx, 223, func(int, int) {})
		var refused apdu.Status
		if errors.As(err, &refused) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read EF.CardAccess: %w", err)
		}
	}
	infos, err := parseCardAccess(file)
	if err != nil {
		return nil, damaged(err)
	}
	return infos, nil
}

// enter goes from the master file, where PACE was run, to the application. On the way it takes what the chip's proof by
// its mapping rests on.
func (c *channel) enter(ctx context.Context) error {
	if c.mapped != nil {
		var refused apdu.Status
		var err error
		if c.mapped.security, err = c.cardSecurity(ctx); err != nil && !errors.As(err, &refused) {
			return fmt.Errorf("read EF.CardSecurity: %w", err)
		}
	}
	return c.selectApplication(ctx)
}

func (c *channel) selectApplication(ctx context.Context) error {
	_, status, err := c.do(ctx, apdu.Command{Ins: 0xa4, P1: 0x04, P2: 0x0c, Data: aid})
	if err != nil {
		return err
	}
	if status != apdu.OK {
		return fault(UnsupportedCard, "This card has no chip that identity cards and passports have (it may be a bank or transport card, or a "+
			"card without contactless chip). Read it with the scanner.", status)
	}
	return nil
}

// read takes the files over the opened channel.
func (c *channel) read(ctx context.Context, card *Card, o Options) error {
	name := func(id int) string {
		switch id {
		case efCOM:
			return "EF.COM"
		case efSOD:
			return "EF.SOD"
		}
		return fmt.Sprintf("DG%d", id)
	}
	files := map[int][]byte{}
	step, of := 1, 0
	get := func(id int) error {
		p := Progress{File: name(id), Step: step, Of: of}
		o.Progress(p)
		step++
		group := byte(id)
		_, status, err := c.do(ctx, apdu.Command{Ins: 0xa4, P1: 0x02, P2: 0x0c, Data: []byte{0x01, group}})
		if err == nil && status != apdu.OK {
			err = status
		}
		var file []byte
		if err == nil {
			file, err = c.file(ctx, o.Block, func(read, size int) { p.Read, p.Size = read, size; o.Progress(p) })
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", p.File, err)
		}
		files[id] = file
		return nil
	}
	absent := func(err error) bool {
		var status apdu.Status
		return errors.As(err, &status) && (status == apdu.FileNotFound || status == apdu.NotSatisfied)
	}

	// EF.COM is not signed: it is asked only which files to expect, and what it says is checked by trying.
	groups := []int{1, 13}
	if err := get(efCOM); err == nil {
		groups = intersect(groups, listed(files[efCOM]))
		if !o.WithoutFace && slices.Contains(listed(files[efCOM]), 2) {
			groups = append(groups, 2)
		}
	} else if !absent(err) {
		return err
	} else if !o.WithoutFace {
		groups = append(groups, 2)
	}
	if !slices.Contains(groups, 1) {
		groups = append([]int{1}, groups...)
	}
	// What the chip can prove comes first, since it changes the keys of the session; the face, which takes ten times as long as
	// the rest, comes last.
	of = 2 + len(groups)
	if err := get(efSOD); err != nil && !absent(err) {
		return err
	}
	proof, unproven := c.prove(ctx, files, get, absent, o)
	refused := errors.Is(unproven, errNotOffered)
	switch {
	case errors.Is(unproven, errCopied):
		card.Authentic = Authentic{Trust: Copied, Reason: unproven.Error()}
		return nil
	case unproven != nil && !refused:
		return unproven
	}
	for _, id := range groups {
		if err := get(id); err != nil && (id == 1 || !absent(err)) {
			return err
		}
	}

	m, err := parseDG1(files[1])
	if err != nil {
		return fmt.Errorf("read DG1: %w", damaged(err))
	}
	card.MRZ = m.lines
	card.Fields = m.fields(o.Now)
	card.Doubtful = append(card.Doubtful, m.doubtful(o.Now)...)
	if file, ok := files[13]; ok {
		d, err := parseDG13(file)
		if err != nil {
			return fmt.Errorf("read DG13: %w", damaged(err))
		}
		card.Unknown = d.unknown
		card.Doubtful = append(card.Doubtful, d.twice...)
		for name, value := range d.fields {
			if before, ok := card.Fields[name]; ok && before != value {
				card.Doubtful = append(card.Doubtful, name)
			}
			card.Fields[name] = value // with diacritics, and in words where the MRZ has letters
		}
	}
	slices.Sort(card.Doubtful)
	card.Doubtful = slices.Compact(card.Doubtful)
	if file, ok := files[2]; ok {
		if card.Face, card.FaceType, err = parseDG2(file); err != nil {
			return fmt.Errorf("read DG2: %w", damaged(err))
		}
	}
	card.Authentic = authenticity(files, o)
	card.Authentic.Proof = proof
	if t := card.Authentic.Trust; refused && (t == Verified || t == Expired || t == UnknownSigner) {
		card.Authentic.Trust, card.Authentic.Reason = Unproven, unproven.Error()
	}
	return nil
}

// prove has the chip show that it is no copy, as far as its security object says that it can.
func (c *channel) prove(ctx context.Context, files map[int][]byte, get func(int) error, absent func(error) bool, o Options) (proof string,
	err error) {
	file, ok := files[efSOD]
	if !ok {
		return "", nil
	}
	object, err := parseSOD(file)
	if err != nil {
		return "", nil // authenticity says so
	}
	for _, id := range []int{14, 15} {
		if _, signed := object.groups[id]; !signed {
			continue
		}
		if err := get(id); err != nil {
			if absent(err) {
				return "", errNotOffered
			}
			return "", err
		}
	}
	var infos securityInfos
	if group, ok := files[14]; ok {
		if infos, err = parseDG14(group); err != nil {
			return "", damaged(err)
		}
	}
	var proofs []string
	var lacking error // what is signed as a way to prove itself and was not shown
	if c.mapped != nil || infos.mapping {
		switch err := c.mapped.check(infos, o); {
		case err == nil:
			proofs = append(proofs, "PACE-CAM")
		case errors.Is(err, errCopied):
			return "", fmt.Errorf("PACE with chip authentication mapping: %w", err)
		case infos.mapping:
			lacking = err
		}
	}
	if group, ok := files[15]; ok {
		der, _ := tlv.Find(group, 0x6f)
		k, err := parseKey(der)
		if err != nil {
			return "", damaged(fmt.Errorf("DG15: %w", err))
		}
		if err := c.sign(ctx, &k, infos.digest, o.random); err != nil {
			return "", fmt.Errorf("active authentication: %w", err)
		}
		proofs = append(proofs, "active authentication")
	}
	if key, how := infos.way(); key != nil && !(len(infos.agree) == 0 && infos.mapping) { // a key for the mapping alone is no other's
		if err := c.agree(ctx, key, how, o.random); err != nil {
			return "", fmt.Errorf("chip authentication: %w", err)
		}
		proofs = append(proofs, "chip authentication")
	} else if infos.foreign {
		lacking = errForeignKey
	}
	if len(proofs) == 0 {
		return "", lacking
	}
	return strings.Join(proofs, ", "), nil
}

func authenticity(files map[int][]byte, o Options) Authentic {
	file, ok := files[efSOD]
	if !ok {
		return Authentic{Trust: Unsigned, Reason: "the chip has no EF.SOD"}
	}
	object, err := parseSOD(file)
	if err != nil {
		return Authentic{Trust: Forged, Reason: err.Error()}
	}
	groups := map[int][]byte{}
	for id, file := range files {
		if id <= 16 {
			groups[id] = bytes.Clone(file)
		}
	}
	return object.authenticate(groups, o.Trusted, o.Now)
}

// listed are the data groups EF.COM names by their tags (9303-10, 4.6.1).
func listed(file []byte) []int {
	tags, _ := tlv.Find(file, 0x60, 0x5c)
	var all []int
	for _, tag := range tags {
		if i := bytes.IndexByte([]byte{0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70},
			tag); i >= 0 {
			all = append(all, i+1)
		}
	}
	return all
}

func intersect(a, b []int) []int {
	return slices.DeleteFunc(slices.Clone(a), func(n int) bool { return !slices.Contains(b, n) })
}
