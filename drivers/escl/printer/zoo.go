package printer

import (
	"fmt"

	"motcua/drivers/zoo"
)

// Playing gives the habits that play a device of the zoo.
func Playing(z zoo.ESCL) Habits {
	h := Habits{
		Manufacturer: z.Make, Model: z.Model, Server: z.Server, Formats: z.Formats, Location: z.Location, EndCode: z.End,
		EarlyEnd: z.Early, EarlyFirst: z.EarlyFirst, NotYet: z.NotYet, BusyBefore: z.Busy, MaxDPI: z.MaxDPI, PortInHost: z.PortInHost,
		HostLocalhost: z.HostLocalhost, DropAfterHeaders: z.DropAfterHeaders, JamOnEmpty: z.JamOnEmpty, ConflictOnEmpty: z.ConflictOnEmpty,
		EmptyWhenIdle: z.EmptyWhenIdle, NoPlaten: z.Platen == "none", NoADF: z.Feeder == "none", RetryAfter: "0",
		FeederCapacity: z.FeederCapacity, OnePageJobs: z.OnePageJobs, NoImage: z.NoImage, LoadedWord: z.LoadedWord,
		EmptyWhileFed: z.EmptyWhileFed, Disclaimer: z.Disclaimer, TrailingSlash: z.TrailingSlash,
		NoDuplex: z.NoDuplex, DuplexOnly: z.DuplexOnly, EndsEarly: z.EndsEarly, LoadedWhenIdle: z.LoadedWhenIdle,
	}
	// What is not known of a feeder's size stays the printer's own.
	_, _ = fmt.Sscanf(z.Feeder, "%dx%d", &h.FeederWidth, &h.FeederHeight)
	return h
}
