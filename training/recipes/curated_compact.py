"""For a set of one's own: the compact U-Net on generated landscapes and on what `curate` made."""

from dataclasses import replace

from training.recipes.landscapes_compact import landscapes_compact
from training.recipes.recipe import LANDSCAPES, Looks, Recipe, Share

_FLIGHTS = Looks(gain=0.1, band_gain=0.05, offset=5.0, band_offset=3.0, gamma=0.1, noise=2.0)
"""A set of a few flights has to stand for others."""


def curated_compact() -> Recipe:
    """Begins with the packaged artefact's weights; judged on the set's own validation and test ground."""
    return replace(
        landscapes_compact(),
        name="curated_compact",
        title="Compact U-Net, generated landscapes and a set of one's own",
        model_id="curated",
        version="0.1.0",
        train=replace(landscapes_compact().train, num_scenes=96),
        validation=replace(landscapes_compact().validation, num_scenes=30),
        shares=(
            Share(source=LANDSCAPES, num_samples=5, looks=replace(_FLIGHTS, zoom=(0.6, 1.25))),
            Share(source="curated", num_samples=15, looks=replace(_FLIGHTS, zoom=(0.8, 1.6))),
        ),
        num_steps=3000,
        peak_learning_rate=1.5e-3,
        peak_muon_learning_rate=0.02,
        begin_with="compact-rgbi",
    )
