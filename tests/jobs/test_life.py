"""The life of a job: accepted, worked on, ended, resumed, removed."""

import math

import pytest

from service.jobs import creating, removing
from service.jobs.errors import JobNotResumable, JobUnderWay, JobUnknown, LeaseLost, MapUnknown
from service.jobs.records import JobStatus, UnitKind, UnitStatus, WorkerInfo
from service.jobs.schema import job_log, plans, units
from tests.jobs.plans import CLASS_A, CLASS_B, make_job, make_planned
from tests.jobs.working import check_counters, finish, finish_all, leases, names, on_both


def test_a_job_is_accepted_with_all_that_was_told(store):
    new = make_job(make_planned(num_sheets=2), priority=1, has_pictures=True)
    job = store.create_job(new)
    assert (job.status, job.owner, job.title, job.priority) == (JobStatus.ACCEPTED, "local", "Town", 1)
    assert (job.blocks_total, job.sheets_total, job.px_total, job.num_px) == (16, 2, 65536, 65536)
    assert (job.notes, job.bounds_wgs84, job.request) == (("a note",), new.bounds_wgs84, {"model": "tiny"})
    assert job.created <= job.updated
    assert (job.started, job.finished, job.seq, job.error) == (None, None, 0, None)
    record = store.map(job.map_id)
    assert record.id != job.id
    assert (record.job_id, record.name, record.epsg, record.pixel_counts) == (job.id, "town", 2154, None)
    assert len(store.units(job.id)) == 20
    check_counters(store)


def test_the_plan_comes_back_as_it_was(store):
    planned = make_planned(num_sheets=3, nodata=-9999.0)
    assert store.planned(store.create_job(make_job(planned)).id) == planned


def test_a_nodata_value_of_nan_comes_back(store):
    job = store.create_job(make_job(make_planned(nodata=math.nan)))
    nodata = store.planned(job.id).plan.sources[0].nodata
    assert nodata is not None
    assert math.isnan(nodata)


@on_both
def test_work_comes_in_order_and_ends_the_job(store):
    job = store.create_job(make_job(make_planned(num_sheets=2, rows=2), has_pictures=True))
    worked = []
    for lease in leases(store):
        worked.append((lease.kind, lease.sheet, len(lease.units)))
        finish(store, lease, counts={0: 10, 7: 5})
        check_counters(store)
    assert worked == [
        (UnitKind.PICTURE, "town_c0", 1),
        (UnitKind.PICTURE, "town_c1", 1),
        (UnitKind.BLOCK, "town_c0", 4),
        (UnitKind.BLOCK, "town_c0", 4),
        (UnitKind.SHEET, "town_c0", 1),
        (UnitKind.BLOCK, "town_c1", 4),
        (UnitKind.BLOCK, "town_c1", 4),
        (UnitKind.SHEET, "town_c1", 1),
    ]
    job = store.job(job.id)
    assert (job.status, job.blocks_done, job.sheets_done, job.px_done) == ("successful", 16, 2, job.px_total)
    assert job.created <= job.started <= job.finished
    assert job.seq == 20 + 2  # every unit, running, successful
    assert store.map(job.map_id).pixel_counts == {0: 20, 7: 10}
    assert store.map(job.map_id).status == JobStatus.SUCCESSFUL


@on_both
def test_each_sheet_s_confidence_counts_once_though_it_is_told_twice_and_its_job_goes_on_later(store):
    job = store.create_job(make_job(make_planned(num_sheets=2, rows=2)))
    figures = {"pixel_counts": {"0": 10}, "confidence_total": 800}
    for lease in leases(store):
        if lease.kind != UnitKind.SHEET:
            finish(store, lease)
            continue
        for _ in range(2):  # the first answer got lost
            store.finish_unit(lease, lease.units[0].id, figures=figures)
        if store.job(job.id).sheets_done == 1:
            store.dismiss(job.id)
            store.resume(job.id)
    record = store.map(job.map_id)
    assert (record.status, record.pixel_counts, record.confidence_total) == ("successful", {0: 20}, 1600)


@on_both
@pytest.mark.parametrize("told", [(None, 800), (800, None)])
def test_the_confidence_of_a_map_is_not_known_where_a_sheet_did_not_tell_it(store, told):
    """As a worker of before did, whichever sheet it was."""
    job = store.create_job(make_job(make_planned(num_sheets=2, rows=2)))
    totals = iter(told)
    for lease in leases(store):
        if lease.kind != UnitKind.SHEET:
            finish(store, lease)
            continue
        total = next(totals)
        figures = {"pixel_counts": {"0": 10}} | ({} if total is None else {"confidence_total": total})
        store.finish_unit(lease, lease.units[0].id, figures=figures)
    assert store.map(job.map_id).pixel_counts == {0: 20}
    assert store.map(job.map_id).confidence_total is None


