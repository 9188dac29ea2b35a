package escl

import (
	"context"
	"errors"
	"fmt"

	"motcua/drivers/scan"
)

// Check looks at the named devices, for `motcua doctor`; without any it looks for announced ones.
func Check(ctx context.Context, o Options, ids ...string) []scan.Finding {
	if len(ids) == 0 {
		infos, err := List(ctx, o)
		if err != nil {
			return []scan.Finding{{What: "Looking for network scanners: " + err.Error(),
				Mend: "Check that the network is up and that a firewall lets mDNS (UDP port 5353) through."}}
		}
		if usable, _ := askable(o.Interface); len(usable) == 0 {
			return []scan.Finding{{OK: true, What: "no network is up, so no network scanner can be looked for"}}
		}
		return []scan.Finding{{OK: true, What: fmt.Sprintf("%d network scanners announce themselves", len(infos))}}
	}
	var findings []scan.Finding
	for _, id := range ids {
		findings = append(findings, checkDevice(ctx, o, id))
	}
	return findings
}

func checkDevice(ctx context.Context, o Options, id string) scan.Finding {
	s, err := Open(o, id)
	if err != nil {
		return scan.Finding{What: err.Error(), Mend: "Write the address as the scanner shows it on its network page, like http://192.0.2.7/eSCL."}
	}
	defer s.Close()
	info, err := s.Probe(ctx)
	var f *scan.Fault
	switch {
	case errors.As(err, &f):
		return scan.Finding{What: "Network scanner " + id + " cannot be used", Mend: f.Technician}
	case err != nil:
		return scan.Finding{What: "Network scanner " + id + ": " + err.Error(), Mend: "Try again."}
	}
	if err := s.trust.notKept(); err != nil {
		return scan.Finding{What: "The key of network scanner " + id + " is not kept: " + err.Error(),
			Mend: "Make the data folder writable for this account; until then another device could take the scanner's place after a restart."}
	}
	what := fmt.Sprintf("Network scanner %s %s answers at %s", info.Vendor, info.Model, id)
	if st, err := s.status(ctx); err == nil {
		// An empty feeder is how a scanner should be found.
		if code := st.feeder(); code != "" && code != scan.NoDocuments {
			return scan.Finding{What: what + ", but its feeder is out of order", Mend: scan.NewFault(id, code, nil).Technician}
		}
	}
	return scan.Finding{OK: true, What: what}
}
