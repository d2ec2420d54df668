"""Finishing: the files of one sheet made from its blocks.

The last of the three steps, planning, running, finishing.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.maps.finishing import finish_confidence, finish_sheet
from service.maps.provenance import provenance_tags
from service.rasters.growing import nothing
from service.rasters.writing import appearing, flush_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from models.manifest import Manifest
    from models.nomenclature import Nomenclature
    from service.maps.blockfolder import BlockFolder
    from service.maps.finishing import SheetReport
    from service.planning.jobs import JobPlan, SheetPlan
    from service.planning.profile import ExecutionProfile


@dataclass(frozen=True, kw_only=True)
class Products:
    """Where the files of one sheet go."""

    classes: Path
    confidence: Path | None

    @property
    def style(self) -> Path:
        """The QGIS style beside the classes."""
        return self.classes.with_suffix(".qml")

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files of the sheet."""
        return (*self.rasters, self.style)

    @property
    def rasters(self) -> tuple[Path, ...]:
        """The rasters of the sheet."""
        return (self.classes,) if self.confidence is None else (self.classes, self.confidence)


@contextlib.contextmanager
def staged(products: Products, *, token: str) -> Iterator[Products]:
    """Give files beside a sheet's own; on success they take their places, else nothing is left of them.

    Whoever looks for the classes finds them after all that belongs to them. What writers left that were
    killed goes as well; one that comes late, and whose lease is another's now, finds its files gone.

    Args:
        products: Where the files appear, in a folder that is there.
        token: Of the writer's lease.
    """
    folder = products.classes.parent
    stage = folder / f".{token}.part"
    stage.mkdir()
    confidence = None if products.confidence is None else stage / products.confidence.name
    under_way = Products(classes=stage / products.classes.name, confidence=confidence)
    try:
        yield under_way
        for part, path in zip(under_way.paths[::-1], products.paths[::-1], strict=True):
            part.replace(path)
        flush_folder(folder)
        for left in folder.glob(".*.part"):
            shutil.rmtree(left, ignore_errors=True)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@dataclass(frozen=True, kw_only=True)
class Finisher:
    """Makes the products of the sheets of one job."""

    plan: JobPlan
    """Of the whole job: its key goes into the provenance."""
    manifest: Manifest
    """Of the model."""
    nomenclature: Nomenclature
    """Of the classes."""
    profile: ExecutionProfile
    """With which the blocks were made."""
    qgis_style: str
    """Content of the style file."""
    is_private: bool = False
    """Whether the products say where their sources lie, seen from them; published ones name them only."""

    def finish(
        self,
        sheet: SheetPlan,
        blocks: BlockFolder,
        products: Products,
        *,
        holes: Collection[str] = (),
        on_part: Callable[[], object] = nothing,
    ) -> SheetReport:
        """Put a sheet's blocks together into its files; safe to repeat. The blocks stay.

        Args:
            sheet: The sheet.
            blocks: Where its blocks are.
            products: The files to write.
            holes: Names of blocks that were given up; they stay without class.
            on_part: Called whenever it moves on; what it raises ends the making.

        Raises:
            BlocksMissing: Not all other blocks are done.
        """
        part = self.plan.part_of(sheet)
        tags = provenance_tags(
            self.plan,
            sheet,
            manifest=self.manifest,
            profile=self.profile,
            beside=products.classes.parent if self.is_private else None,
        )
        confidence_total = None
        if products.confidence is not None:
            confidence_total = finish_confidence(
                part, sheet, blocks, path=products.confidence, tags=tags, holes=holes, on_part=on_part
            )
        report = finish_sheet(
            part,
            sheet,
            blocks,
            path=products.classes,
            palette=self.nomenclature.palette(),
            tags=tags,
            holes=holes,
            confidence_total=confidence_total,
            on_part=on_part,
        )
        with appearing(products.style, token=blocks.token) as style:
            style.write_text(self.qgis_style, encoding="utf-8")
        return report
