"""A block that cannot be made is found, told and left; the others are made."""

import pytest
import rasterio

from service.jobs.records import JobStatus, UnitKind, UnitStatus
from tests.worker.conftest import plan
from tests.worker.hooks import DEEDS, hook


def bad_block(workshop) -> str:
    blocks = workshop.planned.plan.blocks_of(workshop.planned.plan.sheets[0])
    return blocks[len(blocks) // 2].name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "deed"),
    # A full disk is waited for: test_room.py.
    [*(("sqlite", deed) for deed in sorted(DEEDS.keys() - {"full"})), ("postgresql", "killed")],
)
def test_a_bad_block_fails_its_job_by_name(workshop, tmp_path, deed):
    name = bad_block(workshop)
    environment = hook(tmp_path / "hook", block=name, deed=deed)
    if deed == "hung":
        environment["ORTHOSCAPE_BLOCK_TIMEOUT_S"] = "5"
    with workshop.house(workers=2, **environment) as house:
        job = workshop.order()
        workshop.bell.ring(None)
        house.live(workshop.is_over(job))
    failed = workshop.job(job)
    assert failed.status == JobStatus.FAILED
    assert name in failed.error
    assert {"raised": "cursed"}.get(deed, "died") in failed.error
    units = workshop.store.units(job.id, kind=UnitKind.BLOCK)
    assert [unit.name for unit in units if unit.status == UnitStatus.FAILED] == [name]
    assert max(unit.attempts for unit in units if unit.name != name) < workshop.settings.max_attempts


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_job_may_go_on_with_a_hole(workshop, tmp_path):
    name = bad_block(workshop)
    with workshop.house(**hook(tmp_path / "hook", block=name, deed="killed")) as house:
        job = workshop.order(max_failed_share=0.05)
        workshop.bell.ring(None)
        house.live(workshop.is_over(job))
    done = workshop.job(job)
    assert (done.status, done.blocks_failed) == (JobStatus.SUCCESSFUL, 1), done.error
    sheet = workshop.planned.plan.sheets[0]
    block = next(block for block in workshop.planned.plan.blocks_of(sheet) if block.name == name)
    path = workshop.settings.maps_folder / job.map_id / "sheets" / sheet.name / "landcover.tif"
    with rasterio.open(path) as file:
        classes_HW = file.read(1)
    rows, cols = block.window.slices_in(sheet.window)
    assert (classes_HW[rows, cols] == 255).all()
    assert (classes_HW == 255).sum() == block.window.num_px


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_source_that_is_gone_fails_the_job(workshop, workplace, tmp_path):
    scene = tmp_path / "scene.tif"
    scene.write_bytes((workplace / "scene.tif").read_bytes())
    workshop.planned = plan(scene, workshop.settings)
    job = workshop.order()
    scene.unlink()
    with workshop.house() as house:
        workshop.bell.ring(None)
        house.live(workshop.is_over(job))
    assert workshop.job(job).status == JobStatus.FAILED
    assert "scene.tif" in workshop.job(job).error


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_store_that_is_away_for_a_while_is_waited_for(workshop, expected):
    import pgserver  # noqa: PLC0415

    with workshop.house(workers=2) as house:
        job = workshop.order()
        workshop.bell.ring(None)
        house.live(lambda: workshop.job(job).blocks_done >= 20)
        servers = pgserver.PostgresServer._instances.values()  # other tests of this process have theirs
        server = next(server for server in servers if server.get_uri() == workshop.settings.store_url)
        pgserver.pg_ctl(["restart", "-m", "immediate", "-w"], pgdata=server.pgdata, user=server.system_user)
        house.live(workshop.is_over(job))
    assert workshop.digest(job) == expected
