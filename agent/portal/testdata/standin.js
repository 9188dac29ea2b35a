// A stand-in for the ministry's web components, as far as their names and parts are publicly known. It can't show what
// the real ones check, nor how they look. A version may put the controls into open shadows.
"use strict";
const settings = JSON.parse(document.getElementById("settings").textContent);
const later = (ms) => new Promise((done) => setTimeout(done, ms));
const record = window.record = {submits: 0, enters: 0, attached: 0};
document.addEventListener("change", (e) => { if (e.target.type === "file") record.attached++; });
document.addEventListener("submit", (e) => { e.preventDefault(); record.submits++; });
document.addEventListener("keydown", (e) => { if (e.key === "Enter") record.enters++; }, true);

class Control extends HTMLElement {
	connectedCallback() {
		this.root = settings.shadow ? this.attachShadow({mode: "open"}) : this;
		this.draw();
	}
	input(name, type = "text") {
		const i = document.createElement("input");
		i.type = type;
		if (name) i.name = name;
		this.root.append(i);
		return i;
	}
	select(part, options) {
		const s = document.createElement("select");
		if (part) { s.name = part; s.dataset.part = part; }
		s.add(new Option("-- Chọn --", ""));
		for (const o of options) s.add(new Option(o, o));
		this.root.append(s);
		return s;
	}
}
customElements.define("x-input", class extends Control { draw() { this.input(this.getAttribute("name")); } });
customElements.define("x-date", class extends Control {
	draw() {
		const i = this.input("", settings.shadow ? "date" : "text");
		if (settings.shadow) return; // the browser's own, as some versions may have it
		i.addEventListener("change", () => { if (!/^\d\d\/\d\d\/\d{4}$/.test(i.value)) i.value = ""; });
	}
});
customElements.define("x-date-text", class extends Control { draw() { for (const part of ["day", "month", "year"]) this.input().dataset.part = part; } });
for (const tag of ["x-select", "x-select-default"]) customElements.define(tag, class extends Control {
	async draw() { // its choices come later
		const s = this.select("", []);
		await later(120);
		for (const o of this.getAttribute("options").split("|")) s.add(new Option(o, "id-" + s.length));
	}
});
customElements.define("x-radio", class extends Control {
	draw() {
		for (const o of this.getAttribute("options").split("|")) {
			const [value, words] = o.split("=");
			const label = document.createElement("label");
			const r = document.createElement("input");
			r.type = "radio"; r.name = this.getAttribute("name"); r.value = value;
			// Of a form that makes up its mind anew, as portals do that load something behind an answer: the last one, whatever is chosen.
			if (this.dataset.means === settings.stubborn) r.addEventListener("change", () => setTimeout(() => { this.root.querySelector("label:last-child input").checked = true; }, 50));
			label.append(r, words || value);
			this.root.append(label);
		}
	}
});
customElements.define("x-select-area", class extends Control {
	draw() { // each list is loaded when the one before was answered
		const [country, province, ward] = [this.select("quocGia", ["Việt Nam", "Lào"]), this.select("tinh", []), this.select("xa", [])];
		this.input("diaChi").dataset.part = "diaChi";
		const load = async (select, list) => { select.length = 1; await later(150); for (const o of list) select.add(new Option(o, "id-" + o)); };
		country.addEventListener("change", () => load(province, ["Hà Nội", "Hồ Chí Minh", "Ninh Bình"]));
		province.addEventListener("change", () => load(ward, {"id-Hà Nội": ["Ba Đình", "Ngọc Hà"], "id-Hồ Chí Minh": ["Phường Bến Thành", "Phường Sài Gòn"]}[province.value] || []));
	}
});
// value is what a field says, for the test; the same for every version.
window.valueOf = (e) => {
	const root = e.shadowRoot || e;
	const list = e.matches("input,textarea") ? [e] : [...root.querySelectorAll("input,select")];
	if (list[0]?.type === "file") return [...list[0].files].map((f) => f.name).join("|");
	if (list[0]?.type === "radio") return list.find((r) => r.checked)?.value || "";
	if (list[0]?.type === "date") return list[0].value.split("-").reverse().join("/");
	return list.map((c) => c.tagName === "SELECT" ? (c.value && c.selectedOptions[0].textContent) : c.value).filter(Boolean).join(e.matches("x-select-area") ? "; " : "/");
};
