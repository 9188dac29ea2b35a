package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"filippo.io/age"

	"motcua/agent/daemon"
	"motcua/queue"
	"motcua/queue/seal"
)

type queueKeyCommand struct {
	Backup  keyBackupCommand  `cmd:"" help:"Make a way back for the kiosk key: a file that the office's key opens, or words on paper."`
	Restore keyRestoreCommand `cmd:"" help:"Put the kiosk key back after the machine or its TPM was lost, or boots otherwise."`
	Reseal  keyResealCommand  `cmd:"" help:"Seal the key in the TPM anew: bound to what is booted now, as queue.boot says, or to nothing."`
}

type keyBackupCommand struct {
	To    []string `placeholder:"AGE1" help:"The office's age recipient (age1…), which may open the file. May be repeated."`
	Out   string   `short:"o" type:"path" placeholder:"FILE" help:"With --to: the file to make."`
	Words bool     `help:"Print the words to be written down or printed: whoever has them can read what waits here."`
}

// Run works beside a daemon: it reads the key and changes nothing but a note that this was done.
func (c *keyBackupCommand) Run(p *program) error {
	if c.Words == (len(c.To) > 0) || (len(c.To) > 0) != (c.Out != "") {
		return unusable(errors.New("say --to age1… -o FILE, or --words"))
	}
	var to []age.Recipient
	for _, text := range c.To {
		r, err := seal.ParseRecipients(text)
		if err != nil {
			return unusable(err)
		}
		to = append(to, r...)
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	return queue.KeyWayBack(p.ctx, filepath.Join(cfg.Data, "queue"), daemon.Vault(cfg), func(keys []seal.Key) error {
		if c.Words {
			_, err := fmt.Fprintf(p.out, "%s\n", keys[0].Phrase())
			return err
		}
		return whole(c.Out, func(f *os.File) error { return seal.SealKeys(f, keys, to...) })
	})
}

type keyResealCommand struct {
	Loose bool `help:"Bind it to nothing, for an update of firmware, boot loader or kernel. Afterwards: motcua queue key reseal."`
}

// Run may run beside a daemon, which has the key already.
func (c *keyResealCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	vault, ok := daemon.Vault(cfg).(*seal.TPM)
	if !ok {
		return unusable(errors.New("the kiosk key lies in a file, which binds it to nothing: motcua queue rekey --to tpm moves it"))
	}
	if c.Loose {
		vault = vault.Bound()
	}
	id, err := queue.ResealKey(p.ctx, filepath.Join(cfg.Data, "queue"), vault)
	if err != nil {
		return err
	}
	if len(vault.Binds()) == 0 {
		fmt.Fprintf(p.out, "the kiosk key %s is bound to no boot state\n", id)
		return nil
	}
	fmt.Fprintf(p.out, "the kiosk key %s opens only while registers %v are as they are now\n", id, vault.Binds())
	return nil
}

type keyRestoreCommand struct {
	Identity string `type:"path" placeholder:"FILE" help:"File with the office's age identity that opens the backup."`
	Words    bool   `help:"Type the words, or give them on standard input."`
	File     string `arg:"" optional:"" type:"path" help:"The backup."`
}

// Run puts the key back and opens the queue with it: a wrong one is taken away again.
func (c *keyRestoreCommand) Run(p *program) error {
	if c.Words == (c.File != "") || (c.File != "") != (c.Identity != "") {
		return unusable(errors.New("say --identity FILE and the backup, or --words"))
	}
	keys, err := c.keys(p)
	if err != nil {
		return unusable(err)
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	vault := daemon.Vault(cfg)
	fresh, err := queue.RestoreKey(p.ctx, vault, keys)
	if err != nil {
		return err
	}
	l, err := p.openLocal(cfg)
	if fresh && errors.Is(err, queue.ErrNoKey) {
		err = errors.Join(fmt.Errorf("it is not the key of this queue: %w", err), vault.Save(p.ctx, nil))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "the kiosk key %s is back\n", keys[0].ID())
	return l.Close()
}

func (c *keyRestoreCommand) keys(p *program) ([]seal.Key, error) {
	if c.Words {
		text, err := p.readSecret("Words of the kiosk key")
		if err != nil {
			return nil, err
		}
		k, err := seal.ParsePhrase(text)
		return []seal.Key{k}, err
	}
	text, err := os.ReadFile(c.Identity)
	if err != nil {
		return nil, fmt.Errorf("read the office's key: %w", err)
	}
	with, err := seal.ParseIdentities(string(text))
	if err != nil {
		return nil, err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	defer f.Close()
	return seal.OpenKeys(f, with...)
}
