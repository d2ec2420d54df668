"""Tiny Dubai scenes in the published layout: nine uneven parts, colours, a palette among the masks."""

import json

import numpy as np
from PIL import Image

COLOURS = {
    "Building": "#3C1098",
    "Land (unpaved area)": "#8429F6",
    "Road": "#6EC1E4",
    "Vegetation": "#FEDD3A",
    "Water": "#E2A929",
    "Unlabeled": "#9B9B9B",
    "black": "#000000",
}
RGB = np.array([list(bytes.fromhex(colour[1:])) for colour in COLOURS.values()], dtype=np.uint8)


def write_dubai(root, *, scenes=(1, 2), side_px=30, withheld=()):
    """Scenes whose labels are drawn in squares of ten pixels; scenes withheld have no masks."""
    json_colours = COLOURS | {"Road": "#1bb3f5"}  # as published: not what masks carry
    del json_colours["black"]
    entries = [{"title": title, "color": colour} for title, colour in json_colours.items()]
    root.mkdir(parents=True, exist_ok=True)
    (root / "classes.json").write_text(json.dumps({"classes": entries, "tags": []}))
    for scene in scenes:
        _write_scene(root / f"Tile {scene}", seed=scene, side_px=side_px, has_masks=scene not in withheld)
    return root


def _write_scene(folder, *, seed, side_px, has_masks):
    rng = np.random.default_rng(seed)
    widths = (side_px, side_px + 1, side_px)
    for number in range(1, 10):
        height, width = side_px, widths[(number - 1) % 3]
        squares = rng.integers(0, len(RGB), (-(-height // 10), -(-width // 10)))
        drawn_HW = np.kron(squares, np.ones((10, 10), dtype=int))[:height, :width].astype(np.uint8)
        image_HWC = RGB[drawn_HW]
        (folder / "images").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image_HWC).save(folder / "images" / f"image_part_{number:03d}.jpg", quality=95)
        if not has_masks:
            continue
        (folder / "masks").mkdir(exist_ok=True)
        mask = Image.fromarray(RGB[drawn_HW])
        if number == 5:
            mask = _palette(drawn_HW)
        mask.save(folder / "masks" / f"image_part_{number:03d}.png")


def _palette(drawn_HW):
    mask = Image.new("P", drawn_HW.shape[::-1])
    mask.putdata(drawn_HW.ravel().tolist())
    mask.putpalette(RGB.ravel().tolist())
    return mask
