"""How the main process of a worker tells its child to leave, and the child learns that it is alone.

A pipe made before the child is forked. One byte says: finish the core at hand and leave. The end of the pipe
says: the main process is gone; nobody would ever tell this one to stop, so it ends at once.
"""

from __future__ import annotations

import os
import select
import threading

_ALONE = 74
"""Exit code of a child whose main process ended."""


class WorkerLeaving(Exception):
    """This worker was asked to leave; what it holds is to be given back."""


class StopLine:
    """The pipe; made by the main process, used on both sides."""

    def __init__(self) -> None:
        self._child_end, self._main_end = os.pipe()

    def ask(self) -> None:
        """Main process: ask the child, this one or a later one, to leave."""
        os.write(self._main_end, b".")

    def hold(self) -> None:
        """Child: end with the main process; to be called first, so that only that holds its end."""
        os.close(self._main_end)
        threading.Thread(target=self._wait, name="main process watch", daemon=True).start()

    def _wait(self) -> None:
        # The byte is never read: it is there for a later child, too, and for every question.
        poll = select.poll()
        poll.register(self._child_end, select.POLLHUP)
        while not any(what & (select.POLLHUP | select.POLLERR) for _, what in poll.poll()):
            pass
        os._exit(_ALONE)

    @property
    def is_asked(self) -> bool:
        """Child: whether it is to leave."""
        return bool(select.select([self._child_end], [], [], 0)[0])

    def check(self) -> None:
        """Child: see whether it is to leave.

        Raises:
            WorkerLeaving: It is.
        """
        if self.is_asked:
            raise WorkerLeaving
