package screen

import (
	"strings"

	"motcua/agent/counter"
	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/visit"
)

// ConsentVersion names the text of consent.* in the catalogue; it is kept with the submission. Change
// it with the text.
const ConsentVersion = "2026-11"

// Consent is what was agreed to, as it was shown in a language.
func (s *Host) Consent(lang string) dossier.Consent {
	text := ""
	for _, key := range []string{"consent.what", "consent.why", "consent.long", "consent.right"} {
		text += s.Words.Say(lang, key) + "\n"
	}
	return dossier.Consent{Version: ConsentVersion, Purpose: text, Language: lang}
}

// Facts are what the receipt says of a submission.
func Facts(state visit.State, proc *procedure.Procedure) visit.Facts {
	f := visit.Facts{Pages: counter.Pages(state.Papers)}
	f.Fee = proc.Price(counter.Values(state.Form), f.Pages)
	for _, e := range state.Form {
		if field, ok := proc.Field(e.Name); ok && field.Type == procedure.Name && e.Text != "" && !e.Idle {
			for _, word := range strings.Fields(e.Text) {
				f.Initials += string([]rune(word)[:1]) + "."
			}
			break
		}
	}
	f.Initials = strings.ToUpper(f.Initials)
	return f
}
