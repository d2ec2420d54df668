"""Jobs go to workers that compute in what their model has a graph in; nobody else takes them."""

from service.inference.offering import offered_class
from tests.artefacts import write_tiny_artefact

FP32, INT8 = offered_class("onnxruntime"), offered_class("onnxruntime", "int8")


def test_a_model_that_nobody_can_run_is_refused(house, make_raster):
    house.register(INT8)
    path = make_raster(shape=(3, 100, 120))
    refused = house.send(path)
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:orthoscape:problem:nobody-computes")
    assert "ORTHOSCAPE_PRECISION" in refused.json()["remedy"]
    assert house.client.get("/jobs").json()["jobs"] == []
    assert "has graphs in fp32" in house.send(path, dry_run="true").json()["warnings"][0]


def test_a_job_passes_over_workers_of_a_precision_that_its_model_lacks(house, make_raster):
    for number in range(3):
        house.register(INT8, name=f"int8-{number}")
    house.register(FP32, name="fp32")
    job = house.send(make_raster(shape=(3, 100, 120))).json()
    assert house.store.job(job["id"]).profile_class == FP32
    assert house.store.claim("int8-0", INT8, lease_s=60.0) is None


def test_maps_of_two_precisions_are_two_jobs_and_neither_takes_the_other(open_house, make_raster, tmp_path):
    write_tiny_artefact(tmp_path / "home" / "models", has_int8=True)
    house, path = open_house(precision="int8"), make_raster(shape=(3, 100, 120))
    house.register(INT8)
    small = house.send(path).json()["id"]
    assert house.store.claim("fp32", FP32, lease_s=60.0) is None
    house.work()
    profile = house.store.job(small).profile
    assert (house.store.job(small).status, profile["precision"]) == ("successful", "int8")
    assert house.send(path).json()["id"] == small
    for number in range(2):
        house.register(FP32, name=f"fp32-{number}")
    whole = house.store.job(house.send(path).json()["id"])
    assert (whole.id != small, whole.profile_class) == (True, FP32)
