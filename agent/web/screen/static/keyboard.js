// The on-screen keyboard: letters with Telex and with keys for the Vietnamese letters and tones, a number
// pad for digits and dates. It appears when a field that takes writing gets the focus, and fits the field.
"use strict";
const Telex = (() => {
	const tones = { s: "\u0301", f: "\u0300", r: "\u0309", x: "\u0303", j: "\u0323", z: "" };
	const toneMarks = /[\u0301\u0300\u0309\u0303\u0323]/g;
	const hats = { a: "â", e: "ê", o: "ô" }, horns = { u: "ư", o: "ơ", a: "ă" };
	const rest = { a: /^[uy]?[^aeiouyăâêôơư]*$/i, e: /^u?[^aeiouyăâêôơư]*$/i, o: /^i?[^aeiouyăâêôơư]*$/i }; // what may stand between a letter and its hat
	const vowel = /[aeiouyăâêôơư]/i;
	const like = (model, letter) => (model === model.toLowerCase() ? letter.toLowerCase() : letter.toUpperCase());

	// bare takes the tone off a word; the letters ă â ê ô ơ ư đ stay.
	const bare = (word) => word.normalize("NFD").replace(toneMarks, "").normalize("NFC");
	const toneOf = (word) => (word.normalize("NFD").match(toneMarks) || [""])[0];

	// place is the index of the letter that carries the tone, or -1. The style is that of printed names: hòa, thủy.
	const place = (word) => {
		const w = word.toLowerCase();
		let from = 0;
		if (/^qu/.test(w)) from = 2;
		else if (/^gi[aeouyăâêôơư]/.test(w)) from = 2;
		let i = from;
		while (i < w.length && !vowel.test(w[i])) i++;
		if (i === w.length) return -1;
		let end = i;
		while (end < w.length && vowel.test(w[end])) end++;
		const group = w.slice(i, end), closed = end < w.length;
		for (let k = group.length - 1; k >= 0; k--) if ("ăâêôơ".includes(group[k])) return i + k;
		if (group.includes("ư")) return i + group.indexOf("ư");
		if (group.length === 1) return i;
		if (group.length === 2) return closed ? i + 1 : i;
		return i + 1;
	};
	const put = (word, tone) => {
		const at = place(word);
		if (at < 0 || !tone) return word;
		return word.slice(0, at) + (word[at] + tone).normalize("NFC") + word.slice(at + 1);
	};
	const again = (word, tone) => put(bare(word), tone);

	// tone sets, changes or (the same one again) takes back the tone of a word.
	const tone = (word, mark) => {
		const had = toneOf(word);
		return { word: again(word, had === mark ? "" : mark), undone: had === mark && mark !== "" };
	};
	// key gives the word after one Telex key.
	const key = (word, k) => {
		const low = k.toLowerCase(), had = toneOf(word), plain = bare(word);
		if (low in tones && place(plain) >= 0) {
			if (low === "z") return had ? plain : word + k;
			const t = tone(word, tones[low]);
			return t.undone ? t.word + k : t.word;
		}
		if (low in hats) {
			const at = Math.max(plain.toLowerCase().lastIndexOf(low), plain.toLowerCase().lastIndexOf(hats[low]), low === "o" ? plain.toLowerCase().lastIndexOf("ơ") : -1, low === "a" ? plain.toLowerCase().lastIndexOf("ă") : -1);
			if (at >= 0 && rest[low].test(plain.slice(at + 1))) {
				const letter = plain[at].toLowerCase();
				if (letter === hats[low]) return again(plain.slice(0, at) + like(plain[at], low) + plain.slice(at + 1) + k, had);
				return again(plain.slice(0, at) + like(plain[at], hats[low]) + plain.slice(at + 1), had);
			}
		}
		if (low === "w") {
			const m = plain.match(/(uo)([^aeiouyăâêôơư]*|[iu])$/i) || plain.match(/(uơ)([^aeiouyăâêôơư]*|[iu])$/i);
			if (m && !/^q/i.test(plain)) {
				const at = m.index, open = !m[2] && /^(h|kh|th)$/i.test(plain.slice(0, at)); // thuở, huơ
				return again(plain.slice(0, at) + (open ? plain[at] : like(plain[at], "ư")) + like(plain[at + 1], "ơ") + plain.slice(at + 2), had);
			}
			for (let at = plain.length - 1; at >= 0; at--) {
				const letter = plain[at].toLowerCase();
				if (letter in horns && !(letter === "u" && /^q/i.test(plain) && at === 1) && !(letter === "u" && at > 0 && /[ao]/i.test(plain[at - 1]))) return again(plain.slice(0, at) + like(plain[at], horns[letter]) + plain.slice(at + 1), had);
				if ("ươă".includes(letter)) return again(plain.slice(0, at) + like(plain[at], { "ư": "u", "ơ": "o", "ă": "a" }[letter]) + plain.slice(at + 1) + k, had);
			}
			if (plain === "" || !vowel.test(plain)) return word + like(k, "ư");
		}
		if (low === "d") {
			const at = plain.toLowerCase().indexOf("d"), done = plain.toLowerCase().indexOf("đ");
			if (done === 0) return again(like(plain[0], "d") + plain.slice(1) + k, had);
			if (at === 0) return again(like(plain[0], "đ") + plain.slice(1), had);
		}
		if (/uơ$/i.test(plain) && /[ctnpmiu]/.test(low) && !/^q/i.test(plain)) return again(plain.slice(0, -2) + like(plain.at(-2), "ư") + plain.at(-1) + k, had);
		return again(word + k, had);
	};
	return { key, tone: (word, mark) => tone(word, mark).word, bears: (word) => place(bare(word)) >= 0 };
})();

