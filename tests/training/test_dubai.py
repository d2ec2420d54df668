"""Dubai is read with its overlaps, its colours and the labels that contradict each other."""

import json

import numpy as np
import pytest
from PIL import Image
from tiny_dubai import RGB, write_dubai

from training.data.dubai import DOMAINS, SETS, load_dubai, near_border
from training.data.errors import FileMissing, FileUnexpected, LabelUnknown, LayoutUnknown
from training.data.samples import domains_of, hold_out

LABEL_OF_COLOUR = {tuple(colour): min(number, 5) for number, colour in enumerate(RGB.tolist())}


@pytest.fixture
def dubai(tmp_path):
    return load_dubai(write_dubai(tmp_path / "dubai", scenes=(1, 2, 3, 4, 6, 8), withheld=(2,)))


def test_domains_are_acquisitions_not_scenes(dubai):
    assert len(dubai.parts) == 54
    assert [domain.campaign for domain in domains_of(dubai.parts)] == [
        "tile-2",
        "tile-4",
        "tile-6",
        "tiles-1-3",
        "tiles-7-8",
    ]
    kept, held = hold_out(dubai.parts, [part.domain for part in dubai.parts if part.scene == 1])
    assert {part.scene for part in held} == {1, 3}
    assert len(kept) == 36


def test_colours_are_those_of_the_masks_also_as_a_palette(dubai):
    scene = [part for part in dubai.parts if part.scene == 1]
    kinds = set()
    for part in scene:
        with Image.open(part.labels) as mask:
            kinds.add(mask.mode)
            drawn_HWC = np.asarray(mask.convert("RGB"))
        wanted_HW = np.apply_along_axis(lambda colour: LABEL_OF_COLOUR[tuple(colour)], 2, drawn_HWC)
        labels_HW = dubai.read(part, border_px=0).labels_HW
        assert (labels_HW == np.where(wanted_HW == 5, 255, wanted_HW)).all()
    assert kinds == {"RGB", "P"}
    assert [each.name for each in SETS.sets] == ["building", "land", "road", "vegetation", "water"]


def test_borders_teach_nothing(dubai):
    part = next(part for part in dubai.parts if part.scene == 3)
    all_HW = dubai.read(part, border_px=0).labels_HW
    inner_HW = dubai.read(part).labels_HW
    kept = inner_HW != 255
    assert kept.any()
    assert (inner_HW[kept] == all_HW[kept]).all()
    for row, column in np.argwhere(kept):
        around = all_HW[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5]
        assert (around == all_HW[row, column]).all()
    labels_HW = np.zeros((1, 12), dtype=np.uint8)
    labels_HW[:, 6:] = 1
    assert near_border(labels_HW, 4).nonzero()[1].tolist() == list(range(2, 10))


def test_classes_drawn_unlike_everywhere_else_are_dropped(dubai):
    for scene, dropped in ((4, 1), (6, 3)):
        parts = [part for part in dubai.parts if part.scene == scene]
        found = {value for part in parts for value in np.unique(dubai.read(part).labels_HW)}
        assert dropped not in found
        assert len(found) == 5


def test_withheld_labels_are_none(dubai):
    part = next(part for part in dubai.parts if part.scene == 2)
    assert (part.labels, part.split) == (None, "test")
    assert dubai.read(part).labels_HW is None


def test_ground_held_out_is_ground_by_ground(dubai):
    """Against a map of the frame painted pixel by pixel, for scenes that lie on each other."""
    target = [part.domain for part in dubai.parts if part.scene == 4]
    _, left, top, right, bottom = dubai.ground_of(4)
    guard_px = 2000  # tiny scenes at the places of full ones: they lie far apart
    for part in (part for part in dubai.parts if part.scene == 8):
        frame, scene_left, scene_top, *_ = dubai.ground_of(8)
        assert frame == dubai.ground_of(4)[0]
        columns = scene_left + part.left_px + np.arange(part.width)
        rows = scene_top + part.top_px + np.arange(part.height_px)
        near_columns = (columns >= left - guard_px) & (columns < right + guard_px)
        near_rows = (rows >= top - guard_px) & (rows < bottom + guard_px)
        wanted_HW = near_rows[:, None] & near_columns[None]
        assert (dubai.near_ground(part, target, guard_px=guard_px) == wanted_HW).all()
        assert not dubai.near_ground(part, target).any()
    own = next(part for part in dubai.parts if part.scene == 4)
    assert not dubai.near_ground(own, target, guard_px=guard_px).any()


def test_what_is_not_dubai_is_refused(tmp_path):
    root = write_dubai(tmp_path / "dubai", scenes=(1,))
    dubai = load_dubai(root)
    mask = dubai.parts[0].labels
    with Image.open(mask) as drawn:
        strange = np.array(drawn)
    strange[0, :3] = (1, 2, 3)
    Image.fromarray(strange).save(mask)
    with pytest.raises(LabelUnknown, match="#010203"):
        dubai.read(dubai.parts[0])
    Image.fromarray(strange[:-1]).save(mask)
    with pytest.raises(FileUnexpected, match="its mask is not"):
        dubai.read(dubai.parts[0])
    mask.unlink()
    with pytest.raises(FileMissing, match="image_part_001"):
        load_dubai(root)
    Image.fromarray(strange[:, :-3]).save(dubai.parts[1].image)
    Image.fromarray(strange).save(mask)
    with pytest.raises(FileUnexpected, match="do not fit together"):
        load_dubai(root)
    write_dubai(tmp_path / "other", scenes=(1,))
    (tmp_path / "other" / "classes.json").write_text(json.dumps({"classes": []}))
    with pytest.raises(LayoutUnknown, match="does not name"):
        load_dubai(tmp_path / "other")
    with pytest.raises(LayoutUnknown, match="Tile 1"):
        load_dubai(tmp_path)


def test_the_real_scenes_lie_where_they_were_registered(real_data):
    dubai = load_dubai(real_data("dubai_mbrsc"))
    assert {part.scene for part in dubai.parts} == set(DOMAINS)
    target = [part.domain for part in dubai.parts if part.scene == 4]
    shared_px = sum(
        int(dubai.near_ground(part, target, guard_px=0).sum()) for part in dubai.parts if part.scene == 8
    )
    _, left, top, right, bottom = dubai.ground_of(4)
    assert 0.39 < shared_px / ((right - left) * (bottom - top)) < 0.41
    part = next(part for part in dubai.parts if part.name == "tile-3/part-1")
    labels_HW = dubai.read(part).labels_HW
    assert set(np.unique(labels_HW)) <= {0, 1, 2, 3, 4, 255}
    assert 2 in labels_HW
