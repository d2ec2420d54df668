/** Large files go in pieces (tus 1.0): a broken connection costs a piece, a closed page nothing. */

import { Problem, request, send } from "./http.js";

/** Files above this go in pieces; smaller ones go with the request itself. */
export const LARGE_BYTES = 24 * 2 ** 20;

const PIECE_BYTES = 16 * 2 ** 20;
const LONGEST_PAUSE_MS = 30_000;
const TUS = { "Tus-Resumable": "1.0.0" };

/** One file on its way to the service. */
export class Upload {
  /**
   * @param {File} file
   * @param {(bytes: number, isWaiting: boolean) => void} onProgress Waiting: the network is away.
   */
  constructor(file, onProgress) {
    this.file = file;
    this.onProgress = onProgress;
    this.stopping = new AbortController();
    this.place = "";
  }

  /**
   * Send what the service does not have yet.
   *
   * @returns {Promise<string>} The source to name in a request: "upload:…".
   * @throws {Problem} When the service refuses; a network that is away is waited for.
   */
  async send() {
    let pause_ms = 500;
    let offset = await this.begin();
    while (offset < this.file.size) {
      try {
        offset = await this.sendPiece(offset);
        pause_ms = 500;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.onProgress(offset, true);
        await pause(pause_ms, this.stopping.signal);
        pause_ms = Math.min(2 * pause_ms, LONGEST_PAUSE_MS);
        offset = await this.reached().catch(() => offset);
      }
    }
    window.localStorage.removeItem(this.trace);
    return `upload:${this.place.replace(/\/+$/, "").split("/").pop()}`;
  }

  /** Stop, and let the service forget what it has. */
  async stop() {
    this.stopping.abort();
    window.localStorage.removeItem(this.trace);
    if (this.place) await request(this.place, { method: "DELETE", headers: TUS }).catch(() => null);
  }

  /** Under this name the browser remembers where the file was going. */
  get trace() {
    return `orthoscape.upload.${this.file.name}.${this.file.size}.${this.file.lastModified}`;
  }

  async begin() {
    this.place = window.localStorage.getItem(this.trace) ?? "";
    const offset = this.place ? await this.reached().catch(() => -1) : -1;
    if (offset >= 0) return offset;
    const answer = await request("uploads", {
      method: "POST",
      signal: this.stopping.signal,
      headers: {
        ...TUS,
        "Upload-Length": String(this.file.size),
        "Upload-Metadata": `filename ${base64(this.file.name)}`,
      },
    });
    this.place = ownPath(answer.headers.get("Location"));
    window.localStorage.setItem(this.trace, this.place);
    return 0;
  }

  async reached() {
    const answer = await request(this.place, { method: "HEAD", headers: TUS, signal: this.stopping.signal });
    return Number(answer.headers.get("Upload-Offset"));
  }

  async sendPiece(offset) {
    const answer = await send({
      method: "PATCH",
      path: this.place,
      body: this.file.slice(offset, offset + PIECE_BYTES),
      headers: { ...TUS, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
      onSent: (sent) => this.onProgress(offset + sent, false),
      signal: this.stopping.signal,
    });
    return Number(answer.getResponseHeader("Upload-Offset"));
  }
}

/** Trouble that waiting mends: no network, a proxy's hiccup, a piece that crossed another. */
function isPassing(error) {
  return error instanceof Problem && [0, 409, 429, 502, 503, 504].includes(error.status);
}

/** The part of an absolute address that follows the page's own place. */
function ownPath(location) {
  const path = new URL(location, document.baseURI).pathname;
  return path.slice(path.lastIndexOf("/uploads/") + 1);
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function pause(duration_ms, signal) {
  return new Promise((resolve, reject) => {
    const wake = () => {
      window.clearTimeout(timer);
      window.removeEventListener("online", wake);
      if (signal.aborted) reject(new DOMException("aborted", "AbortError"));
      else resolve();
    };
    const timer = window.setTimeout(wake, duration_ms);
    window.addEventListener("online", wake);
    signal.addEventListener("abort", wake);
  });
}
