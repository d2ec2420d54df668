"""The model card: what an artefact is, what it was measured to do, and what it never saw."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.manifest import CoarseMetrics, Faithfulness, Metrics, Precision, Provenance, Role
from training import realcard
from training.machine import Start
from training.real import Real
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
    starts: Sequence[Start] = ()
    """What it ran on, as often as it began or went on."""
    real: Real = field(default_factory=dict)
    """Its real sources."""
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    """Who taught each class."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of one artefact."""

    metrics: Mapping[str, Metrics]
    """By domain; the first is told class by class."""
    temperature: float
    """Folded into the graph."""
    coarse: Mapping[str, CoarseMetrics] = field(default_factory=dict)
    """By real domain that was held out."""


def write_card(
    recipe: Recipe, facts: RunFacts, *, suffix: str, bands: tuple[Role, ...], measured: Measured
) -> str:
    """A card in Markdown.

    Args:
        recipe: What was trained.
        facts: Of the run.
        suffix: Of the artefact's id.
        bands: That it reads.
        measured: Of the artefact.
    """
    whole = next(iter(measured.metrics.values()))
    finest, coarsest, nominal = recipe.gsd_m
    title = f"# {recipe.model_id}-{suffix} {recipe.version}"
    facts_list = (
        f"- Task: one of {len(recipe.channels)} land-cover classes a pixel, `{recipe.nomenclature}`.",
        f"- Bands: {', '.join(bands)}; uint8, raw; normalisation is inside the graph.",
        f"- Ground resolution: {finest:g} to {coarsest:g} m, nominal {nominal:g} m.",
        f"- Geometry: core {recipe.core_px} px, halo {recipe.halo_px} px.",
        f"- Network: U-Net at half resolution, {facts.num_parameters / 1e6:.2f} million parameters.",
        f"- Confidence: largest softmax in percent, temperature {measured.temperature:g}.",
        "- Licence: Apache-2.0.",
    )
    on_scenes = (
        "## Measured on generated landscapes",
        "",
        f"Validation scenes are {recipe.validation.side_px} px square, with seeds from",
        f"{recipe.validation.first_seed} on; seeds of training stay below. Confusions are pooled over",
        "scenes; a class neither in truth nor predicted is named and enters no mean.",
        "",
        "| scenes | number | mIoU | classes | accuracy | absent |",
        "|---|---|---|---|---|---|",
        *(_row(domain, entry) for domain, entry in measured.metrics.items()),
        "",
        "| class | IoU | learned from |",
        "|---|---|---|",
        *(
            f"| {slug.replace('_', ' ')} | {iou:.3f} | {facts.provenance.get(slug, 'synthetic-only')} |"
            for slug, iou in whole.iou.items()
        ),
    )
    parts = (
        (title, ""),
        (*(realcard.warning(facts.real, facts.provenance) if facts.real else _WARNING), ""),
        _band_note(recipe, bands),
        (*facts_list, ""),
        tuple(realcard.measured(facts.real, measured.coarse)),
        (*on_scenes, ""),
        tuple(_temperature_note(facts.real)),
        tuple(_made_by(recipe, facts)),
        tuple(realcard.data(facts.real)),
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


def _temperature_note(real: Real) -> Iterator[str]:
    yield "The temperature was chosen on these scenes; it changes no class."
    if real:
        yield "No real image was used for it: a network is too sure of those that it was trained on. On real"
        yield "ground unlike theirs, expect confidence to be too high."
    yield ""


def _made_by(recipe: Recipe, facts: RunFacts) -> Iterator[str]:
    data = "".join(f" --data {name}=FOLDER" for name in facts.real)
    yield from (
        "## Made by",
        "",
        f"    orthoscape-train fit {recipe.name}{data} --steps {facts.num_steps}",
        f"    orthoscape-train export runs/{recipe.name}{data}",
        "",
    )
    devices = dict.fromkeys(
        f"{each.device} ({each.threads} thread{'' if each.threads == 1 else 's'})" for each in facts.starts
    )
    where = f" on {', then '.join(devices)}" if devices else ""
    yield f"The run behind these weights took {facts.num_steps} steps of {recipe.batch_size} crops of"
    yield f"{recipe.crop_px} px in {facts.minutes:.0f} minutes{where},"
    yield f"with {facts.num_scenes} generated scenes. The commands give a network like it, not the same"
    yield "bytes."
    if any(each.num_steps is None for each in facts.starts):
        yield "Its learning rate followed the clock."
    if recipe.begin_with is not None:
        yield ""
        yield f"It began with the weights of `{recipe.begin_with}`."
    if recipe.within_set_weight:
        yield ""
        yield "Of the classes inside a coarse label's set, the moving average of the network was heard, with"
        yield f"weight {recipe.within_set_weight:g}, where it was sure by {recipe.within_set_confidence:g}."
    if facts.note:
        yield ""
        yield facts.note


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
