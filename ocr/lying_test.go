package ocr

import (
	"os"
	"os/exec"
	"sync"
	"testing"

	"motcua/ocr/paper"
)

// A worker that a hostile file took over answers what no worker of ours does: that costs a look at the values, not the daemon.
func TestWorkerThatLies(t *testing.T) {
	asked, ask, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, answer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	var lying sync.WaitGroup
	defer lying.Wait()
	defer ask.Close()
	lying.Go(func() {
		defer asked.Close()
		defer answer.Close()
		for {
			var q request
			if _, err := readFrame(asked, &q); err != nil {
				return
			}
			a := response{Pages: 1}
			if q.Op == "page" {
				a.Sides = []*readSide{nil, {Kind: paper.CCCD, Side: "front", Page: 1, Readings: map[paper.Name][]paper.Evidence{
					paper.FullName: {{Value: "LÊ THỊ MẪU", Source: paper.OCR, Conf: -1}}}}}
			}
			if writeFrame(answer, a, nil) != nil {
				return
			}
		}
	})
	limits := Limits{}.filled()
	c := newChild(nil, limits, nil)
	c.cmd, c.in, c.out, c.ready = &exec.Cmd{}, ask, answers, true // it runs
	r := &Reader{pool: newPool([]backend{c}), workers: 1, limits: limits}
	out := r.Read(t.Context(), Input{Data: []byte("page")})
	if len(out.Documents) != 1 || !out.Documents[0].Fields[paper.FullName].Review {
		t.Errorf("%d documents, problem %v", len(out.Documents), out.Problem)
	}
}
