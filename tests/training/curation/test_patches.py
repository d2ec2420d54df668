"""Patches show the pixels that lay there, and the labels of each."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from curated_territory import PATCH_PX, TRUTH_HW, rows_of
from tiny_orthos import GSD_M, LEFT_M, TOP_M, truth, write_labels, write_ortho

from models.errors import RemediedError
from models.nomenclature import COSIA
from service.rasters.windows import Window
from training.curation.commands import curate
from training.curation.cutting import windows_of
from training.curation.request import Cut
from training.data.orthos import Reading


def test_pixels_lie_where_they_lay(made, asked):
    row = next(row for row in rows_of(made.out) if row["domain"] == "D033_2021")
    with (
        rasterio.open(made.out / row["image"]) as image,
        rasterio.open(made.out / row["labels"]) as labels,
        rasterio.open(asked.orthos[0] / row["source"]) as source,
    ):
        assert tuple(image.bounds) == pytest.approx(
            [float(row[s]) for s in ("left", "bottom", "right", "top")]
        )
        assert np.array_equal(image.read(), source.read(window=source.window(*image.bounds)))
        assert image.crs == labels.crs == source.crs
        assert image.transform == labels.transform
        assert image.descriptions == ("red", "green", "blue", "nir")
        assert (labels.dtypes[0], labels.nodata, labels.compression.name) == ("uint8", 255, "deflate")
        assert labels.colormap(1)[6] == COSIA.palette()[6]
        assert labels.colormap(1)[255][3] == 0


def test_labels_are_those_of_the_polygon_under_the_middle_of_a_pixel(made):
    for row in rows_of(made.out)[:12]:
        with rasterio.open(made.out / row["labels"]) as file:
            labels_HW, transform = file.read(1), file.transform
        rows, cols = np.mgrid[:PATCH_PX, :PATCH_PX] + 0.5
        xs, ys = transform * (cols, rows)
        there = np.floor((TOP_M - ys) / GSD_M).astype(int), np.floor((xs - LEFT_M) / GSD_M).astype(int)
        assert np.array_equal(labels_HW, TRUTH_HW[there])
        for value in (0, 6, 12):
            slug = {0: "building", 6: "water", 12: "deciduous"}[value]
            assert float(row[f"share_{slug}"]) == pytest.approx((labels_HW == value).mean(), abs=1e-6)


def test_a_class_raster_of_another_grid_gives_the_nearest_class(asked, tmp_path):
    coarse_HW = truth(shape=(200, 200), values=range(16))
    place = {"gsd_m": 0.5, "left_m": LEFT_M - 3.3, "top_m": TOP_M + 1.7}
    labels = write_labels(tmp_path / "labels.tif", coarse_HW, **place)
    made = curate(replace(asked, labels=((None, labels),), out=tmp_path / "set"))
    for row in rows_of(made.out)[:8]:
        with rasterio.open(made.out / row["labels"]) as file:
            labels_HW, transform = file.read(1), file.transform
        rows, cols = np.mgrid[:PATCH_PX, :PATCH_PX] + 0.5
        xs, ys = transform * (cols, rows)
        row_there = np.floor((place["top_m"] - ys) / 0.5).astype(int)
        col_there = np.floor((xs - place["left_m"]) / 0.5).astype(int)
        is_inside = (row_there < 200) & (col_there < 200)
        expected_HW = np.where(
            is_inside, coarse_HW[np.minimum(row_there, 199), np.minimum(col_there, 199)], 255
        )
        assert np.array_equal(labels_HW, expected_HW)


def test_another_ground_resolution_is_resampled_from_the_origin_of_the_reference_system(asked, tmp_path):
    made = curate(
        replace(asked, out=tmp_path / "set", reading=Reading(gsd_m=0.25), cut=Cut(patch_px=64, stride_px=64))
    )
    for row in rows_of(made.out):
        assert float(row["gsd_m"]) == 0.25
        assert float(row["left"]) / 0.25 == pytest.approx(round(float(row["left"]) / 0.25), abs=1e-6)
        with (
            rasterio.open(made.out / row["image"]) as image,
            rasterio.open(made.out / row["labels"]) as labels,
        ):
            assert image.res == labels.res == (0.25, 0.25)
            assert image.read().any(axis=0).mean() > 0.9
    with pytest.raises(RemediedError, match="invented"):
        curate(replace(asked, out=tmp_path / "fine", reading=Reading(gsd_m=0.1)))


def test_where_an_orthophoto_is_blank_there_is_no_label(asked, tmp_path):
    write_ortho(tmp_path / "o" / "a.tif", truth(shape=(256, 256)), blank_rows=20)
    made = curate(
        replace(asked, orthos=(tmp_path / "o",), domains=(("D001_2020", None),), out=tmp_path / "set")
    )
    row = next(row for row in rows_of(made.out) if "_r00000_" in row["id"])
    with rasterio.open(made.out / row["labels"]) as labels, rasterio.open(made.out / row["image"]) as image:
        assert (labels.read(1)[:20] == 255).all()
        assert (labels.read(1)[20:] != 255).all()
        assert image.nodata == 0
    assert float(row["labelled_share"]) == pytest.approx(44 / 64)


def test_labels_may_be_of_one_domain(asked, tmp_path):
    other = write_labels(tmp_path / "2021.tif", np.full((384, 700), 3, dtype=np.uint8))
    made = curate(replace(asked, labels=(*asked.labels, ("D033_2021", other)), out=tmp_path / "set"))
    for row in rows_of(made.out):
        assert (float(row["share_impervious_surface"]) == 1) == (row["domain"] == "D033_2021")


def test_patches_cover_an_orthophoto_from_its_corner_on():
    cut = Cut(patch_px=64, stride_px=64)
    cols = sorted({window.col_off for window in windows_of(Window(10, 0, 64 * 3 + 31, 64), cut)})
    assert cols == [10, 74, 138]
    cols = sorted({window.col_off for window in windows_of(Window(0, 0, 64 * 3 + 32, 64), cut)})
    assert cols == [0, 64, 128, 160]
    assert windows_of(Window(0, 0, 63, 200), cut) == []
