/** One map, while it is made and afterwards: what the panel says of it, and its layers on the stage. */

import { BlockLattice } from "./blocks.js";
import { byId, el, fill, paced } from "./dom.js";
import { confirmed, toast } from "./dialogs.js";
import { followJob, isOver } from "./events.js";
import { area, day, moment, number } from "./format.js";
import { getJson, postJson, request } from "./http.js";
import { say, t } from "./i18n.js";
import { MapLayers, minConfidence } from "./layers.js";
import { Legend } from "./legend.js";
import { answerPoints } from "./point.js";
import { Progress } from "./progress.js";
import { nameBelow } from "./recent.js";
import { Swipe } from "./swipe.js";
import { hideDownloads, showAddresses, showDownloads } from "./sharing.js";
import { lineOf } from "./lines.js";
import { inOneLine, told } from "./told.js";

const LOOK_FOR_IMAGE_MS = 2_500;

/** The view of one map; another one takes its place. */
export class MapView {
  constructor(stage) {
    this.stage = stage;
    this.swipe = new Swipe(stage.chart);
    this.leaving = [];
    this.turn = 0;
    this.progress = new Progress({ onCancel: () => this.cancel(), onResume: () => this.resume() });
    this.lookForImage = paced(() => this.askForImage(), LOOK_FOR_IMAGE_MS);
    byId("delete").addEventListener("click", () => this.delete());
  }

  /** Open by the id of a job. */
  async openJob(id) {
    await this.open(async () => {
      const job = await getJson(`jobs/${id}`, { cache: "no-store" });
      return { job, map: await getJson(`maps/${job.map.id}`, { cache: "no-store" }) };
    });
  }

  /** Open by the id of a map. */
  async openMap(id) {
    await this.open(async () => {
      const map = await getJson(`maps/${id}`, { cache: "no-store" });
      return { map, job: await getJson(`jobs/${map.job}`, { cache: "no-store" }) };
    });
  }

  async open(read) {
    this.close();
    const turn = this.turn;
    const found = await read();
    if (turn !== this.turn) return;
    Object.assign(this, found);
    const tiles = await getJson(`maps/${this.map.id}/tilejson.json`);
    if (turn !== this.turn) return;
    await this.build(tiles);
    if (turn === this.turn) this.watch();
  }

  async build(tiles) {
    this.version = this.map.version;
    this.numPictures = 0;
    this.legend = new Legend(
      this.map,
      () => this.job.status === "successful",
      () => this.restyle(),
    );
    this.stage.fit(tiles.bounds);
    this.stage.footprint(tiles.outline);
    this.layers = new MapLayers(this.stage.chart, {
      id: this.map.id,
      bounds: tiles.bounds,
      zooms: [tiles.minzoom, tiles.maxzoom],
      version: () => this.version,
      style: () => this.legend.style,
      onConfidence: (isShown) => this.legend.showConfidence(isShown),
    });
    this.lattice = new BlockLattice(this.stage.chart);
    const silence = answerPoints(this.stage.chart, this.map.id, (value) => this.legend.entryOf(value));
    this.leaving.push(silence, () => this.legend.remove(), () => this.layers.remove(), () => this.lattice.clear());
    this.heard(this.job);
    await this.legend.load();
    this.share();
    await this.askForImage();
  }

  /** Follow the job if there is anything to follow. */
  watch() {
    if (this.job.status === "successful") return;
    this.drawLattice();
    if (isOver(this.job)) return;
    const stop = followJob(this.job.id, {
      onJob: (job) => this.heard(job),
      onBlocks: (blocks) => this.settled(blocks),
      onTrouble: (problem) => this.progress.trouble(problem),
    });
    this.leaving.push(stop);
  }

  async drawLattice() {
    const turn = this.turn;
    const page = await getJson(`jobs/${this.job.id}/blocks`, { cache: "no-store" });
    if (turn === this.turn && this.job.status !== "successful") this.lattice.show(page.blocks);
  }

  /** A job as the service tells it. */
  heard(job) {
    const wasOver = isOver(this.job);
    this.job = job;
    this.describe();
    this.progress.show(job);
    if (!isOver(job)) this.lookForImage();
    if (isOver(job) && !wasOver) this.ended();
    if (job.status === "successful") showDownloads(this.map);
    else hideDownloads();
  }

  settled(blocks) {
    this.version = String(this.job.updated);
    if (blocks === null) {
      this.layers.touch(null);
      return;
    }
    const done = blocks.filter((block) => block.status === "done");
    this.lattice.settle(done);
    this.layers.touch(done.map((block) => block.bounds));
  }

