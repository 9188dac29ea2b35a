// Live parts and shortcuts of the staff's pages. Every page works without it.
"use strict";
(() => {
	// A live part: the server sends its HTML anew whenever it changes.
	for (const part of document.querySelectorAll("[data-live]")) {
		const source = new EventSource(part.dataset.live);
		source.onmessage = (e) => { part.innerHTML = JSON.parse(e.data); };
		addEventListener("pagehide", () => source.close());
	}

	// One press of a slow button is enough.
	for (const form of document.querySelectorAll("form[data-once]")) {
		form.addEventListener("submit", () => {
			for (const b of form.querySelectorAll("button")) b.disabled = true;
		});
	}

	// The menu by its keys, but not while somebody types.
	addEventListener("keydown", (e) => {
		if (e.ctrlKey || e.altKey || e.metaKey || e.target.closest("input, textarea, select")) return;
		const link = document.querySelector(`nav a[data-key="${CSS.escape(e.key)}"]`);
		if (link) { e.preventDefault(); link.click(); }
	});

	// After a restart: come back once the daemon answers.
	const waiting = document.querySelector("[data-comeback]");
	if (waiting) {
		const look = async () => {
			try {
				const answer = await fetch("/staff", { method: "HEAD", cache: "no-store", redirect: "manual" });
				if (answer.type === "opaqueredirect" || answer.ok) { location.replace(waiting.dataset.comeback); return; }
			} catch { /* not up yet */ }
			setTimeout(look, 1000);
		};
		setTimeout(look, 2000);
	}
})();
