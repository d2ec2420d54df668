"""Removing what nobody needs any more, now and then, in whatever process has the time."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import anyio

from service.api.leftovers import adopt, sweep_leftovers
from service.api.retention import expire_maps
from service.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.api.deps import Services
    from service.api.uploadfolder import UploadFolder
    from service.jobs.store import Store

EVERY_S = 600.0
"""Between two looks, in seconds."""

_log = logging.getLogger(__name__)


async def keep_tidy(services: Services) -> None:
    """Look again and again, until cancelled; several processes may do so at once."""
    store, settings = services.store, services.settings
    while True:
        await anyio.sleep(EVERY_S)
        await _look("uploads", lambda: sweep(services.uploads, store, settings.upload_keep_s))
        await _look("maps", lambda: expire_maps(services))
        await _look("leftovers of maps", lambda: sweep_leftovers(services.maps, store))


async def begin(services: Services) -> None:
    """What is better done before the first job comes than with the first look."""
    try:
        await anyio.to_thread.run_sync(adopt, services.maps.folder, services.store)
    except (OSError, Unavailable) as error:
        _log.warning("the folder of maps cannot be used: %s", error)
    except Exception:  # noqa: BLE001  not worth a server that does not start
        _log.exception("the folder of maps was not looked at")


async def _look(what: str, look: Callable[[], int]) -> None:
    try:
        num_removed = await anyio.to_thread.run_sync(look)
    except (OSError, Unavailable) as error:
        _log.warning("not looked through: %s: %s", what, error)
    except Exception:  # noqa: BLE001  whatever it is, the other rooms are to be tidied, and the process goes on
        _log.exception("not looked through: %s", what)
    else:
        _log.info("looked through: %s", what, extra={"num_removed": num_removed})


def sweep(uploads: UploadFolder, store: Store, keep_s: float) -> int:
    """Look through uploads once.

    Args:
        uploads: Where they lie.
        store: Knows which jobs may still read theirs.
        keep_s: How long an upload is kept after it last changed, and after the last job that read it.

    Returns:
        How many were removed.
    """
    return uploads.sweep(keep_s=keep_s, is_active=lambda job_id: is_active(store, job_id, keep_s))


def is_active(store: Store, job_id: str, keep_s: float) -> bool:
    """Whether a job may still read its files: it is not over, or not over for long and may be resumed."""
    try:
        job = store.job(job_id)
    except NotFound:
        return False
    return job.finished is None or time.time() - job.finished < keep_s
