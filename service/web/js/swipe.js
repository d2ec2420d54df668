/** A line across the map: classes to its right, the bare image to its left. */

import { byId } from "./dom.js";

/** The swipe of the stage; off until asked for. */
export class Swipe {
  constructor(chart) {
    this.chart = chart;
    this.host = byId("swipe");
    this.range = byId("swipe-range");
    this.range.addEventListener("input", () => this.clip());
    chart.on("move zoom resize viewreset", () => this.clip());
    byId("swipe-on").addEventListener("click", () => this.turn(!this.isOn));
    this.dragged();
  }

  get isOn() {
    return !this.host.hidden;
  }

  /** Switch it on or off. */
  turn(isOn) {
    this.host.hidden = !isOn;
    byId("swipe-on").setAttribute("aria-pressed", String(isOn));
    this.clip();
  }

  /** Cut the upper panes at the line; they move with the map, so the cut is told in their own pixels. */
  clip() {
    const { x: width, y: height } = this.chart.getSize();
    const at = (this.range.valueAsNumber / 100) * width;
    this.host.style.setProperty("--at", `${at}px`);
    const corner = this.chart.containerPointToLayerPoint([at, 0]);
    const end = this.chart.containerPointToLayerPoint([width, height]);
    const box = [
      [corner.x, corner.y],
      [end.x, corner.y],
      [end.x, end.y],
      [corner.x, end.y],
    ];
    const cut = `polygon(${box.map(([x, y]) => `${x}px ${y}px`).join(", ")})`;
    for (const name of ["classes", "confidence"]) this.chart.getPane(name).style.clipPath = this.isOn ? cut : "";
  }

  /** The handle is dragged by pointer; keys move the range itself. */
  dragged() {
    const line = this.host.querySelector(".swipe-line");
    const follow = (event) => {
      const frame = this.host.getBoundingClientRect();
      this.range.value = String((100 * (event.clientX - frame.left)) / frame.width);
      this.clip();
    };
    line.addEventListener("pointerdown", (event) => {
      line.setPointerCapture(event.pointerId);
      line.addEventListener("pointermove", follow);
    });
    line.addEventListener("pointerup", () => line.removeEventListener("pointermove", follow));
    line.addEventListener("pointercancel", () => line.removeEventListener("pointermove", follow));
  }
}
