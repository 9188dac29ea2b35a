package station

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"motcua/agent/profile"
	"motcua/drivers/hidpos"
	"motcua/drivers/serial"
)

// hidDesk reads barcode readers in HID POS mode, from the moment they are plugged in; one whose profile says "avoid" is left
// alone. What they read goes the way of what comes on serial lines.
type hidDesk struct {
	lines    *lineDesk
	profiles profile.Profiles
	log      *slog.Logger
	bus      hidpos.Bus
}

// hidEvery is how often new readers are looked for.
const hidEvery = time.Second

func (d *hidDesk) run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	var mu sync.Mutex // guards open
	open := map[string]bool{}
	for {
		found, err := d.bus.List()
		if err != nil {
			d.log.Warn("HID readers", "error", err)
		}
		for _, reader := range found {
			mu.Lock()
			held := open[reader.Node]
			open[reader.Node] = true
			mu.Unlock()
			if held || d.profiles.For(reader.ID).Auto == profile.Avoid {
				continue
			}
			jobs.Go(func() {
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					delete(open, reader.Node) // it is used again when it is back
				}()
				d.log.Info("HID reader", "id", reader.ID, "name", reader.Name)
				err := hidpos.Read(ctx, reader, func(r hidpos.Reading) {
					d.lines.take(serial.Reading{Text: r.Text, At: r.At, Port: r.Device})
				})
				if ctx.Err() == nil {
					d.log.Warn("HID reader", "id", reader.ID, "error", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(hidEvery):
		}
	}
}
