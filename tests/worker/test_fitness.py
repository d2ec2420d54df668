"""A worker that cannot do what others can costs their jobs nothing."""

import pytest

from models.errors import ArtefactMissing
from service.jobs.records import JobStatus, UnitStatus
from service.jobs.schema import jobs
from service.worker.fitness import Refusals, WorkerUnfit, own_fault
from tests.artefacts import write_tiny_artefact
from tests.worker.conftest import claim, processor_of, work


def without_model(folder):
    """Nothing to do: no model is there."""
    (folder / "models").mkdir()


def with_another_model(folder):
    write_tiny_artefact(folder / "models", "tiny-rgb", seed=1)


def with_a_broken_model(folder):
    (write_tiny_artefact(folder / "models", "tiny-rgb").folder / "model.onnx").write_bytes(b"no graph")


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("prepare", [without_model, with_another_model, with_a_broken_model])
def test_what_a_worker_lacks_costs_no_attempt(workshop, processor, expected, tmp_path, prepare):
    home = tmp_path / "elsewhere"
    home.mkdir()
    prepare(home)
    job = workshop.order()
    with processor_of(workshop, workshop.settings.model_copy(update={"home": home})) as unfit:
        for _ in range(2 * workshop.settings.max_attempts):
            with pytest.raises(WorkerUnfit) as raised:
                unfit.process(claim(workshop))
            assert raised.value.refused == job.model_digest
    assert {unit.attempts for unit in workshop.store.units(job.id)} == {0}
    assert "a worker cannot make it" in workshop.job(job).message, "nobody works on it, and it says why"
    work(workshop, processor)
    assert workshop.job(job).status == JobStatus.SUCCESSFUL, workshop.job(job).error
    assert workshop.digest(job) == expected


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_job_that_is_executed_otherwise_is_left_to_others(workshop, processor):
    job = workshop.order()
    lease = claim(workshop)
    workshop.store.give_back(lease)
    with workshop.store.begin() as connection:
        connection.execute(jobs.update().values(profile={"engine_version": "0.1"}))
    with pytest.raises(WorkerUnfit) as raised:
        processor.process(claim(workshop))
    assert raised.value.refused == job.id
    assert {unit.status for unit in workshop.store.units(job.id, kind="block")} == {UnitStatus.READY}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_one_misconfigured_worker_does_not_fail_the_fleets_jobs(workshop, expected, tmp_path):
    home = tmp_path / "elsewhere"
    home.mkdir()
    with workshop.house() as house:
        poor = workshop.environment | {"ORTHOSCAPE_HOME": str(home)}
        house.add_worker("poor", poor | {"ORTHOSCAPE_BROKER_URL": workshop.settings.broker_url})
        house.live(lambda: len(workshop.store.fleet.workers()) == 2)
        job = workshop.order()
        workshop.bell.ring(None, times=2)
        house.live(workshop.is_over(job))
    assert workshop.job(job).status == JobStatus.SUCCESSFUL, workshop.job(job).error
    assert {unit.attempts for unit in workshop.store.units(job.id)} == {1}
    assert workshop.digest(job) == expected


def test_what_was_refused_is_tried_again_after_ever_longer_pauses(monkeypatch):
    now = 0.0
    monkeypatch.setattr("service.worker.fitness.time.monotonic", lambda: now)
    refusals, unfit = Refusals(), WorkerUnfit("no model", refused="digest")
    pauses = []
    for _ in range(7):
        refusals.note(unfit)
        began = now
        while refusals.now():
            now += 1.0
        pauses.append(now - began)
    assert pauses == [30, 60, 120, 240, 480, 600, 600]
    now += 3600.0
    assert refusals.now() == ()
    refusals.note(unfit)
    now += 30.0
    assert refusals.now() == (), "the model was there meanwhile"


def test_only_what_counts_is_the_workers_fault():
    with pytest.raises(KeyError), own_fault("digest", ArtefactMissing):
        raise KeyError
    with pytest.raises(WorkerUnfit, match="install it"), own_fault("digest", ArtefactMissing):
        raise ArtefactMissing("gone", remedy="install it")
