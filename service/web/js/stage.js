/** The stage: a plain ground, the map's layers on it, scale, position, footprint. */

import { byId, keepsStill } from "./dom.js";
import { degrees } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { L } from "./leaflet.js";

const PANES = { image: 210, classes: 220, confidence: 230, outlines: 410 };
const MAX_ZOOM = 23;

/** "w,s,e,n" in degrees, as the service gives them, for Leaflet. */
export function boundsOf([west, south, east, north]) {
  return L.latLngBounds([south, west], [north, east]);
}

/** A ring of [longitude, latitude], as the service gives it, for Leaflet. */
export function ringOf(outline) {
  return outline.map(([lng, lat]) => [lat, lng]);
}

/** Make the map once; it lives as long as the page. */
export function createStage() {
  const chart = L.map(byId("chart"), {
    zoomControl: false,
    attributionControl: false,
    zoomSnap: 1, // between whole zooms tiles would be resampled, and seams seen
    wheelPxPerZoomLevel: 90,
    maxZoom: MAX_ZOOM,
    zoomAnimation: !keepsStill(),
    fadeAnimation: !keepsStill(),
    markerZoomAnimation: !keepsStill(),
  }).setView([46.5, 2.5], 6);
  for (const [name, level] of Object.entries(PANES)) chart.createPane(name).style.zIndex = level;
  chart.getPane("outlines").style.pointerEvents = "none";
  L.control.scale({ imperial: false, maxWidth: 140, position: "bottomleft" }).addTo(chart);
  const zooms = L.control.zoom({ position: "bottomright", zoomInText: "+", zoomOutText: "−" }).addTo(chart);
  nameControls(zooms);
  onLanguage(() => nameControls(zooms));
  showPosition(chart);
  showCrosshair(chart.getContainer());
  new ResizeObserver(() => chart.invalidateSize({ pan: false })).observe(byId("stage"));
  return { chart, fit: (bounds) => fit(chart, bounds), footprint: footprintOn(chart) };
}

function fit(chart, bounds) {
  chart.invalidateSize({ pan: false }); // the stage may only just have come in sight
  chart.fitBounds(boundsOf(bounds), { padding: [24, 24], maxZoom: MAX_ZOOM, animate: false });
}

/** Leaflet's own names are English titles; these follow the page. */
function nameControls(zooms) {
  for (const [selector, key] of [
    [".leaflet-control-zoom-in", "zoom_in"],
    [".leaflet-control-zoom-out", "zoom_out"],
  ]) {
    const button = zooms.getContainer().querySelector(selector);
    button.title = t(key);
    button.setAttribute("aria-label", t(key));
  }
  byId("chart").setAttribute("aria-label", t("map_keys"));
  byId("chart").setAttribute("role", "application");
}

/** Under the pointer, or in the middle for who moves by keys. */
function showPosition(chart) {
  const readout = byId("readout");
  const show = (place) => {
    readout.textContent = degrees(place.lat, place.lng);
  };
  chart.on("mousemove", (event) => show(event.latlng));
  chart.on("move", () => show(chart.getCenter()));
  show(chart.getCenter());
}

/** The middle is marked for who moves by keys, since Enter asks for it. */
function showCrosshair(container) {
  container.addEventListener("keydown", () => container.classList.add("is-keyed"));
  container.addEventListener("pointerdown", () => container.classList.remove("is-keyed"));
}

/** The outline of what is mapped or about to be: a polygon, since grids are turned against meridians. */
function footprintOn(chart) {
  let drawn = null;
  return (outline, kind = "") => {
    drawn?.remove();
    drawn = null;
    if (outline === null) return;
    drawn = L.polygon(ringOf(outline), {
      pane: "outlines",
      smoothFactor: 0,
      interactive: false,
      className: `footprint ${kind}`.trim(),
    }).addTo(chart);
  };
}
