"""``orthoscape models``: what can be run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from models.registry import packaged_defaults
from service.intake.choosing import registry_of

if TYPE_CHECKING:
    from service.settings import Settings


@click.command()
@click.argument("model", required=False)
@click.pass_obj
def models(settings: Settings, *, model: str | None) -> None:
    """List the models, or show the card of one."""
    registry = registry_of(settings)
    if model is not None:
        click.echo(registry.get(model).card())
        return
    defaults = packaged_defaults()
    for manifest in registry.manifests():
        spec = manifest.inputs[0]
        mark = " (default)" if manifest.id in defaults else ""
        click.secho(f"{manifest.key}{mark}", bold=True)
        click.echo(f"  {manifest.title}")
        click.echo(
            f"  reads {', '.join(spec.bands)} at {spec.gsd_m.min:g} to {spec.gsd_m.max:g} m; "
            f"gives {len(manifest.channels)} classes of {manifest.nomenclature}; {manifest.licence}"
        )
        for domain, metrics in manifest.metrics.items():
            click.echo(f"  {domain}: mIoU {metrics.miou:.3f} over {len(metrics.iou)} classes")
        for domain, coarse in manifest.coarse_metrics.items():
            told = f"balanced accuracy {coarse.balanced_accuracy:.3f} over {len(coarse.recall)} coarse labels"
            click.echo(f"  {domain}: {told} of {coarse.label_set}")
    for path, error in registry.unreadable().items():
        click.secho(f"{path} cannot be used: {error.message}", fg="yellow", err=True)
    click.echo(f"more are found in {settings.models_folder}")
