// On every page of the portal that the kiosk's own browser shows: the way back, and the silence rule. Who does nothing for long is
// asked; then the portal is left and everything of it wiped. It lives in a closed shadow, as the panel does.
"use strict";
if (window === window.top) (async () => {
	const pace = 5000; // ms
	const asking = 30; // s before the visit ends, in which the page is covered and the person asked
	let acted = true; // a new page is a sign of life
	const ask = () => { const now = acted; acted = false; return chrome.runtime.sendMessage({kind: "alive", acted: now}); };
	if (!await ask()) return; // somebody's own browser
	const host = document.createElement("motcua-kiosk");
	const root = host.attachShadow({mode: "closed"});
	root.innerHTML = `<style>
		button { font: 600 20px/1.4 system-ui, sans-serif; padding: .6rem 1.2rem; border-radius: 8px; border: 2px solid #10243a; background: #10243a; color: #fff; }
		#back { position: fixed; left: 12px; bottom: 12px; z-index: 2147483647; }
		#cover { position: fixed; inset: 0; z-index: 2147483647; background: #10243a; color: #fff; font: 28px/1.4 system-ui, sans-serif; display: grid; place-content: center; text-align: center; }
		#cover button { background: #fff; color: #10243a; } #cover[hidden] { display: none; }
	</style><button id="back">Xong, về máy một cửa</button><div id="cover" hidden><p>Ông/bà còn làm tiếp không?</p><button>Tôi còn ở đây</button></div>`;
	const cover = root.getElementById("cover");
	root.getElementById("back").addEventListener("click", () => chrome.runtime.sendMessage({kind: "done"}));
	for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
		window.addEventListener(kind, (e) => { if (e.isTrusted) { acted = true; cover.hidden = true; } }, {capture: true, passive: true});
	}
	document.documentElement.append(host);
	setInterval(async () => {
		const answer = await ask();
		if (answer?.left != null) cover.hidden = answer.left > asking;
	}, pace);
})();
