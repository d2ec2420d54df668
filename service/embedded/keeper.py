"""Run a program that does not know us so that it ends when we do, however we do.

A script of the standard library alone, started by `tied` as ``python keeper.py FD HOW PROGRAM ...``. ``FD``
is the read end of a pipe of which only the parent holds the other end: it ends when the parent ends.

On Linux the script asks the kernel to be killed with its parent and becomes the program: no process more,
and nothing that could be killed between the two. The kernel means the *thread* that started it, which has to
live as long as the parent: the main thread does. Elsewhere the script stays, watches the pipe and kills the
program itself.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""
BECOME, STAY = "become", "stay"
_POLL_S = 0.2


def tied(command: Sequence[str], *, lifeline: int, how: str | None = None) -> list[str]:
    """The command that runs another one which is to end with this process.

    Args:
        command: What is to run.
        lifeline: Read end of the pipe; to be handed on with ``pass_fds``.
        how: `BECOME` or `STAY`; by platform when None.
    """
    how = how or (BECOME if sys.platform == "linux" else STAY)
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(lifeline), how, *command]


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def is_cut(lifeline: int, *, wait_s: float = 0.0) -> bool:
    """Whether the parent is gone; waits for that as long as told."""
    readable, _, _ = select.select([lifeline], [], [], wait_s)
    return bool(readable) and not os.read(lifeline, 1)


def _become(lifeline: int, command: list[str]) -> None:
    die_with_parent()
    if not is_cut(lifeline):  # it may have ended before the kernel was asked
        os.execv(command[0], command)  # noqa: S606  no shell is wanted


def _stay(lifeline: int, command: list[str]) -> int:
    program = subprocess.Popen(command)  # noqa: S603  our own choice of program

    def pass_on(number: int, _frame: FrameType | None) -> None:
        program.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    while program.poll() is None:
        if is_cut(lifeline, wait_s=_POLL_S):
            program.kill()
            program.wait()
    return program.returncode


def main(arguments: Sequence[str]) -> int:
    """Run a program as told on the command line; returns its exit code, where there is somebody to return."""
    lifeline, how, *command = arguments
    if how == STAY:
        return _stay(int(lifeline), command)
    _become(int(lifeline), command)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