def test_pictures_of_large_sheets_come_last(store, monkeypatch):
    monkeypatch.setattr("service.jobs.creating.SMALL_SHEET_PX", 100)
    store.create_job(make_job(has_pictures=True))
    assert [lease.kind for lease in finish_all(store)] == ["block", "block", "sheet", "picture"]


@pytest.mark.parametrize(
    ("rows", "cols", "first"),
    [
        (2, 6, ["r0_c0", "r0_c1", "r0_c2", "r0_c3"]),
        (6, 1, ["r0_c0", "r1_c0", "r2_c0", "r3_c0"]),
        (4, 2, ["r0_c0", "r0_c1", "r1_c0", "r1_c1"]),
    ],
)
def test_a_run_is_wide_and_deep_where_its_sheet_is_narrow(store, rows, cols, first):
    store.create_job(make_job(make_planned(rows=rows, cols=cols)))
    assert names(store.claim("w", CLASS_A, lease_s=60)) == first


def test_units_tell_what_changed_since(store):
    job = store.create_job(make_job())
    lease = store.claim("w", CLASS_A, lease_s=60)
    for unit in lease.units[:3]:
        store.finish_unit(lease, unit.id, figures={"num": unit.col})
    done = store.units(job.id, kind=UnitKind.BLOCK, status=UnitStatus.DONE)
    assert [unit.name for unit in done] == ["r0_c0", "r0_c1", "r0_c2"]
    assert [unit.seq for unit in done] == [2, 3, 4]  # 1 is the change to running
    assert [unit.figures for unit in done] == [{"num": 0}, {"num": 1}, {"num": 2}]
    assert store.units(job.id, since_seq=2) == done[1:]
    assert store.units(job.id, since_seq=2, limit=1) == done[1:2]
    assert store.units(job.id, since_seq=4) == []
    assert store.units(job.id, status=UnitStatus.LEASED)[0].worker_id == "w"
    assert [unit.kind for unit in store.units(job.id, status=UnitStatus.WAITING)] == ["sheet"]


def test_a_repeated_finish_changes_nothing(store):
    job = store.create_job(make_job())
    lease = store.claim("w", CLASS_A, lease_s=60)
    store.finish_unit(lease, lease.units[0].id)
    seq = store.job(job.id).seq
    store.finish_unit(lease, lease.units[0].id)
    assert store.job(job.id).seq == seq
    check_counters(store)


@on_both
def test_dismissing_voids_leases_at_once(store):
    job = store.create_job(make_job())
    lease = store.claim("w", CLASS_A, lease_s=60)
    store.finish_unit(lease, lease.units[0].id)
    dismissed = store.dismiss(job.id)
    assert (dismissed.status, dismissed.finished is None) == (JobStatus.DISMISSED, False)
    assert dismissed.message == "dismissed with 1 of 8 blocks done"
    assert not store.extend(lease, lease_s=60)
    assert store.claim("w", CLASS_A, lease_s=60) is None
    assert store.num_claimable(CLASS_A) == 0
    with pytest.raises(LeaseLost, match=r"block r0_c1 of job .* is no longer leased to worker w"):
        store.finish_unit(lease, lease.units[1].id)
    with pytest.raises(LeaseLost):
        store.fail_unit(lease, lease.units[1].id, "late")
    store.finish_unit(lease, lease.units[0].id)  # was done in time
    store.give_back(lease)
    check_counters(store)
    assert store.dismiss(job.id) == dismissed


def test_resuming_repeats_nothing_that_is_done(store):
    job = store.create_job(make_job(make_planned(num_sheets=2)))
    done = []
    for lease in leases(store):
        finish(store, lease)
        done += names(lease)
        if len(done) == 9:  # the first sheet with its blocks
            break
    store.claim("w", CLASS_A, lease_s=60)
    store.dismiss(job.id)
    resumed = store.resume(job.id)
    assert (resumed.status, resumed.finished, resumed.blocks_done) == (JobStatus.ACCEPTED, None, 8)
    again = [name for lease in finish_all(store) for name in names(lease)]
    assert not set(again) & set(done)
    assert store.job(job.id).status == JobStatus.SUCCESSFUL
    check_counters(store)


