"""Dubai: eight satellite scenes of one ground resolution, each cut 3 x 3, in five coarse classes.

    classes.json                          names and colours; that of Road is not the one that masks carry
    Tile 1/images/image_part_001.jpg      red, green, blue, parts row by row
    Tile 1/masks/image_part_001.png       colours, in three bands or as a palette

Scenes overlap, so that a domain is a group of scenes of one acquisition; training leaves out what lies on or
near ground that is held out. Labels are coarse and were drawn by several hands: two annotations of the same
pixels agree at mIoU 0.40 to 0.63, which is the ceiling of any figure. CC0 1.0, MBRSC and Humans in the Loop.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.manifest import Role
from models.nomenclature import parse_colour
from training.data.errors import FileMissing, FileUnexpected, LabelUnknown, LayoutUnknown
from training.data.label_sets import label_sets
from training.data.reading import ignore_where, picture_size, read_picture
from training.data.samples import IGNORED, Domain, Pixels, Sample

BANDS: tuple[Role, ...] = ("red", "green", "blue")

SETS = label_sets(
    building={0: 1, 1: 1, 2: 0.3, 3: 0.25, 4: 0.15},
    land={3: 0.15, 4: 0.6, 5: 0.9, 8: 0.3, 9: 0.5, 10: 0.8, 14: 0.5, 15: 0.3},
    road={3: 0.6, 4: 0.25, 5: 0.1},
    vegetation={8: 0.7, 9: 0.5, 10: 0.2, 11: 1, 12: 1, 13: 1, 14: 0.5},
    water={2: 0.7, 6: 1},
)
"""A label is a position here; a head of five classes of Dubai's own takes the same numbers.

