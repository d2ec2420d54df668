/** The three layers of a map, what is asked of their tiles, and the controls that change it. */

import { byId, el, fill, paced, settled } from "./dom.js";
import { percent } from "./format.js";
import { readable } from "./http.js";
import { say, t } from "./i18n.js";
import { L } from "./leaflet.js";
import { LiveLayer } from "./livelayer.js";
import { boundsOf } from "./stage.js";

const KINDS = ["classes", "confidence", "image"];
const EITHER = { classes: "confidence", confidence: "classes" }; // one over the other would be read as neither
const RETINA = window.devicePixelRatio > 1.25 ? "@2x" : "";
const REFRESH_MS = 400;

/** How a map is looked at; remembered from map to map. */
const look = {
  shown: { image: true, classes: true, confidence: false },
  opacity: { image: 100, classes: 100, confidence: 100 },
  minConfidence: 0,
};

/** The layers of one map on the stage. */
export class MapLayers {
  /**
   * @param {L.Map} chart
   * @param {{id: string, bounds: number[], zooms: [number, number], version: () => string,
   *          style: () => Record<string, string>, onConfidence: (isShown: boolean) => void}} map
   *          `style` is what the legend asks of class tiles.
   */
  constructor(chart, map) {
    this.chart = chart;
    this.map = map;
    this.layers = {};
    this.dirty = new Set();
    this.later = paced(() => this.flush(), REFRESH_MS);
    for (const kind of ["classes", "confidence"]) this.layers[kind] = this.make(kind);
    this.apply();
    this.drawControls();
  }

  make(kind) {
    const [minZoom, maxZoom] = this.map.zooms;
    return new LiveLayer((coords) => this.addressOf(kind, coords), {
      kind,
      pane: kind,
      tileSize: 256,
      noWrap: true,
      bounds: boundsOf(this.map.bounds),
      minNativeZoom: minZoom,
      maxNativeZoom: maxZoom,
      maxZoom: this.chart.getMaxZoom(),
      updateWhenZooming: false,
      keepBuffer: 1,
    });
  }

  addressOf(kind, { z, x, y }) {
    const [folder, format] = kind === "image" ? ["image/tiles", "webp"] : ["tiles", "png"];
    const made = new URL(readable(`maps/${this.map.id}/${folder}/${z}/${x}/${y}${RETINA}.${format}`));
    const asked = { v: this.map.version() };
    if (kind === "classes") Object.assign(asked, this.map.style());
    if (kind === "confidence") asked.product = "confidence";
    if (kind !== "image" && look.minConfidence > 0) asked.min_confidence = look.minConfidence;
    for (const [name, value] of Object.entries(asked)) made.searchParams.set(name, value);
    return made.href;
  }

  /** The image is there, or has grown. */
  showImage() {
    if (this.layers.image) {
      this.layers.image.refresh();
      return;
    }
    this.layers.image = this.make("image");
    this.apply();
    this.drawControls();
  }

  /** Blocks settled there: draw again what meets them, soon. */
  touch(boundsList) {
    if (boundsList === null) this.dirty = null;
    else if (this.dirty !== null) boundsList.forEach((bounds) => this.dirty.add(boundsOf(bounds)));
    this.later();
  }

  flush() {
    const bounds = this.dirty === null ? null : [...this.dirty];
    this.dirty = new Set();
    for (const kind of ["classes", "confidence"]) this.layers[kind].refresh(bounds);
  }

  /** Another palette, grouping, filter: the same pixels, drawn otherwise. */
  restyle() {
    this.apply();
    this.layers.classes.restyle();
    if (look.shown.confidence) this.layers.confidence.restyle();
  }

  /** Put on the stage what is switched on, as opaque as asked. */
  apply() {
    for (const [kind, layer] of Object.entries(this.layers)) {
      layer.setOpacity(look.opacity[kind] / 100);
      if (this.isShown(kind)) layer.addTo(this.chart);
      else layer.remove();
    }
    byId("stage").classList.toggle("has-image", "image" in this.layers && look.shown.image);
    this.map.onConfidence(look.shown.confidence);
  }

  isShown(kind) {
    const isEmpty = kind === "classes" && this.map.style().classes === ""; // every class switched off
    return look.shown[kind] && !isEmpty;
  }

  remove() {
    for (const layer of Object.values(this.layers)) layer.remove();
    fill(byId("layers"));
  }

  drawControls() {
    const rows = KINDS.map((kind) => this.row(kind));
    fill(byId("layers"), ...rows, this.confidenceSlider());
  }

  row(kind) {
    const isThere = kind in this.layers;
    const change = () => {
      look.shown[kind] = box.checked;
      if (box.checked && kind in EITHER) look.shown[EITHER[kind]] = false;
      this.apply();
      this.drawControls();
      byId(box.id).focus({ preventScroll: true });
    };
    const box = el("input", {
      type: "checkbox",
      id: `layer-${kind}`,
      checked: look.shown[kind] && isThere,
      disabled: !isThere,
      on: { change },
    });
    const slider = this.slider(look.opacity[kind], `opacity_${kind}`, (value) => {
      look.opacity[kind] = value;
      this.apply();
    });
    slider.id = `opacity-${kind}`;
    slider.disabled = !isThere || !look.shown[kind];
    const name = say(el("span"), () => t(`layer_${kind}`) + (isThere ? "" : ` (${t("layer_pending")})`));
    return el(isThere ? "div.layer" : "div.layer.is-pending", {}, el("label", {}, box, name), slider);
  }

  slider(value, key, heard) {
    const range = el("input", { type: "range", min: 0, max: 100, step: 1, value });
    const tell = () => range.setAttribute("aria-valuetext", percent(range.valueAsNumber / 100, 0));
    range.addEventListener("input", () => {
      tell();
      heard(range.valueAsNumber);
    });
    tell();
    return say(range, () => t(key), "aria-label");
  }

  confidenceSlider() {
    const redraw = settled(() => this.restyle(), 120);
    const figure = el("output.layer-figure", { for: "min-confidence" });
    const write = () => say(figure, () => (look.minConfidence ? `≥ ${percent(look.minConfidence / 100, 0)}` : t("all_pixels")));
    const range = this.slider(look.minConfidence, "min_confidence", (value) => {
      look.minConfidence = value;
      write();
      redraw();
    });
    range.id = "min-confidence";
    write();
    const label = say(el("label", { for: "min-confidence" }), () => t("min_confidence"));
    return el("div.layer.is-threshold", {}, el("div.layer-name", {}, label, figure), range);
  }
}

/** The threshold in force, for the addresses given to others. */
export function minConfidence() {
  return look.minConfidence;
}
