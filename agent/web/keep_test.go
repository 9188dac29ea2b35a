package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"motcua/agent/draft"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/ocr/paper"
	"motcua/queue"
	"motcua/queue/seal"
)

// withDrafts keeps unfinished visits in a folder of the test.
func withDrafts(t testing.TB) func(*screen.Options) {
	t.Helper()
	return draftsIn(t, t.TempDir())
}

func draftsIn(t testing.TB, dir string) func(*screen.Options) {
	t.Helper()
	store, err := draft.Open(t.Context(), dir, seal.NewFile(filepath.Join(dir, "drafts.key")))
	if err != nil {
		t.Fatal(err)
	}
	return func(o *screen.Options) { o.Drafts = store }
}

// again gives the counter as it is after the daemon was killed: what was in memory is gone.
func (k *kiosk) again(t testing.TB) *kiosk {
	t.Helper()
	return k.later(t, 0)
}

// later gives the counter as it is when it stood still for that long after the daemon was killed. The dead one's clock stays
// where it is, or it would go on ending visits that fell silent.
func (k *kiosk) later(t testing.TB, off time.Duration) *kiosk {
	t.Helper()
	k.rest(t)
	options := k.site.Options
	options.Clock = func() time.Time { return k.site.Now().Add(off) }
	site, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	after := &kiosk{site: site, queue: k.queue, scanner: k.scanner}
	after.server = httptest.NewServer(http.HandlerFunc(after.serve))
	t.Cleanup(func() {
		_ = site.BreakOff()
		after.server.Close()
	})
	return after
}

func TestLineIsTheOfficesAndSurvives(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.post("/desk/new").want(200, "/choose")
	lan.post("/choose/2.000815").want(200, "/consent")
	lan.post("/consent", "agreed", "yes").want(200, "/scan")
	lan.upload("a.png", onePixel(t))
	lan.follow("done")
	lan.post("/staff/out")
	k.hand(t).signIn("minh", techPIN).want(200, "/desk", "/desk/open/")

	after := k.again(t)
	minh := after.hand(t).signIn("minh", techPIN).want(200, "/desk", "/desk/open/")
	minh.post("/desk/next").want(200, "/check")
	if n := len(after.site.Sessions.Lined()); n != 0 {
		t.Errorf("%d still in the line", n)
	}
}

// A visit that can't be taken up after a restart is not said to be here; the first page tells that it is gone, until
// somebody begins anew.
func TestLostVisitIsTold(t *testing.T) {
	dir := t.TempDir()
	k := newKiosk(t, draftsIn(t, dir))
	h := k.hand(t).toScan("2.000815")
	k.rest(t)
	records, err := filepath.Glob(filepath.Join(dir, "*", "record"))
	if err != nil || len(records) != 1 {
		t.Fatalf("%v, %v", records, err)
	}
	if err := os.Truncate(records[0], 20); err != nil {
		t.Fatal(err)
	}
	after := k.again(t)
	h.base = after.server.URL
	gone := k.site.Words.Say("vi", "start.lost")
	h.post("/scan").want(403, "/scan", k.site.Words.Say("vi", "expired.title"))
	h.get("/").want(200, "/", gone)
	h.post("/begin", "lang", "vi").want(200, "/choose")
	if h.get("/"); strings.Contains(h.body, gone) {
		t.Error("the next person is told of a stranger's visit")
	}
}

