"""The bell: a message that says *come*, and nothing else.

The store knows what is to be done; the broker only wakes who is idle. A bell that is lost is rung again by
the reconciler (`service.worker.reconciling`), one too many is heard and finds nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from service.settings import Settings

COME = "orthoscape.come"
"""Name of the one task."""

ANY_CLASS = "orthoscape.any"
"""Queue of the jobs that no class of machines has taken yet; every worker listens to it."""

_CONNECT_S = 2.0
"""Longest that connecting to the broker may take; it is near, and its callers have better things to do."""
_ANSWER_S = 5.0
"""Longest that it may take to answer."""

_log = logging.getLogger(__name__)


class Bell(Protocol):
    """Wakes idle workers."""

    def ring(self, profile_class: str | None, *, times: int = 1) -> None:
        """See that workers come who are idle now, or the next that are.

        Args:
            profile_class: Whom to wake; None for workers of any class.
            times: How many at most. Each that finds work wakes the next, so one is enough.
        """
        ...

    def is_reachable(self) -> bool:
        """Whether the broker answers now."""
        ...


class CeleryBell:
    """The bell on the broker of the settings; safe to use from any thread."""

    def __init__(self, settings: Settings) -> None:
        """Connect when first used; settings without a broker have nobody to wake, and say so each time."""
        self._app = celery_app(settings.broker_url)
        self._has_broker = bool(settings.broker_url)
        connection = self._app.connection()
        # A broker that is there may refuse as well: it is full, a replica, or closed to this user.
        self._lost = (*connection.connection_errors, *connection.channel_errors, OperationalError, RedisError)

    def ring(self, profile_class: str | None, *, times: int = 1) -> None:
        """See `Bell.ring`; a broker that is away, or refuses, is logged, never raised.

        Only what is missing is sent: a message that nobody has taken yet will be heard after this call, so
        queues do not grow while all are at work.
        """
        queue = queue_of(profile_class)
        if not self._has_broker:
            _log.error("no worker is called: no broker is named", extra={"queue": queue})
            return
        try:
            with self._app.pool.acquire(block=True) as connection:
                num_waiting = connection.default_channel.queue_declare(queue).message_count
            for _ in range(times - num_waiting):
                self._app.send_task(COME, queue=queue, retry=False)
        except self._lost as error:
            _log.warning("the bell was not rung: %s", error, extra={"queue": queue})

    def is_reachable(self) -> bool:
        """See `Bell.is_reachable`."""
        if not self._has_broker:
            return False
        try:
            with self._app.pool.acquire(block=True) as connection:
                connection.default_channel.queue_declare(ANY_CLASS)
        except self._lost:
            return False
        return True


def queue_of(profile_class: str | None) -> str:
    """The queue that workers of a class listen to."""
    return ANY_CLASS if profile_class is None else f"orthoscape.{profile_class}"


def celery_app(broker_url: str) -> Celery:
    """Celery as this house uses it: a broker, no results, messages that may be lost or come twice.

    Args:
        broker_url: ``redis://``, ``rediss://`` or ``redis+socket://``.
    """
    app = Celery("orthoscape", broker=broker_url, set_as_current=False, fixups=[])
    app.conf.update(
        # Messages carry nothing, so nothing is kept of them.
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        accept_content=["json"],
        task_serializer="json",
        task_create_missing_queues=True,  # one for each class of machines
        task_default_queue=ANY_CLASS,
        # A bell is acknowledged when it is heard: leases in the store, not the broker, know what a dead
        # worker held. So no message is ever delivered again, however long a worker stays at work.
        task_acks_late=False,
        task_reject_on_worker_lost=False,
        # Whoever is busy leaves bells to those who are idle.
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        # A broker that goes away comes back: wait for it, for ever, at the start as later. Work goes on.
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=_CONNECT_S,
        broker_heartbeat=0,  # Redis has none; health_check_interval stands in
        broker_transport_options={
            # Only for what was fetched and not yet acknowledged, which lasts milliseconds here.
            "visibility_timeout": 60,
            "socket_connect_timeout": _CONNECT_S,
            "socket_timeout": _ANSWER_S,
            "socket_keepalive": True,
            "health_check_interval": 15,
            "retry_on_timeout": False,
            "queue_order_strategy": "round_robin",
        },
        # Machinery for watching and steering workers from afar: the store does that.
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        task_send_sent_event=False,
        # Logs are set up once, at the process's door.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app
