// On the kiosk's own pages. The start page means that the visit before is over. Where a code is shown and this browser gets to the
// portal, it may be opened right here.
"use strict";
const page = document.documentElement.dataset.page;
if (location.pathname === "/" && page === "start") chrome.runtime.sendMessage({kind: "wipe"});
if (page === "portal") (async () => {
	const box = document.getElementById("here"), button = box?.querySelector("button");
	if (!box || !await chrome.runtime.sendMessage({kind: "reach"})) return;
	button.addEventListener("click", async () => {
		button.disabled = true;
		const answer = await chrome.runtime.sendMessage({kind: "here", code: document.querySelector(".code").textContent});
		if (answer?.error) box.querySelector("[role=alert]").textContent = answer.error;
	});
	box.hidden = false;
})();
