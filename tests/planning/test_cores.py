"""Cores partition any scene; what a patch holds depends on the place and the data alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.planning.blocks import plan_blocks, plan_runs
from service.planning.cores import PatchGeometry, plan_cores, plan_patch
from service.planning.lattice import bounding_window
from service.rasters.windows import Window

offsets = st.integers(-5_000, 5_000)
sides = st.integers(1, 60)


@st.composite
def windows(draw):
    return Window(row_off=draw(offsets), col_off=draw(offsets), height=draw(sides), width=draw(sides))


@st.composite
def geometries(draw):
    stride = draw(st.sampled_from([1, 2, 4, 8]))
    halo = draw(st.integers(0, 9))
    core = draw(st.integers(1, 20))
    core += -(core + 2 * halo) % stride
    return PatchGeometry(core_px=core, halo_px=halo, stride_px=stride)


@given(window=windows(), core_px=st.integers(1, 25))
def test_cores_cover_every_pixel_exactly_once(window, core_px):
    visits_HW = np.zeros((window.height, window.width), dtype=np.uint8)
    for core in plan_cores(window, core_px=core_px):
        visits_HW[core.window.slices_in(window)] += 1
    assert (visits_HW == 1).all()


@given(window=windows(), core_px=st.integers(1, 12), block_cores=st.integers(1, 4))
def test_blocks_are_made_of_the_cores_of_the_window(window, core_px, block_cores):
    from_blocks = [
        core
        for block in plan_blocks(window, core_px=core_px, block_cores=block_cores)
        for core in plan_cores(block.window, core_px=core_px)
    ]
    assert sorted(from_blocks, key=lambda core: (core.row, core.col)) == plan_cores(window, core_px=core_px)


@given(data=windows(), geometry=geometries(), asked=st.data())
def test_a_patch_does_not_depend_on_the_extent_asked_for(data, geometry, asked):
    row = asked.draw(st.integers(data.row_off, data.row_end - 1))
    col = asked.draw(st.integers(data.col_off, data.col_end - 1))
    part = Window.between(row_off=row, col_off=col, row_end=data.row_end, col_end=data.col_end)
    whole = {
        (core.row, core.col): plan_patch(core, data=data, geometry=geometry)
        for core in plan_cores(data, core_px=geometry.core_px)
    }
    for core in plan_cores(part, core_px=geometry.core_px):
        assert plan_patch(core, data=data, geometry=geometry) == whole[core.row, core.col]


@given(data=windows(), geometry=geometries())
def test_patches_hold_their_core_and_its_halo_and_fit_the_stride(data, geometry):
    for core in plan_cores(data, core_px=geometry.core_px):
        patch = plan_patch(core, data=data, geometry=geometry)
        assert data.contains(patch.read)
        assert patch.height % geometry.stride_px == 0
        assert patch.width % geometry.stride_px == 0
        rows, cols = patch.slices_of(core)
        for kept, side, extent in (
            (rows, core.window.height, patch.height),
            (cols, core.window.width, patch.width),
        ):
            assert kept.stop - kept.start == side
            assert kept.start >= geometry.halo_px
            assert kept.stop + geometry.halo_px <= extent


def test_inside_the_data_every_patch_has_the_same_size_and_no_padding():
    geometry = PatchGeometry(core_px=1024, halo_px=80, stride_px=32)
    data = Window(row_off=-4096, col_off=-4096, height=8192, width=8192)
    inner = Window(row_off=-3072, col_off=-3072, height=6144, width=6144)
    patches = [
        plan_patch(core, data=data, geometry=geometry) for core in plan_cores(inner, core_px=geometry.core_px)
    ]
    assert {(patch.read.height, patch.read.width) for patch in patches} == {(1184, 1184)}


def test_a_core_outside_the_data_is_refused():
    core = plan_cores(Window(row_off=0, col_off=0, height=4, width=4), core_px=4)[0]
    data = Window(row_off=100, col_off=100, height=4, width=4)
    with pytest.raises(ValueError, match="outside the data"):
        plan_patch(core, data=data, geometry=PatchGeometry(core_px=4, halo_px=0, stride_px=1))


def test_a_geometry_that_the_stride_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="stride of 32"):
        PatchGeometry(core_px=1024, halo_px=70, stride_px=32)


@given(window=windows(), max_cols=st.integers(1, 3), max_rows=st.integers(1, 3), skip=st.integers(0, 5))
def test_runs_hold_every_block_once_and_stay_within_their_width(window, max_cols, max_rows, skip):
    blocks = plan_blocks(window, core_px=5, block_cores=1)[skip:]
    runs = plan_runs(reversed(blocks), max_cols=max_cols, max_rows=max_rows)
    assert sorted(block for run in runs for block in run) == sorted(blocks)
    for run in runs:
        extent = bounding_window(block.window for block in run)
        assert extent.width <= 5 * max_cols
        assert extent.height <= 5 * max_rows
