/** A new map in the making: files and their roles, the model, the preflight's answer, the start. */

import { byId, el, fill, icon, settled } from "./dom.js";
import { bytes, percent } from "./format.js";
import { getJson } from "./http.js";
import { say, t } from "./i18n.js";
import { isLarge, Order, uploadOnce } from "./orders.js";
import { bandNames, showAsking, showEstimate, showNothing, showRefusal } from "./preflight.js";
import { assignRoles, changeRole, ROLES } from "./roles.js";
import { spoken } from "./told.js";

const TYPED = ["asked-title", "map-name", "source-crs", "nodata", "acquired"];
const ASK_AFTER_MS = 250;
const NAME_END = 15; // characters

/** The view in which a map is ordered. */
export class Compose {
  /**
   * @param {{onFootprint: (estimate: object | null) => void, onStarted: (job: object, line: string) => void}} heard
   */
  constructor(heard) {
    this.heard = heard;
    this.entries = [];
    this.asking = null;
    this.isStarting = false;
    this.host = byId("preflight");
    this.askSoon = settled(() => this.ask(), ASK_AFTER_MS);
    byId("start").addEventListener("click", () => this.start());
    for (const id of ["model", ...TYPED, "force"]) {
      byId(id).addEventListener("change", () => this.askSoon());
    }
    byId("model").addEventListener("change", () => this.describeModel());
  }

  /** Take files in beside those that are there. */
  async add(files) {
    const kept = this.entries.map((entry) => entry.file);
    const known = new Map(this.entries.map((entry) => [entry.file, entry]));
    this.entries = assignRoles([...kept, ...files]).map((fresh) => known.get(fresh.file) ?? fresh);
    this.drawFiles();
    await this.loadModels();
    this.askSoon();
  }

  /** Forget everything; uploads under way stop. */
  clear() {
    for (const entry of this.entries) if (!this.isStarted) entry.upload?.stop();
    this.entries = [];
    this.isStarted = false;
    this.drawFiles();
    this.asking?.abort();
    for (const id of TYPED) byId(id).value = "";
    byId("force").checked = false;
    this.allow(false);
    showNothing(this.host);
    this.heard.onFootprint(null);
  }

  get order() {
    return new Order(this.entries, {
      model: byId("model").value,
      title: byId("asked-title").value.trim(),
      map: byId("map-name").value.trim(),
      source_crs: byId("source-crs").value.trim(),
      nodata: byId("nodata").value.trim(),
      acquisition_date: byId("acquired").value,
      force: byId("force").checked,
    });
  }

  async loadModels() {
    if (this.models) return;
    const answer = await getJson("models");
    this.models = answer.models;
    const first = say(el("option", { value: "default" }), () => t("model_default"));
    fill(byId("model"), first, ...this.models.map((model) => el("option", { value: keyOf(model) }, model.title)));
    this.describeModel();
  }

  describeModel() {
    const chosen = this.models?.find((model) => keyOf(model) === byId("model").value);
    say(byId("model-note"), () => (chosen ? modelWords(chosen) : t("model_default_note")));
  }

  drawFiles() {
    fill(byId("files"), ...this.entries.map((entry) => this.fileRow(entry)));
  }

  fileRow(entry) {
    const role = el("select.file-role", {
      on: {
        change: () => {
          changeRole(this.entries, entry, role.value);
          this.drawFiles();
          this.askSoon();
        },
      },
    });
    fill(role, ...ROLES.map((key) => say(el("option", { value: key }), () => t(`role_${key}`))));
    role.value = entry.role;
    say(role, () => t("role_of", { name: entry.file.name }), "aria-label");
    const away = el("button.button.is-bare", { type: "button", on: { click: () => this.drop(entry) } }, icon("close"));
    say(away, () => t("remove", { name: entry.file.name }), "aria-label");
    entry.meter = el("span.file-meter", { "aria-hidden": "true" });
    entry.note = say(el("span.file-size"), () => bytes(entry.file.size));
    const name = el("span.file-name", { title: entry.file.name }, ...halves(entry.file.name));
    entry.row = el("li.file", {}, name, away, role, entry.note, entry.meter);
    return entry.row;
  }

  drop(entry) {
    entry.upload?.stop();
    this.entries = this.entries.filter((other) => other !== entry);
    this.drawFiles();
    if (this.entries.length === 0) window.location.hash = "";
    else this.askSoon();
  }

  /** Ask what would be done; a later question makes an earlier one void. */
  async ask() {
    if (this.entries.length === 0 || this.isStarting) return;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    this.allow(false);
    try {
      await this.uploadLarge();
      if (asking.signal.aborted) return;
      showAsking(this.host, "asking");
      this.answered(await this.order.preflight(asking.signal));
    } catch (problem) {
      if (problem.name !== "AbortError" && !asking.signal.aborted) this.refused(problem);
    }
  }

  answered(estimate) {
    this.mark();
    showEstimate(this.host, estimate);
    this.heard.onFootprint(estimate);
    this.allow(true);
  }

  refused(problem) {
    showRefusal(this.host, problem);
    this.heard.onFootprint(null);
    this.allow(false);
    this.mark(problem);
    this.host.scrollIntoView({ block: "nearest" });
  }

  /** Mark the files that a problem names, and open the options where one of them mends it. */
  mark(problem = null) {
    const said = problem ? [problem.detail, ...problem.errors.map((error) => error.pointer ?? ""), ""].join(" ") : "";
    const fieldId = problem ? spoken(problem).field : "";
    for (const { row, file, role } of this.entries) {
      row.classList.toggle("is-faulty", said.includes(file.name) || said.includes(`#/${role} `));
    }
    for (const id of [...TYPED, "model"]) byId(id).toggleAttribute("aria-invalid", id === fieldId);
    if (TYPED.includes(fieldId)) byId(fieldId).closest("details").open = true;
  }

  allow(isAllowed) {
    byId("start").disabled = !isAllowed;
  }

  /** Large files go first, in pieces, each once. */
  async uploadLarge() {
    const large = this.entries.filter((entry) => entry.role !== "none" && isLarge(entry));
    if (large.every((entry) => entry.uploaded)) return;
    showAsking(this.host, "uploading");
    await Promise.all(
      large.map((entry) => uploadOnce(entry, (sent, isWaiting) => this.tellUpload(entry, sent, isWaiting))),
    );
  }

  tellUpload(entry, sent, isWaiting) {
    const part = Math.min(1, sent / entry.file.size);
    entry.meter.style.setProperty("--part", String(part));
    say(entry.note, () =>
      isWaiting ? t("network_away") : `${bytes(entry.file.size)} · ${percent(Math.floor(100 * part) / 100, 0)}`,
    );
  }

  async start() {
    const order = this.order;
    this.isStarting = true;
    this.allow(false);
    say(byId("start"), () => t("starting"));
    try {
      const job = await order.start();
      this.isStarted = true; // its uploads are the job's now
      this.heard.onStarted(job, order.line);
    } catch (problem) {
      this.refused(problem);
    } finally {
      this.isStarting = false;
      say(byId("start"), () => t("start"));
    }
  }
}

/** A name in two parts: the first gives way when there is no room, since names of sheets differ at their end. */
function halves(name) {
  const cut = Math.max(0, name.length - NAME_END);
  return [el("span", {}, name.slice(0, cut)), el("span", {}, name.slice(cut))];
}

function keyOf(model) {
  return `${model.id}@${model.version}`;
}

function modelWords(model) {
  return t("model_note", { bands: bandNames(model.bands), from: model.gsd_m.min, to: model.gsd_m.max });
}
