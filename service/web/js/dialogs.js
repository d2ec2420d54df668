/** What interrupts: a question before something is lost, the key that the service asks for, a word of trouble. */

import { byId } from "./dom.js";
import { keepKey, key } from "./http.js";
import { say, t } from "./i18n.js";
import { spoken } from "./told.js";

const TOAST_MS = 6_000;

/**
 * Ask before something that cannot be taken back.
 *
 * @param {{title: string, text: string, yes: string, no: string}} keys Of texts.
 * @returns {Promise<boolean>}
 */
export function confirmed(keys) {
  const dialog = byId("ask");
  say(byId("ask-title"), () => t(keys.title));
  say(byId("ask-text"), () => t(keys.text));
  say(byId("ask-yes"), () => t(keys.yes));
  say(byId("ask-no"), () => t(keys.no));
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

let asking = null;

/** Ask for an API key; everyone who needs one waits for the same answer. */
export function askForKey(problem) {
  asking ??= askOnce(problem).finally(() => {
    asking = null;
  });
  return asking;
}

function askOnce(problem) {
  const dialog = byId("key-dialog");
  const trouble = byId("key-trouble");
  say(trouble, () => spoken(problem).fact);
  trouble.hidden = key() === ""; // without a key, none was wrong
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve, reject) => {
    const closed = () => {
      const given = byId("key").value.trim();
      byId("key").value = "";
      if (dialog.returnValue !== "yes") reject(problem);
      else resolve(keepKey(given));
    };
    dialog.addEventListener("close", closed, { once: true });
  });
}

let hiding = 0;

/** Say what went wrong, for a while. */
export function toast(text) {
  const host = byId("toast");
  host.textContent = text;
  host.hidden = false;
  window.clearTimeout(hiding);
  hiding = window.setTimeout(() => {
    host.hidden = true;
  }, TOAST_MS);
}
