"""An orthophoto handed to our own server over its own interface, and its map shown in a browser."""

from __future__ import annotations

import json
import os
import sys
import threading
import urllib.error
import urllib.request
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.errors import JobError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_TERMINAL = ("successful", "failed", "dismissed")
_LOOK_S = 0.5
_REQUEST_S = 600.0
"""Reading the facts of many large files takes its time."""
_START_S = 120.0
"""Longest that the server may take to answer its first request."""


class NotTaken(JobError):
    """The server did not take the orthophoto."""


class ServerSilent(Unavailable):
    """The server does not answer."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended."""

    is_successful: bool
    message: str


class OwnMap(threading.Thread):
    """Submits orthophotos once the server answers, shows the page, and follows the job to its end.

    A thread beside that of the house, which must never wait.
    """

    def __init__(
        self, server: str, paths: Sequence[Path], *, options: dict[str, str], tell: Callable[[str], None]
    ) -> None:
        """Prepare.

        Args:
            server: Address of the server, without a slash at its end.
            paths: Orthophotos that the server may read.
            options: Fields of POST /predict beside the sources.
            tell: Called with lines for the user.
        """
        super().__init__(name="own map", daemon=True)
        self._server, self._tell = server, tell
        self._fields = {"source": [str(path.resolve()) for path in paths], **options}
        self._is_stopped = threading.Event()
        self.outcome: Outcome | None = None
        """Set once the job is over, or could not begin."""

    def stop(self) -> None:
        """Follow the job no longer."""
        self._is_stopped.set()

    def run(self) -> None:
        """See `threading.Thread`."""
        try:
            self._await_server()
            job = self._ask("/predict", self._fields)
            self._show(job)
            while job["status"] not in _TERMINAL and not self._is_stopped.wait(_LOOK_S):
                job = self._ask(f"/jobs/{job['id']}")
        except (JobError, Unavailable) as error:
            self.outcome = Outcome(is_successful=False, message=f"{error.message}; {error.remedy}")
            return
        message = job.get("error") or job["message"]
        self.outcome = Outcome(is_successful=job["status"] == "successful", message=message)

    def _await_server(self) -> None:
        for _ in range(round(_START_S / _LOOK_S)):
            try:
                self._ask("/healthz")
            except ServerSilent:
                if self._is_stopped.wait(_LOOK_S):
                    return
            else:
                return
        raise ServerSilent(f"{self._server} does not answer", remedy="its log says why: orthoscape -v serve")

    def _show(self, job: dict[str, Any]) -> None:
        page = f"{self._server}/#map={job['map']['id']}"
        self._tell(f"watch the map appear at {page}")
        if (
            sys.platform in ("darwin", "win32")
            or os.environ.get("DISPLAY")
            or os.environ.get("WAYLAND_DISPLAY")
        ):
            webbrowser.open(page)

    def _ask(self, path: str, fields: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  JSON
        """GET, or POST fields.

        Raises:
            NotTaken: The server refuses.
            ServerSilent: It does not answer.
        """
        request = urllib.request.Request(  # noqa: S310  our own address
            self._server + path,
            data=None if fields is None else json.dumps(fields).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_REQUEST_S) as answer:  # noqa: S310  our own address
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read() or b"{}")
            raise NotTaken(
                f"{problem.get('detail', error.reason)}", remedy=problem.get("remedy") or "see the log"
            ) from error
        except OSError as error:
            raise ServerSilent(f"{self._server} does not answer: {error}", remedy="start it again") from error
