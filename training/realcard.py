"""What a card says where real imagery was trained on: what was seen, how it did elsewhere, whose data."""

from collections.abc import Iterable, Iterator, Mapping

from models.manifest import CoarseMetrics, Provenance
from training.data.credits import CREDITS
from training.data.sources import Source
from training.real import Real


def warning(real: Real, provenance: Mapping[str, Provenance]) -> tuple[str, ...]:
    """What real imagery taught, and what it did not."""
    sets = "; ".join(
        f"`{name}` ({len(train)} images of {', '.join(sorted(set(train.domains)))})"
        for name, (train, _) in real.items()
    )
    generated = [slug.replace("_", " ") for slug, told in provenance.items() if told == "synthetic-only"]
    fine = [slug.replace("_", " ") for slug, told in provenance.items() if told == "real-fine"]
    return (
        f"**Trained on generated landscapes and on real imagery**: {sets}.",
        "",
        f"- Taught by generated landscapes alone (synthetic-only): {', '.join(generated) or 'none'}.",
        f"- Taught by real labels of their own (real-fine): {', '.join(fine) or 'none'}.",
        "- All others are real-coarse: real labels say only that a pixel is one of several classes, and",
        "  generated landscapes taught which. Look at maps of other territories before trusting them.",
    )


def measured(real: Real, coarse: Mapping[str, CoarseMetrics]) -> Iterator[str]:
    """Figures on real domains, and what each coarse label may be; nothing where nothing is real."""
    if not real:
        return
    yield from (
        "## Measured on real ground that was held out",
        "",
        "Training saw neither these domains nor ground that overlaps them. A label may be several classes: a",
        "class given counts as the label that it stood for most often on the domains trained on. Balanced",
        "accuracy is the mean recall of the labels with 0.5 % of the truth; accuracy is the share of pixels",
        "whose class may be what the label says.",
        "",
    )
    if coarse:
        yield "| domain | labels of | images | pixels | balanced accuracy | accuracy | recall | absent |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from (_coarse_row(domain, entry) for domain, entry in coarse.items())
        yield ""
    judged = {entry.label_set for entry in coarse.values()}
    for name, (train, held_out) in real.items():
        if name in judged:
            yield from (f"- {name}, {each.name}: {_classes(train, each.values)}." for each in train.sets.sets)
        elif not held_out.domains:
            yield f"- {name}: no domain is held out, so it is not measured here."
        else:
            yield f"- {name}: not measured here, since it lacks a band of this graph."
    yield ""


def _classes(source: Source, values: Iterable[int]) -> str:
    classes = source.sets.nomenclature.classes
    return ", ".join(classes[value].slug.replace("_", " ") for value in sorted(values))


def _coarse_row(domain: str, entry: CoarseMetrics) -> str:
    recall = ", ".join(f"{label} {value:.2f}" for label, value in entry.recall.items()).replace("_", " ")
    absent = ", ".join(entry.absent).replace("_", " ") or "-"
    return (
        f"| {domain} | {entry.label_set} | {entry.num_images} | {entry.num_pixels} "
        f"| {entry.balanced_accuracy:.3f} | {entry.accuracy:.3f} | {recall} | {absent} |"
    )


def data(real: Real) -> Iterator[str]:
    """Whose the data are; nothing where nothing is real."""
    if not real:
        return
    yield from (
        "",
        "## Data",
        "",
        "Generated landscapes are drawn by this repository. Real imagery and labels:",
        "",
    )
    yield from (f"- `{name}`: {train.credit or CREDITS[name]}" for name, (train, _) in real.items())
