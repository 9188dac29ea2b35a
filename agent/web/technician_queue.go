package web

import (
	"errors"
	"net/http"
	"slices"

	"motcua/agent/audit"
	"motcua/agent/staff"
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

func (s *TechnicianPages) queuePage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Backlog == nil {
		s.notFound(w, r)
		return
	}
	lang := s.session(w, r).language()
	ask := r.URL.Query()
	b := queueBody{State: ask.Get("state"), Asked: ask.Get("drop")}
	states, ok := queueTabs[b.State]
	if !ok {
		b.State, states = "open", queueTabs["open"]
	}
	v := consoleView{Member: m, Done: s.said(r, lang)}
	var err error
	if b.Stats, err = s.o.Console.Backlog.Stats(); err == nil {
		// Waiting ones the oldest first, as they go; delivered ones the newest first.
		b.List, err = s.o.Console.Backlog.List(queue.Filter{States: states, After: ask.Get("after"),
			Newest: b.State == "delivered", Limit: queueShown + 1})
	}
	if err != nil {
		v.Fault = err.Error()
	}
	if len(b.List) > queueShown {
		b.List = b.List[:queueShown]
		b.More = b.List[queueShown-1].ID
	}
	if !slices.ContainsFunc(b.List, func(one queue.Submission) bool { return one.ID == b.Asked }) {
		b.Asked = ""
	}
	v.Body = b
	s.renderConsole(w, r, http.StatusOK, "queue", v)
}

// queueAct does what was asked for one submission, or for all.
func (s *TechnicianPages) queueAct(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Backlog == nil {
		s.notFound(w, r)
		return
	}
	id := r.PostForm.Get("id")
	var err error
	event := audit.Event{Actor: actor(m), Submission: id}
	said := r.PathValue("act")
	switch said {
	case "retry":
		event.Act, err = audit.SubmissionRetried, s.o.Console.Backlog.Retry(r.Context(), id)
	case "retry-all":
		event.Act = audit.SubmissionRetried
		event.Submission, event.Reason = "", "all"
		_, err = s.o.Console.Backlog.RetryAll(r.Context())
	case "drop":
		event.Act, err = audit.SubmissionDropped, s.o.Console.Backlog.Drop(r.Context(), id)
	default:
		s.notFound(w, r)
		return
	}
	if err != nil {
		if errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrState) {
			said = "changed" // it moved on since the page was shown: the list says where it is now
		} else {
			s.renderConsole(w, r, http.StatusInternalServerError, "refused", consoleView{Member: m, Fault: err.Error()})
			return
		}
	} else {
		s.note(event)
	}
	tab := r.PostForm.Get("state")
	if _, ok := queueTabs[tab]; !ok {
		tab = "open"
	}
	http.Redirect(w, r, "/console/queue?state="+tab+"&done="+said, http.StatusSeeOther)
}
