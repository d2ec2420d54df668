"""For FLAIR: the compact U-Net on generated landscapes and on FLAIR #1."""

from dataclasses import replace

from training.recipes.curated_compact import curated_compact
from training.recipes.recipe import Recipe


def flair_compact() -> Recipe:
    """Begins with the packaged artefact's weights; judged on the published validation and test domains."""
    generated, real = curated_compact().shares
    return replace(
        curated_compact(),
        name="flair_compact",
        title="Compact U-Net, generated landscapes and FLAIR #1",
        model_id="flair",
        shares=(generated, replace(real, source="flair1")),
        num_steps=6000,
    )
