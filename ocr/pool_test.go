package ocr

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// place is a backend that is only lent and given back.
type place struct {
	backend
	name string
}

func places(names ...string) *pool {
	var all []backend
	for _, name := range names {
		all = append(all, &place{name: name})
	}
	return newPool(all)
}

func party(t *testing.T, used time.Duration) (context.Context, *Share) {
	s := &Share{}
	s.add(used)
	return WithShare(t.Context(), s), s
}

// Two visits of slow pages never have both workers: who comes with a card finds one free, without a wait.
func TestOneWorkerIsKeptFreeOfHeavyParties(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := places("a", "b")
		one, _ := party(t, heavyPage)
		other, _ := party(t, heavyPage)
		first, err := p.take(one)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan backend, 1)
		go func() {
			b, err := p.take(other)
			if err != nil {
				t.Error(err)
			}
			got <- b
		}()
		synctest.Wait()
		select {
		case <-got:
			t.Fatal("heavy parties have both workers")
		default:
		}
		card, _ := party(t, 0)
		begun := time.Now()
		b, err := p.take(card)
		if err != nil || time.Since(begun) != 0 {
			t.Fatalf("a card waited %v for a worker: %v", time.Since(begun), err)
		}
		p.give(b)
		synctest.Wait()
		select {
		case <-got:
			t.Fatal("the worker of the others went to a heavy party")
		default:
		}
		p.give(first) // now the second may
		p.give(<-got)
		if len(p.idle) != 2 || len(p.lent) != 0 {
			t.Errorf("%d idle, %d lent", len(p.idle), len(p.lent))
		}
	})
}

// Parties that become heavy while they have all workers: one makes room at its next page.
func TestPartiesThatBecomeHeavyMakeRoom(t *testing.T) {
	p := places("a", "b")
	one, s := party(t, 0)
	other, o := party(t, 0)
	a, err := p.take(one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.take(other); err != nil {
		t.Fatal(err)
	}
	s.add(heavyPage)
	if p.behind(s) {
		t.Error("one heavy party of two has to make room")
	}
	o.add(heavyPage)
	if !p.behind(s) || !p.behind(o) {
		t.Error("heavy parties keep all workers")
	}
	p.give(a)
	if p.behind(o) {
		t.Error("both have to make room")
	}
}

func TestOneWorkerServesHeavyPartiesToo(t *testing.T) {
	p := places("only")
	heavy, s := party(t, heavyUse)
	b, err := p.take(heavy)
	if err != nil {
		t.Fatal(err)
	}
	if p.behind(s) {
		t.Error("it has to make room for nobody")
	}
	p.give(b)
}
