package web

import (
	"testing"

	"github.com/chromedp/chromedp"
)

func TestStaffPagesAreAccessible(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx := browser(t, 1920, 1080)
	do(t, ctx, chromedp.Navigate(c.url+"/staff"))
	axe(t, ctx, "sign-in")
	do(t, ctx, chromedp.SendKeys(chromedp.CSS(`[name=name]`), "tech"), chromedp.SendKeys(chromedp.CSS(`[name=pin]`), techPIN+"\r"))
	arrive(t, ctx, "/console")
	for _, page := range []string{"/console", "/console/devices", "/console/queue", "/console/doctor", "/console/log", "/console/config",
		"/console/staff", "/console/audit", "/console/diagnostics", "/report"} {
		do(t, ctx, chromedp.Navigate(c.url+page))
		axe(t, ctx, page)
	}
}
