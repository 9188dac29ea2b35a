// On the kiosk's own pages: the start page means that the visit before is over.
"use strict";
if (location.pathname === "/" && document.documentElement.dataset.page === "start") chrome.runtime.sendMessage({kind: "wipe"});
