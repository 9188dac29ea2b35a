package main

import (
	"context"
	"log/slog"
	"strings"

	"motcua/agent/audit"
)

// note records an act; the log is told where that could not be done.
func note(log *slog.Logger, ledger *audit.Log, ev audit.Event) {
	if err := ledger.Append(ev); err != nil {
		log.Error("audit", "act", string(ev.Act), "error", err)
	}
}

// notebook is the audit log as the pages write into it.
type notebook struct{ log *audit.Log }

// acts are the pages' words for what the audit log has a code for.
var acts = map[string]audit.Act{
	"visit.begin":       audit.VisitBegan,
	"visit.end":         audit.VisitEnded,
	"visit.consent":     audit.ConsentGiven,
	"visit.call":        audit.HelpCalled,
	"visit.take":        audit.HelpTaken,
	"submission.accept": audit.SubmissionAccepted,
	"staff.sign-in":     audit.SignedIn,
	"staff.sign-out":    audit.SignedOut,
}

// Note takes "act" or "act:reason" about a visit or a submission, told apart by the act.
func (n *notebook) Note(_ context.Context, who, act, about string) error {
	name, reason, _ := strings.Cut(act, ":")
	ev := audit.Event{Actor: who, Act: audit.Act(name), Reason: reason}
	if known, ok := acts[name]; ok {
		ev.Act = known
	}
	if strings.HasPrefix(string(ev.Act), "submission.") {
		ev.Submission = about
	} else {
		ev.Visit = about
	}
	return n.log.Append(ev)
}
