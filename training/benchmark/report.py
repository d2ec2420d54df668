"""Tables of a benchmark in Markdown; a run that is missing is a dash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.benchmark.runs import BASES, FLIPPED, ORACLE, STRENGTHENED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEAD = (
    "mIoU over labels with 0.5 % of the target's truth, counts pooled over its test images, mean of seeds.",
    "",
    "- S0: flips; S1: strong augmentation; O: S1 that sees the target's labels.",
    "- A: S1 adapted by the method that other targets chose.",
    "- G = (A - S0) / (O - S0), told where that gap is 5 points at least, never clipped.",
    "- Intervals are bootstraps over test images, 90 %, descriptive.",
    "- The ceiling is the agreement of two annotations of the same ground.",
)


def write_tables(summary: Mapping[str, Any]) -> str:
    """All tables of a summary; see `training.benchmark.summary.summarise`."""
    lines = ["# Adaptation: results", "", *_HEAD, ""]
    for entry in summary.values():
        lines += [f"## {entry['title']}", "", *_row_table(entry), "", *_method_table(entry), ""]
    return "\n".join(lines).rstrip() + "\n"


def _row_table(entry: Mapping[str, Any]) -> list[str]:
    head = ["target", "S0", "S1", "O", "chosen", "A", "A - S1", "G", "ceiling", "seeds"]
    rows = [
        [
            target,
            _share(each[FLIPPED]),
            _share(each[STRENGTHENED]),
            _share(each[ORACLE]),
            each["chosen"] or "-",
            _share(each["A"]),
            _gain(each["A-S1"], each["A-S1_interval"]),
            _share(each["G"], digits=2),
            _share(each["ceiling"]),
            str(len(each["seeds"])),
        ]
        for target, each in entry["targets"].items()
    ]
    if len(rows) > 1:
        rows.append(
            [
                "**mean**",
                *(_share(entry[role]) for role in (FLIPPED, STRENGTHENED, ORACLE)),
                "",
                _share(entry["A"]),
                f"worst {_gain(entry['worst_gain'], None)}",
                _share(entry["G"], digits=2),
                _share(entry["ceiling"]),
                "",
            ]
        )
    return _table(head, rows)


def _method_table(entry: Mapping[str, Any]) -> list[str]:
    """A - S1 of each method, in points, and what bases reach where nothing is shifted."""
    targets = list(entry["targets"])
    methods = sorted({role for each in entry["targets"].values() for role in each["methods"]} - {*BASES})
    rows = []
    for method in methods:
        cells = []
        for target in targets:
            each = entry["targets"][target]
            adapted, base = each["methods"].get(method), each[STRENGTHENED]
            cells.append("-" if adapted is None or base is None else f"{100 * (adapted - base):+.1f}")
        rows.append([method, *cells])
    lines = ["Points of mIoU over S1:", "", *_table(["", *targets], rows)] if rows else []
    for target, each in entry["targets"].items():
        known = {role: value for role, value in each["in_domain"].items() if value is not None}
        if known:
            told = ", ".join(f"{role} {value:.3f}" for role, value in known.items())
            lines += ["", f"In-domain, {target}: {told}."]
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


def _share(value: float | None, *, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _gain(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "-"
    told = f"{100 * value:+.1f}"
    return told if interval is None else f"{told} [{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]"
