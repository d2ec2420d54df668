"""The first artefact: a compact U-Net that saw generated landscapes only."""

from models.nomenclature import COSIA
from training.recipes.recipe import LANDSCAPES, Recipe, SceneSetSpec, Share

VALIDATION_SEED = 1_000_000
"""Seeds from here on are never trained on."""


def landscapes_compact() -> Recipe:
    """Sixteen classes from red, green, blue and near infrared at 0.15 to 0.5 m."""
    return Recipe(
        name="landscapes_compact",
        title="Compact U-Net, generated landscapes",
        model_id="landscapes-compact",
        version="0.1.0",
        seed=2026,
        bands=("red", "green", "blue", "nir"),
        nomenclature=COSIA.id,
        channels=tuple(land_cover.value for land_cover in COSIA.classes),
        gsd_m=(0.15, 0.5, 0.2),
        core_px=1024,
        halo_px=80,
        widths=(32, 48, 96, 128, 128),
        train=SceneSetSpec(
            first_seed=0,
            num_scenes=800,
            side_px=512,
            gsd_m_cycle=(0.2, 0.17, 0.2, 0.25, 0.2, 0.3, 0.2, 0.4, 0.15, 0.5, 0.2, 0.35),
        ),
        validation=SceneSetSpec(
            first_seed=VALIDATION_SEED,
            num_scenes=120,
            side_px=512,
            gsd_m_cycle=(0.15, 0.2, 0.25, 0.35, 0.5),
        ),
        shares=(Share(source=LANDSCAPES, num_samples=20),),
        crop_px=160,
        num_steps=6000,
        peak_learning_rate=3e-3,
        peak_muon_learning_rate=0.04,
        warmup_share=0.05,
        ema_decay=0.997,
        nir_drop_share=0.5,
        rare_share=0.5,
        class_weight_power=0.25,
    )
