package citizen

import (
	"context"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// LongestSpeech is how many letters are read aloud at a time; the longest page has a third of it.
const LongestSpeech = 1500

// speak reads a page's question aloud. The text goes to the speaker's standard input: what stands on a
// screen is not to be seen in the list of processes.
func (s *Pages) speak(w http.ResponseWriter, r *http.Request) {
	text := r.PostForm.Get("text")
	if s.Voice == "" || text == "" || utf8.RuneCountInString(text) > LongestSpeech {
		http.NotFound(w, r)
		return
	}
	s.speaking.Lock() // one voice at a time
	defer s.speaking.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, s.Voice, "-v", s.Session(w, r).Language(), "-s", "135", "--stdin", "--stdout")
	c.Stdin = strings.NewReader(text)
	sound, err := c.Output()
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Warn("speak", "error", err)
		}
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Content-Length", strconv.Itoa(len(sound)))
	_, _ = w.Write(sound)
}
