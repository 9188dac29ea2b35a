// Keys and live parts of the officer's desk. Every page works without it but for signing on the officer's own PC.
"use strict";
(() => {
	const typing = (e) => e.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
	const sides = document.querySelector(".sides");
	const within = (list, from, by) => list[Math.max(0, Math.min(list.length - 1, list.indexOf(from) + by))];

	// A value and its place, both ways of seeing one thing.
	const show = (value) => {
		for (const other of document.querySelectorAll(".now")) other.classList.remove("now");
		value.closest("li").classList.add("now");
		const mark = document.getElementById("m-" + value.dataset.value);
		if (!mark) return;
		mark.classList.add("now");
		const pages = document.querySelector(".pages"), at = mark.getBoundingClientRect(), box = pages.getBoundingClientRect();
		pages.scrollTop += at.top - box.top - box.height / 3;
	};
	for (const value of document.querySelectorAll(".value")) {
		value.addEventListener("focus", () => show(value));
		value.addEventListener("click", (e) => { e.preventDefault(); value.focus(); show(value); });
	}

	// Of the reasons only those of the chosen state.
	const states = [...document.querySelectorAll("[data-state]")];
	const reasons = () => {
		const chosen = states.find((s) => s.checked)?.value;
		for (const list of document.querySelectorAll(".reasons")) {
			list.hidden = list.dataset.for !== chosen;
			for (const box of list.querySelectorAll("input")) box.disabled = list.hidden;
		}
	};
	for (const s of states) s.addEventListener("change", reasons);
	if (states.length) reasons();
	const keys = {1: "needs-more", 2: "eligible", 3: "done", 4: "refused"};
	const choose = (key) => {
		const state = states.find((s) => s.value === keys[key]);
		if (!state) return false;
		state.checked = true;
		reasons();
		const first = document.querySelector(".reasons:not([hidden]) input") || document.getElementById("text");
		first.focus();
		return true;
	};

	addEventListener("keydown", (e) => {
		if (e.key === "Enter" && e.ctrlKey) {
			const form = document.querySelector("form.act");
			if (form) { e.preventDefault(); form.requestSubmit(); }
			return;
		}
		if (e.key === "Escape" && typing(e)) { e.target.blur(); document.getElementById("main").focus(); return; }
		if (e.ctrlKey || e.altKey || e.metaKey || typing(e)) return;
		const rows = [...document.querySelectorAll(sides ? ".value" : ".row")];
		const by = {j: 1, ArrowDown: 1, k: -1, ArrowUp: -1}[e.key];
		if (by && rows.length && !(e.key.startsWith("Arrow") && e.target.matches("input, .pages"))) {
			e.preventDefault();
			const now = document.activeElement;
			(rows.includes(now) ? within(rows, now, by) : rows[by > 0 ? 0 : rows.length - 1]).focus();
			return;
		}
		if (e.key === "/" && document.getElementById("q")) { e.preventDefault(); document.getElementById("q").select(); document.getElementById("q").focus(); return; }
		if (sides && choose(e.key)) { e.preventDefault(); return; }
		if (sides && (e.key === "]" || e.key === "[")) {
			const sheets = [...document.querySelectorAll(".sheet")], pages = document.querySelector(".pages");
			const top = pages.getBoundingClientRect().top;
			const first = sheets.findIndex((s) => s.getBoundingClientRect().bottom > top + 5);
			sheets[Math.max(0, Math.min(sheets.length - 1, first + (e.key === "]" ? 1 : -1)))]?.scrollIntoView({block: "start"});
			return;
		}
		const link = document.querySelector(`nav a[data-key="${CSS.escape(e.key.toLowerCase())}"]`);
		if (link) { e.preventDefault(); link.click(); }
	});

	// The line loads itself anew; a dossier says that it was overtaken.
	const live = document.querySelector("[data-live]");
	const revision = async () => (await fetch(`/desk/d/${sides.dataset.number}/revision`, {cache: "no-store"})).text();
	const renew = async () => {
		const answer = await fetch(location.href, {cache: "no-store"});
		if (!answer.ok || answer.redirected) return;
		const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
		if (live) {
			const at = document.activeElement?.matches(".row") ? document.activeElement.getAttribute("href") : "";
			live.replaceChildren(...fresh.querySelector("[data-live]").childNodes);
			document.querySelector(".tabs").replaceChildren(...fresh.querySelector(".tabs").childNodes);
			if (at) live.querySelector(`.row[href="${CSS.escape(at)}"]`)?.focus();
		}
	};
	if (live) {
		const source = new EventSource("/desk/changed");
		// On opening, too: what came between this page and the line to the desk, or while that was cut, was told to nobody.
		source.onopen = source.onmessage = () => { renew().catch(() => {}); };
		addEventListener("pagehide", () => source.close());
	}
	if (sides) addEventListener("focus", async () => {
		try { document.getElementById("overtaken").hidden = await revision() === sides.dataset.revision; } catch { /* the server is away */ }
	});

	// The government's signer on this PC: it fetches the file from the desk and gives it back there by itself.
	const button = document.getElementById("signer");
	if (button) {
		const says = document.getElementById("signer-says");
		button.hidden = false;
		const signOne = async (name) => {
			const body = new URLSearchParams({csrf: sides.dataset.csrf, revision: sides.dataset.revision, file: name});
			const answer = await fetch(`/desk/d/${sides.dataset.number}/ticket`, {method: "POST", body});
			if (!answer.ok) throw new Error(button.dataset.failed);
			const {Socket, Request} = await answer.json();
			await new Promise((done, fail) => {
				const socket = new WebSocket(Socket);
				socket.onopen = () => socket.send(JSON.stringify(Request));
				socket.onerror = () => fail(new Error(button.dataset.none));
				socket.onmessage = () => { socket.close(); done(); };
				socket.onclose = () => done();
			});
			// What counts is what the desk has, not what the signer says.
			const now = await revision();
			if (now === sides.dataset.revision) throw new Error(button.dataset.failed);
			sides.dataset.revision = now;
		};
		button.addEventListener("click", async () => {
			const chosen = [...document.querySelectorAll("#sign [name=file]:checked")].map((b) => b.value);
			if (!chosen.length) { says.textContent = button.dataset.gone; return; }
			button.disabled = true;
			says.textContent = button.dataset.wait;
			try {
				for (const name of chosen) await signOne(name);
				location.reload();
			} catch (e) {
				says.textContent = e.message;
				button.disabled = false;
			}
		});
	}
})();
