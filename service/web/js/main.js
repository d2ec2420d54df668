/** The door of the page: one view at a time, as the address says. */

import { goTo, readAddress } from "./address.js";
import { Compose } from "./compose.js";
import { askForKey, toast } from "./dialogs.js";
import { byId, fill, keepsStill } from "./dom.js";
import { Example } from "./example.js";
import { address, onKeyNeeded } from "./http.js";
import { language, LANGUAGES, setLanguage, t, translatePage } from "./i18n.js";
import { hearFiles } from "./intake.js";
import { keepLine } from "./lines.js";
import { MapView } from "./mapview.js";
import { Recent } from "./recent.js";
import { copyRow } from "./sharing.js";
import { createStage } from "./stage.js";
import { inOneLine } from "./told.js";

const VIEWS = { home: "view-home", new: "view-compose", map: "view-map", job: "view-map" };

const stage = createStage();
const example = new Example(opened);
const recent = new Recent((isThere, hasMaps) => example.offer(isThere, hasMaps));
const mapView = new MapView(stage);
const compose = new Compose({
  onFootprint: (estimate) => {
    byId("welcome").hidden = estimate !== null;
    stage.footprint(estimate?.outline ?? null, "is-planned");
    if (estimate !== null) stage.fit(estimate.bounds);
  },
  onStarted: opened,
});

let shown = "";

/** A job was ordered: look at it. */
function opened(job, line) {
  keepLine(job.id, line);
  if (job.deduplicated) toast(t("deduplicated"));
  goTo("job", job.id);
}

function show(view) {
  for (const id of new Set(Object.values(VIEWS))) byId(id).hidden = id !== VIEWS[view];
  document.body.dataset.view = view;
  byId("welcome").hidden = view === "map" || view === "job";
  byId("panel").scrollTop = 0;
  if (shown) byId("panel").focus({ preventScroll: true }); // readers of the page go where it went
  shown = view;
}

async function open() {
  const { view, id } = readAddress();
  if (view === "new" && compose.entries.length === 0) {
    goTo("home"); // files do not outlive the page
    return;
  }
  recent.hide();
  mapView.close();
  if (view !== "new") compose.clear();
  show(view);
  try {
    if (view === "home") await recent.show();
    if (view === "map") await mapView.openMap(id);
    if (view === "job") await mapView.openJob(id);
  } catch (problem) {
    toast(inOneLine(problem));
    if (view !== "home") goTo("home");
  }
}

function markLanguage() {
  for (const tongue of LANGUAGES) byId(`to-${tongue}`).setAttribute("aria-pressed", String(tongue === language()));
}

for (const tongue of LANGUAGES) {
  byId(`to-${tongue}`).addEventListener("click", () => {
    setLanguage(tongue);
    markLanguage();
  });
}

window.addEventListener("hashchange", open);
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "Problem") return;
  event.preventDefault();
  toast(inOneLine(event.reason));
});
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // its address is not one of the page's views
  byId("panel").focus();
});
for (const link of document.querySelectorAll(".section-link")) {
  link.addEventListener("click", () => {
    const heading = byId(link.dataset.to);
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ behavior: keepsStill() ? "auto" : "smooth", block: "start" });
  });
}
byId("compose-close").addEventListener("click", () => goTo("home"));
onKeyNeeded(askForKey);
hearFiles((files) => {
  goTo("new");
  compose.add(files);
});

if (window.matchMedia("(hover: none)").matches) {
  byId("invite").dataset.text = "invite_touch"; // nothing can be dropped where fingers are all there is
  byId("home-lead").dataset.text = "home_lead_touch";
  byId("choose").dataset.text = "invite_touch";
}
markLanguage();
translatePage();
fill(byId("home-line"), copyRow("curl", `curl -F file=@ortho.tif ${address("predict")}`));
open();
