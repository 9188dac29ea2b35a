// The portal's page "whose dossier is it", rendered by the real Form.io library: Part I filled and locked, Part II
// behind a box, with the province's wards loaded from the server. It can't show the portal's own styles and scripts.
"use strict";
const settings = JSON.parse(document.getElementById("settings").textContent);
const text = (key, label, more = {}) => ({type: "textfield", key, label, input: true, ...more});
const rename = (key) => settings.rename[key] || key;
const owner = [
	text(rename("ownerFullname"), "Họ và tên chủ hồ sơ"), text(rename("ownerBirthday"), "Ngày sinh chủ hồ sơ", {inputMask: "99/99/9999"}),
	{type: "select", key: rename("ownerGender"), label: "Giới tính chủ hồ sơ", input: true, widget: "choicesjs", data: {values: [{label: "Nam", value: "1"}, {label: "Nữ", value: "0"}]}},
	text(rename("ownerIdentityNumber"), "Số giấy tờ chủ hồ sơ"),
	{type: "select", key: "ownerProvince", label: "Tỉnh, thành phố của chủ hồ sơ", input: true, widget: "choicesjs", data: {values: ["Hà Nội", "Hồ Chí Minh", "Ninh Bình"].map((n) => ({label: "Thành phố " + n, value: n}))}},
	{type: "select", key: "ownerDistrict", label: "Xã, phường của chủ hồ sơ", input: true, widget: "choicesjs", dataSrc: "url", data: {url: location.origin + "/wards?of={{ data.ownerProvince }}"},
		valueProperty: "name", template: "<span>{{ item.name }}</span>", refreshOn: "ownerProvince", clearOnRefresh: true, lazyLoad: true},
	text(rename("ownerAddress"), "Địa chỉ của chủ hồ sơ"), text(rename("ownerPhoneNumber"), "Số điện thoại chủ hồ sơ"),
].filter((c) => !settings.drop.includes(c.key)).map((c) => ({...c, customConditional: "show = !data.isOwnerDossierCheck"}));
if (settings.extra) owner.push({...text(settings.extra, "Ô mới"), customConditional: "show = !data.isOwnerDossierCheck"});
if (settings.reverse) owner.reverse();
const one = Object.entries(settings.signed).map(([key, value]) => text(key, key, {disabled: true, defaultValue: value}));
window.record = {submits: 0};
Formio.createForm(document.getElementById("form"), {components: [...one,
	{type: "checkbox", key: "isOwnerDossierCheck", label: "Người nộp là chủ hồ sơ", input: true, defaultValue: true},
	...owner, {type: "button", action: "submit", key: "submit", label: "Gửi"}]}, {noAlerts: true}).then((form) => {
	form.on("submit", () => window.record.submits++);
	form.on("submitButton", () => window.record.submits++);
	window.form = form;
	document.documentElement.dataset.ready = "1";
});
