package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"motcua/agent/web/screen"
)

const (
	lookPace = 3 * time.Second
	lookTime = 10 * time.Second // for one answer of the daemon
	// How long the first browser may take until it shows a page, an old PC with a cold disk needs one minute; and how long it may do so
	// without working. Each that was started in vain gives the next one twice as much, so that a slow one that lives comes to its
	// end some time, and one that hangs is tried again soon.
	firstWithin = 2 * time.Minute
	stillWithin = 30 * time.Second
	mostTwice   = 3
)

// errAway ends a browser that shows something else, or nothing.
var errAway = errors.New("the browser is started anew")

// watchScreen asks the daemon what a browser shows that has just been started, until that was nothing of ours for too long, or ctx
// ends. A daemon that does not answer says nothing of it: what is open waits for it by itself. done gives what the browser has worked
// so far.
func watchScreen(ctx context.Context, ask func(ctx context.Context, query string) (screen.Shown, error), done func() work) (away error) {
	begun := time.Now()
	last, at := done(), begun // when it was last seen to work
	tick := time.NewTicker(lookPace)
	defer tick.Stop()
	told, seen := false, false // the daemon knows of this browser; it has shown a page
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		query := ""
		if !told {
			query = "?" + screen.Begun
		}
		now, err := ask(ctx, query)
		if err != nil {
			at = time.Now()
			continue
		}
		told = true
		is := done()
		if is.since(last) {
			at = time.Now()
		}
		last = is
		seen = seen || now.Ever && now.Away < time.Since(begun)
		twice := min(max(now.Tries-1, 0), mostTwice)
		switch {
		case seen && now.Away > now.Limit:
			return fmt.Errorf("it has shown no page of Motcua for %v: %w", now.Away.Round(time.Second), errAway)
		case seen:
		case time.Since(at) > stillWithin<<twice:
			return fmt.Errorf("it has shown no first page, and not worked for %v: %w", time.Since(at).Round(time.Second), errAway)
		case time.Since(begun) > firstWithin<<twice:
			return fmt.Errorf("it has shown no first page within %v: %w", time.Since(begun).Round(time.Second), errAway)
		}
	}
}

// work is what a browser's processes have done so far.
type work struct {
	ticks  int // of the processor, of which Linux has 100 a second
	faults int // pages that were read from the disk for them
}

// since tells whether that is more than what a browser does that waits: a twentieth of a processor between two looks, or some pages.
func (w work) since(before work) bool {
	const ticks, faults = int(lookPace / time.Second * 100 / 20), 50
	return w.ticks-before.ticks >= ticks || w.faults-before.faults >= faults
}

// workOf adds up what the processes of a group have done, from proc_pid_stat(5). Those that can't be seen, as a renderer in its sandbox,
// are left out: they work for pages that the browser fetches, and are seldom alone with it.
func workOf(group int) (all work) {
	const state, pgrp, faults, user, system = 0, 2, 9, 11, 12 // of the words behind the name, which may have any sign in it
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		words := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if len(words) <= system || words[state] == "Z" || words[pgrp] != strconv.Itoa(group) {
			continue
		}
		for at, sum := range map[int]*int{faults: &all.faults, user: &all.ticks, system: &all.ticks} {
			n, _ := strconv.Atoi(words[at]) // the kernel prints numbers
			*sum += n
		}
	}
	return all
}
