"""What a training run is: frozen values, checked once."""

from dataclasses import dataclass

from models.manifest import Role
from training.networks.compact import STRIDE_PX


@dataclass(frozen=True, kw_only=True)
class SceneSetSpec:
    """Generated scenes, named by their seeds."""

    first_seed: int
    num_scenes: int
    side_px: int
    gsd_m_cycle: tuple[float, ...]
    """Ground resolutions in metres, taken in turn, one a scene."""

    def seed_of(self, index: int) -> int:
        """Seed of a scene."""
        return self.first_seed + index

    def gsd_m_of(self, index: int) -> float:
        """Ground resolution of a scene, in metres."""
        return self.gsd_m_cycle[index % len(self.gsd_m_cycle)]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a run depends on.

    Raises:
        ValueError: Crops do not fit scenes or the network's stride, or seeds of the two sets meet.
    """

    name: str
    title: str
    model_id: str
    version: str
    seed: int
    bands: tuple[Role, ...]
    nomenclature: str
    channels: tuple[int, ...]
    """Live channel to class value."""
    gsd_m: tuple[float, float, float]
    """Finest, coarsest and nominal ground resolution that the artefact promises, in metres."""
    core_px: int
    halo_px: int
    widths: tuple[int, int, int, int, int]
    train: SceneSetSpec
    validation: SceneSetSpec
    batch_size: int
    crop_px: int
    num_steps: int
    peak_learning_rate: float
    """Of AdamW, for normalisations and the head."""
    peak_muon_learning_rate: float
    """Of Muon, for convolutions."""
    warmup_share: float
    """Share of the run over which the learning rate rises."""
    ema_decay: float
    nir_drop_share: float
    """Probability that a sample's near infrared is replaced by its mean."""
    rare_share: float
    """Share of crops centred on a class drawn uniformly, so that rare classes are seen."""
    class_weight_power: float
    """Loss weight of a class is its frequency to minus this power; 0 weighs all pixels alike."""

    def __post_init__(self) -> None:
        if self.crop_px % STRIDE_PX or self.crop_px > self.train.side_px:
            raise ValueError(
                f"crop of {self.crop_px} px: not a multiple of {STRIDE_PX} within {self.train.side_px}"
            )
        if self.train.first_seed + self.train.num_scenes > self.validation.first_seed:
            raise ValueError("training seeds reach into the validation seeds")
        if "nir" not in self.bands and self.nir_drop_share:
            raise ValueError("no near infrared to drop")
