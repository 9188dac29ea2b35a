package technician

import (
	"errors"
	"net/http"
	"slices"

	"motcua/agent/audit"
	"motcua/agent/staff"
	"motcua/agent/web/screen"
	"motcua/queue"
)

// queueShown is how many submissions a page holds.
const queueShown = 50

type queueBody struct {
	Stats queue.Stats
	State string // the tab: open, held, delivered
	List  []queue.Submission
	More  string // id to go on after
	Asked string // id of the one to be removed, before it is
}

var queueTabs = map[string][]queue.State{
	"open":      {queue.Queued, queue.Sending},
	"held":      {queue.Held},
	"delivered": {queue.Delivered, queue.Acknowledged},
}

func (s *Pages) queuePage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Backlog == nil {
		s.NotFound(w, r)
		return
	}
	lang := s.Session(w, r).Language()
	ask := r.URL.Query()
	b := queueBody{State: ask.Get("state"), Asked: ask.Get("drop")}
	states, ok := queueTabs[b.State]
	if !ok {
		b.State, states = "open", queueTabs["open"]
	}
	v := screen.ConsoleView{Member: m, Done: s.Said(r, lang)}
	var err error
	if b.Stats, err = s.Options.Console.Backlog.Stats(); err == nil {
		// Waiting ones the oldest first, as they go; delivered ones the newest first.
		b.List, err = s.Options.Console.Backlog.List(queue.Filter{States: states, After: ask.Get("after"),
			Newest: b.State == "delivered", Limit: queueShown + 1})
	}
	if err != nil {
		v.Fault = s.Explain(s.lang(r), err)
	}
	if len(b.List) > queueShown {
		b.List = b.List[:queueShown]
		b.More = b.List[queueShown-1].ID
	}
	if !slices.ContainsFunc(b.List, func(one queue.Submission) bool { return one.ID == b.Asked }) {
		b.Asked = ""
	}
	v.Body = b
	s.RenderConsole(w, r, http.StatusOK, "queue", v)
}

// queueAct does what was asked for one submission, or for all.
func (s *Pages) queueAct(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Backlog == nil {
		s.NotFound(w, r)
		return
	}
	id := r.PostForm.Get("id")
	var err error
	event := audit.Event{Actor: screen.Actor(m), Submission: id}
	said := r.PathValue("act")
	switch said {
	case "retry":
		event.Act, err = audit.SubmissionRetried, s.Options.Console.Backlog.Retry(r.Context(), id)
	case "retry-all":
		event.Act = audit.SubmissionRetried
		event.Submission, event.Reason = "", "all"
		_, err = s.Options.Console.Backlog.RetryAll(r.Context())
	case "drop":
		event.Act, err = audit.SubmissionDropped, s.Options.Console.Backlog.Drop(r.Context(), id)
	default:
		s.NotFound(w, r)
		return
	}
	if err != nil {
		if errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrState) {
			said = "changed" // it moved on since the page was shown: the list says where it is now
		} else {
			s.RenderConsole(w, r, http.StatusInternalServerError, "refused", screen.ConsoleView{Member: m, Fault: s.Explain(s.lang(r), err)})
			return
		}
	} else {
		s.Note(event)
	}
	tab := r.PostForm.Get("state")
	if _, ok := queueTabs[tab]; !ok {
		tab = "open"
	}
	http.Redirect(w, r, "/console/queue?state="+tab+"&done="+said, http.StatusSeeOther)
}
