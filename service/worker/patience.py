"""Waiting for a store that is away."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from service.jobs.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_FIRST_S, _LONGEST_S = 0.2, 5.0

_log = logging.getLogger(__name__)


def patiently(call: Callable[[], T], *, check: Callable[[], None]) -> T:
    """Call until the store answers, with ever longer pauses.

    Args:
        call: A call to the store that may be repeated.
        check: Called after each pause; what it raises ends the waiting.

    Raises:
        ServiceError: What the store answers.
    """
    pause_s = _FIRST_S
    while True:
        try:
            return call()
        except StoreUnavailable as error:
            _log.warning("the store is away: %s; again in %.1f s", error, pause_s)
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_S)
        check()
