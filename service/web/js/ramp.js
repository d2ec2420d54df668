/** The legend of confidence: its ramp from doubtful to sure, with percents. */

import { el, fill } from "./dom.js";
import { percent } from "./format.js";
import { say, t } from "./i18n.js";

/** Percent and colour, between which tiles of confidence are coloured. */
const STOPS = [
  [0, "#67001f"],
  [40, "#d6604d"],
  [60, "#f7d9c4"],
  [80, "#7fb8da"],
  [100, "#053061"],
];
const TICKS = [0, 20, 40, 60, 80, 100];

/** Draw the ramp into its place. */
export function drawRamp(host) {
  const colours = STOPS.map(([at, colour]) => `${colour} ${at}%`).join(", ");
  const ticks = TICKS.map((at) =>
    say(el("span.ramp-tick", { style: { "--at": `${at}%` } }), () => percent(at / 100, 0)),
  );
  fill(
    host,
    el("div.ramp-words", {}, say(el("span"), () => t("doubtful")), say(el("span"), () => t("sure"))),
    el("div.ramp-bar", { "aria-hidden": "true", style: { "--ramp": `linear-gradient(to right, ${colours})` } }),
    el("div.ramp-ticks", {}, ...ticks),
    say(el("p.faint"), () => t("confidence_note")),
  );
}
