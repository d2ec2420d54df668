"""Tables of a benchmark in Markdown; a run that is missing is a dash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.benchmark.runs import BASES, DRAW, FEW_SHOT, FLIPPED, ORACLE, STRENGTHENED

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


def write_tables(summary: Mapping[str, Any], drifts: Mapping[str, Any]) -> str:
    """All tables of a benchmark.

    Args:
        summary: See `training.benchmark.summary.summarise`.
        drifts: See `training.benchmark.drifts.tell_drifts`.
    """
    lines = ["# Adaptation: results", "", *_HEAD, ""]
    for entry in summary.values():
        lines += [f"## {entry['title']}", "", *_row_table(entry), "", *_method_table(entry), ""]
        lines += [*_few_table(entry), *_missing(entry)]
    lines += _drift_table(drifts)
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
    methods = sorted(
        role
        for role in {role for each in entry["targets"].values() for role in each["methods"]}
        if role not in BASES and not role.startswith(FEW_SHOT)
    )
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


def _few_table(entry: Mapping[str, Any]) -> list[str]:
    """S1 taught on with a few labelled windows: mean over draws, the least and the best of them."""
    targets = entry["targets"]
    counts = sorted(
        {int(_windows(role)) for each in targets.values() for role in each["methods"] if _windows(role)}
    )
    if not counts:
        return []
    rows = []
    for target, each in targets.items():
        cells = []
        for count in counts:
            found = [
                value
                for role, value in each["methods"].items()
                if _windows(role) == str(count)
                if value is not None
            ]
            spread = f" ({min(found):.3f} to {max(found):.3f}, {len(found)} draws)" if len(found) > 1 else ""
            cells.append(f"{sum(found) / len(found):.3f}{spread}" if found else "-")
        rows.append([target, _share(each[STRENGTHENED]), *cells, _share(each[ORACLE])])
    head = ["windows", "none (S1)", *map(str, counts), "all of the pool (O)"]
    return ["Labelled windows of the target, mIoU:", "", *_table(head, rows), ""]


def _windows(role: str) -> str:
    """How many windows a role is given; nothing of another role."""
    return role.removeprefix(FEW_SHOT).partition(DRAW)[0] if role.startswith(FEW_SHOT) else ""


def _drift_table(drifts: Mapping[str, Any]) -> list[str]:
    """Drift of each target beside what is lost on it, worst first."""
    targets = sorted(drifts["targets"].items(), key=lambda named: -named[1]["loss"])
    if not targets:
        return []
    rows = [
        [
            target,
            _share(each["drift"], digits=2),
            _share(each["threshold"], digits=2),
            {None: "-", True: "warned", False: ""}[each["is_far"]],
            f"{100 * each['loss']:.1f}",
        ]
        for target, each in targets
    ]
    hits, alarms = drifts["hits"], drifts["false_alarms"]
    told = (
        f"Spearman's correlation of drift, over its threshold, with the loss: "
        f"{_share(drifts['spearman'], digits=2)}. Warned of {hits['warned']} of {hits['of']} that lose "
        f"5 points or more, and of {alarms['warned']} of {alarms['of']} that do not."
    )
    head = ["", "drift", "threshold", "", "O - S1, points"]
    return ["## Drift: what is told beforehand, and what is lost", "", *_table(head, rows), "", told, ""]


def _missing(entry: Mapping[str, Any]) -> list[str]:
    told = [
        f"{target}: {', '.join(each['missing'])}"
        for target, each in entry["targets"].items()
        if each["missing"]
    ]
    return [f"Not run: {'; '.join(told)}.", ""] if told else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


def _share(value: float | None, *, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _gain(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "-"
    told = f"{100 * value:+.1f}"
    return told if interval is None else f"{told} [{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]"