def test_what_goes_on_or_has_ended_well_is_not_resumed(store):
    job = store.create_job(make_job())
    with pytest.raises(JobNotResumable, match="is accepted"):
        store.resume(job.id)
    finish_all(store)
    with pytest.raises(JobNotResumable, match="is successful"):
        store.resume(job.id)
    with pytest.raises(JobUnknown):
        store.resume("nobody")


def test_messages_say_what_is_waited_for(store):
    job = store.create_job(make_job())
    assert store.job(job.id).message == "waits for a worker: none is alive"
    store.fleet.register(WorkerInfo(id="b", profile_class=CLASS_B, host="h", pid=1))
    assert store.job(job.id).message == "waits for its turn"
    pinned = store.create_job(make_job(profile_class=CLASS_A))
    assert store.job(pinned.id).message == f"waits for a worker of profile class {CLASS_A}: none is alive"
    store.fleet.register(WorkerInfo(id="a", profile_class=CLASS_A, host="h", pid=1))
    lease = store.claim("a", CLASS_A, lease_s=60)
    assert store.job(lease.job_id).message == "0 of 8 blocks are done"
    finish(store, lease)
    assert store.job(lease.job_id).message == "4 of 8 blocks are done"
    store.fleet.forget("a")
    assert store.job(lease.job_id).message.endswith("none is alive")


def test_a_live_job_is_not_deleted(store):
    job = store.create_job(make_job())
    with pytest.raises(JobUnderWay, match="is accepted"):
        store.delete_job(job.id)
    with pytest.raises(JobUnderWay):
        store.delete_map(job.map_id)


def test_deleting_a_job_takes_all_with_it(store, monkeypatch):
    monkeypatch.setattr("service.jobs.removing.CHUNK_ROWS", 3)
    kept, job = store.create_job(make_job()), store.create_job(make_job())
    store.requests.remember(owner="local", key="k", digest="d")
    store.requests.answer(owner="local", key="k", job_id=job.id)
    store.dismiss(job.id)
    store.delete_job(job.id)
    for ask in (store.job, store.planned, store.delete_job):
        with pytest.raises(JobUnknown):
            ask(job.id)
    with pytest.raises(MapUnknown):
        store.map(job.map_id)
    assert store.units(job.id) == store.log(job.id) == []
    assert store.requests.remember(owner="local", key="k", digest="other") is None
    with store.begin() as connection:
        for table in (units, plans, job_log):
            assert set(connection.execute(table.select().with_only_columns(table.c.job_id)).scalars()) == {
                kept.id
            }


def test_deleting_a_map_keeps_its_job_as_history(store):
    job = store.create_job(make_job())
    finish_all(store)
    store.delete_map(job.map_id)
    with pytest.raises(MapUnknown):
        store.map(job.map_id)
    assert store.job(job.id).blocks_done == 8
    assert store.log(job.id)
    assert store.units(job.id) == []
    assert store.same_job(owner="local", content_key="content") is None
    store.delete_job(job.id)


def test_a_dismissed_job_without_its_map_is_not_resumed(store):
    job = store.create_job(make_job())
    store.dismiss(job.id)
    store.delete_map(job.map_id)
    with pytest.raises(JobNotResumable, match=r"map .* was deleted"):
        store.resume(job.id)


def test_a_large_job_appears_whole(store, monkeypatch):
    monkeypatch.setattr(creating, "CHUNK_ROWS", 3)
    seen, rows_of = [], creating._unit_rows

    def look(*job):
        for row in rows_of(*job):
            seen.append((store.jobs().items, store.maps().items, store.claim("w", CLASS_A, lease_s=1)))
            yield row

    monkeypatch.setattr(creating, "_unit_rows", look)
    job = store.create_job(make_job())
    assert seen == [([], [], None)] * 9
    assert store.job(job.id).blocks_total == 8
    assert len(finish_all(store)) == 3


def test_what_a_dead_process_left_of_a_job_is_swept(store, monkeypatch):
    monkeypatch.setattr(creating, "CHUNK_ROWS", 3)

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(creating, "_publish", die)
    with pytest.raises(KeyboardInterrupt):
        store.create_job(make_job())
    store.reap()
    assert _num_rows(store) == 6  # of three chunks two; the draft may still be written
    monkeypatch.setattr(removing, "ABANDONED_S", -1.0)
    store.reap()
    assert _num_rows(store) == 0


def _num_rows(store) -> int:
    with store.begin() as connection:
        return len(connection.execute(units.select()).all())
