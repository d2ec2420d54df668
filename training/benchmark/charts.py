"""Charts of the report as SVG: gains by method and target, classes, reliability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from training.benchmark.runs import BASES, DRAW, FLIPPED, ORACLE, STRENGTHENED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#999999", "#000000")
"""Of Okabe and Ito: told apart by the colour-blind."""
_LEFT, _TOP, _HEIGHT, _BOTTOM = 56, 48, 220, 92
_TEXT = 'font-family="sans-serif" font-size="11" fill="#222"'


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A plot's room: values from low to high lie over a fixed height."""

    width: int
    low: float
    high: float

    def y(self, value: float) -> float:
        """Of a value, in units of the picture."""
        return _TOP + _HEIGHT * (self.high - value) / (self.high - self.low)

    def drawn(self, title: str, marks: Sequence[str], names: Sequence[tuple[str, str]]) -> str:
        """The whole picture.

        Args:
            title: Above.
            marks: What is in the frame.
            names: Colour and name of what the legend tells.
        """
        step = 10 ** np.floor(np.log10(self.high - self.low))
        step = step if (self.high - self.low) / step >= 3 else step / 5
        ticks = np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step
        lines = [
            f'<line x1="{_LEFT}" x2="{_LEFT + self.width}" y1="{self.y(tick):.1f}" y2="{self.y(tick):.1f}" '
            f'stroke="{"#444" if abs(tick) < 1e-9 else "#ddd"}"/>'
            f'<text x="{_LEFT - 6}" y="{self.y(tick) + 4:.1f}" text-anchor="end" {_TEXT}>{tick:g}</text>'
            for tick in ticks
        ]
        legend = [
            f'<rect x="{left}" y="{top}" width="10" height="10" fill="{colour}"/>'
            f'<text x="{left + 14}" y="{top + 9}" {_TEXT}>{escape(name)}</text>'
            for index, (colour, name) in enumerate(names)
            for left, top in [(_LEFT + 118 * (index % 6), 22 + 13 * (index // 6))]
        ]
        width, height = (
            max(_LEFT + self.width + 12, _LEFT + 7 * len(title), _LEFT + 118 * min(6, len(names))),
            _TOP + _HEIGHT + _BOTTOM,
        )
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
                f'<rect width="{width}" height="{height}" fill="#fff"/>',
                f'<text x="{_LEFT}" y="14" font-weight="bold" {_TEXT}>{escape(title)}</text>',
                *legend,
                *lines,
                *marks,
                "</svg>\n",
            ]
        )


def gain_chart(summary: Mapping[str, Any]) -> str | None:
    """What each method gains over S1 on each target, in points; None where there is nothing to draw."""
    groups: dict[str, dict[str, float]] = {}
    for target, entry in summary["targets"].items():
        strong = entry[STRENGTHENED]
        for role, figure in entry["methods"].items():
            if role not in BASES and DRAW not in role and figure is not None and strong is not None:
                groups.setdefault(role, {})[target] = 100 * (figure - strong)
    return _bars(f"{summary['title']}: gain over S1, points of mIoU", groups, list(summary["targets"]))


def class_chart(summary: Mapping[str, Any]) -> str | None:
    """IoU of each label, mean over targets, for S0, S1, the chosen methods and the oracle, in percent."""
    found: dict[str, dict[str, list[float]]] = {}
    for entry in summary["targets"].values():
        for sign, by_label in entry["iou"].items():
            for label, value in (by_label or {}).items():
                found.setdefault(label, {}).setdefault(sign, []).append(100 * value)
    means = {
        label: {sign: sum(values) / len(values) for sign, values in by_sign.items()}
        for label, by_sign in found.items()
    }
    signs = (FLIPPED, STRENGTHENED, "A", ORACLE)
    return _bars(f"{summary['title']}: IoU of each label, percent", means, signs, low=0, high=100)


def reliability_chart(title: str, bins: Mapping[str, NDArray[np.float64]]) -> str | None:
    """How often each confidence is right.

    Args:
        title: Of what.
        bins: By sign, of each bin pixels, mean confidence and share that is right.
    """
    frame, marks, names = Frame(width=_HEIGHT + 40, low=0, high=100), [], []
    for colour, (sign, bins_B3) in zip(COLOURS, bins.items(), strict=False):
        points = " ".join(
            f"{_LEFT + frame.width * confidence:.1f},{frame.y(100 * right):.1f}"
            for num_px, confidence, right in bins_B3.tolist()
            if num_px
        )
        marks.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        names.append((colour, sign))
    if not names:
        return None
    marks.append(
        f'<line x1="{_LEFT}" y1="{frame.y(0):.1f}" x2="{_LEFT + frame.width}" y2="{frame.y(100):.1f}" '
        'stroke="#888" stroke-dasharray="4 3"/>'
    )
    marks += [
        f'<text x="{_LEFT + frame.width * share:.0f}" y="{_TOP + _HEIGHT + 16}" text-anchor="middle" {_TEXT}>'
        f"{100 * share:g}</text>"
        for share in (0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    return frame.drawn(f"{title}: share that is right, by confidence, percent", marks, names)


def _bars(
    title: str,
    groups: Mapping[str, Mapping[str, float]],
    names: Sequence[str],
    *,
    low: float | None = None,
    high: float | None = None,
) -> str | None:
    """Bars of one colour for each name, in groups."""
    if not groups:
        return None
    values = [value for group in groups.values() for value in group.values()]
    span = max(1.0, max(values, default=0) - min(values, default=0))
    bar_px = max(4, 36 // len(names))
    room_px = bar_px * len(names) + 14
    frame = Frame(
        width=room_px * len(groups),
        low=min(0.0, min(values) - 0.05 * span) if low is None else low,
        high=max(0.0, max(values) + 0.05 * span) if high is None else high,
    )
    marks = []
    for index, (title_of_group, group) in enumerate(groups.items()):
        left = _LEFT + room_px * index + 7
        for number, name in enumerate(names):
            if name in group:
                top, bottom = sorted((frame.y(group[name]), frame.y(0)))
                marks.append(
                    f'<rect x="{left + bar_px * number}" y="{top:.1f}" width="{bar_px - 1}" '
                    f'height="{max(0.5, bottom - top):.1f}" fill="{COLOURS[number % len(COLOURS)]}"/>'
                )
        middle, below = left + bar_px * len(names) / 2, _TOP + _HEIGHT + 12
        marks.append(
            f'<text x="{middle:.0f}" y="{below}" text-anchor="end" '
            f'transform="rotate(-40 {middle:.0f} {below})" {_TEXT}>{escape(title_of_group)}</text>'
        )
    return frame.drawn(
        title, marks, [(COLOURS[number % len(COLOURS)], name) for number, name in enumerate(names)]
    )
