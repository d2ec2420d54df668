"""How many requests a key, or an address where there are no keys, may make in a minute."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from service.access.errors import TooManyRequests

if TYPE_CHECKING:
    from limits.storage import Storage

logger = logging.getLogger(__name__)

_REDIS_TIMEOUT_S = 1.0
_SOCKET = "redis+socket://"


@dataclass(frozen=True)
class Rates:
    """Counts requests over a sliding minute; in one memory for all processes where there is a Redis."""

    per_minute: int
    """Most requests in any minute; 0 for no limit."""

    storage: Storage
    """Where counts live."""

    @classmethod
    def counting(cls, per_minute: int, *, redis_url: str = "") -> Rates:
        """Count in a Redis, or in this process's own memory when there is none.

        Args:
            per_minute: Most requests in any minute; 0 for no limit.
            redis_url: ``redis://``, ``rediss://``, ``unix://``, or Celery's ``redis+socket://``;
                anything else counts in memory.
        """
        if per_minute and redis_url.startswith(("redis://", "rediss://", "unix://", _SOCKET)):
            url = redis_url.replace("unix://", "redis+unix://", 1)
            if redis_url.startswith(_SOCKET):
                url = "redis+unix://" + redis_url.removeprefix(_SOCKET).partition("?")[0]
            storage = storage_from_string(
                url, wrap_exceptions=True, socket_timeout=_REDIS_TIMEOUT_S, key_prefix="orthoscape-rates"
            )
            return cls(per_minute, storage)  # type: ignore[arg-type]  # asked for without async, so it is not
        return cls(per_minute, MemoryStorage())

    def take(self, who: str) -> None:
        """Count one request.

        Counts that cannot be reached limit nobody: a limit is for fairness, and keys guard the door.

        Args:
            who: Public part of a key, or an address.

        Raises:
            TooManyRequests: The minute is used up.
        """
        if not self.per_minute:
            return
        limiter, item = SlidingWindowCounterRateLimiter(self.storage), RateLimitItemPerMinute(self.per_minute)
        try:
            if limiter.hit(item, who):
                return
            reset_time = limiter.get_window_stats(item, who).reset_time
        except StorageError:
            logger.warning("rates cannot be counted; this request is not limited", exc_info=True)
            return
        raise TooManyRequests(self.per_minute, retry_after_s=max(1, math.ceil(reset_time - time.time())))
