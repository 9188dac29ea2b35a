package desk

import (
	"errors"
	"net/http"

	"motcua/agent/answer"
	"motcua/agent/office"
)

type kiosksBody struct {
	Rows  []kioskRow
	Asked string
}

type kioskRow struct {
	office.Kiosk
	KeyPrint, OtherPrint string // as people compare them
}

// knownKiosks lists the kiosks; none where nobody ever asked and there is no list.
func (d *Desk) knownKiosks(w http.ResponseWriter, r *http.Request) ([]office.Kiosk, bool) {
	known, err := d.o.Store.Kiosks(d.o.Kiosks)
	switch {
	case err != nil:
		d.log.Error("list kiosks", "error", err)
		d.fail(w, r, http.StatusInternalServerError, "fault.kiosks", Path)
	case d.o.Kiosks == nil && len(known) == 0:
		d.fail(w, r, http.StatusNotFound, "fault.no-kiosks", Path)
	default:
		return known, true
	}
	return nil, false
}

func (d *Desk) kiosks(w http.ResponseWriter, r *http.Request, _ *session) {
	known, ok := d.knownKiosks(w, r)
	if !ok {
		return
	}
	b := kiosksBody{Asked: r.URL.Query().Get("ask")}
	for _, k := range known {
		row := kioskRow{Kiosk: k}
		if k.Key != "" {
			row.KeyPrint = answer.Fingerprint(k.Key)
		}
		if k.Other != "" {
			row.OtherPrint = answer.Fingerprint(k.Other)
		}
		b.Rows = append(b.Rows, row)
	}
	d.render(w, r, http.StatusOK, "kiosks", b)
}

// changeKiosk revokes a kiosk, lets it in again, or lets it have another key.
func (d *Desk) changeKiosk(w http.ResponseWriter, r *http.Request, s *session) {
	if _, ok := d.knownKiosks(w, r); !ok {
		return
	}
	name, key := r.PostFormValue("kiosk"), r.PostFormValue("key")
	var err error
	told := "kiosks.revoked"
	switch r.PostFormValue("act") {
	case "offer":
		n, err := d.o.Store.OfferAgain(r.Context(), name, s.officer)
		if err != nil {
			d.log.Error("offer results again", "kiosk", name, "done", n, "error", err)
			d.fail(w, r, http.StatusInternalServerError, "fault.offer", "/desk/kiosks")
			return
		}
		d.log.Warn("results that a kiosk told as handed over are offered again", "kiosk", name, "results", n)
		d.done(w, r, s, "/desk/kiosks", "kiosks.offered", "kiosk", name, "n", n)
		return
	case "allow":
		told = "kiosks.allowed"
		err = d.o.Store.Allow(r.Context(), d.o.Kiosks, name, key, s.officer)
	default:
		err = d.o.Store.Revoke(r.Context(), d.o.Kiosks, name, s.officer)
	}
	switch {
	case errors.Is(err, office.ErrStale):
		d.fail(w, r, http.StatusConflict, "fault.key", "/desk/kiosks")
		return
	case err != nil:
		d.log.Error("change a kiosk", "act", told, "error", err)
		d.fail(w, r, http.StatusInternalServerError, "fault.revoke", "/desk/kiosks")
		return
	}
	d.log.Warn("a kiosk's right was changed", "kiosk", name, "what", told)
	d.done(w, r, s, "/desk/kiosks", told, "kiosk", name)
}