  /** The last word: final tiles, shares in the legend. */
  ended() {
    this.version = `${this.job.updated}-${this.job.status}`;
    this.lattice.clear();
    if (this.job.status !== "successful") this.drawLattice();
    this.layers.touch(null);
    this.legend.load().catch(() => null);
    this.askForImage();
  }

  /** Workers make the image readable sheet by sheet, beside the classes. */
  async askForImage() {
    if (!this.map?.links.image_xyz || this.numPictures === this.map.num_sheets) return;
    const turn = this.turn;
    const { sheets } = await getJson(`maps/${this.map.id}/sheets`, { cache: "no-store" });
    const count = sheets.filter((sheet) => "image.tif" in sheet.files).length;
    if (turn !== this.turn || count === this.numPictures) return;
    this.numPictures = count;
    this.layers.showImage();
  }

  restyle() {
    this.layers.restyle();
    this.share();
  }

  share() {
    const style = { ...this.legend.style };
    if (minConfidence() > 0) style.min_confidence = minConfidence();
    showAddresses(this.map.id, this.job.links, style, lineOf(this.job.id));
  }

  describe() {
    const { job, map } = this;
    byId("map-title").textContent = job.label;
    document.title = `${job.label} · Orthoscape`;
    const status = byId("map-status");
    status.className = `status is-${job.status}`;
    say(status, () => t(`status_${job.status}`));
    say(byId("map-facts"), () =>
      [...nameBelow(job), area(job.area_km2 * 1e6), map.acquisition_date ? day(map.acquisition_date) : "", job.model]
        .filter(Boolean)
        .join(" · "),
    );
    this.tellAbout();
  }

  tellAbout() {
    const { job } = this;
    const pairs = [
      ["model", () => job.model],
      ["profile", () => job.profile ?? "–"],
      ["created", () => moment(job.created)],
      ["finished", () => (job.finished ? moment(job.finished) : "–")],
      ["blocks", () => `${job.blocks.done} / ${job.blocks.total}`],
      ["job", () => job.id],
      ["map", () => job.map.id],
      ...drifts(job),
      ...job.notes.map((note) => ["note", () => told(note)]),
    ];
    const rows = pairs.map(([key, text]) => el("div", {}, say(el("dt"), () => t(key)), say(el("dd"), text)));
    fill(byId("about-pairs"), ...rows);
    byId("delete").hidden = !isOver(job);
  }

  async cancel() {
    const keys = { title: "cancel_title", text: "cancel_text", yes: "cancel_yes", no: "cancel_no" };
    if (!(await confirmed(keys))) return;
    await this.attempt(async () => {
      await request(`jobs/${this.job.id}`, { method: "DELETE" });
      this.heard(await getJson(`jobs/${this.job.id}`, { cache: "no-store" }));
    });
  }

  async resume() {
    await this.attempt(async () => {
      await postJson(`jobs/${this.job.id}/resume`);
      await this.openJob(this.job.id);
    });
  }

  async delete() {
    const keys = { title: "delete_title", text: "delete_text", yes: "delete_yes", no: "keep" };
    if (!(await confirmed(keys))) return;
    await this.attempt(async () => {
      await request(`jobs/${this.job.id}`, { method: "DELETE" });
      window.location.hash = "";
    });
  }

  async attempt(action) {
    try {
      await action();
    } catch (problem) {
      toast(inOneLine(problem));
    }
  }

  /** Take everything off the stage. */
  close() {
    this.turn += 1;
    for (const leave of this.leaving.reverse()) leave();
    this.leaving = [];
    this.map = null;
    this.swipe.turn(false);
    this.stage.footprint(null);
    hideDownloads();
    document.title = "Orthoscape";
  }
}

/** How unlike training a finished map is: two numbers with their thresholds, and what is to be said of them. */
function drifts({ status, map_drift: drift }) {
  if (status !== "successful") return [];
  if (!drift) return [["map_shares", () => t("drift_unknown")]];
  const shares = () => t("drift_of", { value: number(drift.value, 2), threshold: number(drift.threshold, 2) });
  const sure = () =>
    drift.confidence === null
      ? t("drift_unknown")
      : t("map_confidence_of", { value: number(drift.confidence, 1), threshold: number(drift.least_confidence, 1) });
  return [["map_shares", shares], ["map_confidence", sure], ...drift.warnings.map((text) => ["note", () => told(text)])];
}
