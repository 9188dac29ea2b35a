package lds

import (
	"context"
	"errors"
	"fmt"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// channel is the way to the chip: plain until access is granted, protected from then on.
type channel struct {
	t       Transmitter
	session *sm.Session
	mapped  *mapped // after PACE with chip authentication mapping
	bare    bool    // it gives no EF.CardSecurity
	block   int     // bytes that a read asks for

	ended    bool                        // the chip refused something without protection
	reopen   func(context.Context) error // grants access anew
	reopened int
}

const (
	firstBlock   = 8  // holds the length of any file, and none is shorter
	leastBlock   = 64 // a chip that gives less at once is none that was heard of
	mostReopened = 12 // a few files that it hasn't, a few lengths it doesn't like
)

// alive opens the chip anew where it refused something without protection, since such a chip has ended the session: readers in
// the field (NFCPassportReader) do so after each file that is refused, and for passports that give 160 bytes at once.
func (c *channel) alive(ctx context.Context) error {
	if !c.ended {
		return nil
	}
	if c.reopened++; c.reopened > mostReopened {
		return damaged(errors.New("the chip ends one session after the other"))
	}
	c.session, c.mapped, c.ended = nil, nil, false
	return c.reopen(ctx)
}

// do sends one command. The status is the chip's word on it; err means that there is no telling.
func (c *channel) do(ctx context.Context, cmd apdu.Command) ([]byte, apdu.Status, error) {
	sent := cmd
	if c.session != nil {
		sent = c.session.Seal(cmd)
	}
	data, status, err := c.raw(ctx, sent)
	if err != nil || c.session == nil {
		return data, status, err
	}
	bare := len(data) == 0
	if data, status, err = c.session.Open(data, status); err != nil {
		return nil, 0, damaged(err)
	}
	c.ended = c.ended || bare
	if status == apdu.SMMissing || status == apdu.SMWrong {
		return nil, 0, damaged(status)
	}
	return data, status, nil
}

// raw carries one command, with the two detours of T=0: 61xx (fetch the response) and 6Cxx (ask again
// with the right length).
func (c *channel) raw(ctx context.Context, cmd apdu.Command) ([]byte, apdu.Status, error) {
	var all []byte
	for range 300 { // a response has at most 64 kB, in pieces of 256 bytes
		answer, err := c.t.Transmit(ctx, cmd.Encode())
		if err != nil {
			return nil, 0, err
		}
		data, status, err := apdu.Response(answer)
		if err != nil {
			return nil, 0, damaged(err)
		}
		all = append(all, data...)
		left := int(status & 0xff)
		if left == 0 {
			left = 256
		}
		switch status >> 8 {
		case 0x61:
			cmd = apdu.Command{Class: cmd.Class &^ 0x0c, Ins: 0xc0, Le: left}
		case 0x6c:
			cmd.Le = left
		default:
			return all, status, nil
		}
	}
	return nil, 0, damaged(errors.New("a response without end"))
}

// must is do where only success is of use.
func (c *channel) must(ctx context.Context, cmd apdu.Command) ([]byte, error) {
	data, status, err := c.do(ctx, cmd)
	if err == nil && status != apdu.OK {
		err = status
	}
	return data, err
}

const largest = 1 << 18 // no file of an identity card comes near

// file reads the selected file whole: the length stands in its first bytes. Nothing beyond its end is asked for, and less at once of
// a chip that refuses what was asked for.
func (c *channel) file(ctx context.Context, progress func(read, size int)) ([]byte, error) {
	head, status, err := c.readAt(ctx, 0, firstBlock)
	if err != nil {
		return nil, err
	}
	if status != apdu.OK && (status != apdu.EndOfFile || len(head) == 0) {
		return nil, status
	}
	_, header, length, err := tlv.Header(head)
	if err != nil || header+length > largest {
		return nil, damaged(errors.New("a file without a length"))
	}
	size := header + length
	content := make([]byte, 0, size)
	content = append(content, head[:min(len(head), size)]...)
	for len(content) < size {
		progress(len(content), size)
		part, status, err := c.readAt(ctx, len(content), min(c.block, size-len(content)))
		if err != nil {
			return nil, err
		}
		if len(part) == 0 && tooLong(status) && !c.ended && c.shorter() {
			continue
		}
		if len(part) == 0 {
			if status == apdu.OK || status == apdu.EndOfFile {
				return nil, damaged(errors.New("a file shorter than it says"))
			}
			return nil, status
		}
		content = append(content, part[:min(len(part), size-len(content))]...)
	}
	progress(size, size)
	return content, nil
}

// tooLong tells a refusal of the number of bytes that were asked for.
func tooLong(s apdu.Status) bool { return s == apdu.WrongLength || s&0xff00 == 0x6c00 }

// shorter has reads ask for less, if they may.
func (c *channel) shorter() bool {
	if c.block <= leastBlock {
		return false
	}
	c.block = max(leastBlock, c.block*3/4)
	return true
}

// readAt is READ BINARY. Offsets above 32767 go with the odd instruction and a data object each way.
func (c *channel) readAt(ctx context.Context, offset, n int) ([]byte, apdu.Status, error) {
	if offset < 1<<15 {
		return c.do(ctx, apdu.Command{Ins: 0xb0, P1: byte(offset >> 8), P2: byte(offset), Le: n})
	}
	at := tlv.Append(nil, 0x54, []byte{byte(offset >> 16), byte(offset >> 8), byte(offset)})
	data, status, err := c.do(ctx, apdu.Command{Ins: 0xb1, Data: at, Le: min(n, 200) + 8})
	if err != nil || len(data) == 0 {
		return nil, status, err
	}
	o, _, err := tlv.Next(data)
	if err != nil || o.Tag != 0x53 && o.Tag != 0x73 {
		return nil, 0, damaged(fmt.Errorf("read at %d: %w", offset, tlv.ErrCut))
	}
	return o.Value, status, nil
}
