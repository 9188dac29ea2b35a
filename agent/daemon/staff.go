package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/staff"
	"motcua/queue/seal"
)

// The list of staff, and the key it is sealed to where the kiosk has a TPM: six digits can be tried out within hours on a
// stolen disk.
const (
	rosterFile = "staff.json"
	rosterKey  = "staff.tpm"
)

// OpenRoster reads who may sign in.
func OpenRoster(ctx context.Context, cfg config.Config) (*staff.Roll, error) {
	if err := MakeDataFolder(cfg.Data); err != nil {
		return nil, err
	}
	var box staff.Box
	if exists(filepath.Join(cfg.Data, rosterKey)) || vaultName(cfg) == "tpm" {
		ring, err := rosterRing(ctx, seal.NewTPM(filepath.Join(cfg.Data, rosterKey), cfg.Queue.TPM))
		if err != nil {
			return nil, err
		}
		box = ring
	}
	roll, err := staff.Open(filepath.Join(cfg.Data, rosterFile), time.Now, box)
	if err != nil {
		return nil, fmt.Errorf("read the list of staff: %w", err)
	}
	return roll, nil
}

// rosterRing gives the roll's key, a new one for a new roll.
func rosterRing(ctx context.Context, where seal.Vault) (*seal.Ring, error) {
	keys, err := where.Load(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the key of the list of staff: %w; if the TPM was cleared, remove %s and %s from the data folder "+
			"and add the staff anew", err, rosterKey, rosterFile)
	}
	if len(keys) == 0 {
		keys = []seal.Key{seal.NewKey()}
		if err := where.Save(ctx, keys); err != nil {
			return nil, fmt.Errorf("save the key of the list of staff: %w", err)
		}
	}
	return seal.NewRing(keys[0], keys[1:]...), nil
}

// ChangeRoster does to a roll what the command line asks for.
func ChangeRoster(roll *staff.Roll, c control.StaffChange) error {
	switch c.Act {
	case control.StaffAdd:
		return roll.Add(c.Name, c.Role, c.PIN)
	case control.StaffPIN:
		return roll.SetPIN(c.Name, c.PIN)
	case control.StaffRemove:
		return roll.Remove(c.Name)
	}
	return fmt.Errorf("change the list of staff: there is no act %q", c.Act)
}

// staffActs are the reasons of audit.StaffChanged.
var staffActs = map[string]string{control.StaffAdd: "added", control.StaffPIN: "pin-changed", control.StaffRemove: "removed"}

// staffCommands answers the command line: the daemon's own list changes, who was removed or given another PIN is signed out
// at once, and the audit log tells of it.
func staffCommands(roll *staff.Roll, signOut func(name string), ledger *audit.Log, log *slog.Logger) func(control.StaffChange) error {
	return func(c control.StaffChange) error {
		if err := ChangeRoster(roll, c); err != nil {
			return err
		}
		if c.Act != control.StaffAdd {
			signOut(c.Name)
		}
		note(log, ledger, audit.Event{Actor: "system", Act: audit.StaffChanged, Reason: staffActs[c.Act] + ":" + c.Name})
		return nil
	}
}
