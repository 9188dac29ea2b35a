// Says that a page of the kiosk is to be seen: where none is for long, the kiosk's browser is started anew.
"use strict";
(() => {
	const pace = 10000; // ms; screen.backWithin counts on it
	const tell = () => { if (document.visibilityState === "visible") fetch("/shown", { cache: "no-store" }).catch(() => {}); };
	tell();
	setInterval(tell, pace);
	document.addEventListener("visibilitychange", tell);
})();
