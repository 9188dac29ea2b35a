// The extension's memory. It claims the data of one visit from the daemon by the one-time code on the kiosk's screen,
// keeps it only in storage.session (never on the disk), hands each frame of the portal what belongs on it, and wipes
// the portal's cookies and storage when the citizen is done. It sends nothing to the portal and submits nothing.
"use strict";

// The portal and the sites it leads to; after each citizen nothing of them stays in this browser.
const ORIGINS = [
	"https://dichvucong.gov.vn", "https://lienthong.dichvucong.gov.vn", "https://sso.dancuquocgia.gov.vn",
	"https://dichvucongnganhtuphap.moj.gov.vn", "https://tokhaidientu.moj.gov.vn", "https://dichvucongnnmt.mae.gov.vn",
	"https://dvc.moet.gov.vn", "https://dvc.moc.gov.vn",
];

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
	return {procedure: work.procedure};
}

// plan gives a frame what belongs on it: its page of the map, by host and path.
async function plan(url) {
	const {work} = await session.get("work");
	if (!work) return null;
	const at = new URL(url);
	const page = work.pages.find((p) => p.hosts.includes(at.hostname) && at.pathname.startsWith(p.path || "/"));
	return page ? {page, number: work.number, files: work.files} : null;
}

// note keeps what came of a frame and tells the tab's panel; a form that changed is told to the daemon, names only.
async function note(result, sender) {
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

// wipe forgets the visit and takes away what the portal left in the browser.
async function wipe() {
	await session.clear();
	await chrome.browsingData.remove({origins: ORIGINS}, {
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
		wipe: () => own || sender.url.startsWith("http://127.0.0.1") ? wipe() : null,
	};
	if (!acts[message.kind]) return false;
	Promise.resolve(acts[message.kind]()).then(reply, () => reply(null));
	return true;
});
