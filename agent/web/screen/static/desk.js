// The volunteer's keys: every button that has one is pressed by it, on the desk and in a visit. Keys do
// nothing while somebody writes, nor when the next key follows at once: that is a reader that types a code.
"use strict";
let pressed = 0;
addEventListener("keydown", (e) => {
	if (!/^[0-9|]$/.test(e.key)) { press(e); return; }
	clearTimeout(pressed);
	pressed = setTimeout(() => press(e), 70);
});
function press(e) {
	if (e.ctrlKey || e.altKey || e.metaKey || document.querySelector("dialog[open]")) return;
	const writing = e.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");
	const click = (q) => { const b = document.querySelector(q); if (b) { e.preventDefault(); b.click(); } return !!b; };
	if (e.key === "Escape") { if (writing) e.target.blur(); else click(".way .back"); return; }
	if (writing) return;
	if (e.key === "Enter" && !e.target.closest("a, button, summary")) { click(".way .go") || click(".do .go"); return; }
	if (/^[1-9]$/.test(e.key)) {
		const n = +e.key - 1;
		const card = document.querySelectorAll(".card, .choice input")[n];
		if (card) { e.preventDefault(); card.click(); return; }
	}
	if (e.key === "e") { const field = document.querySelector("#value"); if (field) { e.preventDefault(); field.focus(); field.select(); return; } }
	if (/^[a-z0-9]$/.test(e.key)) click(`[data-press="${e.key}"]`);
}
