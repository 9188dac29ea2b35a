package daemon

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/queue"
	"motcua/queue/seal"
)

// keptName is under what the queue keeps the head of the audit log.
const keptName = "audit log"

// keepEvery is how much of the log's end could be cut off without a trace on this machine; the office knows the head by the
// last heartbeat.
const keepEvery = 5 * time.Second

// KeptAudit is what the queue knows of the audit log. A key that was changed since leaves nothing known.
func KeptAudit(q *queue.Queue) (audit.Kept, error) {
	data, err := q.Kept(keptName)
	if errors.Is(err, seal.ErrWrongKey) {
		return audit.Kept{}, nil
	}
	if err != nil {
		return audit.Kept{}, err
	}
	return audit.ParseKept(data)
}

// checkKept compares the log with what was kept of it when the daemon ran last. What does not hold is kept from then on, and
// told by every verification: going on writing must not cover it up.
func checkKept(ctx context.Context, cfg config.Config, q *queue.Queue, auditLog *audit.Log, log *slog.Logger) (audit.Kept, error) {
	k, err := KeptAudit(q)
	if err != nil {
		return k, err
	}
	first, _, err := audit.VerifyKept(ctx, filepath.Join(cfg.Data, "audit"), k, false, nil)
	var broken *audit.Break
	switch {
	case errors.As(err, &broken):
		if k.Broken == "" {
			k.Broken = broken.Why + " (found " + time.Now().Format(time.DateOnly) + ")"
			note(log, auditLog, audit.Event{Actor: "system", Act: audit.LogBroken})
		}
		log.Error("the audit log was changed; motcua audit verify tells", "error", broken)
	case err != nil:
		return k, err
	}
	if k.First == 0 {
		k.First = max(first.Seq, 1)
	}
	return k, nil
}

// keepHead keeps the log's head in the queue as it grows.
func keepHead(ctx context.Context, cfg config.Config, q *queue.Queue, auditLog *audit.Log, log *slog.Logger) error {
	k, err := checkKept(ctx, cfg, q, auditLog, log)
	if err != nil {
		if ctx.Err() == nil {
			log.Error("compare the audit log with what was kept of it", "error", err)
		}
		return nil
	}
	keep := func() {
		head := auditLog.Head().String()
		if head == k.Head {
			return
		}
		k.Head = head
		if err := q.Keep(keptName, k.Bytes()); err != nil {
			log.Warn("keep the head of the audit log", "error", err)
			k.Head = ""
		}
	}
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		keep()
		select {
		case <-tick.C:
		case <-ctx.Done():
			keep()
			return nil
		}
	}
}
