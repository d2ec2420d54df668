"""The key ring: every key of the store, kept in memory so that no tile asks the store for one."""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from service.access.errors import KeyWrong
from service.access.keys import digest_of, public_part
from service.access.principals import Principal, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEPT_S = 10.0
"""How long a copy is believed; a revoked key goes on working for no longer than this."""

_NEW_KEY_S = 1.0  # a key that the copy lacks may have been made since: look again, but not at every guess


class KnownKey(Protocol):
    """A key as the store knows it."""

    @property
    def id(self) -> str:
        """Public part."""

    @property
    def owner(self) -> str:
        """Whose jobs and maps it opens."""

    @property
    def scopes(self) -> Sequence[str]:
        """What it allows, with everything that includes."""

    @property
    def digest(self) -> str:
        """SHA-256 of its text, in hexadecimal."""

    @property
    def expires(self) -> float | None:
        """When it ends, in epoch seconds; None for never."""

    @property
    def revoked(self) -> float | None:
        """When it was ended, in epoch seconds; None if it was not."""


@dataclass
class KeyRing:
    """Recognises keys from a copy of the store's, at most `KEPT_S` old.

    Keys are needed as soon as the store has had one, even if all are revoked or expired since: a server
    must not open to everybody because its last key ran out.
    """

    load: Callable[[], Sequence[KnownKey]]
    """Reads all keys of the store, ended ones too; its errors are passed on, so that the door stays shut."""

    clock: Callable[[], float] = time.time
    """Epoch seconds."""

    _keys: dict[str, KnownKey] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_fresh_for(self, text: str | None) -> bool:
        """Whether a request with this key, or none, is answered without asking the store."""
        age_s = self.clock() - self._read_at
        if not 0 <= age_s < KEPT_S:  # a clock that was set back ends the copy too
            return False
        return text is None or age_s < _NEW_KEY_S or public_part(text) in self._keys

    def refresh(self, text: str | None = None) -> None:
        """Read the store again, unless another thread just did."""
        with self._lock:
            if not self.is_fresh_for(text):
                self._keys = {key.id: key for key in self.load()}
                self._read_at = self.clock()

    @property
    def is_empty(self) -> bool:
        """Whether the store never had a key: whoever reaches the server may use it."""
        return not self._keys

    def recognise(self, text: str) -> Principal:
        """Whose key this is.

        Raises:
            KeyWrong: It is unknown, revoked or expired.
        """
        key = self._keys.get(public_part(text) or "")
        if key is None or not hmac.compare_digest(key.digest, digest_of(text)) or self._is_over(key):
            raise KeyWrong(
                "this key is not known here, or not any more",
                remedy="check it for missing characters; `orthoscape keys list` tells which keys are good",
            )
        return Principal(owner=key.owner, scopes=frozenset(map(Scope, key.scopes)), key_id=key.id)

    def _is_over(self, key: KnownKey) -> bool:
        return key.revoked is not None or (key.expires is not None and key.expires <= self.clock())
