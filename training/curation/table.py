"""`metadata.csv`: one row a patch."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from models.nomenclature import COSIA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from training.curation.patches import Patch
    from training.curation.sheets import Sheet
    from training.curation.splitting import Place


def table(placed: Sequence[tuple[Patch, Place]], sheets: Mapping[str, Sheet]) -> str:
    """The table of a set, sorted by id.

    Args:
        placed: Patches, and whose they are.
        sheets: By their keys.
    """
    file = io.StringIO()
    rows = [_row(patch, place, sheets[f"{patch.domain}/{patch.sheet}"]) for patch, place in placed]
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _row(patch: Patch, place: Place, sheet: Sheet) -> dict[str, str | int | float]:
    labelled = sum(patch.counts)
    return {
        "id": patch.id,
        "domain": patch.domain,
        "territory": sheet.domain.territory,
        "campaign": sheet.domain.campaign,
        "split": place.split,
        "zone": place.zone,
        "image": patch.image,
        "labels": patch.labels,
        "crs": patch.crs,
        **dict(zip(("left", "bottom", "right", "top"), patch.bounds, strict=True)),
        **{
            name: f"{degrees:.7f}"
            for name, degrees in zip(("west", "south", "east", "north"), patch.box, strict=True)
        },
        "side_px": patch.side_px,
        "gsd_m": patch.gsd_m,
        "date": patch.date or "",
        "bands": " ".join(patch.bands),
        "labelled_share": f"{patch.labelled_share:.6f}",
        **{
            f"share_{land_cover.slug}": f"{count / labelled:.6f}"
            for land_cover, count in zip(COSIA.classes, patch.counts, strict=True)
        },
        "source": sheet.ortho.path.name,
        "source_sha256": sheet.sha256,
        "image_sha256": patch.image_sha256,
        "labels_sha256": patch.labels_sha256,
    }
