"""What a user sees and does, in words that tests can use."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Response

TIMEOUT_MS = 60_000

_PIXELS = """(kind) => {
  const byPlace = {};
  for (const picture of document.querySelectorAll(`.tile-${kind} img`)) {
    const side = 64;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.imageSmoothingEnabled = false;
    pen.drawImage(picture, 0, 0, side, side);
    const { data } = pen.getImageData(0, 0, side, side);
    const colours = {};
    let opaque = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] < 255) continue;
      const name = "#" + [0, 1, 2].map((i) => data[at + i].toString(16).padStart(2, "0")).join("");
      colours[name] = (colours[name] ?? 0) + 1;
      opaque += 1;
    }
    // While a tile is fetched anew, the old picture still lies under the new one: one of them counts.
    const { left, top, width } = picture.getBoundingClientRect();
    const place = [left, top, width].map(Math.round).join(" ");
    if (opaque >= (byPlace[place]?.opaque ?? 0)) byPlace[place] = { colours, opaque };
  }
  const counted = {};
  for (const { colours } of Object.values(byPlace))
    for (const [name, count] of Object.entries(colours)) counted[name] = (counted[name] ?? 0) + count;
  return counted;
}"""

_DROP = """async ([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type: "image/tiff" }));
  const target = document.elementFromPoint(innerWidth * 0.7, innerHeight * 0.3);
  for (const kind of ["dragenter", "dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried }));
  }
}"""

_WATCH_POLICY = """
  window.violations = [];
  const note = (event) => window.violations.push(event.violatedDirective);
  document.addEventListener("securitypolicyviolation", note);
"""


@dataclass
class Visit:
    """One look at the page."""

    page: Page
    url: str
    expected: set[int] = field(default_factory=set)
    """Statuses that the test provokes; the browser writes them into its console."""
    complaints: list[str] = field(default_factory=list)
    """What the console says of errors, scripts that broke, what the policy of the page forbade."""

    @classmethod
    @contextmanager
    def begin(cls, browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
        """Open the page in a fresh profile, in English unless told otherwise."""
        context = browser.new_context(
            **({"locale": "en-GB", "viewport": {"width": 1280, "height": 720}} | options)
        )
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(_WATCH_POLICY)
        page = context.new_page()
        visit = cls(page, url)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("response", visit._judge)
        page.on("console", lambda said: visit._hear(said.type, said.text))
        page.goto(url)
        yield visit
        visit.complaints += page.evaluate("window.violations")
        context.close()

    def _judge(self, answer: Response) -> None:
        if answer.status >= 400 and answer.status not in self.expected:
            self.complaints.append(f"{answer.status} {answer.url}")

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:  # those are judged as answers
            self.complaints.append(text)

    def choose(self, *files: Path) -> None:
        """Choose files, as with the button."""
        self.page.set_input_files("#file-input", [str(path) for path in files])

    def drop(self, path: Path, *, name: str | None = None) -> None:
        """Let a file fall onto the page."""
        content = base64.b64encode(path.read_bytes()).decode()
        self.page.evaluate(_DROP, [name or path.name, content])

    def open(self, part: str) -> None:
        """Go to what follows the # of the address."""
        self.page.goto(f"{self.url}#{part}")

    def take_model(self, model: str = "tiny-rgb@1.0.0") -> None:
        """Choose the model of an order, and await the answer of the preflight."""
        self.page.wait_for_selector(f"#model option[value='{model}']", state="attached")
        with self.page.expect_response("**/predict"):
            self.page.select_option("#model", model)
        self.page.wait_for_selector(".preflight.is-ready, .preflight.is-warned, .preflight.is-refused")

    def start(self) -> None:
        """Start what was ordered."""
        self.page.click("#start:enabled")
        self.page.wait_for_selector("#view-map:not([hidden])")

    def colours_once(
        self, is_seen: Callable[[dict[str, int]], bool], *, patience_ms: int = 20_000
    ) -> dict[str, int]:
        """Colours of the map's tiles as soon as they are as awaited, or as they are when patience ends."""
        for _ in range(patience_ms // 250):
            colours = self.colours()
            if is_seen(colours):
                return colours
            self.page.wait_for_timeout(250)
        return self.colours()

    def colours(self, kind: str = "classes") -> dict[str, int]:
        """Opaque pixels by colour of the tiles that are shown, sampled."""
        counted: dict[str, int] = self.page.evaluate(_PIXELS, kind)
        return counted

    def text(self, selector: str) -> str:
        """What is written there."""
        return self.page.inner_text(selector)
