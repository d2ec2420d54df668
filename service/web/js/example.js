/** The server's own example, for those who have no orthophoto at hand. */

import { byId } from "./dom.js";
import { say, t } from "./i18n.js";
import { Order } from "./orders.js";

/** The button that orders a map of it. */
export class Example {
  /** @param {(job: object, line: string) => void} onStarted */
  constructor(onStarted) {
    this.onStarted = onStarted;
    this.button = byId("example");
    this.button.addEventListener("click", () => this.start());
    this.mark(false);
  }

  /** Show it where the server has one: beside the files as long as there is no map, small afterwards. */
  offer(isThere, hasMaps) {
    this.button.hidden = !isThere;
    this.button.classList.toggle("is-quiet", !hasMaps);
    this.button.classList.toggle("is-wide", !hasMaps);
    this.button.classList.toggle("is-link", hasMaps);
  }

  async start() {
    const order = new Order([], { source: "example" });
    this.mark(true);
    try {
      this.onStarted(await order.start(), order.line);
    } finally {
      this.mark(false);
    }
  }

  /** Only one order at a time. */
  mark(isStarting) {
    this.button.disabled = isStarting;
    say(this.button, () => t(isStarting ? "starting" : "example"));
  }
}
