// The staff's door: whoever holds the emblem for two seconds gets to the sign-in; on the staff's pages the same leads
// back to the citizen's screen. A page behind the sign-in that nobody touches goes back by itself.
"use strict";
(() => {
	const emblem = document.querySelector("[data-door]");
	const hold = 2000, slip = 40; // ms; px that a finger may tremble
	if (emblem) {
		let held = 0, from = null, opened = false;
		const open = () => {
			opened = true;
			emblem.classList.remove("held");
			const out = emblem.dataset.out && document.querySelector(emblem.dataset.out);
			if (out) { out.requestSubmit(); return; }
			const link = document.createElement("a"); // pressed, so that what is being written is kept first
			link.href = emblem.dataset.door;
			document.body.append(link);
			link.click();
		};
		const end = () => { clearTimeout(held); emblem.classList.remove("held"); };
		emblem.addEventListener("pointerdown", (e) => {
			opened = false;
			from = [e.clientX, e.clientY];
			emblem.classList.add("held");
			clearTimeout(held);
			held = setTimeout(open, hold);
		});
		emblem.addEventListener("pointermove", (e) => { if (from && Math.hypot(e.clientX - from[0], e.clientY - from[1]) > slip) end(); });
		for (const kind of ["pointerup", "pointercancel", "pointerleave"]) emblem.addEventListener(kind, end);
		for (const kind of ["contextmenu", "dragstart"]) emblem.addEventListener(kind, (e) => e.preventDefault());
		emblem.addEventListener("click", (e) => { if (opened) { e.preventDefault(); e.stopPropagation(); } });
	}
	const idle = +document.body.dataset.idle * 1000;
	if (idle) {
		const leave = () => {
			const out = document.querySelector("#staff-out");
			if (out) out.requestSubmit();
			else location.replace(document.body.dataset.home);
		};
		let left = setTimeout(leave, idle);
		for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { clearTimeout(left); left = setTimeout(leave, idle); }, { passive: true, capture: true });
	}
})();
