"""Jobs as workers make them."""

import pytest
import rasterio

from service.jobs.records import JobStatus, UnitKind, UnitStatus
from service.jobs.tallies import read_totals


def test_a_job_is_the_map_that_predict_makes(workshop, expected):
    with workshop.house() as house:
        job = workshop.order(has_pictures=True)
        workshop.bell.ring(None)
        house.live(workshop.is_over(job))
    done = workshop.job(job)
    assert done.status == JobStatus.SUCCESSFUL, done.error
    assert workshop.digest(job) == expected
    assert done.blocks_done == done.blocks_total > 100
    folder = workshop.settings.maps_folder / job.map_id
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [
        "confidence.tif",
        "image.tif",
        "landcover.qml",
        "landcover.tif",
    ]
    counts = workshop.store.map(job.map_id).pixel_counts
    sheet = workshop.store.units(job.id, kind=UnitKind.SHEET)[0]
    assert sum(counts.values()) + sheet.figures["num_nodata_px"] == 640 * 700
    num_timed, engine_s = read_totals(workshop.store.database).inference[done.model, "cpu"]
    assert num_timed >= done.blocks_done
    assert engine_s > 0
    assert not workshop.store.fleet.workers()  # they said that they leave
    with rasterio.open(next(folder.rglob("landcover.tif"))) as file:
        told = "".join(file.tags().values())
    assert "scene.tif" in told
    assert str(workshop.planned.plan.sources[0].path) not in told, "what is published names no folder"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_bell_nobody_heard_is_rung_again(workshop):
    """The job is there, and nothing told the worker."""
    with workshop.house() as house:
        job = workshop.order()
        house.live(workshop.is_over(job))
    assert workshop.job(job).status == JobStatus.SUCCESSFUL


@pytest.mark.slow
def test_two_owners_share_the_workers(workshop):
    with workshop.house(workers=2) as house:
        jobs = [workshop.order(owner=owner) for owner in ("one", "other")]
        workshop.bell.ring(None)
        house.live(lambda: max(workshop.job(job).blocks_done for job in jobs) >= 70)
        done = [workshop.job(job).blocks_done for job in jobs]
        assert min(done) >= 20, done  # the second worker may have come late
        house.live(workshop.is_over(*jobs))
    assert all(workshop.job(job).status == JobStatus.SUCCESSFUL for job in jobs)


@pytest.mark.slow
def test_cancelling_stops_within_a_block(workshop):
    with workshop.house(workers=2) as house:
        job = workshop.order()
        workshop.bell.ring(None)
        house.live(lambda: workshop.job(job).blocks_done >= 20)
        num_done = workshop.store.dismiss(job.id).blocks_done
        num_there = len(workshop.blocks_there(job))
        other = workshop.order(content_key="other")
        house.live(workshop.is_over(other))
        assert workshop.job(job).blocks_done == num_done
        assert len(workshop.blocks_there(job)) <= num_there + 2
        workshop.store.resume(job.id)
        house.live(workshop.is_over(job))
    assert workshop.digest(job) == workshop.digest(other)


@pytest.mark.slow
def test_a_worker_that_is_told_to_leave_gives_back_what_it_holds(workshop):
    with workshop.house() as house:
        job = workshop.order()
        workshop.bell.ring(None)
        house.live(lambda: workshop.job(job).blocks_done >= 20)
    units = workshop.store.units(job.id, kind=UnitKind.BLOCK)
    open_units = [unit for unit in units if unit.status != UnitStatus.DONE]
    assert open_units
    assert {(unit.status, unit.attempts) for unit in open_units} == {(UnitStatus.READY, 0)}
    assert not workshop.store.fleet.workers()
