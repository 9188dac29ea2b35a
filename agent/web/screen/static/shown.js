// Says that a page of the kiosk is to be seen: where none is for long, the kiosk's browser is started anew. It says so once a frame of the
// page has been drawn, and another asked for: a page that runs while its screen stays white or stands still says nothing.
"use strict";
(() => {
	const pace = 10000; // ms; screen.tellPace
	const seen = () => document.visibilityState === "visible";
	const tell = () => {
		if (seen()) requestAnimationFrame(() => requestAnimationFrame(() => { if (seen()) fetch("/shown", { cache: "no-store" }).catch(() => {}); }));
	};
	tell();
	setInterval(tell, pace);
	document.addEventListener("visibilitychange", tell);
})();
