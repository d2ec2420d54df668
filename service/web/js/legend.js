/** The legend: what each colour means, how much of it there is, and a switch for each. */

import { byId, el, fill } from "./dom.js";
import { area, share } from "./format.js";
import { getJson } from "./http.js";
import { language, onLanguage, say, t } from "./i18n.js";
import { drawRamp } from "./ramp.js";

const PALETTES = ["cosia", "flair", "cvd"];
const LOOK_AGAIN_MS = 1_200;
const REMEMBERED = "orthoscape.palette";

/** The legend of one map. */
export class Legend {
  /**
   * @param {{id: string, nomenclature: string}} map
   * @param {() => boolean} isFinished Shares are known of finished maps.
   * @param {() => void} onChange Called when tiles are to be drawn otherwise.
   */
  constructor(map, isFinished, onChange) {
    this.map = map;
    this.isFinished = isFinished;
    this.unit = "percent";
    this.onChange = onChange;
    this.entries = [];
    this.hidden = new Set();
    this.palette = rememberedPalette();
    this.grouping = "";
    this.isGone = false;
    this.drawPalettes();
    drawRamp(byId("ramp"));
    byId("grouping").onchange = () => this.regroup(byId("grouping").value);
    this.forget = onLanguage(() => this.load());
    byId("legend-all").onclick = () => this.switchAll();
    byId("legend-unit").onclick = () => this.switchUnit();
  }

  /** What the legend asks of class tiles. */
  get style() {
    const asked = {};
    if (this.palette !== "cosia") asked.style = this.palette;
    if (this.grouping) asked.group = this.grouping;
    if (this.hidden.size > 0) asked.classes = this.shownValues().join(",");
    return asked;
  }

  /** Explain what lies on top: the ramp of confidence, or the classes. */
  showConfidence(isShown) {
    byId("ramp").hidden = !isShown;
    byId("of-classes").hidden = isShown;
    byId("legend-all").hidden = isShown;
    say(byId("legend-title"), () => t(isShown ? "legend_confidence" : "legend"));
  }

  shownValues() {
    return this.entries
      .filter((entry) => !this.hidden.has(entry.key))
      .flatMap((entry) => entry.values)
      .sort((one, other) => one - other);
  }

  /** The entry that a class value belongs to. */
  entryOf(value) {
    return this.entries.find((entry) => entry.values.includes(value));
  }

  /** Read names, colours and, of a finished map, shares and areas. */
  async load() {
    const asked = new URLSearchParams({ style: this.palette, lang: language() });
    if (this.grouping) asked.set("group", this.grouping);
    const isFinished = this.isFinished();
    const [told, schemes] = await Promise.all([
      getJson(`maps/${this.map.id}/${isFinished ? "stats" : "legend"}.json?${asked}`),
      getJson("classes"),
    ]);
    if (this.isGone) return;
    if (isFinished && !told.is_final) window.setTimeout(() => this.isGone || this.load(), LOOK_AGAIN_MS);
    this.entries = isFinished && told.is_final ? told.classes : (told.entries ?? told.classes.map(withoutFigures));
    this.drawGroupings(schemes.nomenclatures.find((scheme) => scheme.id === this.map.nomenclature).groupings);
    this.draw();
  }

  drawPalettes() {
    const palette = byId("palette");
    fill(palette, ...PALETTES.map((key) => say(el("option", { value: key }), () => t(`palette_${key}`))));
    palette.value = this.palette;
    palette.onchange = () => {
      this.palette = palette.value;
      window.localStorage.setItem(REMEMBERED, this.palette);
      this.reload();
    };
  }

  drawGroupings(groupings) {
    const titles = groupings.map(({ key, title }) => el("option", { value: key }, title));
    fill(byId("grouping"), say(el("option", { value: "" }), () => t("grouping_none")), ...titles);
    byId("grouping").value = this.grouping;
  }

  regroup(key) {
    this.grouping = key;
    this.hidden.clear();
    this.reload();
  }

  async reload() {
    await this.load();
    this.onChange();
  }

  draw() {
    const largest = Math.max(0, ...this.entries.map((entry) => entry.share ?? 0));
    fill(byId("classes"), ...this.entries.map((entry) => this.row(entry, largest)));
    say(byId("legend-all"), () => t(this.hidden.size ? "show_all" : "hide_all"));
    const hasAreas = this.entries.some((entry) => entry.area_m2 !== undefined);
    byId("legend-unit").hidden = !hasAreas;
    say(byId("legend-unit"), () => t(this.unit === "percent" ? "as_areas" : "as_shares"));
    say(byId("legend-note"), () => (hasAreas ? t("shares_note") : t("shares_later")));
  }

  row(entry, largest) {
    const isShown = !this.hidden.has(entry.key);
    const box = el("input.class-box", {
      type: "checkbox",
      checked: isShown,
      "data-key": entry.key,
      "data-values": entry.values.join(","),
      on: { change: () => this.toggle(entry.key, box.checked) },
    });
    const only = el("button.button.is-link.class-only", {
      type: "button",
      on: { click: () => this.showOnly(entry.key) },
    });
    say(only, () => t("only"));
    say(only, () => t("only_this", { name: entry.label }), "aria-label");
    const swatch = el("span.swatch", { style: { "--swatch": entry.color } });
    const name = el("span.class-name", {}, entry.label);
    return el(
      isShown ? "li.class" : "li.class.is-hidden",
      {},
      el("label.class-label", {}, box, swatch, name),
      ...shareOf(entry, largest, this.unit),
      only,
    );
  }

  toggle(key, isShown) {
    if (isShown) this.hidden.delete(key);
    else this.hidden.add(key);
    this.changed(key);
  }

  showOnly(key) {
    this.hidden = new Set(this.entries.map((entry) => entry.key).filter((other) => other !== key));
    this.changed(key);
  }

  switchAll() {
    this.hidden = this.hidden.size ? new Set() : new Set(this.entries.map((entry) => entry.key));
    this.changed("");
  }

  switchUnit() {
    this.unit = this.unit === "percent" ? "area" : "percent";
    this.draw();
  }

  /** Draw again, and leave the focus where it was. */
  changed(key) {
    this.draw();
    byId("classes").querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
    this.onChange();
  }

  remove() {
    this.isGone = true;
    this.forget();
    fill(byId("classes"));
  }
}

function shareOf(entry, largest, unit) {
  if (entry.area_m2 === undefined) return [];
  const bar = el("span.bar", {
    "aria-hidden": "true",
    style: { "--part": String(largest ? entry.share / largest : 0), "--swatch": entry.color },
  });
  const figure = unit === "percent" ? share(entry.share) : area(entry.area_m2);
  return [bar, el("span.share", {}, entry.share ? figure : "–")];
}

/** Figures of a map whose end has not reached every process of the service are none. */
function withoutFigures({ key, label, color, values }) {
  return { key, label, color, values };
}

function rememberedPalette() {
  const palette = window.localStorage.getItem(REMEMBERED);
  return PALETTES.includes(palette) ? palette : "cosia";
}
