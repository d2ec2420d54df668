"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.access.errors import ScopeMissing


class Scope(StrEnum):
    """What a key allows; each includes those before it."""

    READ = "read"
    """See jobs and maps of one's own, tiles and files."""

    WRITE = "write"
    """Send files, start, stop, resume and delete jobs and maps of one's own."""

    ADMIN = "admin"
    """The same for everybody's."""


@dataclass(frozen=True)
class Principal:
    """Who made a request."""

    owner: str
    """Whose jobs and maps they see and make; keys of one owner share them."""

    scopes: frozenset[Scope]
    """What they may do, with everything that it includes."""

    key_id: str | None = None
    """The key they showed, by its public part; None where none is asked for."""

    @property
    def sees(self) -> str | None:
        """The owner to narrow queries of the store to; None sees everybody's."""
        return None if Scope.ADMIN in self.scopes else self.owner

    def require(self, scope: Scope) -> None:
        """Go on only if this may be done.

        Raises:
            ScopeMissing: It may not.
        """
        if scope not in self.scopes:
            raise ScopeMissing(scope)


def widened(scope: Scope) -> frozenset[Scope]:
    """A scope with all that it includes."""
    order = tuple(Scope)
    return frozenset(order[: order.index(scope) + 1])


LOCAL = Principal(owner="local", scopes=widened(Scope.ADMIN))
"""Whoever sits at this machine, as long as the store has no keys."""
