"""The pipeline gives each pixel its class once, whatever the blocks, the runs and their order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.inference.engine import StubEngine
from service.inference.pipeline import NODATA, RunRequest, process_run
from service.planning.blocks import plan_blocks, plan_runs
from service.planning.cores import PatchGeometry
from service.planning.profile import ExecutionProfile
from service.rasters.windows import Window

GEOMETRY = PatchGeometry(core_px=12, halo_px=2, stride_px=8)
PROFILE = ExecutionProfile(
    engine="stub",
    engine_version="1",
    precision="fp32",
    provider="cpu",
    processor="any",
    patch_px=16,
    batch=1,
    artefact_digest="0" * 64,
)


class ArraySource:
    """Pixels from an array that lies somewhere on the grid."""

    num_bands = 2

    def __init__(self, image_CHW, valid_HW, *, row_off, col_off, tile_px=7):
        self.image_CHW, self.valid_HW, self.tile_px = image_CHW, valid_HW, tile_px
        self.window = Window(
            row_off=row_off, col_off=col_off, height=valid_HW.shape[0], width=valid_HW.shape[1]
        )
        self.rows_read = 0

    def tile_row_end(self, row):
        return self.window.row_off + -(-(row - self.window.row_off) // self.tile_px) * self.tile_px

    def read(self, window):
        self.rows_read += window.height
        image_CHW = np.zeros((2, window.height, window.width), dtype=np.uint8)
        valid_HW = np.zeros((window.height, window.width), dtype=bool)
        part = window.intersection(self.window)
        if not part.is_empty:
            to, frm = part.slices_in(window), part.slices_in(self.window)
            valid_HW[to] = self.valid_HW[frm]
            image_CHW[:, to[0], to[1]] = np.where(valid_HW[to], self.image_CHW[:, frm[0], frm[1]], 0)
        return image_CHW, valid_HW


class BoxEngine(StubEngine):
    """Looks at 5 x 5 pixels, as far as the halo reaches, so that a wrong halo shows."""

    def segment(self, image_NCHW):
        first_NHW = image_NCHW[:, 0].astype(np.int64)
        total_NHW = sum(
            np.roll(first_NHW, (rows, cols), axis=(1, 2)) for rows in range(-2, 3) for cols in range(-2, 3)
        )
        return (total_NHW % 16).astype(np.uint8), np.minimum(image_NCHW[:, 1], 100)


def scene(seed, height, width, *, share_valid=1.0, row_off=0, col_off=0):
    rng = np.random.default_rng(seed)
    return ArraySource(
        rng.integers(0, 256, (2, height, width), dtype=np.uint8),
        rng.random((height, width)) < share_valid,
        row_off=row_off,
        col_off=col_off,
    )


def predict(source, engine, *, area=None, block_cores=1, max_cols=2, max_rows=3, shuffle=None, keep=None):
    area = area or source.window
    blocks = plan_blocks(area, core_px=GEOMETRY.core_px, block_cores=block_cores)
    classes_HW = np.full((area.height, area.width), 77, dtype=np.uint8)
    runs = plan_runs(blocks, max_cols=max_cols, max_rows=max_rows)
    if shuffle is not None:
        np.random.default_rng(shuffle).shuffle(runs)

    def commit(result):
        classes_HW[result.block.window.slices_in(area)] = result.classes_HW

    for run in runs:
        request = RunRequest(blocks=run, data=source.window, geometry=GEOMETRY, queue_patches=2)
        process_run(request, source=source, engine=engine, commit=commit, keep=keep)
    return classes_HW


@settings(deadline=None, max_examples=30)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    row_off=st.integers(-100, 100),
    col_off=st.integers(-100, 100),
    block_cores=st.integers(1, 3),
)
def test_a_scene_in_patches_equals_the_scene_whole(height, width, row_off, col_off, block_cores):
    source = scene(1, height, width, share_valid=0.8, row_off=row_off, col_off=col_off)
    whole_HW = np.where(source.valid_HW, source.image_CHW[0] % 16, NODATA)
    classes_HW = predict(source, StubEngine(PROFILE), block_cores=block_cores)
    np.testing.assert_array_equal(classes_HW, whole_HW)


@settings(deadline=None, max_examples=15)
@given(
    top=st.integers(0, 40), left=st.integers(0, 40), shuffle=st.integers(0, 99), max_cols=st.integers(1, 4)
)
def test_another_extent_or_order_gives_the_same_classes(top, left, shuffle, max_cols):
    source = scene(2, 70, 64, row_off=-31, col_off=17)
    whole_HW = predict(source, BoxEngine(PROFILE))
    area = Window.between(
        row_off=source.window.row_off + top,
        col_off=source.window.col_off + left,
        row_end=source.window.row_end - 3,
        col_end=source.window.col_end,
    )
    part_HW = predict(source, BoxEngine(PROFILE), area=area, shuffle=shuffle, max_cols=max_cols)
    np.testing.assert_array_equal(part_HW, whole_HW[area.slices_in(source.window)])


def test_the_halo_is_seen_across_cores():
    source = scene(3, 50, 50)
    padded_HW = np.pad(source.image_CHW[0].astype(np.int64), 2, mode="reflect")
    expected_HW = sum(padded_HW[rows : rows + 50, cols : cols + 50] for rows in range(5) for cols in range(5))
    np.testing.assert_array_equal(predict(source, BoxEngine(PROFILE)), expected_HW % 16)


def test_cores_without_data_cost_no_inference():
    source = scene(4, 48, 48)
    source.valid_HW[:24] = False
    engine = StubEngine(PROFILE)
    classes_HW = predict(source, engine)
    assert (classes_HW[:24] == NODATA).all()
    assert (classes_HW[24:] != NODATA).all()
    assert engine.num_px == 2 * 4 * 16 * 16


def test_each_block_tells_its_share_of_the_engines_time():
    source, told = scene(8, 48, 48), {}
    source.valid_HW[:24] = False
    blocks = plan_blocks(source.window, core_px=12, block_cores=2)

    def commit(result):
        told[result.block.row - blocks[0].row, result.block.col - blocks[0].col] = result.engine_s

    request = RunRequest(blocks=blocks, data=source.window, geometry=GEOMETRY)
    figures = process_run(request, source=source, engine=StubEngine(PROFILE), commit=commit)
    assert told[0, 0] is told[0, 1] is None, "nothing was to be segmented"
    assert min(told[1, 0], told[1, 1]) > 0
    assert told[1, 0] + told[1, 1] == pytest.approx(figures.engine_s)


def test_rows_are_read_once_within_a_run():
    source = scene(5, 240, 24)
    predict(source, StubEngine(PROFILE), max_cols=2, max_rows=1000)
    assert source.rows_read == 240


def test_the_area_of_interest_is_kept_and_nothing_else():
    source = scene(6, 30, 30)

    def keep(window):
        rows_H1 = np.arange(window.row_off, window.row_end)[:, None]
        return np.broadcast_to(rows_H1 >= 10, (window.height, window.width))

    classes_HW = predict(source, StubEngine(PROFILE), keep=keep)
    assert (classes_HW[:10] == NODATA).all()
    np.testing.assert_array_equal(classes_HW[10:], source.image_CHW[0, 10:] % 16)


@pytest.mark.parametrize("where", ["read", "engine", "commit", "progress"])
def test_a_failure_anywhere_ends_the_run_with_that_failure(where):
    source, engine = scene(7, 60, 60), StubEngine(PROFILE)

    def fail(*_args):
        raise OSError(where)

    if where == "read":
        source.read = fail
    if where == "engine":
        engine.segment = fail
    request = RunRequest(
        blocks=plan_blocks(source.window, core_px=12, block_cores=1), data=source.window, geometry=GEOMETRY
    )
    with pytest.raises(OSError, match=where):
        process_run(
            request,
            source=source,
            engine=engine,
            commit=fail if where == "commit" else lambda _: None,
            on_core=fail if where == "progress" else None,
        )
