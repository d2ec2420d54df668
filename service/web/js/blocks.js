/** Blocks drawn over the map: waiting ones as a faint lattice, each vanishing as it settles. */

import { keepsStill } from "./dom.js";
import { L } from "./leaflet.js";
import { ringOf } from "./stage.js";

const MOST_DRAWN = 1_500; // a lattice finer than this tells no one anything
const GLOW_MS = 900;

/** The lattice of one job on the map. */
export class BlockLattice {
  constructor(chart) {
    this.chart = chart;
    this.drawn = new Map();
    this.group = L.layerGroup().addTo(chart);
  }

  /** Draw those that are not done yet. */
  show(blocks) {
    this.clear();
    if (blocks.length > MOST_DRAWN) return;
    for (const block of blocks) {
      if (block.status !== "done" && block.outline) this.drawn.set(keyOf(block), this.outline(block));
    }
  }

  outline(block) {
    return L.polygon(ringOf(block.outline), {
      pane: "outlines",
      smoothFactor: 0,
      interactive: false,
      className: `lattice ${block.status === "failed" ? "is-failed" : ""}`.trim(),
    }).addTo(this.group);
  }

  /** Blocks that settled: their outline glows once and goes. */
  settle(blocks) {
    for (const block of blocks) {
      const outline = this.drawn.get(keyOf(block));
      if (block.status === "failed" || !outline) continue;
      this.drawn.delete(keyOf(block));
      outline.getElement()?.classList.add("is-settled");
      window.setTimeout(() => outline.remove(), keepsStill() ? 0 : GLOW_MS);
    }
  }

  clear() {
    this.drawn.clear();
    this.group.clearLayers();
  }
}

function keyOf(block) {
  return `${block.sheet}/${block.name}`;
}
