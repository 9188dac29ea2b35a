// A QR reader that types like a keyboard, on any page without a visit: the code of a receipt leads to the page that asks where the
// dossier stands, the symbol of a printed certified copy to the one that looks it up. No finger types nine characters with less
// than 60 ms between two keys.
"use strict";
(() => {
	const pace = 60, code = /^[2-9A-Z]{4}-[2-9A-Z]{4}$/, copy = /\|sha256:[0-9a-f]{64}$/i;
	let text = "", last = -Infinity;
	const ask = (symbol) => {
		const form = document.createElement("form");
		form.method = "post"; form.action = "/verify/print"; form.hidden = true;
		for (const [name, value] of [["csrf", document.querySelector('meta[name="csrf"]').content], ["code", symbol]]) {
			const input = document.createElement("input");
			input.name = name; input.value = value;
			form.append(input);
		}
		document.body.append(form);
		form.submit();
	};
	addEventListener("keydown", (e) => {
		if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
		if (e.timeStamp - last > pace) text = "";
		last = e.timeStamp;
		if (e.key.length === 1) {
			text += e.key;
			if (!copy.test(text)) return;
			e.preventDefault();
			ask(text);
			text = "";
			return;
		}
		if (e.key !== "Enter" || !code.test(text.toUpperCase())) return;
		e.preventDefault();
		e.stopImmediatePropagation();
		location.assign("/status?code=" + encodeURIComponent(text.toUpperCase()));
	}, true);
	// Readers that don't type send it to the daemon, which tells this page.
	addEventListener("DOMContentLoaded", () => {
		const prints = document.querySelector("[data-prints]");
		if (!prints) return;
		const source = new EventSource(prints.dataset.prints);
		source.onmessage = (e) => { source.close(); ask(JSON.parse(e.data).text); };
		addEventListener("pagehide", () => source.close());
	});
})();
