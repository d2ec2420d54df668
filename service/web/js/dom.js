/** Elements made without markup: every text that comes from a server enters as text. */

/**
 * Make an element.
 *
 * @param {string} tag Name, with classes after dots: "p.note".
 * @param {Record<string, unknown>} [given] Attributes; `on` holds listeners, `style` custom properties.
 * @param {...(Node | string | null | undefined)} children Those that are null are left out.
 * @returns {HTMLElement}
 */
export function el(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  made.classList.add(...classes);
  for (const [key, value] of Object.entries(given)) set(made, key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function set(made, key, value) {
  if (key === "on") {
    for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
  } else if (key === "style") {
    for (const [property, text] of Object.entries(value)) made.style.setProperty(property, text);
  } else if (value === true) {
    made.setAttribute(key, "");
  } else if (value !== false && value !== null && value !== undefined) {
    made.setAttribute(key, String(value));
  }
}

/** The one element of an id; a page without it is broken, and says so. */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** Put children in place of those that are there. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  return parent;
}

const ICONS = "http://www.w3.org/2000/svg";

/** A small drawing from the page's own sprite; decoration, so hidden from screen readers. */
export function icon(name) {
  const drawing = document.createElementNS(ICONS, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(ICONS, "use");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}

/** Whether the reader asked for a page that keeps still. */
export function keepsStill() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Call once, after the last of a burst of calls. */
export function settled(action, pause_ms) {
  let waiting = 0;
  return (...given) => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => action(...given), pause_ms);
  };
}

/** Call at most once in a while, and once more after the last call of a burst. */
export function paced(action, pause_ms) {
  let waiting = 0;
  return () => {
    if (waiting) return;
    waiting = window.setTimeout(() => {
      waiting = 0;
      action();
    }, pause_ms);
  };
}
