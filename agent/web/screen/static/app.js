// The live parts of every page: the countdown of silence, read-aloud, scan progress, the receipt.
// Each part looks for its own marks (data-…) and does nothing on pages without them.
"use strict";
(() => {
	const $ = (q, from = document) => from.querySelector(q);
	const $$ = (q, from = document) => [...from.querySelectorAll(q)];
	const csrf = $('meta[name="csrf"]').content;
	const post = (path, body = "") => fetch(path, {
		method: "POST", body, redirect: "manual",
		headers: { "X-CSRF-Token": csrf, "Content-Type": "application/x-www-form-urlencoded" },
	});

	// A page called back from memory may be another person's: ask the kiosk anew.
	addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });

	// --- taps that were meant for the page before ---------------------------------------------------------
	// Fingers double-tap, tremble and rest. A touch or a click of a mouse counts only when the page, or what newly
	// lies over it, has been on the screen for a while; one that comes too early asks for a moment's rest besides.
	// Keys count at once. Until this script runs, app.css holds the page still for as long.
	const settling = 700, rest = 450; // ms
	const root = document.documentElement;
	let ready = Infinity, early = false; // early: the touch under way began too soon
	const settle = () => {
		const left = ready - performance.now();
		if (left > 0) setTimeout(settle, left);
		else root.dataset.settled = "1";
	};
	const fresh = () => { delete root.dataset.settled; ready = performance.now() + settling; settle(); };
	requestAnimationFrame(() => requestAnimationFrame(fresh)); // the second frame comes after the first is painted
	const tooSoon = () => {
		const now = performance.now();
		if (now >= ready) return false;
		if (Number.isFinite(ready)) ready = Math.max(ready, now + rest);
		return true;
	};
	addEventListener("pointerdown", (e) => {
		if (!e.isTrusted) return;
		early = tooSoon();
		if (early) e.stopImmediatePropagation();
	}, true);
	addEventListener("click", (e) => {
		if (!e.isTrusted || e.pointerType === "") return; // a key or a script
		const held = early || tooSoon(); // a busy browser may give the click alone
		early = false;
		if (!held) return;
		e.preventDefault();
		e.stopImmediatePropagation();
	}, true);

	// What is scrolled to comes to rest above the bar below and its keyboard.
	const dock = $(".dock");
	const clear = () => { root.style.scrollPaddingBottom = dock.offsetHeight + 12 + "px"; };
	new ResizeObserver(clear).observe(dock);
	addEventListener("keyboard", clear); // it came or went: at once, before its field is scrolled to
	clear();

	// Whoever doesn't know that a page can be moved is told that it goes on below, and moves it by a touch. While keys are up their
	// field is in view, and the room is theirs.
	const below = $("[data-below]"), page = $("#main"), step = 0.8; // of what is seen of the page
	const endOf = (e) => { // of what is seen: room kept below the last of it is no reason to move the page
		const r = e.getBoundingClientRect();
		return r.width > 1 && !e.parentElement.closest(".thumb, .bed, svg") && e.checkVisibility({ visibilityProperty: true }) ? r.bottom : 0;
	};
	const tellBelow = () => {
		const edge = dock.getBoundingClientRect().top + 2; // px: less is a border, no line of text
		below.hidden = "keyboard" in root.dataset || page.getBoundingClientRect().bottom <= edge ||
			![...page.querySelectorAll("*")].some((e) => endOf(e) > edge);
	};
	for (const kind of ["scroll", "resize", "keyboard"]) addEventListener(kind, tellBelow, { passive: true });
	new ResizeObserver(tellBelow).observe(page);
	below.addEventListener("click", () => {
		scrollBy({ top: dock.getBoundingClientRect().top * step, behavior: "smooth" });
		fresh(); // at the end the mark goes, and a second tap would fall on what lay under it
	});

	// What was refused, and what was said about it, are seen without looking for them.
	for (const e of [$("main [aria-invalid]"), $("main #error")]) (e?.closest(".choice") || e)?.scrollIntoView({ block: "nearest" });

	// --- silence -------------------------------------------------------------------------------------
	const body = document.body;
	let alive = () => {};
	const kept = (yes) => { for (const [mark, show] of [["[data-kept]", yes], ["[data-unkept]", !yes]]) $(mark).hidden = !show; };
	if (body.dataset.silence) {
		const box = $("#silence"), cover = $("#cover"), count = $("[data-left]", box), leave = $("#leave");
		const told = { at: performance.now() };
		const after = (seconds) => (seconds < 0 ? Infinity : performance.now() + seconds * 1000);
		let now = { silence: +body.dataset.silence, warning: +body.dataset.warning, cover: +body.dataset.cover };
		let deadline = after(now.silence), covered = after(now.cover);
		const tell = async () => {
			told.at = performance.now();
			try {
				const answer = await post("/stay");
				if (answer.status === 409) { location.replace("/elsewhere"); return; }
				if (answer.type === "opaqueredirect" || answer.status === 410 || answer.status === 403) { location.replace("/"); return; }
				now = await answer.json();
				deadline = after(now.silence);
				covered = after(now.cover);
				kept(now.kept);
			} catch { /* the daemon is away for a moment: the countdown goes on */ }
		};
		alive = (at_once = false) => {
			deadline = Math.max(deadline, after(now.silence));
			if (now.cover >= 0) covered = Math.max(covered, after(now.cover));
			if (at_once || performance.now() - told.at > 5000) tell();
		};
		for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"])
			addEventListener(kind, () => { if (!box.open && !cover.open) alive(); }, { passive: true, capture: true });
		$("[data-stay]", box).addEventListener("click", () => { box.close(); alive(true); });
		box.addEventListener("cancel", () => alive(true));
		$("[data-uncover]", cover).addEventListener("click", () => { cover.close(); covered = Infinity; alive(true); });
		cover.addEventListener("cancel", (e) => e.preventDefault());
		setInterval(() => {
			const left = Math.ceil((deadline - performance.now()) / 1000);
			if (left <= 0) {
				leave.elements.why.value = "silence";
				leave.requestSubmit();
				deadline = Infinity;
			} else if (left <= now.warning) {
				if (!box.open) { box.showModal(); fresh(); }
				count.textContent = left;
			} else if (performance.now() >= covered && !cover.open) { cover.showModal(); fresh(); }
		}, 250);
	}

	// A page of no visit, with what somebody may have typed there, gives way to the first one by itself.
	if (body.dataset.returns) {
		let untouched = performance.now(), going = false;
		for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"])
			addEventListener(kind, () => { untouched = performance.now(); }, { passive: true, capture: true });
		setInterval(() => {
			if (going || performance.now() - untouched < body.dataset.returns * 1000) return;
			going = true;
			reach().then(() => location.replace("/"));
		}, 1000);
	}

	// --- what is being written -----------------------------------------------------------------------
	// It goes to the kiosk as it is written, so that neither another language nor a failing plug loses it.
	const writing = $("[data-typing]");
	let unsaved = null, saving = Promise.resolve();
	const save = () => {
		if (unsaved === null) return saving;
		clearTimeout(unsaved);
		unsaved = null;
		const value = new FormData(writing).get("value") ?? "";
		saving = saving.then(() => post(writing.dataset.typing, new URLSearchParams({ value }))).then(() => {}, () => { unsaved ??= setTimeout(save, 1500); });
		return saving;
	};
	// saved is when all of it is there, whatever the daemon did meanwhile, and the next page is within reach.
	const saved = async () => { await save(); await reach(); if (unsaved !== null) await save(); };
	writing?.addEventListener("input", () => { clearTimeout(unsaved); unsaved = setTimeout(save, 300); });

	// An answer of one line may need more of them on the screen; Enter sends it, as in a field of one line.
	for (const line of $$("[data-line]")) line.addEventListener("keydown", (e) => {
		if (e.key !== "Enter" || e.isComposing) return;
		e.preventDefault();
		[...line.form.elements].find((b) => b.type === "submit")?.click();
	});

	// --- leaving, sending once -----------------------------------------------------------------------
	for (const button of $$('[data-ask="leave"]')) {
		button.addEventListener("click", (e) => { e.preventDefault(); $("#ask-leave").showModal(); fresh(); });
	}
	for (const button of $$("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());

	// Before a page is left its successor must be within reach: if the daemon is away for a moment (a restart,
	// an update), this page stays, says so, and goes on by itself. The browser's own error page never shows.
	const away = $("#away");
	const reach = async () => {
		for (;;) {
			try {
				if ((await fetch("/alive", { cache: "no-store" })).ok) { if (away.open) away.close(); return; }
			} catch { /* not there */ }
			if (!away.open) away.showModal();
			await new Promise((again) => setTimeout(again, 700));
		}
	};
	for (const form of $$("form")) {
		form.addEventListener("submit", (e) => {
			if (form.dataset.reached) { delete form.dataset.reached; return; } // by this script, once
			e.preventDefault();
			if (form.dataset.sent) return; // pressed twice
			form.dataset.sent = "1";
			if (form === writing) { clearTimeout(unsaved); unsaved = null; } // this is the answer itself
			(form === writing ? saving.then(reach) : saved()).then(() => {
				form.dataset.reached = "1";
				form.requestSubmit(e.submitter);
				setTimeout(() => { delete form.dataset.sent; }, 4000);
			});
		});
	}
	document.addEventListener("click", (e) => {
		const link = e.target.closest("a[href^='/']");
		if (!link || e.ctrlKey || e.shiftKey || e.metaKey || link.target) return;
		e.preventDefault();
		saved().then(() => { location.href = link.href; });
	});
	// A stick that comes or goes changes the page that lists it.
	const sticks = $("[data-stick]");
	const look = async () => {
		try {
			const answer = await fetch("/stick/state", { cache: "no-store" });
			if (answer.ok && (await answer.text()) !== sticks.dataset.stick) { location.replace(sticks.dataset.again); return; }
		} catch { /* the daemon is away for a moment */ }
		setTimeout(look, 1500);
	};
	if (sticks) setTimeout(look, 1500);

	for (const input of $$("[data-send]")) input.addEventListener("change", () => { if (input.files.length) input.form.requestSubmit(); });

	// --- the whole paper, to be enlarged with two fingers -----------------------------------------------
	const whole = $("#whole");
	if (whole) {
		const loupe = $("[data-loupe]", whole), img = $("img", loupe), open = $("[data-whole]");
		const fingers = new Map(), most = 6;
		let scale = 1, x = 0, y = 0;
		const place = () => { if (scale === 1) x = y = 0; img.style.transform = `translate(${x}px, ${y}px) scale(${scale})`; };
		const zoom = (by) => { const was = scale; scale = Math.min(Math.max(scale * by, 1), most); x *= scale / was; y *= scale / was; place(); };
		const apart = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); };
		open.hidden = false;
		open.addEventListener("click", () => { img.src = open.dataset.whole; scale = 1; place(); whole.showModal(); fresh(); });
		loupe.addEventListener("pointerdown", (e) => { fingers.set(e.pointerId, e); loupe.setPointerCapture(e.pointerId); });
		loupe.addEventListener("pointermove", (e) => {
			const was = fingers.get(e.pointerId);
			if (!was) return;
			const span = fingers.size === 2 ? apart() : 0;
			fingers.set(e.pointerId, e);
			if (span) zoom(apart() / span);
			else { x += e.clientX - was.clientX; y += e.clientY - was.clientY; place(); }
		});
		for (const end of ["pointerup", "pointercancel"]) loupe.addEventListener(end, (e) => fingers.delete(e.pointerId));
		for (const b of $$("[data-zoom]", whole)) b.addEventListener("click", () => zoom(+b.dataset.zoom));
	}

	// --- printing ------------------------------------------------------------------------------------
	for (const button of $$("[data-print]")) { button.hidden = false; button.addEventListener("click", () => print()); }

	// --- read aloud ----------------------------------------------------------------------------------
	const aloud = $("[data-aloud]"), lang = document.documentElement.lang;
	// All of the page: its question, what stands on it, and what is written in its fields, without the buttons.
	const words = () => {
		const page = $("#main").cloneNode(true);
		for (const e of $$("button, .acts, .button, [hidden], template, figcaption, .keyboard", page)) e.remove();
		$$("input:not([type=hidden]), textarea", $("#main")).forEach((field) => {
			const twin = page.querySelector(`[name="${field.name}"]${field.type === "radio" ? `[value="${CSS.escape(field.value)}"]` : ""}`);
			const said = field.type === "radio" || field.type === "checkbox" ? "" : field.value;
			twin?.replaceWith(document.createTextNode(" " + said + ". "));
		});
		for (const e of $$("h1, h2, p, li, dt, dd, label, b, small, summary, legend", page)) e.append(". ");
		return page.textContent.replace(/\s+/g, " ").replace(/\s*([.?!:…])[\s.]*\./g, "$1").trim();
	};
	// pieces cuts a long text at the ends of its sentences: the kiosk's voice takes so much at a time.
	const pieces = (text) => text.match(/.{1,900}(?:[.?!…:]\s|$)|.{1,900}/g) || [];
	const own = () => "speechSynthesis" in window && speechSynthesis.getVoices().find((v) => v.lang.toLowerCase().startsWith(lang));
	let hush = null; // ends what is being read
	const offer = () => { aloud.hidden = !(own() || "voice" in aloud.dataset); };
	offer();
	if ("speechSynthesis" in window) speechSynthesis.addEventListener("voiceschanged", offer);
	const quiet = () => { hush?.(); hush = null; aloud.setAttribute("aria-pressed", "false"); };
	aloud.addEventListener("click", async () => {
		if (hush) { quiet(); return; }
		aloud.setAttribute("aria-pressed", "true");
		const voice = own();
		if (voice) {
			const said = pieces(words()).map((piece) => { const u = new SpeechSynthesisUtterance(piece); u.voice = voice; u.lang = lang; u.rate = 0.9; return u; });
			if (said.length) said.at(-1).onend = quiet;
			hush = () => speechSynthesis.cancel();
			for (const u of said) speechSynthesis.speak(u);
			return;
		}
		let sound = null, stopped = false;
		hush = () => { stopped = true; sound?.pause(); };
		try {
			for (const text of pieces(words())) {
				const answer = await post("/speak", new URLSearchParams({ text }));
				if (!answer.ok) throw new Error(answer.status);
				if (stopped) return;
				sound = new Audio(URL.createObjectURL(await answer.blob()));
				const ended = new Promise((end) => { sound.onended = end; });
				await sound.play();
				await ended;
			}
			quiet();
		} catch { quiet(); }
	});
	addEventListener("pagehide", quiet);

	// --- a scan under way ----------------------------------------------------------------------------
	const scan = $("[data-live]");
	if (scan) {
		const sheet = $("[data-sheet]", scan), lamp = $("[data-lamp]", scan), bar = $("[data-progress]", scan);
		const say = (name) => $(`template[data-words="${name}"]`).content.textContent;
		let page = 0;
		const source = new EventSource(scan.dataset.live + "/live");
		source.onerror = () => { if (source.readyState === EventSource.CLOSED) reach().then(() => location.replace(scan.dataset.live)); };
		source.onmessage = (m) => {
			const e = JSON.parse(m.data);
			alive();
			switch (e.kind) {
			case "progress":
				bar.value = e.percent; lamp.hidden = false; lamp.style.top = e.percent + "%";
				break;
			case "strip": {
				if (e.page !== page) { sheet.replaceChildren(); page = e.page; }
				const img = new Image(); img.src = scan.dataset.live + "/strip/" + (e.strip || 0); img.alt = "";
				sheet.append(img);
				break;
			}
			case "page":
				lamp.hidden = true; bar.removeAttribute("value");
				$("[data-headline]", scan).textContent = say("reading");
				$("[data-say]", scan).textContent = say("reading-lead");
				break;
			case "read": {
				const li = document.createElement("li"); li.textContent = e.text;
				$("[data-found]", scan).append(li);
				break;
			}
			case "fault": case "full":
				source.close();
				for (const q of ["[data-progress]", "[data-stop]", "[data-say]", "[data-lamp]", "[data-headline]"]) $(q, scan).hidden = true;
				$("[data-fault]", scan).textContent = e.text;
				$("[data-ended]", scan).hidden = false;
				if (e.to) { const on = $("[data-without]", scan); on.hidden = false; on.href = e.to; }
				if (e.kind === "full") { // nothing more finds room here
					$("[data-again]", scan).hidden = true;
					const next = $("[data-next]", scan);
					if (next && e.next) next.hidden = false;
				}
				fresh();
				$("[data-ended] a:not([hidden]), [data-ended] form:not([hidden]) button", scan).focus();
				break;
			case "done": case "over":
				source.close();
				location.replace(e.to);
			}
		};
	}

	// --- a chip or a QR code read at another device while this page is open -----------------------------
	if (document.documentElement.matches('[data-page="scan"], [data-page="papers"], [data-page="check"]')) {
		const source = new EventSource("/scan/live?new");
		source.onmessage = (m) => {
			const e = JSON.parse(m.data);
			if (e.kind === "read" || e.kind === "done" || e.kind === "full") location.reload();
			else if (e.kind === "over") location.replace("/");
			else if (e.kind === "fault") {
				const p = document.createElement("p"); p.className = "fault"; p.setAttribute("role", "alert"); p.textContent = e.text;
				$("main .fault")?.remove();
				$("main .lead").after(p);
			}
		};
		addEventListener("pagehide", () => source.close());
	}

	// --- the receipt ---------------------------------------------------------------------------------
	const receipt = $("[data-receipt]");
	if (receipt) {
		const source = new EventSource(receipt.dataset.receipt);
		source.onmessage = (m) => {
			const e = JSON.parse(m.data);
			receipt.textContent = e.text;
			receipt.className = "where " + e.kind;
			if (e.kind === "delivered") source.close();
		};
	}
})();
