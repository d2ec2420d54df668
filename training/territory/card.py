"""The card of an adapted artefact: what it was, what it was shown, what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.manifest import Manifest, Metrics
    from training.territory.evidence import Evidence, Looks


@dataclass(frozen=True, kw_only=True)
class AdaptationFacts:
    """What a finished adaptation says of itself."""

    key: str
    title: str
    bands: tuple[str, ...]
    begun_with: Manifest
    territory: str
    num_orthos: int
    num_pieces: int
    """Adapted on."""
    side_px: int
    method: str
    source: str
    num_steps: int | None
    minutes: float
    seed: int
    temperature: float
    temperature_from: str
    drift: str
    """What imagery and maps are compared with."""
    command: str


def write_card(facts: AdaptationFacts, evidence: Evidence) -> str:
    """A card in Markdown."""
    base = facts.begun_with
    steps = "none, nothing is trained" if facts.num_steps is None else str(facts.num_steps)
    seen = "nothing was adapted on" if evidence.is_held_out else "it was adapted on"
    before, after = evidence.looks_before, evidence.looks_after
    lines = (
        f"# {facts.key}",
        "",
        f"{facts.title}: shown images of that territory, and no label of it. It is made for that territory",
        "and that flight; elsewhere expect no more of it than of the artefact it was adapted from.",
        "",
        f"- Adapted from: `{base.key}`, trained on {', '.join(base.domains)}; its card has its figures.",
        f"- Seen: {facts.num_pieces} blocks of up to {facts.side_px} px; orthophotos: {facts.num_orthos}.",
        f"- Method: `{facts.method}`; labels from: {facts.source}.",
        f"- Steps: {steps}; {facts.minutes:.1f} minutes; seed {facts.seed}.",
        f"- Bands: {', '.join(facts.bands)}.",
        f"- Confidence: largest softmax in percent; temperature {facts.temperature:g},",
        f"  {facts.temperature_from}.",
        f"- Drift: {facts.drift}.",
        f"- Licence: {base.licence}.",
        "",
        "## Without labels",
        "",
        f"Of {evidence.num_pixels:,} pixels that {seen}, {evidence.agreement:.1%} have the class that they",
        "had before. Surer is not better: these figures tell what changed, not whether it is right.",
        "",
        "| | before | after |",
        "|---|---|---|",
        f"| mean confidence | {before.confidence:.3f} | {after.confidence:.3f} |",
        f"| mean entropy, nats | {before.entropy:.3f} | {after.entropy:.3f} |",
        *_shares(before, after),
        "",
        "## Against labels",
        "",
        *_judged(evidence),
        "",
        "## Made by",
        "",
        f"    {facts.command}",
    )
    return "\n".join(lines) + "\n"


def _shares(before: Looks, after: Looks) -> Sequence[str]:
    names = sorted({*before.shares, *after.shares}, key=lambda name: -after.shares.get(name, 0.0))
    rows = [
        (name.replace("_", " "), before.shares.get(name, 0.0), after.shares.get(name, 0.0)) for name in names
    ]
    return [
        f"| {name} | {share_before:.1%} | {share_after:.1%} |" for name, share_before, share_after in rows
    ]


def _judged(evidence: Evidence) -> Sequence[str]:
    if evidence.before is None or evidence.after is None:
        return (
            "No labels of the territory were given, so nobody knows whether the map is better. Look at it,",
            "and give `--labels` if there are any.",
        )
    before, after = evidence.before, evidence.after
    return (
        f"On {after.num_scenes} blocks, {after.num_pixels:,} labelled pixels, that were held out: never",
        "adapted on. Labels of the other blocks were not looked at either.",
        "",
        "| | before | after |",
        "|---|---|---|",
        f"| mIoU | {before.miou:.3f} | {after.miou:.3f} |",
        f"| accuracy | {before.overall_accuracy:.3f} | {after.overall_accuracy:.3f} |",
        *(
            f"| IoU of {name.replace('_', ' ')} | {_iou(before, name)} | {_iou(after, name)} |"
            for name in dict.fromkeys([*before.iou, *after.iou])
        ),
        "",
        "A class neither in the labels nor predicted is in no mean; means of the two columns may be of",
        "different classes.",
    )


def _iou(metrics: Metrics, name: str) -> str:
    return f"{metrics.iou[name]:.3f}" if name in metrics.iou else "-"
