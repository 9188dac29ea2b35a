package find

import "image"

// Resize samples img at w × h: neighbours are averaged where it shrinks, so that thin strokes and tone marks do not
// fall between the samples, and blended where it grows.
func Resize(img *image.Gray, w, h int) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, w, h))
	if w <= 0 || h <= 0 || b.Empty() {
		return out
	}
	xs, ys := taps(b.Dx(), w), taps(b.Dy(), h)
	rows := make([]int32, b.Dy()*w) // narrowed first
	for y := range b.Dy() {
		src := img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):]
		dst := rows[y*w : (y+1)*w]
		for x, t := range xs {
			var s int32
			for k, weight := range t.weights {
				s += weight * int32(src[t.from+k])
			}
			dst[x] = s
		}
	}
	for y, t := range ys {
		dst := out.Pix[y*out.Stride : y*out.Stride+w]
		for x := range dst {
			var s int64
			for k, weight := range t.weights {
				s += int64(weight) * int64(rows[(t.from+k)*w+x])
			}
			dst[x] = uint8((s + 1<<19) >> 20)
		}
	}
	return out
}

type tap struct {
	from    int
	weights []int32 // sum 1024
}

// taps are the source samples of each target sample: a triangle as wide as the larger of the two steps.
func taps(from, to int) []tap {
	out := make([]tap, to)
	step := float64(from) / float64(to)
	reach := max(step*0.65, 1) // narrower than would be smooth: the model likes its edges sharp
	for i := range out {
		centre := (float64(i)+0.5)*step - 0.5
		lo, hi := max(0, int(centre-reach)), min(from-1, int(centre+reach)+1)
		t := tap{from: lo}
		sum := 0.0
		var raw []float64
		for k := lo; k <= hi; k++ {
			d := (float64(k) - centre) / reach
			v := max(0, 1-max(d, -d))
			raw = append(raw, v)
			sum += v
		}
		left := int32(1024)
		for k, v := range raw {
			n := int32(v/sum*1024 + 0.5)
			if k == len(raw)-1 || n > left {
				n = left
			}
			left -= n
			t.weights = append(t.weights, n)
		}
		out[i] = t
	}
	return out
}
