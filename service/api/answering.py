"""One request for a map, answered once: however often it is sent with its Idempotency-Key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.api.predicting import accept, understand

if TYPE_CHECKING:
    from service.api.asking import Language, PredictFields
    from service.api.deps import Services
    from service.api.forms import Received
    from service.api.predicting import Asked
    from service.jobs.records import Job


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
        earlier = store.remember_request(owner=owner, key=key, digest=_digest(received))
        if earlier is not None:
            return Answer(store.job(earlier, owner=owner), {})
    try:
        asked = understand(received, fields, services, owner=owner, language=language)
        job, outcome = accept(asked, services)
        if key is not None:
            store.answer_request(owner=owner, key=key, job_id=job.id)
    except BaseException:
        if key is not None:
            store.forget_request(owner=owner, key=key)
        raise
    return Answer(job, {} if outcome == "created" else {outcome: True})


def _digest(received: Received) -> str:
    """Digest of what was sent, whatever it was packed in."""
    said = {name: value for name, value in received.fields.items() if value not in ("", None)}
    text = json.dumps([said, received.digests], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
