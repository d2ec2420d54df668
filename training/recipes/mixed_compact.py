"""The artefact that ships: the compact U-Net on generated landscapes and real imagery together."""

from dataclasses import replace

from training.recipes.landscapes_compact import landscapes_compact
from training.recipes.recipe import LANDSCAPES, Looks, Recipe, Share

_FLIGHTS = Looks(gain=0.15, band_gain=0.06, offset=8.0, band_offset=5.0, gamma=0.15, noise=3.0)
"""Real imagery of few flights has to stand for all others."""


def mixed_compact() -> Recipe:
    """Begins with the first artefact's weights; a domain of Dubai and one of NAIP are held out."""
    return replace(
        landscapes_compact(),
        name="mixed_compact",
        title="Compact U-Net, generated landscapes and real imagery",
        model_id="compact",
        version="0.2.1",
        train=replace(landscapes_compact().train, num_scenes=320),
        shares=(
            Share(source=LANDSCAPES, num_samples=9, looks=replace(_FLIGHTS, zoom=(0.45, 1.25))),
            Share(
                source="dubai",
                num_samples=6,
                looks=replace(_FLIGHTS, zoom=(0.6, 1.6)),
                held_out=("Dubai_tile-5",),
            ),
            Share(
                source="naip",
                num_samples=4,
                looks=replace(_FLIGHTS, zoom=(1.0, 2.5)),
                held_out=("m_3708035_ne_new",),
            ),
            Share(source="treesatai", num_samples=1, looks=replace(_FLIGHTS, zoom=(0.6, 1.6))),
        ),
        num_steps=3000,
        peak_learning_rate=1.5e-3,
        peak_muon_learning_rate=0.02,
        begin_with="landscapes-compact-rgbi",
        within_set_weight=0.5,
    )
