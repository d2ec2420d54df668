"""What a user sees while a map is made, and of it afterwards."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
from tqdm import tqdm

from service.cli.running import Progress
from service.intake.map_drifting import map_drift_warnings, map_drift_words, measure_map_drift

if TYPE_CHECKING:
    from models.artefact import Artefact
    from models.nomenclature import Nomenclature
    from service.cli.running import MadeMap
    from service.maps.products import Products
    from service.planning.jobs import JobPlan
    from service.rasters.windows import Window

_MPX = 1e6
_NUM_CLASSES_SHOWN = 6


class ProgressBar:
    """Pixels done, their rate and the time left; a context manager."""

    def __init__(self, plan: JobPlan, *, is_quiet: bool) -> None:
        total_px = sum(block.window.num_px for sheet in plan.sheets for block in plan.blocks_of(sheet))
        self._bar = tqdm(
            total=total_px,
            unit="px",
            unit_scale=True,
            disable=is_quiet,
            file=sys.stderr,
            bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt}px, {rate_fmt}, {remaining} left",
            desc=plan.name,
        )
        self.progress = Progress(
            on_resumed=self._resume,
            on_stage=self._stage,
            on_core=self._core,
            on_step=self._bar.set_description_str,
        )

    def _stage(self, path: str, share: float) -> None:
        self._bar.set_description_str(f"copying {Path(path).name} to tiles, {share:.0%}")

    def _resume(self, num_px: int) -> None:
        if not self._bar.disable:
            # No update: the rate is that of this call, whose moving mean must not see what was done before.
            self._bar.initial += num_px
            self._bar.n += num_px
            self._bar.last_print_n += num_px
            self._bar.refresh()

    def _core(self, window: Window) -> None:
        self._bar.update(window.num_px)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def report_map(
    products: dict[str, Products],
    made: MadeMap,
    nomenclature: Nomenclature,
    *,
    artefact: Artefact,
    seconds: float,
) -> None:
    """Say what a map holds and how it went."""
    if made.num_resumed_blocks:
        click.echo(f"resumed  {made.num_resumed_blocks} blocks were done before")
    for name, report in made.reports.items():
        click.echo(f"map      {products[name].classes}")
        num_px = sum(report.pixel_counts.values())
        largest = sorted(report.pixel_counts.items(), key=lambda item: -item[1])[:_NUM_CLASSES_SHOWN]
        shares = ", ".join(
            f"{nomenclature.classes[value].name_en} {count / num_px:.1%}" for value, count in largest
        )
        without = f", {report.num_nodata_px / _MPX:.2f} Mpx without data" if report.num_nodata_px else ""
        click.echo(f"         {num_px / _MPX:.2f} Mpx classified{without}")
        if shares:
            click.echo(f"         {shares}")
        if report.seams.rate is not None:
            click.echo(f"         seam rate {report.seams.rate:.2f} (1.0 is seamless)")
    _report_drift(made, artefact, is_whole=len(made.reports) == len(products))
    figures = made.figures
    if figures.num_cores:
        click.echo(
            f"time     {seconds:.1f} s, {figures.num_kept_px / _MPX / seconds:.2f} Mpx/s; the network had "
            f"{figures.num_forward_px / figures.num_kept_px:.2f} px to see for each kept, and "
            f"{figures.engine_s / seconds:.0%} of the time"
        )


def _report_drift(made: MadeMap, artefact: Artefact, *, is_whole: bool) -> None:
    """Say how unlike training the map is; of one that was resumed, the sheets that were finished now."""
    counts: Counter[int] = Counter()
    for report in made.reports.values():
        counts.update(report.pixel_counts)
    total = sum(report.confidence_total for report in made.reports.values())
    drift = measure_map_drift(artefact, counts, confidence_total=total)
    shares, confidence = map_drift_words(drift)
    part = "" if is_whole else f"; of the {len(made.reports)} sheets finished now"
    click.echo(f"classes  drift {shares}{part}")
    click.echo(f"sure     mean confidence {confidence}{part}")
    for warning in [] if drift is None else map_drift_warnings(drift, model=artefact.manifest.id):
        click.echo(f"note     {warning}")
