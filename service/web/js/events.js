/** A job as it goes: the service's stream of events, or a look every few seconds where that is cut. */

import { getJson, Problem, request } from "./http.js";

const TERMINAL = new Set(["successful", "failed", "dismissed"]);
const POLL_MS = 3_000;
const RETRY_MS = 1_500;
const STREAM_TRIES = 3;

/** Whether nothing more will happen to a job unless someone asks for it. */
export function isOver(job) {
  return TERMINAL.has(job.status);
}

/**
 * Follow a job to its end.
 *
 * @param {string} id
 * @param {{onJob: (job: object) => void, onBlocks: (blocks: object[] | null) => void,
 *          onTrouble: (problem: Error | null) => void}} heard Blocks are null when some settled, no one knows which.
 * @returns {() => void} Stops following.
 */
export function followJob(id, heard) {
  const stopping = new AbortController();
  follow(id, heard, stopping.signal).catch((error) => {
    if (!stopping.signal.aborted) heard.onTrouble(error);
  });
  return () => stopping.abort();
}

async function follow(id, heard, signal) {
  const state = { lastId: "", isOver: false, failures: 0 };
  while (!state.isOver && !signal.aborted) {
    try {
      if (state.failures < STREAM_TRIES) await listen(id, heard, signal, state);
      else await poll(id, heard, signal, state);
    } catch (error) {
      if (signal.aborted || (error instanceof Problem && error.status === 404)) throw error;
      state.failures += 1;
      heard.onTrouble(error);
    }
    if (!state.isOver) await rest(state.failures < STREAM_TRIES ? RETRY_MS : POLL_MS, signal);
  }
}

/** Read the stream until it ends; fetch rather than EventSource, which can send no key. */
async function listen(id, heard, signal, state) {
  const answer = await request(`jobs/${id}/events`, {
    signal,
    cache: "no-store",
    headers: { Accept: "text/event-stream", ...(state.lastId ? { "Last-Event-ID": state.lastId } : {}) },
  });
  for await (const event of eventsOf(answer.body)) {
    state.failures = 0;
    heard.onTrouble(null);
    if (event.id) state.lastId = event.id;
    tell(event, heard, state);
    if (state.isOver) return;
  }
  state.failures += 1; // a stream that ends before its job was cut by something in between
}

function tell(event, heard, state) {
  if (event.name === "end") state.isOver = true;
  if (!event.data) return;
  const data = JSON.parse(event.data);
  if (event.name === "blocks") heard.onBlocks(data.blocks);
  if (event.name === "job") heard.onJob(data);
}

async function poll(id, heard, signal, state) {
  const job = await getJson(`jobs/${id}`, { signal, cache: "no-store" });
  heard.onTrouble(null);
  heard.onBlocks(null);
  heard.onJob(job);
  state.isOver = isOver(job);
}

/** Cut a byte stream into events (HTML Living Standard, 9.2.6). */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text = (text + value).replaceAll("\r\n", "\n");
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) yield eventOf(part);
  }
}

function eventOf(part) {
  const event = { name: "message", id: "", data: "" };
  const lines = [];
  for (const line of part.split("\n")) {
    const [, field, value] = /^(\w*):? ?(.*)$/.exec(line) ?? [];
    if (field === "event") event.name = value;
    if (field === "id") event.id = value;
    if (field === "data") lines.push(value);
  }
  event.data = lines.join("\n");
  return event;
}

function rest(duration_ms, signal) {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, duration_ms);
    signal.addEventListener("abort", () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
