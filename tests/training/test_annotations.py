"""Labels of the ground, as CoSIA's polygons or as a raster, on the pixels of an orthophoto."""

import numpy as np
import pyogrio
import pytest
import shapely
from tiny_territory import GSD_M, LEFT_M, TOP_M, truth, write_class_raster, write_cosia

from models.nomenclature import COSIA
from training.data.annotations import open_annotations
from training.data.errors import FileUnexpected, LabelUnknown, LayoutUnknown

ALL = tuple(each.value for each in COSIA.classes)


def on(annotations, *, shape=(256, 384), left_m=LEFT_M, crs="EPSG:2154"):
    transform = (GSD_M, 0.0, left_m, 0.0, -GSD_M, TOP_M)
    return annotations.on(transform, shape=shape, crs_wkt=crs)


@pytest.mark.parametrize("write", [write_cosia, write_class_raster])
def test_every_class_comes_back_pixel_by_pixel(write, tmp_path):
    classes_HW = truth(values=ALL)
    path = write(tmp_path / ("labels.gpkg" if write is write_cosia else "labels.tif"), classes_HW)
    assert np.array_equal(on(open_annotations(path)), classes_HW)


@pytest.mark.parametrize("write", [write_cosia, write_class_raster])
def test_where_there_is_no_label_nothing_is_taught(write, tmp_path):
    classes_HW = truth(shape=(64, 64))
    path = write(tmp_path / ("labels.gpkg" if write is write_cosia else "labels.tif"), classes_HW)
    labels_HW = on(open_annotations(path))
    assert np.array_equal(labels_HW[:64, :64], classes_HW)
    assert (labels_HW[64:] == 255).all()
    assert (on(open_annotations(path), left_m=LEFT_M + 5000.0) == 255).all()


def test_the_polygons_of_several_files_are_one_set_of_labels(tmp_path):
    classes_HW = truth()
    write_cosia(tmp_path / "west.gpkg", classes_HW[:, :192])
    write_cosia(tmp_path / "east.gpkg", classes_HW[:, 192:], left_m=LEFT_M + 192 * GSD_M)
    assert np.array_equal(on(open_annotations(tmp_path)), classes_HW)


def test_names_are_read_whatever_their_accents_and_case(tmp_path):
    classes_HW = truth(shape=(64, 64), values=(0, 6))
    path = write_cosia(tmp_path / "c.gpkg", classes_HW, names={0: "BATIMENT", 6: "surface eau "})
    assert np.array_equal(on(open_annotations(path), shape=(64, 64)), classes_HW)


def test_what_cosia_calls_other_teaches_nothing(tmp_path):
    classes_HW = truth(shape=(64, 64), values=(0, 15))
    path = write_cosia(tmp_path / "c.gpkg", classes_HW, names={0: "Bâtiment", 15: "Autre"})
    assert set(np.unique(on(open_annotations(path), shape=(64, 64)))) <= {0, 255}


def test_a_class_that_is_none_and_a_number_of_another_are_named(tmp_path):
    classes_HW = truth(shape=(64, 64), values=(0,))
    path = write_cosia(tmp_path / "name.gpkg", classes_HW, names={0: "Château"})
    with pytest.raises(LabelUnknown, match="Château"):
        on(open_annotations(path))
    path = write_cosia(tmp_path / "number.gpkg", classes_HW, numbers={0: 4})
    with pytest.raises(LabelUnknown, match="has numero 4, CoSIA's is 1"):
        on(open_annotations(path))
    path = write_class_raster(tmp_path / "value.tif", np.full((64, 64), 19, dtype=np.uint8))
    with pytest.raises(LabelUnknown, match="holds 19"):
        on(open_annotations(path))


@pytest.mark.parametrize(("told", "is_read"), [("1", True), ("01", True), (" 1.0", True), ("B1", False)])
def test_numbers_may_be_written_as_text(told, is_read, tmp_path):
    pyogrio.raw.write(
        tmp_path / "text.gpkg",
        geometry=np.array(
            [shapely.to_wkb(shapely.box(LEFT_M, TOP_M - 20, LEFT_M + 20, TOP_M))], dtype=object
        ),
        field_data=[np.array([told], dtype=object), np.array(["Bâtiment"], dtype=object)],
        fields=["numero", "classe"],
        geometry_type="Polygon",
        crs="EPSG:2154",
        driver="GPKG",
    )
    annotations = open_annotations(tmp_path / "text.gpkg")
    if is_read:
        assert (on(annotations, shape=(100, 100)) == 0).all()
    else:
        with pytest.raises(LabelUnknown, match="has numero B1, CoSIA's is 1"):
            on(annotations, shape=(100, 100))


def test_what_labels_cannot_be_read_of_is_refused(tmp_path):
    with pytest.raises(LayoutUnknown, match="does not exist"):
        open_annotations(tmp_path / "nowhere.gpkg")
    with pytest.raises(LayoutUnknown, match="holds no labels"):
        open_annotations(tmp_path)
    (tmp_path / "broken.gpkg").write_bytes(b"SQLite format 3\x00 not really")
    with pytest.raises(FileUnexpected, match="cannot be read"):
        open_annotations(tmp_path / "broken.gpkg")