// A visit that was accepted in the moment the daemon was killed is not said to be lost.
func TestAcceptedVisitIsNotToldAsLost(t *testing.T) {
	for name, accepted := range map[string]bool{"accepted": true, "unfinished": false} {
		t.Run(name, func(t *testing.T) {
			k := newKiosk(t, withDrafts(t), func(o *screen.Options) { o.Clock = newClock().now })
			k.hand(t).toScan("2.000815")
			if accepted {
				d := queue.Draft{ID: k.site.Sessions.Visits()[0].Visit.ID, Parts: []queue.Part{queue.FromBytes("a.txt", "text/plain", []byte("a"))}}
				if _, err := k.queue.Enqueue(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			h := k.later(t, time.Hour).hand(t).get("/").want(200, "/")
			if told := strings.Contains(h.body, k.site.Words.Say("vi", "start.lost")); told == accepted {
				t.Errorf("told as lost: %t", told)
			}
		})
	}
}

// A draft that can't be kept is not said to be.
func TestUnkept(t *testing.T) {
	k := newKiosk(t, func(o *screen.Options) { o.Drafts = full{} })
	k.hand(t).toScan("2.000815").get("/scan").want(200, "/scan", `<p hidden data-kept>`)
	sound := newKiosk(t, withDrafts(t))
	sound.hand(t).toScan("2.000815").get("/scan").want(200, "/scan", `hidden data-unkept>`)
}

// full is a store on a full disk.
type full struct{ screen.Drafts }

func (full) IDs() ([]string, error)                { return nil, nil }
func (full) Keep(string, any) error                { return errors.New("no space left on device") }
func (full) KeepPage(string, string, []byte) error { return errors.New("no space left on device") }
func (full) Forget(string) error                   { return nil }

// A sheet that went to the wrong person is moved to the right one, and is never with both or with neither.
func TestSheetIsMovedToAnotherPerson(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	lan := k.hand(t).signIn("lan", volunteerPIN)
	for range 2 {
		lan.post("/desk/new").want(200, "/choose")
		lan.post("/choose/2.000815").want(200, "/consent")
		lan.post("/consent", "agreed", "yes").want(200, "/scan")
		lan.upload("a.png", onePixel(t))
		lan.follow("done")
	}
	lined := k.site.Sessions.Lined()
	if len(lined) != 1 {
		t.Fatalf("%d in the line", len(lined))
	}
	other := lined[0]
	lan.get("/papers").want(200, "/papers", `value="`+other.Visit.ID+`"`, "Chuyển tờ này")
	lan.post("/papers/p1/move", "to", other.Visit.ID)
	if n := len(other.Visit.State().Papers); n != 2 {
		t.Errorf("the other person has %d sheets", n)
	}
	if err := other.Visit.Use(func(papers []visit.Paper) error {
		if !bytes.Equal(papers[1].Data, onePixel(t)) {
			t.Error("the sheet's bytes did not come along")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	lan.get("/papers").want(200, "/scan")
	citizen := k.hand(t).toScan("2.000815")
	citizen.upload("a.png", onePixel(t))
	citizen.follow("done")
	citizen.post("/papers/p1/move", "to", other.Visit.ID).want(200, "/papers", "/papers/p1/picture") // for staff
}

// A request of the citizen's browser that ends after a volunteer took the visit does not put it back there: the next
// person sits at that browser.
func TestTakenVisitDoesNotComeBackAtTheScreen(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	citizen := k.hand(t).toScan("2.000815")
	citizen.upload("a.png", onePixel(t))
	citizen.follow("done")
	lan := k.hand(t).signIn("lan", volunteerPIN)
	taken := k.site.Sessions.Visits()[0]
	var screen *screen.Session
	for _, s := range k.site.Sessions.All() {
		if s.Sitting() == taken {
			screen = s
		}
	}
	lan.post("/desk/take/"+taken.Visit.ID).want(200, "/check")
	k.server.Close()           // no request is under way but
	k.site.Keep(taken, screen) // the live stream of the scan, which ends now

	after := k.again(t)
	citizen.base = after.server.URL
	citizen.get("/check").want(200, "/")
	if n := len(after.site.Sessions.Lined()); n != 1 {
		t.Errorf("%d in the line", n)
	}
}

// A form that a volunteer filled by hand, without papers, goes back to the line as one with papers does.
func TestTypedFormGoesBackToTheLine(t *testing.T) {
	k := newKiosk(t, withStaff(t))
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.post("/desk/new").want(200, "/choose")
	lan.post("/choose/1.010041").want(200, "/consent")
	lan.post("/consent", "agreed", "yes").want(200, "/scan")
	lan.post("/without").want(200, "/wanted/applicant_identity")
	lan.fillIn()
	lan.post("/desk/new").want(200, "/choose")
	if n := len(k.site.Sessions.Lined()); n != 1 {
		t.Errorf("%d in the line", n)
	}
}

// cut is a store whose disk is gone after so many writes, as it is for a daemon that was killed.
type cut struct {
	screen.Drafts
	mu   sync.Mutex
	left int // writes; below nought: no end
}

func (c *cut) write(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return errors.New("killed")
	}
	c.left--
	return f()
}

func (c *cut) Keep(id string, record any) error {
	return c.write(func() error { return c.Drafts.Keep(id, record) })
}

func (c *cut) KeepPage(id, page string, data []byte) error {
	return c.write(func() error { return c.Drafts.KeepPage(id, page, data) })
}

func (c *cut) Forget(id string) error { return c.write(func() error { return c.Drafts.Forget(id) }) }

// sheetWith is a page on which a card of this number was read.
func sheetWith(t testing.TB, number string) visit.Paper {
	t.Helper()
	return visit.Paper{Data: onePixel(t), MediaType: "image/png", Pages: 1, Documents: []paper.Document{{Type: paper.CCCD,
		Fields: map[paper.Name]paper.Field{paper.Number: {Value: number}}}}}
}

// A daemon killed at any write while a stack is parted into persons has each of them in the line afterwards, once.
func TestStackIsDealtOnceWhereverItIsCut(t *testing.T) {
	t.Parallel()
	const persons = 3
	for n, through := 0, false; !through; n++ {
		t.Run(fmt.Sprintf("after_%d_writes", n), func(t *testing.T) {
			k := newKiosk(t, withStaff(t), withDrafts(t))
			whole := k.site.Options.Drafts
			disk := &cut{Drafts: whole, left: -1}
			k.site.Options.Drafts = disk
			now := time.Now()
			stack := k.site.NewTable()
			stack.Stack = true
			if err := errors.Join(stack.Visit.Pick(now, "2.000815"), stack.Visit.Agree(now),
				stack.Visit.TakeOver(now, "lan", visit.Limits{Silence: time.Hour})); err != nil {
				t.Fatal(err)
			}
			for i := range 2 * persons {
				p := visit.Paper{Data: onePixel(t), MediaType: "image/png", Pages: 1}
				if i%2 == 0 {
					p = sheetWith(t, fmt.Sprintf("00109000000%d", i))
				}
				if _, err := stack.Visit.Add(now, p); err != nil {
					t.Fatal(err)
				}
			}
			k.site.Keep(stack, nil)
			disk.left = n
			k.site.Deal(stack, k.site.Procedure("2.000815"), "lan")
			through = disk.left > 0
			k.site.Options.Drafts = whole
			for range 2 {
				after := k.again(t)
				await(t, "the stack to be dealt", func() bool { return len(after.site.Sessions.Visits()) == len(after.site.Sessions.Lined()) })
				seen := map[string]bool{}
				for _, one := range after.site.Sessions.Lined() {
					state := one.Visit.State()
					if len(state.Papers) != 2 || len(state.Papers[0].Documents) != 1 {
						t.Errorf("a person has %d pages", len(state.Papers))
						continue
					}
					seen[state.Papers[0].Documents[0].Fields[paper.Number].Value] = true
				}
				if n := len(after.site.Sessions.Lined()); n != persons || len(seen) != persons {
					t.Errorf("%d visits of %d persons, want %d", n, len(seen), persons)
				}
				if after.site.LostVisit() {
					t.Error("a visit is told as lost")
				}
			}
		})
		if n > 40 {
			t.Fatal("dealing has no end")
		}
	}
}

// slowQueue takes its time: as long as meanwhile does.
type slowQueue struct {
	screen.Queue
	meanwhile func()
}

func (q slowQueue) Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error) {
	sub, err := q.Queue.Enqueue(ctx, d)
	q.meanwhile()
	return sub, err
}

// However long it takes to accept a submission, the person gets to see its code: neither the server nor the screen ends the
// visit by silence while it is being sent.
func TestVisitIsNotSilentWhileItIsSent(t *testing.T) {
	now := newClock()
	k := newKiosk(t, withDrafts(t), func(o *screen.Options) { o.Clock = now.now })
	h := k.hand(t).toScan("2.000815")
	h.upload("a.png", onePixel(t))
	h.follow("done")
	h.fillIn()
	h.get("/confirm").want(200, "/confirm")
	screenOf := *h // the page counts on while the form is on its way
	k.site.Options.Queue = slowQueue{k.queue, func() {
		now.pass(10 * time.Minute)
		done := make(chan bool)
		go func() {
			defer close(done)
			k.site.Sweep()
			screenOf.post("/leave", "why", "silence")
		}()
		select {
		case <-done:
		case <-time.After(5 * time.Second): // it waits for the sending to end
		}
	}}
	h.post("/confirm").want(200, "/receipt")
}

// held is a scanner that stops after its first page until it may go on.
type held struct {
	screen.Scanner
	reached chan bool
	goOn    chan bool
}

func (s held) Scan(ctx context.Context, settings scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		first := true
		for page, err := range s.Scanner.Scan(ctx, settings) {
			if !yield(page, err) {
				return
			}
			if first {
				first = false
				close(s.reached)
				<-s.goOn
			}
		}
	}
}

// A stack that is being scanned belongs to the office: it is not ended by signing in anew, nor by signing out.
func TestStackOutlivesItsSession(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(k *kiosk, lan *hand){
		"sign_in_again": func(_ *kiosk, lan *hand) { lan.post("/staff", "name", "minh", "pin", techPIN) },
		"sign_out":      func(_ *kiosk, lan *hand) { lan.post("/staff/out") },
		"removed":       func(k *kiosk, _ *hand) { k.site.SignOut("lan") },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKiosk(t, withStaff(t), withDrafts(t))
			k.scanner.Load(2)
			s := held{k.scanner, make(chan bool), make(chan bool)}
			k.site.Options.Scanner = func() screen.Scanner { return s }
			lan := k.hand(t).signIn("lan", volunteerPIN)
			lan.post("/desk/batch", "procedure", "2.000815", "agreed", "yes").want(200, "/desk/batch")
			<-s.reached
			lan.get("/desk")
			leave(k, lan)
			close(s.goOn)
			await(t, "the persons of the stack in the line", func() bool { return len(k.site.Sessions.Lined()) > 0 })
		})
	}
}

// A member who gets a new PIN, or is removed, had somebody's papers open: they go back to the line.
func TestRemovedMembersVisitGoesToTheLine(t *testing.T) {
	k := newKiosk(t, withStaff(t))
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.post("/desk/new").want(200, "/choose")
	lan.post("/choose/2.000815").want(200, "/consent")
	lan.post("/consent", "agreed", "yes").want(200, "/scan")
	lan.upload("a.png", onePixel(t))
	lan.follow("done")
	k.site.SignOut("lan")
	if n := len(k.site.Sessions.Lined()); n != 1 {
		t.Errorf("%d in the line", n)
	}
}
