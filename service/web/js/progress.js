/** A job while it goes, and what is said of one that did not end well. */

import { byId, el, fill, icon } from "./dom.js";
import { area, areaOf, duration, number, percent } from "./format.js";
import { say, t } from "./i18n.js";
import { reasons } from "./preflight.js";
import { told } from "./told.js";

/** The service's line that counts blocks. */
const COUNTED = /^\d+ of \d+ blocks are done$/;

const SPOKEN_STEP = 10; // percent between announcements to screen readers

/** The part of the panel that follows one job. */
export class Progress {
  /** @param {{onCancel: () => void, onResume: () => void}} asked */
  constructor(asked) {
    this.asked = asked;
    this.host = byId("progress");
    this.shownAs = "";
    this.spoken = -1;
  }

  /** Show a job as it is now. */
  show(job) {
    const kind = kindOf(job);
    this.host.hidden = kind === "done";
    if (kind !== this.shownAs) this.begin(kind);
    if (kind === "going") this.update(job);
    if (kind === "broken") this.explain(job);
    this.announce(job);
  }

  begin(kind) {
    this.shownAs = kind;
    this.host.className = `progress is-${kind}`;
    fill(this.host);
    if (kind !== "going") return;
    this.bar = el("div.progress-bar", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 });
    say(this.bar, () => t("progress"), "aria-label");
    this.percent = el("span.progress-percent");
    this.left = el("span.progress-left");
    this.counts = el("dl.progress-counts");
    this.message = el("p.progress-message");
    const cancel = el("button.button.is-quiet.is-small", { type: "button", id: "cancel", on: { click: this.asked.onCancel } });
    fill(
      this.host,
      el("div.progress-head", {}, this.percent, this.left, say(cancel, () => t("cancel"))),
      this.bar,
      this.counts,
      this.message,
    );
  }

  update(job) {
    const done = Math.floor(job.progress);
    this.bar.setAttribute("aria-valuenow", String(done));
    this.bar.style.setProperty("--part", String(job.progress / 100));
    this.bar.classList.toggle("is-waiting", job.status === "accepted");
    say(this.percent, () => percent(done / 100, 0));
    say(this.left, () => (job.seconds_left === null ? "" : t("left", { time: duration(job.seconds_left) })));
    fill(this.counts, ...countPairs(job));
    // What the counter above says already is not said twice.
    const message = COUNTED.test(job.message) ? "" : job.message;
    say(this.message, () => told(message));
  }

  /** The line to the service is cut, or is there again. */
  trouble(problem) {
    this.host.classList.toggle("is-cut", problem !== null);
    if (problem !== null && this.message) say(this.message, () => t("stream_cut"));
  }

  explain(job) {
    const isFailed = job.status === "failed";
    const title = say(el("h2.preflight-title"), () => t(isFailed ? "failed" : "dismissed"));
    const problem = { detail: isFailed ? job.error || job.message : "", remedy: job.remedy, errors: [] };
    const resume = el("button.button.is-main", { type: "button", id: "resume", on: { click: this.asked.onResume } });
    fill(
      this.host,
      el("div.preflight-head", {}, icon("stop"), title),
      ...reasons(problem),
      say(el("p.faint"), () => t("kept", { count: job.blocks.done, total: job.blocks.total })),
      say(resume, () => t("resume")),
    );
  }

  announce(job) {
    const step = kindOf(job) === "going" ? Math.floor(job.progress / SPOKEN_STEP) : job.status;
    if (step === this.spoken) return;
    const isFirst = this.spoken === -1;
    this.spoken = step;
    if (isFirst) return;
    byId("announce").textContent =
      kindOf(job) === "going"
        ? t("spoken_progress", { percent: step * SPOKEN_STEP })
        : `${job.label}: ${t(`status_${job.status}`)}`;
  }
}

function kindOf(job) {
  if (job.status === "successful") return "done";
  return job.status === "failed" || job.status === "dismissed" ? "broken" : "going";
}

function countPairs(job) {
  const { done, total, failed } = job.blocks;
  const part = job.progress / 100;
  const whole_m2 = job.area_km2 * 1e6;
  const pairs = [
    ["blocks", () => `${number(done)} / ${number(total)}`],
    ["area", () => areaOf(whole_m2 * part, whole_m2)],
  ];
  if (failed > 0) pairs.push(["blocks_failed", () => number(failed)]);
  else if (job.seconds_left > 0 && part > 0) {
    pairs.push(["rate", () => t("a_minute", { area: area((whole_m2 * (1 - part) * 60) / job.seconds_left) })]);
  }
  return pairs.map(([key, text]) => el("div", {}, say(el("dt"), () => t(key)), say(el("dd"), text)));
}
