"""From shapes to pixels: truth at four times the resolution, then albedo, height and class per pixel."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from training.data.landscapes.canvas import Canvas
from training.data.landscapes.palette import Floats
from training.data.landscapes.textures import NoiseBank, shade

SUB = 4
"""Sub-pixels a side at which shapes are drawn."""
TILE_PX = 512
"""Side of the squares that are drawn at once; bounds the memory of the fine drawing."""

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A drawn scene before light and sensor."""

    albedo_CHW: Floats
    height_HW: Floats
    """Metres above ground, cars and heaps included."""
    classes_HW: Bytes


def render_ground(
    canvas: Canvas, *, side_px: int, gsd_m: float, bank: NoiseBank, to_sun: tuple[float, float]
) -> Ground:
    """Draw all shapes of a canvas.

    Args:
        canvas: Shapes in painter's order.
        side_px: Side of the square raster, centred on the origin of the world frame.
        gsd_m: Ground resolution, in metres.
        bank: Textures of the scene.
        to_sun: Unit vector towards the sun, world frame; shades roofs and crowns.

    Returns:
        Albedo (red, green, blue, nir), height and majority class.
    """
    albedo_CHW = np.empty((4, side_px, side_px), np.float32)
    height_HW = np.empty((side_px, side_px), np.float32)
    classes_HW = np.empty((side_px, side_px), np.uint8)
    table = canvas.table()
    lows = np.array([points.min(0) for points in canvas.shapes])
    highs = np.array([points.max(0) for points in canvas.shapes])
    half = side_px * gsd_m / 2
    for top in range(0, side_px, TILE_PX):
        for left in range(0, side_px, TILE_PX):
            rows, cols = min(TILE_PX, side_px - top), min(TILE_PX, side_px - left)
            corner = np.array([left * gsd_m - half, top * gsd_m - half])
            end = corner + np.array([cols, rows]) * gsd_m
            inside = np.flatnonzero((highs >= corner).all(1) & (lows <= end).all(1))
            fine = draw_instances(
                canvas, inside, corner=corner, scale=SUB / gsd_m, shape=(rows * SUB, cols * SUB)
            )
            instance_HW, part_HW = reduce_majority(fine, table["cover"].astype(np.uint8))
            view = (slice(top, top + rows), slice(left, left + cols))
            classes_HW[view] = part_HW
            mean_CHW = mean_colour(fine, table)
            albedo_CHW[:, *view], height_HW[view] = shade(
                mean_CHW,
                instance_HW,
                table,
                corner=(left, top),
                half_m=half,
                gsd_m=gsd_m,
                bank=bank,
                to_sun=to_sun,
            )
    return Ground(albedo_CHW=albedo_CHW, height_HW=height_HW, classes_HW=classes_HW)


def draw_instances(
    canvas: Canvas,
    inside: npt.NDArray[np.intp],
    *,
    corner: npt.NDArray[np.float64],
    scale: float,
    shape: tuple[int, int],
) -> Ints:
    """Paint the numbers of instances, later shapes over earlier ones."""
    image = Image.new("I", (shape[1], shape[0]), 0)
    draw = ImageDraw.Draw(image)
    for index in inside:
        flat = ((canvas.shapes[index] - corner) * scale - 0.5).ravel().tolist()
        draw.polygon(flat, fill=canvas.instances[index])
    return np.asarray(image, np.int32)


def reduce_majority(fine: Ints, covers: Bytes) -> tuple[Ints, Bytes]:
    """Majority class of each pixel, and one instance of that class that lies in it.

    Ties go to the lower class value. Both results have shape (H, W).
    """
    slices = [(row, col) for row in range(SUB) for col in range(SUB)]
    labels = np.stack([covers[fine[row::SUB, col::SUB]] for row, col in slices])
    classes_HW = labels[10].copy()
    instance_HW = fine[2::SUB, 2::SUB].copy()
    mixed = np.flatnonzero((labels != labels[0]).any(0).ravel())
    votes = labels.reshape(len(slices), -1)[:, mixed]
    counts = np.stack([(votes == value).sum(0, dtype=np.uint8) for value in range(16)])
    winner = counts.argmax(0).astype(np.uint8)
    classes_HW.reshape(-1)[mixed] = winner
    chosen = (votes == winner).argmax(0)
    rows, cols = np.divmod(mixed, classes_HW.shape[1])
    instance_HW.reshape(-1)[mixed] = fine[rows * SUB + chosen // SUB, cols * SUB + chosen % SUB]
    return instance_HW, classes_HW


def mean_colour(fine: Ints, table: dict[str, Floats]) -> Floats:
    """Mean albedo of the sub-pixels, shape (4, H, W)."""
    colours = np.stack([table[name] for name in ("red", "green", "blue", "nir")], 1)
    total = np.zeros((fine.shape[0] // SUB, fine.shape[1] // SUB, 4), np.float32)
    for row in range(SUB):
        for col in range(SUB):
            total += colours[fine[row::SUB, col::SUB]]
    return np.asarray(total.transpose(2, 0, 1) / (SUB * SUB), np.float32, order="C")
