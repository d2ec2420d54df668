"""A house: its members run together, are started again when they end, and are gone when it is.

One thread does all of it, the main one: the kernel ties each member's life to the thread that started it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from service.embedded.broker import broker_url, find_redis_server, is_answering, log_of, redis_command
from service.embedded.keeper import tied
from service.embedded.members import EXIT_REFUSED, Member, Role
from service.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

_BEAT_S = 0.1
_BROKER_S = 20.0
"""Longest that the private Redis may take to answer; it takes 10 ms."""


class MemberRefused(Unavailable):
    """A member of the house cannot run with these settings; it has said why."""


class BrokerSilent(Unavailable):
    """The private Redis does not answer."""


class House:
    """Processes that live and end together; a context manager, to be used in the main thread."""

    def __init__(self, *, level: int = logging.WARNING) -> None:
        """Start empty.

        Args:
            level: Of the members' logs.
        """
        self._level = level
        self._lifeline, self._held_end = os.pipe()  # neither is inherited unless it is handed on
        self._members: list[Member] = []
        self._num_signals = 0
        self._handlers: dict[int, Any] = {}
        """Those of whoever uses the house, to be put back."""

    def add_broker(self, socket: Path) -> str:
        """Start the private Redis and wait until it answers; returns its address.

        Raises:
            RedisMissing: There is no Redis on this machine.
            BrokerSilent: It does not answer.
        """
        command = redis_command(find_redis_server(), socket)
        member = self.add(
            Role(
                name="redis",
                command=tied(command, lifeline=self._lifeline),
                descriptors=(self._lifeline,),
                patience_s=5.0,
            )
        )
        give_up = time.monotonic() + _BROKER_S
        while not is_answering(socket):
            if member.exit_code is not None or time.monotonic() > give_up:
                log = log_of(socket)
                said = log.read_text(errors="replace")[-1000:] if log.exists() else "nothing"
                raise BrokerSilent(f"{command[0]} does not answer on {socket}; it said: {said}")
            time.sleep(0.01)
        return broker_url(socket)

    def add_server(
        self, name: str, environment: Mapping[str, str], *, listening: int, answers: str
    ) -> Member:
        """Start a process of the server.

        Args:
            name: For logs.
            environment: Settings, beside those that this process has.
            listening: A socket that listens.
            answers: ``all``, ``api`` or ``tiles``.
        """
        arguments = ("server", "--socket", str(listening), "--answers", answers)
        return self._add_ours(name, arguments, environment, descriptors=(listening,), patience_s=10.0)

    def add_worker(self, name: str, environment: Mapping[str, str]) -> Member:
        """Start a worker; under the same name it takes up at once what its predecessor held."""
        return self._add_ours(name, ("worker", "--name", name), environment, patience_s=60.0)

    def _add_ours(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        patience_s: float,
        descriptors: tuple[int, ...] = (),
    ) -> Member:
        """Start a process of our own code; see `service.embedded.entry` for the arguments."""
        ours = [sys.executable, "-P", "-m", "service.embedded.entry", "--level", str(self._level)]
        return self.add(
            Role(
                name=name,
                command=[*ours, str(self._lifeline), *arguments],
                environment=environment,
                descriptors=(self._lifeline, *descriptors),
                patience_s=patience_s,
            )
        )

    def add(self, role: Role) -> Member:
        """Start a member."""
        member = Member(role)
        self._members.append(member)
        member.start()
        return member

    def live(self, is_over: Callable[[], bool]) -> None:
        """Keep everybody up until told, by SIGTERM, SIGINT or SIGHUP, or by ``is_over``.

        Raises:
            MemberRefused: A member cannot run with these settings.
        """
        while not self._num_signals and not is_over():
            for member in self._members:
                if member.exit_code == EXIT_REFUSED:
                    raise MemberRefused(f"the {member.role.name} cannot run; it said why above")
                member.revive()
            time.sleep(_BEAT_S)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._num_signals += 1
        if self._num_signals > 1:  # asked twice: whoever still works on is killed, with this process
            os._exit(1)

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        """Ask all to finish what they have in hand, the broker last; kill who does not."""
        *others, first = reversed(self._members) if self._members else [None]
        for group in (others, [first]):
            members = [member for member in group if member is not None]
            for member in members:
                member.ask_to_end()
            now = time.monotonic()
            for member in members:
                member.end(by=now + member.role.patience_s)
        os.close(self._held_end)
        os.close(self._lifeline)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
