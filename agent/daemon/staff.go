package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/staff"
	"motcua/queue/seal"
)

// The list of staff, and where older builds kept the key that it is sealed by where the kiosk has a TPM. Six digits can be tried out
// within hours on a stolen disk.
const (
	rosterFile = "staff.json"
	rosterKey  = "staff.tpm"
)

// OpenRoster reads who may sign in. Where there is no key for it yet, it lies there unsealed until the daemon has made one.
func OpenRoster(ctx context.Context, cfg config.Config) (*staff.Roster, error) {
	if err := MakeDataFolder(cfg.Data); err != nil {
		return nil, err
	}
	ring, err := openRing(ctx, keysOf(cfg, staffStore))
	if err != nil && !exists(filepath.Join(cfg.Data, wrappedRoster)) { // an older build's
		return nil, fmt.Errorf("read the list of staff: %w; if the TPM was cleared, remove %s and %s from the data folder and add the staff "+
			"anew", err, rosterKey, rosterFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of staff: %w", err)
	}
	var box staff.Box
	if ring != nil {
		box = ring
	}
	roster, err := staff.Open(filepath.Join(cfg.Data, rosterFile), time.Now, box)
	if errors.Is(err, seal.ErrWrongKey) {
		return nil, fmt.Errorf("%w; put the kiosk key back (motcua queue key restore) and start the daemon, or, if it is lost for good, rename "+
			"%s and add the staff anew", err, rosterFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of staff: %w", err)
	}
	return roster, nil
}

// keyRoster sees that the list of staff has a key under the kiosk's.
func keyRoster(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	k := keysOf(cfg, staffStore)
	err := k.adopt(ctx, log)
	var keys []seal.Key
	if err == nil {
		keys, err = k.Load(ctx)
	}
	if err == nil && len(keys) == 0 {
		err = k.Save(ctx, []seal.Key{seal.NewKey()})
	}
	if err != nil {
		return fmt.Errorf("key of the list of staff: %w", err)
	}
	return nil
}

// ChangeRoster does to a roster what the command line asks for.
func ChangeRoster(roster *staff.Roster, c control.StaffChange) error {
	switch c.Act {
	case control.StaffAdd:
		return roster.Add(c.Name, c.Role, c.PIN)
	case control.StaffPIN:
		return roster.SetPIN(c.Name, c.PIN)
	case control.StaffRemove:
		return roster.Remove(c.Name)
	}
	return fmt.Errorf("change the list of staff: there is no act %q", c.Act)
}

// staffActs are the reasons of audit.StaffChanged.
var staffActs = map[string]string{control.StaffAdd: "added", control.StaffPIN: "pin-changed", control.StaffRemove: "removed"}

// staffCommands answers the command line: the daemon's own list changes, who was removed or given another PIN is signed out
// at once, and the audit log tells of it.
func staffCommands(roster *staff.Roster, signOut func(name string), auditLog *audit.Log, log *slog.Logger) func(control.StaffChange) error {
	return func(c control.StaffChange) error {
		if err := ChangeRoster(roster, c); err != nil {
			return err
		}
		if c.Act != control.StaffAdd {
			signOut(c.Name)
		}
		note(log, auditLog, audit.Event{Actor: "system", Act: audit.StaffChanged, Reason: staffActs[c.Act] + ":" + c.Name})
		return nil
	}
}
