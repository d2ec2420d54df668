"""The card of an imported model: whose it is, what was changed, what its authors report."""

from collections.abc import Sequence

from models.nomenclature import COSIA
from training.export import Parity
from training.importing.hub import Checkpoint
from training.importing.published import CORE_PX, GSD_M, HALO_PX, LICENCE, NUM_CHANNELS, STATISTICS, Published


def write_card(
    model_id: str,
    published: Published,
    checkpoint: Checkpoint,
    *,
    left_out: Sequence[str],
    parity: Parity,
    version: str,
) -> str:
    """A card in Markdown."""
    finest, coarsest, nominal = GSD_M
    names = [COSIA.classes[value].name_en for value in published.values]
    absent = [land_cover.name_en for land_cover in COSIA.classes if land_cover.value not in published.values]
    statistics = ", ".join(
        f"{band} {STATISTICS[band][0]:g} / {STATISTICS[band][1]:g}" for band in published.bands
    )
    lines = [
        f"# {model_id} {version}",
        "",
        *_origin(model_id, published, checkpoint),
        "",
        f"- Task: one of {len(names)} land-cover classes a pixel, `{COSIA.id}`: {', '.join(names)}.",
        f"- Never told: {', '.join(absent)}.",
        f"- Bands: {', '.join(published.bands)}; uint8, raw. Normalised inside the graph: {statistics}.",
        *_height_note(published),
        f"- Ground resolution: {finest:g} to {coarsest:g} m, nominal {nominal:g} m; no other was trained on.",
        f"- Geometry: core {CORE_PX} px, halo {HALO_PX} px, the margin that IGN cuts.",
        "- Network: U-Net over a ResNet-34, 24.4 million parameters, fp32.",
        "- Confidence: largest softmax over the live classes in percent; not calibrated.",
        f"- Licence: {LICENCE} (Licence Ouverte 2.0): name the source, IGN, wherever you show results.",
        "",
        "## Changed on import",
        "",
        f"- The head has {NUM_CHANNELS} channels, one a FLAIR code; those without weight are cut.",
        "- Channels are looked up as CoSIA's class values inside the graph.",
        f"- Graph against network: logits within {parity.relative_difference:.1e} standard deviations,",
        f"  {100 * parity.agreement:.2f} % of pixels with the same class, on the golden sample.",
        *_left_out_note(left_out),
        "- `weights.safetensors` holds the checkpoint's own weights, uncut, to adapt from.",
        "",
        "## Reported by its authors",
        "",
        f"On the test sets of the FLAIR challenges: {published.figures}.",
        "Nothing of it was measured here. Training saw the train and validation domains of FLAIR #1 and #2:",
        "figures measured on those are too good.",
    ]
    return "\n".join(lines) + "\n"


def _origin(model_id: str, published: Published, checkpoint: Checkpoint) -> tuple[str, ...]:
    digest = f"`{checkpoint.source}`, sha256 `{checkpoint.sha256}`."
    if checkpoint.source.startswith(published.repository):
        return (
            f"Weights of IGN, published as https://huggingface.co/{published.repository}, converted.",
            f"Read from {digest}",
        )
    if model_id == published.name:
        return (
            f"Weights said to be those of IGN, https://huggingface.co/{published.repository}, converted.",
            f"Read from a local file, {digest}",
        )
    return (
        f"Weights of the layout of https://huggingface.co/{published.repository}, converted; its bands,",
        f"classes and normalisation are taken to be the same. Read from {digest}",
    )


def _height_note(published: Published) -> tuple[str, ...]:
    if "height" not in published.bands:
        return ()
    return ("- Height: above ground, 0.2 m a level, 51 m and more at 255.",)


def _left_out_note(left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    note = f"- Left out, as parts of training: {', '.join(left_out)}."
    if any("enc_mlp" in name for name in left_out):
        note += " **The network was trained with metadata and runs as if their encoder gave zero.**"
    return (note,)