(() => {
	const board = document.querySelector("#keyboard");
	if (!board) return;
	const words = document.documentElement.lang === "en"
		? { back: "Delete", space: "Space", shift: "Capitals", hide: "Hide keys", more: "123", less: "ABC", clear: "Clear" }
		: { back: "Xóa", space: "Dấu cách", shift: "Chữ hoa", hide: "Ẩn phím", more: "123", less: "ABC", clear: "Xóa hết" };
	const toneKeys = [["\u0301", "á"], ["\u0300", "à"], ["\u0309", "ả"], ["\u0303", "ã"], ["\u0323", "ạ"]];
	let field = null, kind = "", shift = false, more = false;

	const caret = () => [field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length];
	const replace = (from, to, text) => {
		field.setRangeText(text, from, to, "end");
		field.dispatchEvent(new Event("input", { bubbles: true }));
	};
	const wordBefore = (at) => field.value.slice(0, at).match(/[\p{L}\p{M}]*$/u)[0];
	const starts = () => { const [at] = caret(); return kind === "name" && wordBefore(at) === ""; };
	const upper = () => shift !== starts();

	// A Telex key pressed again takes back what it did and stands for itself: ww gives w, ass gives as. The rest of
	// that word is then written as it is typed.
	const nothing = { key: "", k: "", before: "", after: "" };
	let did = nothing, asTyped = "";
	const telexed = (word, letter, k) => {
		if (word !== "" && word === asTyped) return (asTyped = word + k);
		if (did.key === letter && did.after === word) return (asTyped = did.before + (did.before === "" ? did.k : k));
		const after = Telex.key(word, k);
		did = after === word + k ? nothing : { key: letter, k, before: word, after };
		return after;
	};
	const type = (letter, telex) => {
		const [from, to] = caret();
		const k = upper() && /\p{L}/u.test(letter) ? letter.toUpperCase() : letter;
		if (telex && from === to) {
			const word = wordBefore(from);
			replace(from - word.length, to, telexed(word, letter, k));
		} else replace(from, to, k);
		if (shift) { shift = false; }
		label();
	};
	const acts = {
		back() {
			const [from, to] = caret();
			if (from !== to) replace(from, to, "");
			else if (from > 0) {
				const whole = [...field.value.slice(0, from)].pop();
				replace(from - whole.length, from, "");
			}
			label();
		},
		clear() { replace(0, field.value.length, ""); label(); },
		shift() { shift = !shift; label(); },
		more() { more = !more; draw(); },
		hide() { field.blur(); hide(); },
		space() { type(" ", false); },
	};
	// A tone's key sets the tone of the word; where there is no vowel to bear it, it is the letter it shows.
	const tone = (mark) => {
		const [from, to] = caret(), word = wordBefore(from);
		if (from === to && Telex.bears(word)) replace(from - word.length, to, Telex.tone(word, mark));
		else type(("a" + mark).normalize("NFC"), false);
	};
	// In a date the strokes come by themselves.
	const digit = (d) => {
		if (kind !== "date") { type(d, false); return; }
		const [from, to] = caret();
		if (d !== "/" && from === to && from === field.value.length && /^(\d\d|\d\d?\/\d\d)$/.test(field.value)) replace(from, to, "/" + d);
		else if (!(d === "/" && /\/$/.test(field.value))) replace(from, to, d);
	};

	const wait = 600, pace = 90; // ms a key is held before it repeats, and from one time to the next
	const button = (text, press, cls = "", name = "", repeats = false) => {
		let held = 0;
		const again = () => { if (b.isConnected) { press(); held = setTimeout(again, pace); } }; // a key drawn anew never tells of its end
		const b = document.createElement("button");
		b.type = "button"; b.className = "key " + cls; b.textContent = text; b.tabIndex = -1;
		if (name) b.setAttribute("aria-label", name);
		b.addEventListener("pointerdown", (e) => { e.preventDefault(); field.focus({ preventScroll: true }); press(); b.classList.add("down"); if (repeats) held = setTimeout(again, wait); });
		for (const end of ["pointerup", "pointerleave", "pointercancel"]) b.addEventListener(end, () => { clearTimeout(held); b.classList.remove("down"); });
		b.addEventListener("click", (e) => { if (e.detail === 0) { field.focus(); press(); } }); // pressed by a switch or a reader
		return b;
	};
	const row = (...keys) => { const div = document.createElement("div"); div.className = "keys"; div.append(...keys); return div; };
	// Telex in both languages: names are Vietnamese in both.
	const letters = (line) => [...line].map((l) => { const b = button(l, () => type(l, kind !== "code" && kind !== "email")); b.dataset.letter = l; return b; });

	let labelled = null; // the case the keys show; they are relabelled only when it changes
	const label = () => {
		const up = upper() || kind === "code";
		if (up === labelled) return;
		labelled = up;
		for (const b of board.querySelectorAll("[data-letter]")) b.textContent = up ? b.dataset.letter.toUpperCase() : b.dataset.letter;
		board.querySelector("[data-shift]")?.classList.toggle("on", upper());
	};
	const draw = () => {
		labelled = null;
		board.className = "keyboard";
		const back = () => button("⌫", acts.back, "act2 sign", words.back, true);
		const hideKey = button(words.hide, acts.hide, "act2");
		if (kind === "digits" || kind === "date") {
			board.classList.add("pad");
			const d = (n) => { const b = button(n, () => digit(n)); b.dataset.digit = n; return b; };
			board.replaceChildren(row(d("1"), d("2"), d("3")), row(d("4"), d("5"), d("6")), row(d("7"), d("8"), d("9")),
				row(kind === "date" ? d("/") : button(words.clear, acts.clear, "act2"), d("0"), back()));
		} else if (kind === "code") {
			board.replaceChildren(row(...letters("1234567890")), row(...letters("qwertyuiop")), row(...letters("asdfghjkl"), back()), row(...letters("zxcvbnm-"), hideKey));
		} else if (more) {
			board.replaceChildren(row(...letters("1234567890")), row(...letters("-/().,:;'&")), row(...letters("@_+%#\"!?"), back()),
				row(button(words.less, acts.more, "act2"), button(words.space, acts.space, "wide"), hideKey));
		} else {
			const shiftKey = button("⇧", acts.shift, "act2 sign", words.shift); shiftKey.dataset.shift = "1";
			const marks = kind === "email" ? letters("1234567890") : [...letters("ăâđêôơư"), ...toneKeys.map(([mark, shown]) => button(shown, () => tone(mark), "mark", "dấu " + shown))];
			for (const b of marks) b.classList.add("mark");
			board.replaceChildren(row(...marks), row(...letters("qwertyuiop")), row(...letters("asdfghjkl"), back()),
				row(shiftKey, ...letters("zxcvbnm"), ...(kind === "email" ? letters("@.") : letters(",."))),
				row(button(words.more, acts.more, "act2"), button(words.space, acts.space, "wide"), hideKey));
		}
		label();
	};
	const show = (to) => {
		field = to; kind = to.dataset.pad; shift = false; more = false;
		draw();
		board.hidden = false;
		document.documentElement.dataset.keyboard = kind;
		dispatchEvent(new Event("keyboard"));
		to.scrollIntoView({ block: "center" });
	};
	const hide = () => { board.hidden = true; delete document.documentElement.dataset.keyboard; dispatchEvent(new Event("keyboard")); };
	let waiting = null; // the first field that is empty or was refused waits for writing: its keyboard is there at once
	for (const input of document.querySelectorAll("[data-pad]")) {
		if (input.dataset.pad === "none") continue;
		input.setAttribute("virtualkeyboardpolicy", "manual");
		input.addEventListener("focus", () => show(input));
		input.addEventListener("pointerdown", () => { if (board.hidden) show(input); });
		input.addEventListener("click", label);
		input.addEventListener("input", label);
		if (input.closest("[data-write]") && (input.value === "" || input.hasAttribute("aria-invalid"))) waiting ??= input;
	}
	waiting?.focus({ preventScroll: true });
	if (waiting && board.hidden) show(waiting); // a window that has no focus yet tells of none
})();
