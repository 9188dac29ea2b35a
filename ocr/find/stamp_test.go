package find

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// A row of print that a stamp's rim crosses is found whole, and no higher than without it.
func TestLineUnderStamp(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 600, 300))
	draw.Draw(g, g.Rect, image.NewUniform(color.Gray{220}), image.Point{}, draw.Src)
	box := func(r image.Rectangle, v uint8) {
		draw.Draw(g, r, image.NewUniform(color.Gray{v}), image.Point{}, draw.Src)
	}
	box(image.Rect(260, 157, 440, 161), 130) // joins what it crosses to the rim
	for y := 60; y < 240; y++ {              // the rim, as a hollow square
		for x := 260; x < 440; x++ {
			if x < 266 || x >= 434 || y < 66 || y >= 234 {
				g.SetGray(x, y, color.Gray{130})
			}
		}
	}
	for x := 100; x < 500; x += 16 {
		box(image.Rect(x, 140, x+4, 164), 40)
		box(image.Rect(x, 150, x+11, 154), 40)
	}
	lines := Lines(NewInk(g, 41, 30), 12, 50)
	if len(lines) != 1 || lines[0].Min.X > 104 || lines[0].Max.X < 490 || lines[0].Dy() > 40 {
		t.Fatalf("lines are %v", lines)
	}
}
