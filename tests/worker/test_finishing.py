"""A sheet is finished in small steps: whoever makes it can be seen to live, and can be asked to leave."""

import pytest

from service.jobs.records import JobStatus, UnitKind
from service.maps.verifying import ProductDamaged
from service.worker.leaving import StopLine, WorkerLeaving
from service.worker.watchdog import Watchdog
from tests.worker.conftest import claim, processor_of, work

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def sheet(workshop, processor):
    """A lease of a sheet whose blocks are all there."""
    workshop.order()
    while (lease := claim(workshop)).kind == UnitKind.BLOCK:
        processor.process(lease)
    return lease


def products_there(workshop):
    sheets = workshop.settings.maps_folder / workshop.jobs[0].map_id / "sheets"
    return [path.name for path in sheets.rglob("*") if path.is_file()]


class Counting(Watchdog):
    """A watchdog that counts how often it is fed; asks a worker to leave after some of them."""

    def __init__(self, *, leave_after: int = 1_000_000) -> None:
        super().__init__(600.0)
        self.stop, self.num_fed, self.leave_after = StopLine(), 0, leave_after

    def feed(self) -> None:
        super().feed()
        self.num_fed += 1
        if self.num_fed == self.leave_after:
            self.stop.ask()


def test_the_watchdog_is_fed_with_every_block_and_every_band_of_rows(workshop, sheet):
    watchdog = Counting()
    with processor_of(workshop, workshop.settings, watchdog=watchdog) as processor:
        processor.process(sheet)
    num_blocks = workshop.job(workshop.jobs[0]).blocks_total
    num_rounds = 2 + 2 + 1  # both rasters put together, one of them counted, both read back, 640 rows each
    assert watchdog.num_fed > 2 * num_blocks + 2 * num_rounds


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 1.0])
def test_who_is_asked_to_leave_gives_a_sheet_back_unfinished(workshop, processor, sheet, expected, share):
    num_blocks = workshop.job(workshop.jobs[0]).blocks_total
    watchdog = Counting(leave_after=int(share * 2 * num_blocks))
    with (
        processor_of(workshop, workshop.settings, watchdog=watchdog, stop=watchdog.stop) as leaving,
        pytest.raises(WorkerLeaving),
    ):
        leaving.process(sheet)
    assert "landcover.tif" not in products_there(workshop)
    again = claim(workshop)
    assert (again.kind, again.units[0].attempts) == (UnitKind.SHEET, 1)
    processor.process(again)
    work(workshop, processor)
    assert workshop.job(workshop.jobs[0]).status == JobStatus.SUCCESSFUL
    assert workshop.digest(workshop.jobs[0]) == expected


@pytest.mark.parametrize("times", [1, 3])
def test_products_that_do_not_hold_what_was_written_are_never_there(
    workshop, processor, sheet, expected, monkeypatch, times
):
    def damaged(*_, **__):
        raise ProductDamaged("bits are flipped")

    monkeypatch.setattr("service.worker.finishing.verify_sheet", damaged)
    job, lease = workshop.jobs[0], sheet
    for _ in range(times):
        processor.process(lease)
        lease = claim(workshop)
    monkeypatch.undo()
    assert workshop.job(job).status == (JobStatus.FAILED if times == 3 else JobStatus.RUNNING)
    assert products_there(workshop) == [], "nothing that could be served, nothing left over"
    if times == 3:
        workshop.store.resume(job.id)
        lease = claim(workshop)
    processor.process(lease)
    assert workshop.digest(job) == expected
    assert sorted(products_there(workshop)) == ["confidence.tif", "landcover.qml", "landcover.tif"]


def test_what_a_killed_worker_left_of_a_sheet_goes_with_the_next(workshop, processor, sheet):
    folder = next((workshop.settings.maps_folder / sheet.map_id / "blocks").iterdir())
    left = workshop.settings.maps_folder / sheet.map_id / "sheets" / folder.name / ".dead.part"
    left.mkdir(parents=True)
    (left / "landcover.tif").write_bytes(b"half")
    processor.process(sheet)
    assert not left.exists()
