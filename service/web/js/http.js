/** Requests to the service that served the page: its key, its language, its problems. */

import { language } from "./i18n.js";

const KEPT_KEY = "orthoscape.key";

/** An answer that is no success, in the words of RFC 9457. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when no answer came.
   * @param {{type?: string, title?: string, detail?: string, remedy?: string, errors?: object[]}} said
   */
  constructor(status, said) {
    super(said.detail || said.title || `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.kind = (said.type ?? "").split(":").at(-1);
    this.title = said.title ?? "";
    this.detail = said.detail ?? "";
    this.remedy = said.remedy ?? "";
    this.errors = said.errors ?? [];
  }
}

let asksForKey = null;

/** Say who asks the reader for an API key; it answers a promise that holds once one was given. */
export function onKeyNeeded(ask) {
  asksForKey = ask;
}

/** The API key of this tab, or "". */
export function key() {
  return window.sessionStorage.getItem(KEPT_KEY) ?? "";
}

/** Keep a key while the tab is open; "" forgets it. */
export function keepKey(given) {
  if (given) window.sessionStorage.setItem(KEPT_KEY, given);
  else window.sessionStorage.removeItem(KEPT_KEY);
}

/** An address of the service, wherever the page is mounted. */
export function address(path) {
  return new URL(path.replace(/^\//, ""), document.baseURI).href;
}

/** The same with the key in it, for what cannot send headers: images and downloads. */
export function readable(path) {
  const made = new URL(address(path));
  if (key()) made.searchParams.set("key", key());
  return made.href;
}

/** Headers that go with every request. */
export function headers(more = {}) {
  const made = { "Accept-Language": language(), ...more };
  if (key()) made["X-API-Key"] = key();
  return made;
}

/**
 * Fetch, and ask for a key once where one is needed.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} Of success.
 * @throws {Problem}
 */
export async function request(path, options = {}) {
  const answer = await reach(path, options);
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (answer.status === 401 && asksForKey !== null) {
    await asksForKey(problem);
    return request(path, options);
  }
  throw problem;
}

async function reach(path, options) {
  try {
    return await fetch(address(path), { ...options, headers: headers(options.headers) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { title: error.message });
  }
}

async function problemOf(answer) {
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  return new Problem(answer.status, isJson ? await answer.json() : { title: answer.statusText });
}

/** GET JSON. */
export async function getJson(path, options = {}) {
  return (await request(path, options)).json();
}

/** Send JSON, get JSON. */
export async function postJson(path, body, options = {}) {
  const sent = {
    ...options,
    method: "POST",
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: body === undefined ? options.headers : { "Content-Type": "application/json", ...options.headers },
  };
  return (await request(path, sent)).json();
}

/**
 * Send a body and hear how far it has gone, which fetch cannot tell.
 *
 * @param {{method: string, path: string, body: BodyInit, headers?: object, onSent?: (bytes: number) => void,
 *          signal?: AbortSignal}} order
 * @returns {Promise<XMLHttpRequest>} Of success.
 * @throws {Problem}
 */
export function send(order) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open(order.method, address(order.path));
    for (const [name, value] of Object.entries(headers(order.headers))) sending.setRequestHeader(name, value);
    sending.upload.addEventListener("progress", (event) => order.onSent?.(event.loaded));
    sending.addEventListener("load", () => {
      if (sending.status < 400) resolve(sending);
      else reject(new Problem(sending.status, parsed(sending.responseText)));
    });
    sending.addEventListener("error", () => reject(new Problem(0, {})));
    sending.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    order.signal?.addEventListener("abort", () => sending.abort());
    sending.send(order.body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
