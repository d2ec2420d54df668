"""The folder of a set: it goes on where it was stopped, and nothing is mixed into another."""

import json
from dataclasses import replace

import pyproj
import pytest
import shapely
from curated_territory import bytes_of, ground_of, rows_of
from tiny_orthos import GSD_M, LEFT_M, truth, write_ortho

from models.errors import RemediedError
from training.curation import folder
from training.curation.commands import curate
from training.curation.sheets import find_sheets


class Stopped(Exception):
    pass


def test_a_set_that_was_stopped_goes_on_where_it_was(made, asked, tmp_path):
    out = tmp_path / made.out.name
    seen = []

    def stop(sheet, _done, _of):
        seen.append(sheet)
        if len(set(seen)) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        curate(replace(asked, out=out), tell=stop)
    assert not (out / "catalog.json").exists()
    (out / ".r00000.x.part.tif").touch()  # as a kill leaves it
    again = []
    curate(replace(asked, out=out), tell=lambda sheet, *_: again.append(sheet))
    assert seen[0] not in again
    assert bytes_of(out) == bytes_of(made.out)
    curate(replace(asked, out=out), tell=lambda *_: pytest.fail("nothing is left to do"))
    assert bytes_of(out) == bytes_of(made.out)


def test_nothing_is_mixed_into_a_folder_that_was_made_otherwise(made, asked, tmp_path):
    with pytest.raises(RemediedError, match="its cut differ"):
        curate(replace(asked, out=made.out, cut=replace(asked.cut, min_labelled=0.9)))
    (tmp_path / "mine.txt").touch()
    with pytest.raises(RemediedError, match="is not empty"):
        curate(replace(asked, out=tmp_path))


def test_two_processes_do_not_make_one_set(asked, tmp_path):
    """Each would take away the unfinished files of the other."""
    out = tmp_path / "set"
    with folder.alone(out), pytest.raises(RemediedError, match="being made by another process"):
        curate(replace(asked, out=out))
    assert not list(tmp_path.iterdir())


def test_files_that_went_away_are_missed(asked, tmp_path):
    out = curate(replace(asked, out=tmp_path / "set")).out
    (out / rows_of(out)[0]["labels"]).unlink()
    with pytest.raises(RemediedError, match="is not the file that was written"):
        curate(replace(asked, out=out))


def test_outlines_tell_the_splits_on_a_map(made):
    content = json.loads((made.out / "patches.geojson").read_text(encoding="utf-8"))
    to_lambert = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)
    told = {feature["properties"]["id"]: feature for feature in content["features"]}
    rows = rows_of(made.out)
    assert set(told) == {row["id"] for row in rows}
    for row in rows:
        shape = shapely.geometry.shape(told[row["id"]]["geometry"])
        placed = shapely.transform(shape, to_lambert.transform, interleaved=False)
        assert placed.symmetric_difference(ground_of(row)).area < 0.01 * ground_of(row).area
        assert told[row["id"]]["properties"]["split"] == row["split"]


def test_sheets_of_one_name_keep_apart_and_from_one_that_is_numbered_itself(asked, tmp_path):
    """Under one name the second would be taken for cut already, and its ground be missing without a word."""
    for number, name in enumerate(("a/x.tif", "b/x.tif", "c/x-2.tif")):
        left_m = LEFT_M + 128 * number * GSD_M
        write_ortho(tmp_path / "o" / name, truth(shape=(128, 128)), left_m=left_m)
    told = replace(asked, orthos=(tmp_path / "o",), domains=(("D001_2020", None),), out=tmp_path / "set")
    names = {
        sheet.ortho.path.relative_to(tmp_path / "o").as_posix(): sheet.name for sheet in find_sheets(told)
    }
    assert names == {"a/x.tif": "x", "b/x.tif": "x-2", "c/x-2.tif": "x-2-2"}


def test_the_note_tells_inputs_by_their_bytes_and_no_path(made, asked):
    note = json.loads((made.out / "curation.json").read_text(encoding="utf-8"))
    assert str(asked.orthos[0].parent) not in (made.out / "curation.json").read_text(encoding="utf-8")
    assert [each["domain"] for each in note["orthos"]] == ["D033_2021", "D033_2024", "D033_2024"]
    assert note["annotations"][0]["file"] == "cosia.gpkg"
