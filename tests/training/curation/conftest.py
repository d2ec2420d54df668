"""One territory, and the set made of it, for all tests of curation; none writes into either."""

import pytest
from curated_territory import GUARD_M, PATCH_PX, SHEETS, TRUTH_HW
from tiny_orthos import LEFT_M, truth, write_cosia, write_ortho

from training.curation.commands import curate
from training.curation.request import Cut, Request, Splitting


@pytest.fixture(scope="session")
def asked(tmp_path_factory):
    """Three overlapping sheets of two dates, and polygons of all their ground."""
    place = tmp_path_factory.mktemp("territory")
    for name, left in SHEETS.items():
        write_ortho(
            place / "orthos" / name, truth(shape=(384, 400)), left_m=LEFT_M + left, noise_seed=len(name)
        )
    return Request(
        orthos=(place / "orthos",),
        labels=((None, write_cosia(place / "cosia.gpkg", TRUTH_HW)),),
        out=place / "set",
        cut=Cut(patch_px=PATCH_PX, stride_px=PATCH_PX),
        splitting=Splitting(shares=(50, 25, 25), block_m=40.0, guard_m=GUARD_M, seed=1),
        licence="etalab-2.0",
        credit="IGN.",
    )


@pytest.fixture(scope="session")
def made(asked):
    return curate(asked)
