"use strict";
const said = document.getElementById("said");
document.querySelector("form").addEventListener("submit", async (e) => {
	e.preventDefault();
	const answer = await chrome.runtime.sendMessage({kind: "claim", code: document.getElementById("code").value});
	said.textContent = answer?.error || "Đã lấy hồ sơ. Mở biểu mẫu trên Cổng rồi bấm “Điền”.";
	if (!answer?.error) document.body.dataset.done = "1";
});
document.getElementById("wipe").addEventListener("click", async () => {
	await chrome.runtime.sendMessage({kind: "wipe"});
	said.textContent = "Đã xóa dấu vết của người trước.";
	document.body.dataset.wiped = "1";
});
