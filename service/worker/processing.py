"""One lease worked on, whatever becomes of it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from service.jobs.errors import LeaseLost, MapUnknown, StoreUnavailable
from service.jobs.records import UnitKind
from service.maps.layout import MapFolder
from service.room import Room
from service.worker.desk import Desk
from service.worker.finishing import finish
from service.worker.fitness import WorkerUnfit
from service.worker.heartbeat import Heartbeat
from service.worker.leaving import WorkerLeaving
from service.worker.lines import told
from service.worker.picturing import draw
from service.worker.segmenting import OURS, RunOfBlocks
from service.worker.waiting import NoRoom

if TYPE_CHECKING:
    from service.jobs.records import Lease
    from service.jobs.store import Store
    from service.settings import Settings
    from service.worker.leaving import StopLine
    from service.worker.pace import Pace
    from service.worker.shelf import Shelf
    from service.worker.watchdog import Watchdog

_log = logging.getLogger(__name__)


class Processor:
    """Works on leases, one after the other, with what is kept between them."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        shelf: Shelf,
        pace: Pace,
        watchdog: Watchdog,
        stop: StopLine,
    ) -> None:
        self._settings, self._store, self._shelf = settings, store, shelf
        self._pace, self._watchdog, self._stop = pace, watchdog, stop
        self._room = Room(folder=settings.maps_folder, kept_free_bytes=settings.disk_kept_free_bytes)

    def process(self, lease: Lease) -> None:
        """Work on a lease until its units are settled, or it is lost, or this worker is to leave.

        Raises:
            WorkerLeaving: This worker was asked to leave; the lease is given back.
            NoRoom: A disk is full; the lease is given back.
            WorkerUnfit: This worker cannot make it as it is, others may; the lease is given back.
        """
        fields = {"job_id": lease.job_id, "sheet": lease.sheet, "kind": str(lease.kind)}
        _log.info("leased", extra=fields | {"num_units": len(lease.units)})
        heartbeat = Heartbeat(self._store, lease, lease_s=self._settings.lease_s)
        with self._watchdog, heartbeat:
            desk = Desk(
                settings=self._settings,
                store=self._store,
                shelf=self._shelf,
                pace=self._pace,
                watchdog=self._watchdog,
                heartbeat=heartbeat,
                stop=self._stop,
                room=self._room,
            )
            try:
                self._make(desk, lease)
            except LeaseLost as error:
                _log.info("left off: %s", error.message, extra=fields)
            except StoreUnavailable as error:
                _log.warning("left off, the store is away: %s", error.message, extra=fields)
            except WorkerLeaving:
                self._give_back(lease)
                raise
            except WorkerUnfit as unfit:
                self._give_back_saying(desk, lease, f"a worker cannot make it: {unfit.reason}")
                raise
            except Exception as error:  # noqa: BLE001  whatever it was, the job has to hear of it
                self._end(desk, lease, error)

    def _make(self, desk: Desk, lease: Lease) -> None:
        job = self._shelf.sheet(
            lease.job_id, lease.sheet, lambda: desk.patiently(lambda: self._store.planned(lease.job_id))
        )
        self._make_folder(desk, lease)
        if lease.kind == UnitKind.BLOCK:
            RunOfBlocks(desk, lease, job).process()
        elif lease.kind == UnitKind.SHEET:
            finish(desk, lease, job)
        else:
            draw(desk, lease, job)

    def _make_folder(self, desk: Desk, lease: Lease) -> None:
        """Make the map's folder, unless the map was deleted since it was leased.

        Raises:
            LeaseLost: It was.
        """
        folder = MapFolder(self._settings.maps_folder / lease.map_id)
        if not folder.make():
            return
        try:
            desk.patiently(lambda: self._store.map(lease.map_id))
        except MapUnknown as error:
            folder.unmake()
            raise LeaseLost(f"map {lease.map_id} was deleted") from error

    def _end(self, desk: Desk, lease: Lease, error: Exception) -> None:
        """Give a lease back that a full disk ended; what ended otherwise has failed."""
        fields = {"job_id": lease.job_id, "sheet": lease.sheet, "kind": str(lease.kind)}
        try:
            desk.raise_if_full(error)
        except NoRoom as full:
            self._give_back_saying(desk, lease, f"the disk is full: {full}")
            raise
        _log.warning("lease failed", exc_info=error, extra=fields)
        self._fail_all(desk, lease, error)

    def _give_back(self, lease: Lease) -> None:
        try:
            self._store.give_back(lease)
        except StoreUnavailable as error:  # then it lapses
            _log.warning("not given back: %s", error.message, extra={"job_id": lease.job_id})

    def _give_back_saying(self, desk: Desk, lease: Lease, reason: str) -> None:
        give_back = partial(self._store.give_back, lease, reason=reason)
        try:  # the store may lie on a full disk; a lease that is never given back costs an attempt
            desk.patiently(give_back)
        except OURS as lost:
            _log.info("not told: %s", lost, extra={"job_id": lease.job_id, "sheet": lease.sheet})

    def _fail_all(self, desk: Desk, lease: Lease, error: Exception) -> None:
        """Tell the store that no unit of a lease could be made, for the same reason."""
        self._shelf.close_sources()
        for unit in lease.units:
            fail = partial(self._store.fail_unit, lease, unit.id, told(error))
            try:
                desk.patiently(fail)
            except OURS as lost:
                _log.info("not told: %s", lost, extra={"job_id": lease.job_id, "unit": unit.name})
