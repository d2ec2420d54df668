/** What the service answers before anything is started: what would be done, or why it is refused. */

import { el, fill, icon } from "./dom.js";
import { area, bytes, duration, number, pixels } from "./format.js";
import { say, t } from "./i18n.js";
import { spoken, told } from "./told.js";

/** Waiting for an answer. */
export function showAsking(host, key) {
  host.className = "preflight is-asking";
  const text = say(el("h2.preflight-title", { id: "preflight-title" }), () => t(key));
  fill(host, text, el("span.sweep", { "aria-hidden": "true" }));
}

/** Nothing asked, nothing to say. */
export function showNothing(host) {
  host.className = "preflight";
  fill(host);
}

/** What would be done. */
export function showEstimate(host, estimate) {
  const { warnings, notes } = estimate;
  host.className = warnings.length ? "preflight is-warned" : "preflight is-ready";
  const title = el("h2.preflight-title", { id: "preflight-title" });
  say(title, () => (warnings.length ? t("ready_warned", { count: warnings.length }) : t("ready")));
  fill(
    host,
    el("div.preflight-head", {}, icon(warnings.length ? "warn" : "done"), title),
    figures(estimate),
    remarks(warnings, "warn"),
    remarks(notes, "note"),
    say(el("p.faint"), () => t("model_reads", { model: estimate.model, bands: bandNames(estimate.bands) })),
  );
}

function figures(estimate) {
  const list = el("dl.figures");
  const add = (key, text) => {
    const term = say(el("dt"), () => t(key));
    list.append(el("div", {}, term, say(el("dd"), text)));
  };
  add("area", () => area(estimate.area_km2 * 1e6));
  add("duration", () => (estimate.seconds === null ? t("unknown") : duration(estimate.seconds)));
  add("pixels", () => pixels(estimate.num_px));
  add("ground", () => `${number(estimate.gsd_m, 3)} m`);
  add("blocks", () => number(estimate.num_blocks));
  add("drift", () => {
    const { drift } = estimate;
    return drift ? t("drift_of", { value: number(drift.value, 2), threshold: number(drift.threshold, 2) }) : t("drift_unknown");
  });
  add("files_size", () => bytes(estimate.product_bytes));
  return list;
}

function remarks(texts, kind) {
  if (texts.length === 0) return null;
  return el(`ul.notes.is-${kind}`, {}, ...texts.map((text) => el("li", {}, icon(kind), say(el("span"), () => told(text)))));
}

/** Names of bands in the page's language. */
export function bandNames(roles) {
  return roles.map((role) => t(`band_${role}`)).join(", ");
}

/** Why not, and what to do. */
export function showRefusal(host, problem) {
  host.className = "preflight is-refused";
  const title = say(el("h2.preflight-title", { id: "preflight-title" }), () => t(problem.status === 0 ? "unreachable" : "refused"));
  fill(host, el("div.preflight-head", {}, icon("stop"), title), ...reasons(problem));
}

/** What is wrong, the service's own words with their values, and what to do. */
export function reasons(problem) {
  const parts = spoken(problem).fact ? [say(el("p.reason"), () => spoken(problem).fact)] : [];
  if (spoken(problem).detail) parts.push(el("p.detail", { lang: "en" }, problem.detail));
  for (const error of problem.errors ?? []) {
    const place = error.pointer ?? error.parameter ?? error.header;
    if (!problem.detail.includes(error.detail)) parts.push(el("p.detail", { lang: "en" }, `${place}: ${error.detail}`));
  }
  if (spoken(problem).remedy) {
    const label = say(el("span.remedy-label"), () => t("remedy"));
    parts.push(el("p.remedy", {}, label, say(el("span"), () => spoken(problem).remedy)));
  }
  return parts;
}
