package daemon

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"motcua/agent/answer"
	"motcua/agent/config"
	"motcua/agent/doctor"
)

// How long the desk may be silent. It is asked every half minute at the latest.
const (
	silentLook   = time.Hour
	silentBroken = 3 * 24 * time.Hour // citizens are then told what was so last week
)

// checkAnswers looks at whether the office's answers come. It reads what the daemon noted; the desk itself is not asked.
func checkAnswers(ctx context.Context, cfg config.Config, now time.Time) []doctor.Finding {
	if cfg.Answers.From == config.FromNone {
		return []doctor.Finding{doctor.Good("answers of the office are not taken (answers.from is none)")}
	}
	return append(checkDesk(ctx, cfg, now), checkAside(ctx, cfg)...)
}

// checkAside tells what is set aside until the key that opens it is back.
func checkAside(ctx context.Context, cfg config.Config) []doctor.Finding {
	n, err := answer.CountAside(ctx, filepath.Join(cfg.Data, answerStore), keysOf(cfg, answerStore))
	if err != nil || n == 0 { // checkDesk tells why the store does not open
		return nil
	}
	said := fmt.Sprintf("%d things of the office's answers are set aside: the keys here do not open them", n)
	return []doctor.Finding{doctor.Doubt(said, "if the kiosk key was lost, motcua queue key restore brings them back; "+
		"if it is lost for good they go by themselves, and the office has them")}
}

// checkDesk looks at how this kiosk stands with the desk.
func checkDesk(ctx context.Context, cfg config.Config, now time.Time) []doctor.Finding {
	c, err := answer.ReadContact(ctx, filepath.Join(cfg.Data, answerStore), keysOf(cfg, answerStore))
	if err != nil {
		return []doctor.Finding{doctor.Bad(err.Error(),
			"start the daemon: it makes a new key, which an officer allows on the desk's page of kiosks; if it does not start, motcua key verify")}
	}
	if c.Key == "" {
		return []doctor.Finding{doctor.Doubt("this kiosk has no key for the office's answers yet", "start the daemon: it makes one")}
	}
	switch c.Cause {
	case "key":
		return []doctor.Finding{doctor.Bad("the desk seals answers to another key of this kiosk since "+local(c.Since)+
			"; this kiosk's key for the office's answers is "+c.Key,
			"if this kiosk was set up anew, have an officer open the desk's page of kiosks (M) and allow the key "+c.Key+
				"; if not, somebody else has its credential: have it revoked, and give the kiosk a new one")}
	case "refused":
		return []doctor.Finding{doctor.Bad("the desk does not let this kiosk in since "+local(c.Since),
			"look at upload.tus.token_file or cert_file, and at the desk's page of kiosks (M) whether it was revoked")}
	}
	silent := now.Sub(c.Heard)
	heard := "the office's desk was never heard"
	if !c.Heard.IsZero() {
		heard = fmt.Sprintf("the office's desk was last heard at %s", local(c.Heard))
	}
	mend := "see that the daemon runs, and that the office's machine and the line to it do; answers that were given wait there"
	if c.Cause == "not-the-desk" {
		mend = "a proxy or a sign-in page of the network answers in the desk's place: have the network let this kiosk through to " + wayName(cfg)
	}
	switch {
	case silent >= silentBroken:
		return []doctor.Finding{doctor.Bad(heard, mend)}
	case silent >= silentLook || c.Cause == "not-the-desk":
		return []doctor.Finding{doctor.Doubt(heard, mend)}
	}
	return []doctor.Finding{doctor.Good("the office's desk was last heard at %s; this kiosk's key for the office's answers is %s",
		local(c.Heard), c.Key)}
}

// wayName is where answers come from, for people.
func wayName(cfg config.Config) string {
	switch {
	case cfg.Answers.From == config.FromNATS:
		return cfg.Announce.URL
	case cfg.Answers.URL != "":
		return cfg.Answers.URL
	}
	return cfg.Upload.Tus.Endpoint
}
