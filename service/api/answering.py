"""One request for a map, answered once: however often it is sent with its Idempotency-Key."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.api.predicting import accept, understand
from service.jobs.errors import StoreUnavailable
from service.jobs.requests import GIVEN_UP_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.api.asking import Language, PredictFields
    from service.api.deps import Services
    from service.api.forms import Received
    from service.api.predicting import Asked
    from service.jobs.records import Job
    from service.jobs.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """The job that a request gets."""

    job: Job
    flags: dict[str, bool]
    """``deduplicated`` or ``resumed``; empty where the job is this request's own."""


def answer(
    received: Received,
    fields: PredictFields,
    services: Services,
    *,
    owner: str,
    language: Language,
    key: str | None,
) -> Answer | Asked:
    """Answer a request with a job, or, where it is a dry run, with what was understood of it.

    Args:
        received: Its files.
        fields: What it says.
        services: Of this process.
        owner: Who asks.
        language: Of titles.
        key: Its Idempotency-Key, or None.

    Raises:
        RequestDiffers: The key came with another request.
        RequestUnderWay: The same request is being answered at this moment.
        ServiceError: It cannot be mapped as asked.
    """
    store = services.store
    if fields.dry_run:
        return understand(received, fields, services, owner=owner, language=language)
    if key is not None:
        earlier = store.requests.remember(owner=owner, key=key, digest=_digest(received))
        if earlier is not None:
            return Answer(store.job(earlier, owner=owner), {})
    try:
        with nullcontext() if key is None else _kept(store, owner=owner, key=key):
            asked = understand(received, fields, services, owner=owner, language=language)
            job, outcome = accept(asked, services)
        if key is not None:
            store.requests.answer(owner=owner, key=key, job_id=job.id)
    except BaseException:
        if key is not None:
            store.requests.forget(owner=owner, key=key)
        raise
    return Answer(job, {} if outcome == "created" else {outcome: True})


@contextmanager
def _kept(store: Store, *, owner: str, key: str) -> Iterator[None]:
    """Say again and again that a request is being answered: to understand it may take many minutes."""
    is_over = threading.Event()

    def say() -> None:
        while not is_over.wait(GIVEN_UP_S / 5):
            try:
                store.requests.touch(owner=owner, key=key)
            except StoreUnavailable as error:
                _log.warning("a request's key is not kept: %s", error.message)

    thread = threading.Thread(target=say, name="idempotency key", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _digest(received: Received) -> str:
    """Digest of what was sent, whatever it was packed in."""
    said = {name: value for name, value in received.fields.items() if value not in ("", None)}
    text = json.dumps([said, received.digests], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
