package counter

import (
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/ocr/paper"
)

// Split divides a stack of pages into persons, in the order of the stack: an identity paper with a
// number not seen before begins a person; one with a known number goes to that person, wherever it lies;
// any other page (the back of a card without a number, an attached sheet) goes to the person before it.
// Pages before the first identity paper go to the first person. Nothing is ever left out.
func Split(papers []visit.Paper) [][]visit.Paper {
	var persons [][]visit.Paper
	of := map[string]int{} // personal number → person
	now := -1
	var before []visit.Paper
	for _, p := range papers {
		numbers := identities(p.Documents)
		for _, n := range numbers {
			if at, known := of[n]; known {
				now = at
			}
		}
		fresh := len(numbers) > 0
		for _, n := range numbers {
			if _, known := of[n]; known {
				fresh = false
			}
		}
		switch {
		case fresh:
			persons = append(persons, before)
			before = nil
			now = len(persons) - 1
		case now < 0:
			before = append(before, p)
			continue
		}
		for _, n := range numbers {
			of[n] = now
		}
		persons[now] = append(persons[now], p)
	}
	if len(before) > 0 {
		persons = append(persons, before)
	}
	return persons
}

// identities lists the personal numbers on a page.
func identities(docs []paper.Document) []string {
	var numbers []string
	for _, d := range docs {
		if n := d.Fields[paper.Number].Value; n != "" && procedure.Identity(d.Type) {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
