// QR readers that type like a keyboard ("wedge"). No finger types a card's number, twelve figures and a bar, with less
// than 60 ms between two keys: from there on the keys are the reader's, and none of them reaches the page. Where
// the first ones went into a field, it gets back what it had.
"use strict";
(() => {
	const pace = 60, card = /\d{12}\|/;
	let text = "", last = -Infinity, field = null, before = "", ended = 0;
	const say = (sentence) => {
		const p = document.createElement("p");
		p.className = "fault"; p.setAttribute("role", "alert"); p.textContent = sentence;
		document.querySelector("main .fault")?.remove();
		(document.querySelector("main .lead") || document.querySelector("main h1")).after(p);
	};
	const give = async () => {
		const body = new URLSearchParams({ text: text.slice(text.search(card)) });
		text = ""; // nothing of it stays in the page
		let answer;
		try {
			answer = await fetch("/typed", { method: "POST", body, redirect: "manual", headers: { "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content } });
		} catch { return; } // the daemon is away: the page says so when it is next asked for
		if (answer.status === 204) location.assign(/^\/check\/./.test(location.pathname) ? "/check" : location.href);
		else if (answer.type === "opaqueredirect") location.reload();
		else say(await answer.text());
	};
	addEventListener("keydown", (e) => {
		if (e.ctrlKey || e.metaKey || e.isComposing) return;
		const reading = card.test(text);
		if (e.timeStamp - last > pace) {
			if (reading) give(); // a reader that types no end
			text = "";
			field = "value" in e.target ? e.target : null;
			before = field ? field.value : "";
		}
		last = e.timeStamp;
		if (e.key.length === 1) text += e.key;
		if (!card.test(text)) return;
		e.preventDefault();
		e.stopImmediatePropagation();
		clearTimeout(ended);
		if (!reading && field) field.value = before;
		if (e.key === "Enter" || e.key === "Tab") give();
		else ended = setTimeout(give, 5 * pace);
	}, true);
})();
