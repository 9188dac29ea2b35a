// The extension's memory. It claims the data of one visit from the daemon by the one-time code on the kiosk's screen,
// keeps it only in storage.session (never on the disk), hands each frame of the portal what belongs on it, and wipes
// the portal's cookies and storage when the citizen is done. It sends nothing to the portal and submits nothing.
"use strict";

// The portal and the sites it leads to; after each citizen nothing of them stays in this browser.
const ORIGINS = [
	"https://dichvucong.gov.vn", "https://www.dichvucong.gov.vn", "https://lienthong.dichvucong.gov.vn", "https://sso.dancuquocgia.gov.vn",
	"https://dichvucongnganhtuphap.moj.gov.vn", "https://tokhaidientu.moj.gov.vn", "https://dichvucongnnmt.mae.gov.vn",
	"https://dvc.moet.gov.vn", "https://dvc.moc.gov.vn",
];

const PORTAL = [...ORIGINS.map((o) => o + "/*"), "https://*.dichvucong.gov.vn/*"];

const session = chrome.storage.session;
session.setAccessLevel({accessLevel: "TRUSTED_CONTEXTS"});

async function daemon() {
	return (await (await fetch(chrome.runtime.getURL("address.json"))).json()).daemon;
}

// claim trades the code for the visit's data. The code works once.
async function claim(code) {
	let answer;
	try {
		answer = await fetch(await daemon() + "/portal/claim", {
			method: "POST",
			headers: {"Content-Type": "application/x-www-form-urlencoded"},
			body: new URLSearchParams({code: code.replace(/\D/g, "")}),
		});
	} catch {
		return {error: "Không gặp được máy một cửa. Hãy xem máy đã bật chưa."};
	}
	if (answer.status === 429) return {error: "Nhập sai nhiều lần. Hãy lấy mã mới trên màn hình."};
	if (!answer.ok) return {error: "Mã không đúng hoặc đã hết hạn. Hãy lấy mã mới trên màn hình."};
	const work = await answer.json();
	await session.set({work, results: {}});
	// Where the portal is open already, its panel comes now.
	for (const tab of await chrome.tabs.query({url: PORTAL})) chrome.tabs.sendMessage(tab.id, {kind: "work"}, {frameId: 0}).catch(() => {});
	return {procedure: work.procedure};
}

// plan gives a frame what belongs on it: its page of the map, by host and the longest path (the portal's owner page is at "/").
async function plan(url) {
	const {work} = await session.get("work");
	if (!work) return null;
	const at = new URL(url);
	const [page] = work.pages.filter((p) => p.hosts.includes(at.hostname) && at.pathname.startsWith(p.path))
		.sort((a, b) => b.path.length - a.path.length);
	return page ? {page, number: work.number, files: work.files} : null;
}

// note keeps what came of a frame and tells the tab's panel; a form that changed is told to the daemon, names only. One after the other:
// of two frames that end at once none takes the other's list of what is open away.
let noted = Promise.resolve();
function note(result, sender) {
	noted = noted.then(() => keep(result, sender)).catch(() => {});
	return noted;
}

async function keep(result, sender) {
	const {results = {}, work} = await session.get(["results", "work"]);
	if (!work) return;
	results[result.page] = result;
	await session.set({results});
	chrome.tabs.sendMessage(sender.tab.id, {kind: "results", results, missing: work.missing}, {frameId: 0}).catch(() => {});
	if (result.unknown.length || result.lost.length) {
		fetch(await daemon() + "/portal/changed", {
			method: "POST",
			headers: {"Content-Type": "application/x-www-form-urlencoded"},
			body: new URLSearchParams({token: work.token, page: result.page, unknown: result.unknown.join(" "), lost: result.lost.join(" ")}),
		}).catch(() => {});
	}
}

// The portal, where it is opened in the kiosk's own browser.
const START = "https://dichvucong.gov.vn/";

// reach tells whether this browser gets to the portal at all: a kiosk's does only where its office has opened the way.
async function reach() {
	return fetch(START, {method: "HEAD", mode: "no-cors", credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(5000)}).then(() => true, () => false);
}

// here claims the visit whose code the kiosk's own page shows, and opens the portal in that page's stead. It is a new tab: what the
// portal keeps for a tab ends with it.
async function here(code, sender) {
	if (sender.frameId !== 0 || sender.origin !== await daemon()) return null;
	const answer = await claim(code);
	if (answer.error) return answer;
	await session.set({here: true});
	await chrome.tabs.create({url: START});
	await chrome.tabs.remove(sender.tab.id);
	return answer;
}

// alive tells the daemon that the portal is still being used at the kiosk, and gives how many seconds the visit is held; when it is
// over, the portal is left.
async function alive(acted) {
	const {work, here} = await session.get(["work", "here"]);
	if (!here) return null;
	let answer;
	try {
		answer = await fetch(await daemon() + "/portal/here", {
			method: "POST",
			headers: {"Content-Type": "application/x-www-form-urlencoded"},
			body: new URLSearchParams({token: work.token, acted: acted ? "1" : ""}),
		});
	} catch {
		return {left: null}; // the daemon is being started anew
	}
	if (answer.ok) return answer.json();
	await done("/");
	return null;
}

// done leaves the portal; at the kiosk it leads back to the visit.
async function done(path) {
	const {here} = await session.get("here");
	if (here) await chrome.tabs.create({url: await daemon() + path});
	await wipe();
}

// leave closes the portal's tabs, at the kiosk all but its own pages': what they show and keep for themselves is the person's, too.
async function leave(ours) {
	const all = await chrome.tabs.query({}), theirs = ours ? all.filter((t) => !(t.pendingUrl || t.url || "").startsWith(ours + "/")) :
		await chrome.tabs.query({url: PORTAL});
	if (theirs.length && theirs.length === all.length) await chrome.tabs.create({}); // a browser without a tab ends
	await chrome.tabs.remove(theirs.map((t) => t.id));
}

// wipe forgets the visit and takes away what the portal left in the browser: in the kiosk's own, where nobody keeps anything, whatever is
// not of its own pages, for the policy also opens origins below those that are named here.
async function wipe() {
	const {here} = await session.get("here"), ours = here && await daemon();
	await session.clear();
	await leave(ours);
	await chrome.browsingData.remove(ours ? {excludeOrigins: [ours]} : {origins: ORIGINS}, {
		cookies: true, localStorage: true, indexedDB: true, cacheStorage: true, serviceWorkers: true, fileSystems: true, webSQL: true, cache: true,
	});
	await session.set({wiped: Date.now()});
}

chrome.runtime.onStartup.addListener(wipe);
chrome.runtime.onInstalled.addListener(wipe);
chrome.runtime.onMessage.addListener((message, sender, reply) => {
	if (sender.id !== chrome.runtime.id) return false;
	const own = !sender.tab || sender.url.startsWith(chrome.runtime.getURL(""));
	const acts = {
		claim: () => own ? claim(message.code) : null,
		state: async () => own ? {work: !!(await session.get("work")).work} : null,
		plan: () => plan(sender.url),
		fill: () => chrome.tabs.sendMessage(sender.tab.id, {kind: "fill"}),
		results: () => note(message.result, sender),
		reach: () => reach(),
		here: () => here(message.code, sender),
		alive: () => alive(message.acted),
		done: () => done("/confirm"),
		wipe: () => own || sender.url.startsWith("http://127.0.0.1") ? wipe() : null,
	};
	if (!acts[message.kind]) return false;
	Promise.resolve(acts[message.kind]()).then(reply, () => reply(null));
	return true;
});
