/** What interrupts: a question before something is lost, the key that the service asks for, a word of trouble. */

import { byId } from "./dom.js";
import { keepKey } from "./http.js";
import { say, t } from "./i18n.js";

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
  asking ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    const trouble = byId("key-trouble");
    trouble.textContent = problem.detail;
    trouble.hidden = !window.sessionStorage.getItem("orthoscape.key");
    dialog.showModal();
    byId("key-form").addEventListener(
      "submit",
      () => {
        keepKey(byId("key").value.trim());
        byId("key").value = "";
        asking = null;
        resolve();
      },
      { once: true },
    );
  });
  return asking;
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
