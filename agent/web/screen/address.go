package screen

import (
	"net/url"
	"strings"
)

// Local keeps a redirect on this site.
func Local(to string) string {
	odd := func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f } // browsers take these out, or for a slash
	u, err := url.Parse(to)
	if err != nil || strings.ContainsFunc(to+u.Path, odd) || u.Scheme != "" || u.Opaque != "" || u.User != nil || u.Host != "" ||
		!strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || OddPath(u) {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).String()
}

// OddPath finds what no link of ours contains.
func OddPath(u *url.URL) bool {
	raw := strings.ToLower(u.EscapedPath())
	return !strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path, "..") || strings.ContainsAny(u.Path, "\\\x00") ||
		strings.Contains(u.Path, "//") || strings.Contains(raw, "%2f") || strings.Contains(raw, "%5c")
}
