/** Command lines of jobs that this browser started, so that they can be shown again. */

const KEPT = "orthoscape.lines";
const MOST = 50;

/** The line of a job, or "". */
export function lineOf(jobId) {
  return all().find(([id]) => id === jobId)?.[1] ?? "";
}

/** Keep the line of a job; the oldest make room. */
export function keepLine(jobId, line) {
  const others = all().filter(([id]) => id !== jobId);
  window.localStorage.setItem(KEPT, JSON.stringify([[jobId, line], ...others].slice(0, MOST)));
}

function all() {
  try {
    return JSON.parse(window.localStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}
