package ocr_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// olderProcessors are what a worker's environment says so that all of it runs as on an older processor: Go's runtime and the line
// network go by GODEBUG, libjpeg-turbo and the C library by words of their own. ZXing has no code for single processors; Tesseract
// looks for itself and is not held back: what it takes of a clear page, if it is asked at all, is the same in all three.
var olderProcessors = []struct {
	name string
	env  []string
}{
	{"best", nil},
	{"avx2", []string{"GODEBUG=" + withoutAVX512, "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-EVEX"}},
	{"sse4.2", []string{"GODEBUG=" + withoutAVX512 + ",cpu.avx2=off,cpu.avx=off,cpu.fma=off,cpu.bmi1=off,cpu.bmi2=off", "JSIMD_FORCESSE2=1",
		"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-BMI1,-BMI2"}},
}

const withoutAVX512 = "cpu.avx512f=off,cpu.avx512vnni=off,cpu.avxvnni=off"

// BenchmarkProcessors reads the page of BenchmarkRead by workers that do as on this processor, on one with AVX2 and on one with
// SSE4.2 alone, in turn, so that all see the same machine. Given are the medians.
func BenchmarkProcessors(b *testing.B) {
	for _, noCodes := range []bool{false, true} {
		b.Run(map[bool]string{false: "code_readable", true: "print_only"}[noCodes], func(b *testing.B) {
			d := specimen.Damage{Set: specimen.Clean, Seed: 7, NoCodes: noCodes}
			img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: paper.CCCD, Person: specimen.Invent(7)}}}, 7, d)
			if err != nil {
				b.Fatal(err)
			}
			data := asJPEG(b, img)
			readers, times := make([]*ocr.Reader, len(olderProcessors)), make([][]time.Duration, len(olderProcessors))
			for i, p := range olderProcessors {
				argv := worker
				if p.env != nil {
					argv = slices.Concat([]string{"/usr/bin/env"}, p.env, worker)
				}
				if readers[i], err = ocr.New(ocr.Options{Worker: argv, Workers: 1}); err != nil {
					b.Fatal(err)
				}
				defer readers[i].Close()
				if err := readers[i].Warm(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			want := ""
			for b.Loop() {
				for i, r := range readers {
					start := time.Now()
					res := r.Read(b.Context(), ocr.Input{Data: data})
					times[i] = append(times[i], time.Since(start))
					if res.Problem != nil || len(res.Documents) != 1 {
						b.Fatal("the page was not read")
					}
					if got := readValues(res); want == "" {
						want = got
					} else if got != want {
						b.Fatalf("%s reads %s, want %s", olderProcessors[i].name, got, want)
					}
				}
			}
			for i, p := range olderProcessors {
				slices.Sort(times[i])
				b.ReportMetric(float64(median(times[i]).Microseconds())/1000, p.name+"-ms")
				if i > 0 {
					b.ReportMetric(float64(median(times[i]))/float64(median(times[0])), p.name+"/best")
				}
			}
		})
	}
}

func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

// readValues is what was read, whatever the confidence: the odds differ by rounding from processor to processor.
func readValues(res ocr.Result) string {
	var all []string
	for _, d := range res.Documents {
		for name, f := range d.Fields {
			all = append(all, fmt.Sprint(name, "=", f.Value, " ", f.Review))
		}
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}
