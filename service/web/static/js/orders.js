/** What is asked of POST /predict, and how: with the files in it, or naming what was uploaded before. */

import { address, postJson, send } from "./http.js";
import { LARGE_BYTES, Upload } from "./uploads.js";

/**
 * An order: files by role, and options in the words of POST /predict.
 *
 * Large files are uploaded once, and the preflight and the start both name them.
 */
export class Order {
  /**
   * @param {{file: File, role: string}[]} entries
   * @param {Record<string, string | boolean>} options Empty ones are left out.
   */
  constructor(entries, options) {
    this.entries = entries.filter((entry) => entry.role !== "none");
    this.options = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== "" && value !== false));
  }

  /** Whether the files go in pieces, before anything else. */
  get isLarge() {
    return this.entries.some((entry) => entry.file.size > LARGE_BYTES);
  }

  /** What would be done: pixels, blocks, seconds, or a refusal. */
  preflight(signal) {
    return this.post({ ...this.options, dry_run: true }, {}, signal);
  }

  /** The job. */
  start(onSent) {
    return this.post(this.options, { onSent }, undefined);
  }

  async post(options, { onSent }, signal) {
    if (this.isLarge) return postJson("predict", { ...options, ...(await this.sources()) }, { signal });
    const body = new FormData();
    for (const [name, value] of Object.entries(options)) body.append(name, String(value));
    for (const { file, role } of this.entries) body.append(role, file, file.name);
    const answer = await send({ method: "POST", path: "predict", body, onSent, signal });
    return JSON.parse(answer.responseText);
  }

  async sources() {
    const named = {};
    for (const entry of this.entries) {
      if (entry.role === "aoi") named.aoi = JSON.parse(await entry.file.text());
      else named[entry.role === "file" ? "source" : entry.role] = entry.uploaded;
    }
    return named;
  }

  /** The same order for a terminal. */
  get line() {
    const parts = this.entries.map(({ file, role }) => `-F ${quoted(`${role}=@${file.name}`)}`);
    const said = Object.entries(this.options).map(([name, value]) => `-F ${quoted(`${name}=${value}`)}`);
    return ["curl", ...parts, ...said, address("predict")].join(" ");
  }
}

/** Send an entry's file in pieces; its `uploaded` names it afterwards. */
export function uploadEntry(entry, onProgress) {
  entry.upload = new Upload(entry.file, onProgress);
  return entry.upload.send().then((source) => {
    entry.uploaded = source;
    return source;
  });
}

/** Words of a shell command, quoted where a shell would trip. */
export function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
