/** The part of the address after "#": what is open, so that it can be sent to someone or opened again. */

/**
 * What the address asks for.
 *
 * @returns {{view: "home" | "new" | "map" | "job", id: string}}
 */
export function readAddress() {
  const asked = new URLSearchParams(window.location.hash.slice(1));
  for (const view of ["map", "job"]) {
    const id = asked.get(view);
    if (id) return { view, id };
  }
  return { view: asked.has("new") ? "new" : "home", id: "" };
}

/** Open a view by its address, as a step that the browser's back button takes back. */
export function goTo(view, id = "") {
  const part = view === "home" ? "" : view === "new" ? "new" : `${view}=${encodeURIComponent(id)}`;
  if (window.location.hash.slice(1) !== part) window.location.hash = part;
}
