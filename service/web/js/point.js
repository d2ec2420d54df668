/** A click on the map: the class of that pixel, and how sure the model is. */

import { byId, el } from "./dom.js";
import { degrees } from "./format.js";
import { getJson } from "./http.js";
import { t } from "./i18n.js";
import { L } from "./leaflet.js";

/**
 * Answer clicks, and Enter for who moves the map by keys.
 *
 * @param {L.Map} chart
 * @param {string} mapId
 * @param {(value: number) => {label: string, color: string} | undefined} entryOf
 * @returns {() => void} Stops answering.
 */
export function answerPoints(chart, mapId, entryOf) {
  const popup = L.popup({ closeButton: true, autoPanPadding: [24, 24], className: "point" });
  const ask = async (place) => {
    const point = await getJson(`maps/${mapId}/point/${place.lng.toFixed(8)},${place.lat.toFixed(8)}`);
    const content = described(point, place, entryOf);
    popup.setLatLng(place).setContent(content).openOn(chart);
    popup.getElement()?.querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", t("close"));
    byId("announce").textContent = content.textContent;
  };
  const onClick = (event) => ask(event.latlng);
  const onKey = (event) => {
    if (event.originalEvent.key === "Enter" && event.originalEvent.target === byId("chart")) ask(chart.getCenter());
  };
  chart.on("click", onClick).on("keydown", onKey);
  return () => {
    chart.off("click", onClick).off("keydown", onKey);
    popup.remove();
  };
}

function described(point, place, entryOf) {
  const entry = point.class ? (entryOf(point.class.value) ?? point.class) : undefined;
  const lines = [];
  if (entry) {
    const swatch = el("span.swatch", { style: { "--swatch": entry.color } });
    lines.push(el("p.point-class", {}, swatch, el("strong", {}, entry.label)));
    if (point.confidence !== null) lines.push(el("p", {}, t("point_sure", { percent: point.confidence })));
  } else {
    lines.push(el("p.point-class", {}, t(point.is_final ? "no_class" : "no_class_yet")));
  }
  lines.push(el("p.point-place", {}, degrees(place.lat, place.lng)));
  return el("div.point-body", {}, ...lines);
}
