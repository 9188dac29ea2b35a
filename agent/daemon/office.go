package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/agent/audit"
	"motcua/agent/office"
	"motcua/agent/office/desk"
	"motcua/queue/seal"
)

// OfficeOptions say where an office's desk lies and how it keeps.
type OfficeOptions struct {
	Dir       string // the receiver's folder; the desk's own is Dir/.desk
	Keep      func(procedure string) time.Duration
	KeepPlain bool // leave received folders beside the desk, in the clear: the demo
	Log       *slog.Logger
}

// deskFolder is the desk's own folder, in the receiver's.
const deskFolder = ".desk"

// Office is an office's dossiers with what files into them.
type Office struct {
	Store    *office.Store
	Inbox    *office.Inbox
	Roster   *desk.Roster
	auditLog *audit.Log
}

// OfficeRoster is the list of who may sign in at the desk of an office's folder.
func OfficeRoster(dir string) (*desk.Roster, error) {
	folder := filepath.Join(dir, deskFolder)
	if err := MakeDataFolder(folder); err != nil {
		return nil, err
	}
	return desk.NewRoster(filepath.Join(folder, "officers.json")), nil
}

// OpenOffice opens the desk of an office's folder. Close it.
func OpenOffice(ctx context.Context, o OfficeOptions) (*Office, error) {
	roster, err := OfficeRoster(o.Dir)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(o.Dir, deskFolder)
	auditLog, err := audit.Open(filepath.Join(folder, "audit"), time.Now)
	if err != nil {
		return nil, fmt.Errorf("open the office's audit log: %w", err)
	}
	store, err := office.Open(ctx, folder, office.Options{Vault: seal.NewFile(filepath.Join(folder, "key")), AuditLog: auditLog, Keep: o.Keep,
		Log: o.Log})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the officer's desk: %w", err), auditLog.Close())
	}
	return &Office{store, office.NewInbox(o.Dir, store, o.KeepPlain, o.Log), roster, auditLog}, nil
}

// Run files what comes and wipes what is past its time, until ctx ends.
func (o *Office) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return o.Inbox.Run(ctx) })
	group.Go(func() error { return o.Store.Run(ctx) })
	return group.Wait()
}

// Close ends the desk's work in its folder. End Run first.
func (o *Office) Close() error { return errors.Join(o.Store.Close(), o.auditLog.Close()) }
