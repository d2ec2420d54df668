/** What is asked of POST /predict: small files in it, large ones named by what they were uploaded as. */

import { address, send } from "./http.js";
import { LARGE_BYTES, Upload } from "./uploads.js";

/** An order: files by role, and options in the words of POST /predict. */
export class Order {
  /**
   * @param {{file: File, role: string, uploaded?: string}[]} entries
   * @param {Record<string, string | boolean>} options Empty ones are left out.
   */
  constructor(entries, options) {
    this.entries = entries.filter((entry) => entry.role !== "none");
    this.options = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== "" && value !== false));
  }

  /** What would be done: pixels, blocks, seconds, or a refusal. */
  preflight(signal) {
    return this.post({ ...this.options, dry_run: true }, signal);
  }

  /** The job. */
  start() {
    return this.post(this.options);
  }

  async post(options, signal) {
    const body = new FormData();
    for (const [name, value] of Object.entries(options)) body.append(name, String(value));
    for (const { file, role, uploaded } of this.entries) {
      if (uploaded) body.append(role === "file" ? "source" : role, uploaded);
      else body.append(role, file, file.name);
    }
    const answer = await send({ method: "POST", path: "predict", body, signal });
    return JSON.parse(answer.responseText);
  }

  /** The same order for a terminal. */
  get line() {
    const files = this.entries.map(({ file, role }) => `-F ${quoted(`${role}=@${file.name}`)}`);
    const said = Object.entries(this.options).map(([name, value]) => `-F ${quoted(`${name}=${value}`)}`);
    return ["curl", ...files, ...said, address("predict")].join(" ");
  }
}

/** Whether a file goes in pieces, before anything is asked. */
export function isLarge(entry) {
  return entry.role !== "aoi" && entry.file.size > LARGE_BYTES;
}

/** Send an entry's file in pieces, once; its `uploaded` names it afterwards. */
export function uploadOnce(entry, onProgress) {
  entry.upload ??= new Upload(entry.file, onProgress);
  entry.going ??= entry.upload.send().then((source) => {
    entry.uploaded = source;
  });
  return entry.going.catch((problem) => {
    entry.going = undefined; // it may be asked again
    throw problem;
  });
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
