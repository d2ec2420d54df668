"""The model card: what an artefact is, what it was measured to do, and what it never saw."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.manifest import Faithfulness, Metrics, Precision, Role
from training.recipes.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What a finished run says of itself."""

    num_parameters: int
    num_steps: int
    minutes: float
    num_scenes: int
    """Scenes trained on."""
    note: str = ""
    """What happened to the run that its commands do not show."""


def write_card(
    recipe: Recipe,
    facts: RunFacts,
    *,
    suffix: str,
    bands: tuple[Role, ...],
    metrics: Mapping[str, Metrics],
    temperature: float,
) -> str:
    """A card in Markdown; the first of ``metrics`` is the one that is told class by class."""
    whole = next(iter(metrics.values()))
    finest, coarsest, nominal = recipe.gsd_m
    title = f"# {recipe.model_id}-{suffix} {recipe.version}"
    facts_list = (
        f"- Task: one of {len(recipe.channels)} land-cover classes a pixel, `{recipe.nomenclature}`.",
        f"- Bands: {', '.join(bands)}; uint8, raw; normalisation is inside the graph.",
        f"- Ground resolution: {finest:g} to {coarsest:g} m, nominal {nominal:g} m.",
        f"- Geometry: core {recipe.core_px} px, halo {recipe.halo_px} px.",
        f"- Network: U-Net at half resolution, {facts.num_parameters / 1e6:.2f} million parameters.",
        f"- Confidence: largest softmax in percent, temperature {temperature:g}.",
        "- Licence: Apache-2.0.",
    )
    measured = (
        "## Measured",
        "",
        f"Validation scenes are {recipe.validation.side_px} px square, with seeds from",
        f"{recipe.validation.first_seed} on; seeds of training stay below. Confusions are pooled over",
        "scenes; a class neither in truth nor predicted is named and enters no mean. The temperature was",
        "chosen on the same scenes; it changes no class.",
        "",
        "| scenes | number | mIoU | classes | accuracy | absent |",
        "|---|---|---|---|---|---|",
        *(_row(domain, entry) for domain, entry in metrics.items()),
        "",
        "| class | IoU |",
        "|---|---|",
        *(f"| {slug.replace('_', ' ')} | {iou:.3f} |" for slug, iou in whole.iou.items()),
    )
    made_by = (
        "## Made by",
        "",
        f"    orthoscape-train fit {recipe.name} --steps {facts.num_steps}",
        f"    orthoscape-train export runs/{recipe.name}",
        "",
        f"The run behind these weights took {facts.num_steps} steps of {recipe.batch_size} crops of",
        f"{recipe.crop_px} px in {facts.minutes:.0f} minutes on two shared cores,",
        f"over {facts.num_scenes} scenes. Its learning rate followed the clock, so the commands give a",
        "network like it, not the same bytes.",
        *(("", facts.note) if facts.note else ()),
    )
    parts = (
        (title, ""),
        (*_WARNING, ""),
        _band_note(recipe, bands),
        (*facts_list, ""),
        (*measured, ""),
        made_by,
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def lowered_section(lowered: Mapping[Precision, Mapping[str, Faithfulness]]) -> str:
    """What a card says of graphs of lower precision; nothing where there are none."""
    if not lowered:
        return ""
    rows = [
        f"| {precision} | {domain} | {each.agreement:.2%} | {each.metric.replace('_', ' ')} "
        f"| {each.fp32_score:.3f} | {each.score:.3f} |"
        for precision, figures in lowered.items()
        for domain, each in figures.items()
    ]
    lines = (
        "",
        "## Lower precision",
        "",
        "Faster graphs, and how near they are to the one above: the share of pixels with the same class, and",
        "the scores of both on the same pixels.",
        "",
        "| precision | domain | agreement | score | fp32 | this graph |",
        "|---|---|---|---|---|---|",
        *rows,
    )
    return "\n".join(lines) + "\n"


_WARNING = (
    "**This model has never seen a real image.** It was trained on generated landscapes alone, and every",
    "figure below was measured on generated landscapes that it had not seen. On real orthophotos expect poor",
    "classes: it exists so that the whole path from pixels to map can be run and tested, and a later model",
    "replaces it.",
)


def _band_note(recipe: Recipe, bands: tuple[Role, ...]) -> tuple[str, ...]:
    if "nir" in bands or "nir" not in recipe.bands:
        return ()
    return (
        "It reads no near infrared. Its weights are those of the model that does, run with that band at its",
        "mean; training replaced the band so in a share of samples.",
        "",
    )


def _row(domain: str, entry: Metrics) -> str:
    absent = ", ".join(entry.absent).replace("_", " ") or "-"
    return (
        f"| {domain} | {entry.num_scenes} | {entry.miou:.3f} | {len(entry.iou)} "
        f"| {entry.overall_accuracy:.3f} | {absent} |"
    )
