/** Files come in: dropped anywhere on the page, or chosen. */

import { byId } from "./dom.js";

/** Hear of files, however they come. */
export function hearFiles(onFiles) {
  const input = byId("file-input");
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // the same file may be chosen again
    if (files.length) onFiles(files);
  });
  for (const id of ["choose", "files-add", "welcome"]) byId(id).addEventListener("click", () => input.click());
  hearDrops(onFiles);
}

function hearDrops(onFiles) {
  const veil = byId("veil");
  let depth = 0; // enter and leave come for every element that is crossed
  const show = () => veil.classList.toggle("is-open", depth > 0);
  window.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show();
  });
  window.addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    show();
  });
  window.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    depth = 0;
    show();
    if (!carriesFiles(event)) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files]);
  });
}

function carriesFiles(event) {
  return event.dataTransfer !== null && [...event.dataTransfer.types].includes("Files");
}
