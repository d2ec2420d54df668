/** The page's language: what is said through here follows the switch at once. */

import { STRINGS } from "./strings.js";

export const LANGUAGES = ["en", "fr"];

const REMEMBERED = "orthoscape.language";
const listeners = new Set();
const said = new WeakMap();

let current = remembered() ?? (navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en");

function remembered() {
  const language = window.localStorage.getItem(REMEMBERED);
  return LANGUAGES.includes(language) ? language : null;
}

/** "en" or "fr". */
export function language() {
  return current;
}

/**
 * A text of the page.
 *
 * @param {string} key Of `STRINGS`; with a `count` given, `key_one` is taken for one thing.
 * @param {Record<string, string | number>} [values] What stands in braces; numbers are written as the language does.
 */
export function t(key, values = {}) {
  const isOne = values.count !== undefined && isSingular(values.count);
  const pair = STRINGS[isOne && STRINGS[`${key}_one`] ? `${key}_one` : key];
  if (pair === undefined) throw new Error(`no text ${key}`);
  return pair[LANGUAGES.indexOf(current)].replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

function isSingular(count) {
  return new Intl.PluralRules(current).select(count) === "one";
}

function written(value) {
  return typeof value === "number" ? value.toLocaleString(current) : String(value ?? "");
}

/**
 * Let an element carry a text, now and after each change of language.
 *
 * @param {HTMLElement} node
 * @param {() => string} text
 * @param {string} [attribute] Instead of the element's content.
 */
export function say(node, text, attribute = "") {
  const texts = said.get(node) ?? new Map();
  texts.set(attribute, text);
  said.set(node, texts);
  node.setAttribute("data-said", "");
  speak(node, attribute, text());
  return node;
}

function speak(node, attribute, text) {
  if (attribute) node.setAttribute(attribute, text);
  else if (node.textContent !== text) node.textContent = text; // equal text is not read out again
}

/** Change the language, and remember it. */
export function setLanguage(wanted) {
  current = wanted;
  window.localStorage.setItem(REMEMBERED, wanted);
  translatePage();
  for (const listener of listeners) listener(wanted);
}

/** Call when the language has changed, for what `say` does not cover; the answer stops that. */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Write every text of the document in the current language. */
export function translatePage() {
  document.documentElement.lang = current;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", t(node.dataset.label));
    if (node.matches("button")) node.title = t(node.dataset.label);
  }
  for (const node of document.querySelectorAll("[data-said]")) {
    for (const [attribute, text] of said.get(node)) speak(node, attribute, text());
  }
}
