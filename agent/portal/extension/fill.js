// Fills the form of one frame: Form.io on the portal itself, web components in the ministry's frame. Fields are found
// by name, then by alias, then by label where just one fits; a field that is locked, or that holds what somebody else
// wrote, is left alone; what was written is read back, and taken out again if the form made something else of it.
// Nothing is ever clicked but choices and dates; nothing is submitted. It may be asked for twice: what a person answered meanwhile stays,
// and no file is attached again.
"use strict";

(() => {
	const patience = 8000; // ms that a select may take to load its choices
	const settling = 400; // ms in which a form may still change what was written
	const appearing = 3000; // ms that fields may take to appear, all those together that don't
	const fold = (s) => (s || "").normalize("NFC").toLowerCase().replace(/[\s:*().,]+/g, " ").replace(/\s\d+\s*$/, "").trim();
	const until = async (what, end = Date.now() + patience) => {
		for (;;) {
			const got = what();
			if (got || Date.now() > end) return got;
			await new Promise((done) => setTimeout(done, 50));
		}
	};
	const HOSTS = "x-input,x-select,x-select-default,x-select-area,x-date,x-date-text,x-radio";

	// inside are the roots to look in: the document and the open shadows of the ministry's components.
	const inside = (root) => [root, ...[...root.querySelectorAll(HOSTS)].flatMap((e) => e.shadowRoot ? inside(e.shadowRoot) : [])];
	const touched = new WeakSet(); // controls that a person has answered
	window.addEventListener("input", (e) => { if (e.isTrusted) touched.add(e.composedPath()[0]); }, {capture: true, passive: true});
	const attached = new Set(); // names of the fields that were given their files

	const all = (selector) => inside(document).flatMap((root) => [...root.querySelectorAll(selector)]);
	const innards = (host, selector) => [...(host.shadowRoot || host).querySelectorAll(selector)];

	// fields lists every field of the form once: its name, its label and its element (a component, or a bare control).
	function fields() {
		const found = new Map();
		for (const e of all(`${HOSTS},input,select,textarea`)) {
			const host = e.closest?.(HOSTS) || e.getRootNode().host || null;
			const element = host && host !== e ? host : e;
			const name = element.getAttribute("name") || e.getAttribute("name");
			if (!name || e.type === "hidden" || e.type === "submit" || e.type === "button" || element.closest("motcua-panel")) continue;
			if (!found.has(element)) found.set(element, {name: name.replace(/^(data\[[^\]]+\])\[.*$/, "$1"), label: labelOf(element), element});
		}
		return [...found.values()].filter((f, i, list) => f.element.type !== "radio" || list.findIndex((g) => g.name === f.name) === i);
	}

	function labelOf(e) {
		const own = e.getAttribute("label") || e.labels?.[0]?.textContent || e.getAttribute("aria-label");
		if (own) return fold(own);
		const group = e.closest(".formio-component, .form-group, label");
		return fold(group?.querySelector("label, .col-form-label")?.textContent || group?.textContent);
	}

	// find gives the field that an item means, and how it was found.
	function find(item, known, taken) {
		const free = known.filter((f) => !taken.has(f.element));
		for (const name of [item.name, ...(item.alias || [])]) {
			const fit = free.filter((f) => f.name === name);
			if (fit.length === 1) return fit[0];
			if (fit.length > 1) return null; // two of one name: it isn't known which person's it is
		}
		if (!item.label) return null;
		const fit = free.filter((f) => f.label && f.label === fold(item.label) && !item.others.includes(f.name));
		return fit.length === 1 ? fit[0] : null;
	}

	const controls = (e) => e.matches("input,select,textarea") ? [e] : innards(e, "input,select,textarea");
	const radios = (e) => e.matches("input") ? all("input[type=radio]").filter((r) => r.name === e.name) : innards(e, "input[type=radio]");
	const byHand = (e) => (controls(e)[0]?.type === "radio" ? radios(e) : controls(e)).some((c) => touched.has(c));
	const locked = (e) => e.hasAttribute("disabled") || e.hasAttribute("readonly") || controls(e).some((c) => c.disabled || c.readOnly) ||
		!!e.closest("fieldset[disabled], .formio-disabled-input, [aria-disabled=true]");

	// typed is a value as a control of its kind takes it: the browser's own dates have the year first.
	const typed = (control, value) => control.type === "date" ? value.replace(/^(\d\d)\/(\d\d)\/(\d{4})$/, "$3-$2-$1") : value;
	const read = (control) => control.type === "date" ? control.value.replace(/^(\d{4})-(\d\d)-(\d\d)$/, "$3/$2/$1") : control.value;

	// write sets a control as a person does who types: the value by the element's own setter, then the events.
	function write(control, value) {
		const proto = {INPUT: HTMLInputElement, SELECT: HTMLSelectElement, TEXTAREA: HTMLTextAreaElement}[control.tagName].prototype;
		control.focus({preventScroll: true});
		Object.getOwnPropertyDescriptor(proto, "value").set.call(control, typed(control, value));
		for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, {bubbles: true, composed: true}));
		control.blur();
	}

	const same = (a, b) => fold(a) === fold(b);
	// unit strips the kind of an administrative unit: lists write "Hà Nội" as well as "Thành phố Hà Nội".
	const unit = (s) => fold(s).replace(/^(thành phố|tỉnh|phường|xã|đặc khu|tp)\s+/, "");

	// option picks from a select by the words of the choice, or by its value; just one must fit.
	async function option(select, wanted, alike = same) {
		const choices = () => [...select.options].filter((o) => o.value !== "" && !o.disabled);
		await until(() => choices().some((o) => alike(o.textContent, wanted) || o.value === wanted));
		let fit = choices().filter((o) => same(o.textContent, wanted) || o.value === wanted);
		if (!fit.length) fit = choices().filter((o) => alike(o.textContent, wanted));
		if (fit.length !== 1) return false;
		write(select, fit[0].value);
		return true;
	}

	// picked is what such a list shows as chosen; the button that takes it away again stands inside it.
	const picked = (box) => {
		const item = box.querySelector(".choices__list--single .choices__item:not(.choices__placeholder)");
		return item ? [...item.childNodes].filter((n) => n.nodeName !== "BUTTON").map((n) => n.textContent).join("").trim() : "";
	};

	// choices picks from the list that Form.io draws over its selects (Choices.js).
	async function choices(select, wanted, alike = same) {
		const box = select.closest(".choices");
		if (!box) return option(select, wanted, alike);
		const press = (e) => { for (const kind of ["mousedown", "mouseup", "click"]) e.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true, composed: true, view: window, button: 0})); };
		press(box.querySelector(".choices__inner, .selection") || box);
		const items = () => [...box.querySelectorAll(".choices__list--dropdown .choices__item--choice[data-value]:not(.is-disabled), .choices__list--dropdown [role=option][data-value]")]
			.filter((i) => i.dataset.value !== "");
		await until(() => items().some((i) => alike(i.textContent, wanted)));
		let fit = items().filter((i) => same(i.textContent, wanted));
		if (!fit.length) fit = items().filter((i) => alike(i.textContent, wanted));
		if (fit.length !== 1) { document.body.dispatchEvent(new MouseEvent("mousedown", {bubbles: true})); return false; }
		press(fit[0]);
		return !!await until(() => alike(picked(box), wanted));
	}

	const means = (r, wanted) => r.value === wanted || same(r.labels?.[0]?.textContent || r.parentElement.textContent, wanted);

	function radio(element, wanted) {
		const fit = radios(element).filter((r) => means(r, wanted));
		if (fit.length !== 1) return false;
		fit[0].click();
		return fit[0].checked;
	}

	// area goes down country, province, ward, each loaded after the one before, then the rest of the address.
	async function area(element, a) {
		const part = (key) => innards(element, `[name="${key}"],[data-part="${key}"]`)[0];
		for (const [key, value] of [["quocGia", a.country], ["tinh", a.province], ["xa", a.ward]]) {
			const select = await until(() => part(key));
			if (!select || !await option(select, value, (x, y) => unit(x) === unit(y))) return false;
		}
		if (a.detail) write(part("diaChi"), a.detail);
		return true;
	}

	// held is what a field says now, for reading back; null where it can't be told.
	function held(element) {
		if (element.matches("x-select-area")) return innards(element, "select,input").map((c) => c.value).join("|");
		const list = controls(element);
		if (list[0]?.type === "radio") return radios(element).find((r) => r.checked)?.value || "";
		const box = element.closest?.(".choices");
		if (box) return picked(box);
		if (list[0]?.type === "checkbox") return list[0].checked ? "yes" : "";
		const text = list.map((c) => c.tagName === "SELECT" ? c.selectedOptions[0]?.value && c.selectedOptions[0].textContent : read(c)).filter(Boolean).join("/");
		return /[\p{L}\d]/u.test(text) ? text : ""; // the bars and slashes of a mask are no answer
	}

	async function put(field, item) {
		const e = field.element, list = controls(e);
		if (item.area) {
			if (e.matches("x-select-area")) return area(e, item.area);
			return false;
		}
		if (list[0]?.type === "checkbox") {
			if (list[0].checked !== (item.value === "yes")) list[0].click();
			return list[0].checked === (item.value === "yes");
		}
		if (list[0]?.type === "radio") return radio(e, item.value);
		if (list[0]?.tagName === "SELECT") return choices(list[0], item.value, item.unit ? (x, y) => unit(x) === unit(y) : same);
		if (list.length === 3 && item.value.split("/").length === 3) { // day, month, year in boxes of their own
			item.value.split("/").forEach((part, i) => write(list[i], part));
			return same(list.map((c) => c.value).join("/"), item.value);
		}
		if (list.length !== 1) return false;
		write(list[0], item.value);
		return same(read(list[0]), item.value);
	}

	// holds tells whether a field still says what was written: a list that was loaded anew may have dropped it.
	function holds(field, item) {
		const e = field.element, list = controls(e), alike = item.unit || item.area ? (x, y) => unit(x) === unit(y) : same;
		if (!e.isConnected) return false;
		if (item.area) {
			const says = (key) => { const c = innards(e, `[name="${key}"],[data-part="${key}"]`)[0]; return c?.tagName === "SELECT" ? c.value && c.selectedOptions[0].textContent : c?.value; };
			return alike(says("quocGia"), item.area.country) && alike(says("tinh"), item.area.province) && alike(says("xa"), item.area.ward) && same(says("diaChi") || "", item.area.detail);
		}
		const now = held(e);
		if (list[0]?.type === "radio") return radios(e).some((r) => r.checked && means(r, item.value));
		if (list[0]?.tagName === "SELECT" && !e.closest(".choices")) return alike(now, item.value) || list[0].value === item.value;
		return alike(now, item.value);
	}

	// theirs tells whether a field holds what somebody else wrote. Of choices and areas, which forms begin with an answer of their own, only
	// what was chosen by hand is somebody's.
	function theirs(field, item, before) {
		if (holds(field, item)) return false;
		const kind = controls(field.element)[0]?.type;
		if (byHand(field.element)) return before !== "" || kind === "checkbox";
		return before !== "" && !item.area && kind !== "radio";
	}

	// takeBack empties what was written and did not stay as it was written.
	function takeBack(element) {
		for (const c of controls(element)) if (c.type !== "radio" && c.type !== "checkbox" && c.value) write(c, "");
	}

	async function attach(want, files, known) {
		const field = find({...want, others: []}, known.filter((f) => f.element.type === "file"), new Set());
		const mine = files.filter((f) => f.paper === want.paper);
		if (attached.has(want.name)) return [...field?.element.files || []].map((f) => f.name).join("/") === mine.map((f) => f.name).join("/");
		if (!field || !mine.length) return false;
		attached.add(want.name);
		const data = new DataTransfer();
		for (const f of mine) data.items.add(new File([Uint8Array.from(atob(f.data), (c) => c.charCodeAt(0))], f.name, {type: f.media_type}));
		field.element.files = data.files;
		for (const kind of ["input", "change"]) field.element.dispatchEvent(new Event(kind, {bubbles: true, composed: true}));
		return true;
	}

	// owner decides on the portal's own page whether the person signed in is the one the dossier is for. Part I is read
	// for that, and never written. False: it can't be told, nothing on this page may be filled.
	async function owner(page, number, known) {
		if (!page.owner) return "fill";
		const signed = known.find((f) => f.name === page.owner.number);
		const box = known.find((f) => f.name === page.owner.box);
		const digits = (s) => (s || "").replace(/\D/g, "");
		if (!signed || !box || !digits(held(signed.element)) || !number) return "unknown";
		const self = digits(held(signed.element)) === number;
		if (box.element.checked !== self && !locked(box.element)) box.element.click();
		if (self) return "self";
		return await until(() => fields().some((f) => f.name.startsWith(page.owner.part))) ? "fill" : "unknown";
	}

	async function fill() {
		const plan = await chrome.runtime.sendMessage({kind: "plan"});
		if (!plan) return;
		const {page, number, files} = plan;
		await until(() => fields().length > 0);
		const result = {page: page.id, filled: [], open: [], unknown: [], lost: []};
		const who = await owner(page, number, fields());
		if (who === "unknown") result.open.push({label: "Phần II của biểu mẫu", why: "không rõ ai đang đăng nhập; xin kiểm tra rồi tự điền"});
		const names = page.items.flatMap((i) => [i.name, ...(i.alias || [])]);
		const taken = new Set(), done = [];
		let end = Date.now() + appearing;
		for (const item of who === "fill" ? page.items : []) {
			item.others = names.filter((n) => n !== item.name);
			const field = await until(() => find(item, fields(), taken), end) || null;
			const say = (why) => result.open.push({label: item.label || item.name, why});
			if (!field) { result.lost.push(item.name); say("không thấy ô này trên biểu mẫu"); continue; }
			taken.add(field.element);
			if (page.locked.includes(field.name)) { say("ô này do Cổng điền"); continue; }
			const before = held(field.element) || "";
			if (locked(field.element)) { if (!same(before, item.value || "")) say("ô này đang khóa"); continue; }
			if (theirs(field, item, before)) { say("ô này đã có nội dung khác"); continue; }
			if (await put(field, item)) {
				done.push([field, item, say]);
				end = Date.now() + appearing; // what was answered may open further fields
			} else { takeBack(field.element); say("máy không điền được, xin tự điền"); }
		}
		// Lists that depend on others are loaded anew behind our back: look once more, and mend once.
		for (let round = 0; done.length && round < 2; round++) {
			await new Promise((over) => setTimeout(over, settling));
			for (const [field, item] of done) if (!holds(field, item)) await put(field, item);
		}
		if (done.length) await new Promise((over) => setTimeout(over, settling));
		for (const [field, item, say] of done) {
			if (holds(field, item)) result.filled.push(field.name);
			else { takeBack(field.element); say("máy không điền được, xin tự điền"); }
		}
		for (const want of page.attach || []) {
			if (await attach(want, files, fields())) result.filled.push(want.name);
			else result.open.push({label: want.label, why: attached.has(want.name) ? "máy đã đính kèm lúc trước, xin xem lại" : "xin tự đính kèm tệp"});
		}
		const expected = new Set([...names, ...page.locked, ...page.known, ...(page.attach || []).map((a) => a.name)]);
		result.unknown = fields().map((f) => f.name).filter((n) => !expected.has(n));
		chrome.runtime.sendMessage({kind: "results", result});
		document.documentElement.dataset.motcuaFilled = String(result.filled.length); // how many, never what
	}

	let filling = null; // two at once would take each other's answers for the person's
	chrome.runtime.onMessage.addListener((message, sender) => {
		if (message.kind === "fill" && sender.id === chrome.runtime.id) filling ??= fill().finally(() => { filling = null; });
	});
})();
