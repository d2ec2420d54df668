/** Maps made before, and jobs under way, to open again. */

import { byId, el, fill } from "./dom.js";
import { area, moment, percent } from "./format.js";
import { getJson, readable } from "./http.js";
import { say, t } from "./i18n.js";
import { isOver } from "./events.js";

const PAGE = 12;
const LOOK_AGAIN_MS = 4_000;
const MOST_SHEETS = 256; // all of them are opened for a thumbnail

/** The list on the first view. */
export class Recent {
  /** @param {(isThere: boolean, hasMaps: boolean) => void} onExample Called when it is known. */
  constructor(onExample) {
    this.onExample = onExample;
    this.next = "";
    this.timer = 0;
    byId("recent-more").addEventListener("click", () => this.load(true));
  }

  /** Read the newest, and again while something is under way and the list is seen. */
  async show() {
    this.hide();
    this.isSeen = true;
    await this.load(false);
  }

  hide() {
    this.isSeen = false;
    window.clearTimeout(this.timer);
  }

  async load(isMore) {
    const query = new URLSearchParams(isMore ? new URL(this.next).search : `limit=${PAGE}`);
    const page = await getJson(`jobs?${query}`, { cache: "no-store" });
    this.next = page.links.next?.href ?? "";
    const rows = page.jobs.map(jobRow);
    if (isMore) byId("recent").append(...rows);
    else fill(byId("recent"), ...rows);
    const hasMaps = byId("recent").childElementCount > 0;
    byId("recent-none").hidden = hasMaps;
    this.onExample("example" in page.links, hasMaps);
    byId("recent-more").hidden = this.next === "";
    window.clearTimeout(this.timer);
    if (this.isSeen && page.jobs.some((job) => !isOver(job)) && !isMore) {
      this.timer = window.setTimeout(() => this.load(false).catch(() => this.hide()), LOOK_AGAIN_MS);
    }
  }
}

/** The map as it stands; while it is made, its address changes as it does. */
function thumbnail(job) {
  const src = new URL(readable(`maps/${job.map.id}/thumbnail.png`));
  src.searchParams.set("v", `${job.blocks.done}-${job.status}`);
  return el("img", { src: src.href, alt: "", loading: "lazy" });
}

function jobRow(job) {
  const isDone = job.status === "successful";
  const thumb = el("span.thumb", { "aria-hidden": "true" });
  if (job.blocks.done > 0 && job.sheets.total <= MOST_SHEETS) thumb.append(thumbnail(job));
  const facts = say(el("span.recent-facts"), () =>
    [...nameBelow(job), area(job.area_km2 * 1e6), moment(job.finished ?? job.created)].join(" · "),
  );
  const state = isDone ? null : say(el(`span.status.is-${job.status}`), () => stateWords(job));
  const name = el("span.recent-name", { title: job.label }, job.label);
  const href = isDone ? `#map=${encodeURIComponent(job.map.id)}` : `#job=${encodeURIComponent(job.id)}`;
  const text = el("span.recent-text", {}, name, facts);
  return el("li", {}, el("a.recent-row", { href }, thumb, text, state));
}

/** The map's name, where a title stands in its place. */
export function nameBelow(job) {
  return job.label === job.map.name ? [] : [job.map.name];
}

function stateWords(job) {
  return job.status === "running" ? percent(Math.floor(job.progress) / 100, 0) : t(`status_${job.status}`);
}
