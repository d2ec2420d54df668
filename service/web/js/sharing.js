/** Files to take away, and addresses to put into QGIS or a terminal. */

import { byId, el, fill, icon } from "./dom.js";
import { address, getJson, key, readable } from "./http.js";
import { language, say, t } from "./i18n.js";

const SHEET_FILES = [
  ["landcover.tif", "file_landcover"],
  ["landcover.qml", "file_style"],
  ["confidence.tif", "file_confidence"],
];
const IMAGE_FILE = ["image.tif", "file_image"];

const MAP_FILES = [
  ["legend.png", "file_legend"],
  ["legend.svg", "file_legend_svg"],
  ["preview.png", "file_preview"],
  ["stats.csv", "file_stats"],
  ["item.json", "file_item"],
];
const IN_A_LANGUAGE = new Set(["legend.png", "legend.svg", "preview.png", "stats.csv", "item.json"]);

const MOST_SHEETS = 100;
const COPIED_MS = 1_600;

/** List the files of a finished map: of each sheet, where there are several, and of all of it. */
export async function showDownloads(map) {
  const files = "image_xyz" in map.links ? [...SHEET_FILES, IMAGE_FILE] : SHEET_FILES;
  const own = map.num_sheets === 1 ? files.map(([name, title]) => fileRow(map, name, title)) : await sheetRows(map, files);
  fill(byId("downloads"), ...own, ...MAP_FILES.map(([name, title]) => fileRow(map, name, title)));
  byId("downloads-block").hidden = false;
  byId("to-downloads").hidden = false;
}

async function sheetRows(map, files) {
  const { sheets } = await getJson(`maps/${map.id}/sheets?limit=${MOST_SHEETS}`);
  return sheets.flatMap(({ name: sheet }) =>
    files.map(([name, title]) => fileRow(map, name, title, `sheets/${encodeURIComponent(sheet)}/`, sheet)),
  );
}

function fileRow(map, name, title, folder = "", sheet = "") {
  const path = IN_A_LANGUAGE.has(name) ? `${name}?lang=${language()}` : name;
  const link = el(
    "a.download",
    { href: readable(`maps/${map.id}/${folder}${path}`), download: [sheet || map.name, name].join("_") },
    icon("save"),
    el("span.download-name", {}, sheet ? `${sheet} ${name}` : name),
    say(el("span.download-title"), () => t(title)),
  );
  return el("li", {}, link);
}

/** Nothing to take away yet. */
export function hideDownloads() {
  byId("downloads-block").hidden = true;
  byId("to-downloads").hidden = true;
}

/**
 * Addresses of a map, as others reach it.
 *
 * @param {string} mapId
 * @param {Record<string, {href: string}>} links Of its job, absolute.
 * @param {Record<string, string>} style What the legend asks of tiles now.
 * @param {string} line The curl line of its job, or "".
 */
export function showAddresses(mapId, links, style, line) {
  const query = new URLSearchParams(style);
  if (key()) query.set("key", key());
  const asked = query.size ? `?${query}` : "";
  const withKey = key() ? `?key=${encodeURIComponent(key())}` : "";
  const tiles = links.xyz?.href ?? address(`maps/${mapId}/tiles/{z}/{x}/{y}.png`);
  const rows = [
    ["XYZ", plain(tiles) + asked],
    ["WMTS", plain(links.wmts?.href ?? address(`maps/${mapId}/WMTSCapabilities.xml`)) + withKey],
    ["TileJSON", plain(links.tilejson?.href ?? address(`maps/${mapId}/tilejson.json`)) + asked],
  ];
  if (line) rows.push(["curl", line]);
  fill(byId("addresses"), ...rows.map(([name, text]) => copyRow(name, text)));
}

/** An address in a template keeps its braces. */
function plain(href) {
  return href.split("?")[0].replaceAll("%7B", "{").replaceAll("%7D", "}");
}

/** A text that can be copied by one press. */
export function copyRow(name, text) {
  const button = el("button.button.is-bare", { type: "button" }, icon("copy"));
  say(button, () => t("copy", { name }), "aria-label");
  button.addEventListener("click", async () => {
    await copied(text);
    fill(button, icon("done"));
    byId("announce").textContent = t("copied", { name });
    window.setTimeout(() => fill(button, icon("copy")), COPIED_MS);
  });
  const shown = el("code.address-text", { title: text, tabindex: "0" }, text);
  return el("div.address", {}, el("span.address-name", {}, name), shown, button);
}

/** The clipboard is closed to pages that are not served safely; a selection is then the old way. */
async function copied(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = el("textarea.unseen", { readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
