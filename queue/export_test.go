package queue

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"filippo.io/age"
)

var officeKey, _ = age.GenerateX25519Identity()

func recipients() []age.Recipient { return []age.Recipient{officeKey.Recipient()} }

func TestExport(t *testing.T) {
	ctx := context.Background()
	q := mustOpen(t, t.TempDir(), Options{Parallel: 1})
	a, b, c := mustEnqueue(t, q, draft("A", 1)), mustEnqueue(t, q, draft("B", 2)), mustEnqueue(t, q, draft("C", 0))
	h := &hub{fail: func(s Submission) error {
		if s.ID != "A" {
			return Permanent(io.ErrUnexpectedEOF)
		}
		return nil
	}}
	if _, err := q.DeliverDue(ctx, h); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if n, err := q.Export(ctx, &file, recipients()); err != nil || n != 2 {
		t.Fatal(n, err) // B and C: held. A has arrived.
	}
	if bytes.Contains(file.Bytes(), []byte(marker)) {
		t.Fatal("plain text in the export")
	}

	t.Run("another_kiosk_delivers_it", func(t *testing.T) {
		dir := t.TempDir()
		other := mustOpen(t, dir, Options{Parallel: 1})
		in, err := other.Import(ctx, bytes.NewReader(file.Bytes()), officeKey)
		if err != nil || !slices.Equal(in.Accepted, []string{"B", "C"}) {
			t.Fatal(in, err)
		}
		again, err := other.Import(ctx, bytes.NewReader(file.Bytes()), officeKey)
		if err != nil || len(again.Accepted) != 0 || again.Known != 2 {
			t.Fatal(again, err)
		}
		noMarker(t, dir)
		got, err := other.Get(b.Code)
		if err != nil || got.SHA256 != b.SHA256 || got.State != Queued || !got.Created.Equal(b.Created) {
			t.Fatalf("%+v %v", got, err)
		}
		if v, err := other.Verify(ctx); err != nil || v.Checked != 2 || len(v.Faults) > 0 {
			t.Fatal(v, err)
		}
		// The first kiosk finds its network again: the hub gets the same bytes under the same ids.
		if _, err := other.DeliverDue(ctx, h); err != nil {
			t.Fatal(err)
		}
		h.fail = nil
		if _, err := other.RetryAll(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := other.DeliverDue(ctx, h); err != nil {
			t.Fatal(err)
		}
		if _, err := q.RetryAll(ctx); err != nil {
			t.Fatal(err)
		}
		if pass, err := q.DeliverDue(ctx, h); err != nil || pass.Delivered != 2 {
			t.Fatal(pass, err)
		}
		if !slices.Equal(h.order, []string{a.ID, b.ID, c.ID}) {
			t.Fatal(h.order)
		}
	})
	t.Run("office_opens_it_with_standard_tools", func(t *testing.T) {
		r, err := age.Decrypt(bytes.NewReader(file.Bytes()), officeKey)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, h.Name)
		}
		if want := []string{"motcua-export.json", "B/submission.json", "B/bundle.zip", "C/submission.json", "C/bundle.zip"}; !slices.Equal(names,
			want) {
			t.Fatal(names)
		}
	})
	t.Run("wrong_key", func(t *testing.T) {
		stranger, _ := age.GenerateX25519Identity()
		if _, err := mustOpen(t, t.TempDir(), Options{}).Import(ctx, bytes.NewReader(file.Bytes()), stranger); err == nil {
			t.Fatal("opened")
		}
	})
	t.Run("cut_or_bent_file", func(t *testing.T) {
		other := mustOpen(t, t.TempDir(), Options{})
		for _, n := range []int{10, 300, file.Len() / 2, file.Len() - 1} {
			if in, err := other.Import(ctx, bytes.NewReader(file.Bytes()[:n]), officeKey); err == nil {
				t.Errorf("cut to %d bytes was taken: %+v", n, in)
			}
			bent := bytes.Clone(file.Bytes())
			bent[n] ^= 0x40
			if in, err := other.Import(ctx, bytes.NewReader(bent), officeKey); err == nil {
				t.Errorf("bent at %d was taken: %+v", n, in)
			}
		}
		if v, err := other.Verify(ctx); err != nil || len(v.Faults) > 0 {
			t.Fatal(v, err)
		}
	})
}

func TestSealedToTheOffice(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{Office: recipients(), OfficeOnly: true})
	s := mustEnqueue(t, q, draft("A", 2))
	if !s.Sealed {
		t.Fatal("not sealed")
	}
	c, err := q.Content(ctx, "A")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	slots, err := readSlots(c.f)
	if err != nil || slots[0] != nil || slots[1] != nil {
		t.Fatal("the kiosk has a key to it", err)
	}
	if v, err := q.Verify(ctx); err != nil || v.Checked != 1 || len(v.Faults) > 0 {
		t.Fatal(v, err)
	}
	var file bytes.Buffer
	if _, err := q.Export(ctx, &file, recipients(), "A"); err != nil {
		t.Fatal(err)
	}
	other := mustOpen(t, t.TempDir(), Options{})
	if _, err := other.Import(ctx, &file, officeKey); err != nil {
		t.Fatal(err)
	}
	got := mustState(t, other, "A", Queued)
	if got.SHA256 != s.SHA256 || !got.Sealed {
		t.Fatalf("%+v", got)
	}
	h := &hub{}
	if _, err := other.DeliverDue(ctx, h); err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(bytes.NewReader(h.got["A"]), officeKey)
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(plain); !bytes.Contains(data, []byte(marker)) {
		t.Fatal("the office does not get what was handed in")
	}
}
