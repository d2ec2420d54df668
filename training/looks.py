"""What a run folder keeps of each look at images that the network never saw: a line a domain."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.manifest import Metrics
from training.judging import CoarseScore

METRICS_NAME = "metrics.jsonl"

log = logging.getLogger(__name__)


def write_look(
    out: Path, *, step: int, fine: Mapping[str, Metrics], coarse: Mapping[str, CoarseScore]
) -> None:
    """Add the lines of a look.

    Args:
        out: Run folder.
        step: After which the look was taken.
        fine: By domain whose truth is single classes: mIoU, and the IoU of each class.
        coarse: By real domain held out: balanced accuracy, and the recall of each coarse label.
    """
    lines: list[dict[str, Any]] = [
        {"step": step, "domain": domain, "miou": metrics.miou, "iou": metrics.iou}
        for domain, metrics in fine.items()
    ]
    lines += [
        {
            "step": step,
            "domain": domain,
            # A domain without labelled pixels has no figure, and JSON no word for what is no number.
            "balanced_accuracy": round(score.balanced_accuracy, 4) if score.recall else None,
            "recall": {label: round(value, 4) for label, value in score.recall.items()},
        }
        for domain, score in coarse.items()
    ]
    with (out / METRICS_NAME).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of a run folder, in order of steps; none where there is no file.

    Of a step and domain written twice, since the run went on from before, the later line stands. A line that
    was being written when its process was killed is passed over: a run goes on without it.
    """
    if not path.exists():
        return []
    read = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            read.append(json.loads(line))
        except ValueError:
            log.warning("line %d of %s was not written to its end: it is left out", number, path)
    latest = {(line["step"], line.get("domain")): line for line in read}
    return sorted(latest.values(), key=lambda line: line["step"])