Houses were drawn as blocks, yards and pavement with them; land is what is unpaved, some pavement with it. The
shares are judgements from looking at the parts; what matters is that pavement is mostly road.
"""

BORDER_PX = 4
"""Pixels this near to another label teach nothing: borders were drawn by hand."""
GUARD_PX = 128
"""Pixels this near to ground that is held out teach nothing."""

DOMAINS: Mapping[int, str] = MappingProxyType(
    {1: "tiles-1-3", 3: "tiles-1-3", 2: "tile-2", 4: "tile-4", 5: "tile-5", 6: "tile-6"}
    | {7: "tiles-7-8", 8: "tiles-7-8"}
)
"""Scene to the acquisition that it is from."""

ORIGINS_PX: Mapping[int, tuple[str, int, int]] = MappingProxyType(
    {
        1: ("A", 0, 0),
        3: ("A", -1506, -1614),
        7: ("B", 0, 0),
        8: ("B", -3427, -3745),
        4: ("B", -3427 - 1634, -3745 + 2433),
    }
)
"""Scenes that overlap: a frame of their own, and column and row of their first pixel in it (registered)."""

_SIDE = 3
"""Parts along each side of a scene."""
_JSON_TITLES = ("Building", "Land (unpaved area)", "Road", "Vegetation", "Water")
_JSON_UNLABELLED = "Unlabeled"
_ROAD_IN_MASKS = "#6ec1e4"
_BLACK = 0
_SHOWN = 3
"""Colours listed in a message."""
_UNTRUSTED: Mapping[int, str] = {4: "land", 6: "vegetation"}
"""Scenes where one class was drawn unlike everywhere else."""


@dataclass(frozen=True, kw_only=True)
class Part(Sample):
    """One of the nine parts of a scene."""

    scene: int
    left_px: int
    """Of its first column, in the scene."""
    top_px: int
    width: int
    height_px: int


@dataclass(frozen=True, kw_only=True)
class Dubai:
    """The data set, not read yet."""

    parts: tuple[Part, ...]
    colours: Mapping[int, int]
    """0xRRGGBB to the position of the label set; 255 for what teaches nothing."""

    def ground_of(self, scene: int) -> tuple[str, int, int, int, int]:
        """Frame, then left, top, right and bottom of a scene in it, half-open, in pixels."""
        frame, left, top = ORIGINS_PX.get(scene, (f"scene {scene}", 0, 0))
        own = [part for part in self.parts if part.scene == scene]
        right = max(part.left_px + part.width for part in own)
        bottom = max(part.top_px + part.height_px for part in own)
        return frame, left, top, left + right, top + bottom

    def read(self, part: Part, *, held_out: Collection[Domain] = (), border_px: int = BORDER_PX) -> Pixels:
        """The pixels of a part; its labels are positions in ``SETS``.

        Args:
            part: Which.
            held_out: Domains whose ground, and what is near, shall teach nothing.
            border_px: Pixels this near to another label teach nothing either.

        Raises:
            LabelUnknown: The mask holds a colour that is none of the data set's.
        """
        image_CHW = read_picture(part.image)
        _require_size(part, image_CHW)
        if part.labels is None:
            return Pixels(image_CHW=image_CHW, labels_HW=None)
        mask_CHW = read_picture(part.labels)
        _require_size(part, mask_CHW)
        drawn_HW = self._labels(mask_CHW, path=part.labels)
        is_bad_HW = near_border(drawn_HW, border_px) | self.near_ground(part, held_out)
        if part.scene in _UNTRUSTED:
            names = [each.name for each in SETS.sets]
            is_bad_HW |= drawn_HW == names.index(_UNTRUSTED[part.scene])
        return Pixels(image_CHW=image_CHW, labels_HW=ignore_where(drawn_HW, is_bad_HW))

    def near_ground(
        self, part: Part, held_out: Collection[Domain], *, guard_px: int = GUARD_PX
    ) -> NDArray[np.bool_]:
        """Pixels of a part that lie on, or within the guard of, ground of domains held out, bool [H, W].

        A part of a domain held out is not looked at against its own scene's ground: it is the target.
        """
        is_near_HW = np.zeros((part.height_px, part.width), dtype=bool)
        if part.domain in held_out:
            return is_near_HW
        frame, left, top, _, _ = self.ground_of(part.scene)
        left, top = left + part.left_px, top + part.top_px
        for scene in {other.scene for other in self.parts if other.domain in held_out}:
            other_frame, *bounds = self.ground_of(scene)
            if other_frame == frame:
                columns = slice(max(0, bounds[0] - guard_px - left), max(0, bounds[2] + guard_px - left))
                rows = slice(max(0, bounds[1] - guard_px - top), max(0, bounds[3] + guard_px - top))
                is_near_HW[rows, columns] = True
        return is_near_HW

    def _labels(self, mask_CHW: NDArray[np.uint8], *, path: Path) -> NDArray[np.uint8]:
        red_HW, green_HW, blue_HW = mask_CHW.astype(np.int32)
        packed_HW = red_HW << 16 | green_HW << 8 | blue_HW
        known = np.array(sorted(self.colours), dtype=np.int32)
        found_HW = np.searchsorted(known, packed_HW).clip(max=len(known) - 1)
        is_unknown_HW = known[found_HW] != packed_HW
        if is_unknown_HW.any():
            told = ", ".join(f"#{colour:06x}" for colour in np.unique(packed_HW[is_unknown_HW])[:_SHOWN])
            raise LabelUnknown(
                f"{path} holds {is_unknown_HW.sum()} px of colours that classes.json does not name: {told}"
            )
        table = np.array([self.colours[colour] for colour in known.tolist()], dtype=np.uint8)
        labels_HW: NDArray[np.uint8] = table[found_HW]
        return labels_HW


def load_dubai(root: Path) -> Dubai:
    """The parts of all scenes that are there; a scene without masks has no labels.

    Raises:
        DataError: As its subclasses name.
    """
    parts = [part for scene in DOMAINS for part in _parts_of(root, scene)]
    if not parts:
        raise LayoutUnknown(f"{root} holds no folders 'Tile 1' to 'Tile 8' with images")
    return Dubai(parts=tuple(sorted(parts, key=lambda part: part.name)), colours=read_colours(root))


def read_colours(root: Path) -> dict[int, int]:
    """Colours of ``classes.json``, that of Road corrected; black and unlabelled teach nothing.

    Raises:
        LayoutUnknown: The file is not there, or lacks a class.
    """
    path = root / "classes.json"
    try:
        classes = json.loads(path.read_text(encoding="utf-8"))["classes"]
        colour_of = {entry["title"]: entry["color"] for entry in classes}
        colours = {_packed(colour_of[title]): number for number, title in enumerate(_JSON_TITLES)}
        unlabelled = _packed(colour_of[_JSON_UNLABELLED])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise LayoutUnknown(f"{path} does not name Dubai's classes: {error!r}") from error
    road = _JSON_TITLES.index("Road")
    return colours | {_packed(_ROAD_IN_MASKS): road, unlabelled: IGNORED, _BLACK: IGNORED}


def near_border(labels_HW: NDArray[np.uint8], border_px: int) -> NDArray[np.bool_]:
    """Pixels with another label within so many rows and columns, bool [H, W]."""
    size = 2 * border_px + 1
    highest_HW = ndimage.maximum_filter(labels_HW, size=size, mode="nearest")
    is_near_HW: NDArray[np.bool_] = highest_HW != ndimage.minimum_filter(labels_HW, size=size, mode="nearest")
    return is_near_HW


def _parts_of(root: Path, scene: int) -> list[Part]:
    folder = root / f"Tile {scene}"
    images = [folder / "images" / f"image_part_{number:03d}.jpg" for number in range(1, _SIDE**2 + 1)]
    if not folder.is_dir():
        return []
    masks = [folder / "masks" / f"{image.stem}.png" for image in images]
    has_masks = (folder / "masks").is_dir()
    absent = [path for path in (*images, *(masks if has_masks else ())) if not path.is_file()]
    if absent:
        raise FileMissing(f"{absent[0]} is not there; a scene has nine parts", remedy="Unpack it again.")
    sizes = [picture_size(path) for path in images]
    lefts, tops = _offsets(sizes, folder=folder)
    return [
        Part(
            name=f"tile-{scene}/part-{index + 1}",
            domain=Domain(territory="Dubai", campaign=DOMAINS[scene]),
            zone=f"tile-{scene}",
            split="train" if has_masks else "test",
            image=images[index],
            labels=masks[index] if has_masks else None,
            scene=scene,
            left_px=lefts[index % _SIDE],
            top_px=tops[index // _SIDE],
            width=width,
            height_px=height,
        )
        for index, (width, height) in enumerate(sizes)
    ]


def _offsets(sizes: Sequence[tuple[int, int]], *, folder: Path) -> tuple[list[int], list[int]]:
    """First column of each column of parts, first row of each row of parts."""
    widths = [width for width, _ in sizes[:_SIDE]]
    heights = [height for _, height in sizes[::_SIDE]]
    if any(size != (widths[i % _SIDE], heights[i // _SIDE]) for i, size in enumerate(sizes)):
        raise FileUnexpected(f"the parts of {folder} do not fit together, row by row: {sizes}")
    return [0, *accumulate(widths[:-1])], [0, *accumulate(heights[:-1])]


def _require_size(part: Part, pixels_CHW: NDArray[np.uint8]) -> None:
    if pixels_CHW.shape[1:] != (part.height_px, part.width):
        raise FileUnexpected(f"{part.name} is {part.width} x {part.height_px} px, its mask is not")


def _packed(colour: str) -> int:
    red, green, blue, _ = parse_colour(colour.lower())
    return red << 16 | green << 8 | blue
