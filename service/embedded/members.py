"""One process of a house: started, restarted after a while, ended."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXIT_REFUSED = 78
"""How a member ends that would only end again: its settings have to be changed first (EX_CONFIG)."""

_STEADY_S = 10.0
"""A member that lived this long is started again at once."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a member is to run."""

    name: str
    """For logs, such as ``worker 1``."""
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to that of this process."""
    descriptors: tuple[int, ...] = ()
    """Open files that it inherits."""
    patience_s: float = 20.0
    """How long it may take to end when asked to."""


class Member:
    """The process that plays a role, or its successor."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause_s = 0.0

    @property
    def pid(self) -> int | None:
        """Of the process; None before the first."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the process, out of reach of the terminal's Ctrl-C: the house says who ends when."""
        self._started = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603  our own commands
            list(self.role.command),
            env=os.environ | dict(self.role.environment),
            pass_fds=self.role.descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        _log.info("started", extra={"member": self.role.name, "member_pid": self._process.pid})

    def revive(self) -> None:
        """Start it again if it has ended: at once after a steady life, ever later after short ones."""
        if self.exit_code is None:
            return
        lived_s = time.monotonic() - self._started
        if self._pause_s == 0.0 or lived_s >= _STEADY_S + self._pause_s:
            _log.warning("ended", extra={"member": self.role.name, "exit_code": self.exit_code})
            self._pause_s = _FIRST_PAUSE_S
            self.start()
        elif lived_s >= self._pause_s:
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            _log.warning("ended again", extra={"member": self.role.name, "exit_code": self.exit_code})
            self.start()

    def ask_to_end(self) -> None:
        """Ask it to finish what it has in hand."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def end(self, *, by: float) -> None:
        """Wait for its end until a moment of the monotonic clock, then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout=max(0.0, by - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.warning("killed: it did not end in time", extra={"member": self.role.name})
            self._process.kill()
            self._process.wait()
