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
	c := &channel{t: t, block: o.Block}
	var card Card
	var err error
	c.reopen = func(ctx context.Context) error {
		again := a
		if card.Access != "" && card.Access != "PACE-CAN" {
			again.CAN = "" // it was refused, and a chip slows down with every wrong key
		}
		_, err := c.open(ctx, again, o)
		return err
	}
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
	var last error // of a way that was tried before
	if len(infos) > 0 {
		how, again, err := c.openByPACE(ctx, infos, a, o)
		if !again {
			return how, err
		}
		last = err
	}
	if err := c.selectApplication(ctx); err != nil {
		return "", err
	}
	if a.MRZ == (Key{}) {
		return "", fault(UnsupportedCard, "This chip opens only with the MRZ: scan the back of the card first.", last)
	}
	var status apdu.Status
	err = c.bac(ctx, a.MRZ, o.random)
	switch {
	case err == nil:
		return "BAC", nil
	case errors.As(err, &status) && !isFault(err, WrongMRZ) && !isFault(err, DamagedChip):
		return "", fault(UnsupportedCard, "The chip and this program have no way of access in common. Read the card with the scanner.",
			errors.Join(last, err))
	}
	return "", err
}

// openByPACE opens the chip with the number on the card or the MRZ. again says that err leaves another way open.
func (c *channel) openByPACE(ctx context.Context, infos []paceInfo, a Access, o Options) (how string, again bool, err error) {
	if a.CAN != "" {
		if err = c.pace(ctx, infos, paceCAN, []byte(a.CAN), o.random); err == nil {
			return "PACE-CAN", false, c.enter(ctx)
		}
		if a.MRZ == (Key{}) && !errors.Is(err, errNoPACE) || !goesOn(err) {
			return "", false, err
		}
	}
	if a.MRZ == (Key{}) || errors.Is(err, errNoPACE) {
		return "", true, err
	}
	password, err := a.MRZ.hash()
	if err != nil {
		return "", false, err
	}
	if err = c.pace(ctx, infos, paceMRZ, password, o.random); err == nil {
		return "PACE-MRZ", false, c.enter(ctx)
	}
	// A wrong key is as wrong for BAC: asking again only wears out the chip's patience.
	return "", !isFault(err, WrongMRZ) && goesOn(err), err
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
		file, err = c.file(ctx, func(int, int) {})
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
	if c.mapped != nil && !c.bare {
		var refused apdu.Status
		var err error
		c.mapped.security, err = c.cardSecurity(ctx)
		if c.bare = errors.As(err, &refused); err != nil && !c.bare {
			return fmt.Errorf("read EF.CardSecurity: %w", err)
		}
		if c.ended {
			return c.alive(ctx) // which comes by here, and doesn't ask for it again
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
	r := &reading{channel: c, o: o, files: map[int][]byte{}, step: 1}
	groups, err := r.expected(ctx)
	if err != nil {
		return err
	}
	// What the chip can prove comes first, since it changes the keys of the session; the face, which takes ten times as long as
	// the rest, comes last.
	r.of = 2 + len(groups)
	if err := r.get(ctx, efSOD); err != nil && !absent(err) {
		return err
	}
	proof, unproven := r.prove(ctx)
	refused := errors.Is(unproven, errNotOffered)
	switch {
	case errors.Is(unproven, errCopied):
		card.Authentic = Authentic{Trust: Copied, Reason: unproven.Error()}
		return nil
	case unproven != nil && !refused:
		return unproven
	}
	for _, id := range groups {
		if err := r.get(ctx, id); err != nil && (id == 1 || !absent(err)) {
			return err
		}
	}
	if err := r.fill(card); err != nil {
		return err
	}
	card.Authentic = authenticity(r.files, o)
	card.Authentic.Proof = proof
	if t := card.Authentic.Trust; refused && (t == Verified || t == Expired || t == UnknownSigner) {
		card.Authentic.Trust, card.Authentic.Reason = Unproven, unproven.Error()
	}
	return nil
}

// reading is what was read of a chip so far.
type reading struct {
	*channel
	o        Options
	files    map[int][]byte // by data group, efCOM and efSOD
	step, of int            // for Progress; of is 0 until it is known
}

// fileName is a file's name in Progress and errors.
func fileName(id int) string {
	switch id {
	case efCOM:
		return "EF.COM"
	case efSOD:
		return "EF.SOD"
	}
	return fmt.Sprintf("DG%d", id)
}

// absent tells an error that says of a file that it isn't there, or not for us.
func absent(err error) bool {
	var status apdu.Status
	return errors.As(err, &status) && (status == apdu.FileNotFound || status == apdu.NotSatisfied)
}

// get reads a file into files.
func (r *reading) get(ctx context.Context, id int) error {
	p := Progress{File: fileName(id), Step: r.step, Of: r.of}
	r.o.Progress(p)
	r.step++
	file, err := r.selected(ctx, id, func(read, size int) { p.Read, p.Size = read, size; r.o.Progress(p) })
	var status apdu.Status
	for errors.As(err, &status) && tooLong(status) && r.ended && r.shorter() { // where the session goes on, file has asked for less
		file, err = r.selected(ctx, id, func(read, size int) { p.Read, p.Size = read, size; r.o.Progress(p) })
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", p.File, err)
	}
	r.files[id] = file
	return nil
}

// selected selects a file and reads it, in a new session where the chip has ended the last.
func (r *reading) selected(ctx context.Context, id int, progress func(read, size int)) ([]byte, error) {
	if err := r.alive(ctx); err != nil {
		return nil, err
	}
	if _, err := r.must(ctx, apdu.Command{Ins: 0xa4, P1: 0x02, P2: 0x0c, Data: []byte{0x01, byte(id)}}); err != nil {
		return nil, err
	}
	return r.file(ctx, progress)
}

// expected are the data groups to try. EF.COM is not signed: it is asked only which files to expect, and what it says is
// checked by trying.
func (r *reading) expected(ctx context.Context) ([]int, error) {
	groups := []int{1, 13}
	switch err := r.get(ctx, efCOM); {
	case err == nil:
		told := listed(r.files[efCOM])
		groups = intersect(groups, told)
		if !r.o.WithoutFace && slices.Contains(told, 2) {
			groups = append(groups, 2)
		}
	case !absent(err):
		return nil, err
	case !r.o.WithoutFace:
		groups = append(groups, 2)
	}
	if !slices.Contains(groups, 1) {
		groups = append([]int{1}, groups...)
	}
	return groups, nil
}

// fill lays what the data groups say on the card. Without DG1 there is none; another group that can't be made out is left out, and
// what it would have told is asked for elsewhere.
func (r *reading) fill(card *Card) error {
	m, err := parseDG1(r.files[1])
	if err != nil {
		return fmt.Errorf("read DG1: %w", damaged(err))
	}
	card.MRZ = m.lines
	card.Fields = m.fields(r.o.Now)
	card.Doubtful = append(card.Doubtful, m.doubtful(r.o.Now)...)
	if file, ok := r.files[2]; ok {
		if card.Face, card.FaceType, err = parseDG2(file); err != nil {
			card.Skipped = append(card.Skipped, 2)
		}
	}
	d, err := parseDG13(r.files[13])
	switch {
	case r.files[13] == nil:
	case err != nil:
		card.Skipped = append(card.Skipped, 13)
	default:
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
	return nil
}

// prove has the chip show that it is no copy, as far as its security object says that it can.
func (r *reading) prove(ctx context.Context) (proof string, err error) {
	infos, signed, err := r.ways(ctx)
	if err != nil || !signed {
		return "", err
	}
	var proofs []string
	var lacking error // what is signed as a way to prove itself and was not shown
	if r.mapped != nil || infos.mapping {
		switch err := r.mapped.check(infos, r.o); {
		case err == nil:
			proofs = append(proofs, "PACE-CAM")
		case errors.Is(err, errCopied):
			return "", fmt.Errorf("PACE with chip authentication mapping: %w", err)
		case infos.mapping:
			lacking = err
		}
	}
	if group, ok := r.files[15]; ok {
		der, _ := tlv.Find(group, 0x6f)
		k, err := parseKey(der)
		if err != nil {
			return "", damaged(fmt.Errorf("DG15: %w", err))
		}
		if err := r.sign(ctx, &k, infos.digest, r.o.random); err != nil {
			return "", fmt.Errorf("active authentication: %w", err)
		}
		proofs = append(proofs, "active authentication")
	}
	if key, how := infos.way(); key != nil && !(len(infos.agree) == 0 && infos.mapping) { // a key for the mapping alone is no other's
		if err := r.agree(ctx, key, how, r.o.random); err != nil {
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

// ways reads the data groups with which a chip proves itself, as far as they are signed, and gives what DG14 says; signed is false
// where no security object tells which those are.
func (r *reading) ways(ctx context.Context) (infos securityInfos, signed bool, err error) {
	file, ok := r.files[efSOD]
	if !ok {
		return infos, false, nil
	}
	object, err := parseSOD(file)
	if err != nil {
		return infos, false, nil // authenticity says so
	}
	for _, id := range []int{14, 15} {
		if _, signed := object.groups[id]; !signed {
			continue
		}
		if err := r.get(ctx, id); absent(err) {
			return infos, true, errNotOffered
		} else if err != nil {
			return infos, true, err
		}
	}
	group, ok := r.files[14]
	if !ok {
		return infos, true, nil
	}
	if infos, err = parseDG14(group); err != nil {
		return infos, true, damaged(err)
	}
	return infos, true, nil
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
	state := ""
	if m, err := parseDG1(files[1]); err == nil {
		state = m.state
	}
	return object.authenticate(groups, state, o.Trusted, o.Now)
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
