"""Removing uploads that nobody needs any more, now and then, in whatever process has the time."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import anyio

from service.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from service.api.uploadfolder import UploadFolder
    from service.jobs.store import Store

EVERY_S = 600.0
"""Between two looks, in seconds."""

_log = logging.getLogger(__name__)


async def keep_tidy(uploads: UploadFolder, store: Store, keep_s: float) -> None:
    """Look again and again, until cancelled; several processes may do so at once.

    Args:
        uploads: Where they lie.
        store: Knows which jobs may still read theirs.
        keep_s: How long an upload is kept after it last changed, and after the last job that read it.
    """
    while True:
        await anyio.sleep(EVERY_S)
        try:
            num_removed = await anyio.to_thread.run_sync(sweep, uploads, store, keep_s)
        except (OSError, Unavailable) as error:
            _log.warning("uploads were not looked through: %s", error)
        else:
            _log.info("uploads looked through", extra={"num_removed": num_removed})


def sweep(uploads: UploadFolder, store: Store, keep_s: float) -> int:
    """Look once; returns how many uploads were removed."""
    return uploads.sweep(keep_s=keep_s, is_active=lambda job_id: is_active(store, job_id, keep_s))


def is_active(store: Store, job_id: str, keep_s: float) -> bool:
    """Whether a job may still read its files: it is not over, or not over for long and may be resumed."""
    try:
        job = store.job(job_id)
    except NotFound:
        return False
    return job.finished is None or time.time() - job.finished < keep_s
