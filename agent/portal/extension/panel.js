// The panel beside the portal's form, in its top frame: a button that fills, and the list of what the person still has
// to do. It lives in a closed shadow, so that the page neither reads nor styles it.
"use strict";
if (window === window.top) (() => {
	const host = document.createElement("motcua-panel");
	const root = host.attachShadow({mode: "closed"});
	root.innerHTML = `<style>
		section { position: fixed; right: 12px; bottom: 12px; z-index: 2147483647; width: 22rem; max-height: 60vh; overflow: auto; box-sizing: border-box;
			font: 16px/1.4 system-ui, sans-serif; color: #10243a; background: #fff; border: 2px solid #10243a; border-radius: 8px; padding: 12px; }
		button { font: inherit; padding: .5rem 1rem; } h2 { font-size: 1.1rem; margin: 0 0 .4rem; } ul { margin: .4rem 0; padding-left: 1.2rem; } p { margin: .4rem 0; }
	</style><section><h2>Motcua</h2><p></p><button>Điền tờ khai</button><ul></ul></section>`;
	const [says, button, list] = [root.querySelector("p"), root.querySelector("button"), root.querySelector("ul")];
	says.textContent = "Máy chỉ điền, không gửi. Ông/bà xem lại rồi tự gửi.";
	// The form may stand in a frame of its own: all frames of the tab are told, and answer for themselves.
	button.addEventListener("click", () => chrome.runtime.sendMessage({kind: "fill"}));
	chrome.runtime.onMessage.addListener((message) => {
		if (message.kind === "work") show();
		if (message.kind !== "results") return;
		const all = Object.values(message.results);
		says.textContent = `Đã điền ${all.reduce((n, r) => n + r.filled.length, 0)} ô. Ông/bà cần tự điền:`;
		list.replaceChildren(...[...all.flatMap((r) => r.open), ...message.missing].map((one) => {
			const li = document.createElement("li");
			li.textContent = one.why ? `${one.label}: ${one.why}` : one.label;
			return li;
		}));
		host.dataset.open = String(list.children.length); // for tests: how many, never what
	});
	// A page that was open before the code was named has the panel as soon as it is.
	const show = async () => { if (await chrome.runtime.sendMessage({kind: "plan"})) document.documentElement.append(host); };
	show();
})();
