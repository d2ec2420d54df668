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
    kind_weights: tuple[tuple[str, float], ...] | None = None
    """Landscape types and how often each is drawn, as in ``LandscapeSpec``; its own when None."""

    def seed_of(self, index: int) -> int:
        """Seed of a scene."""
        return self.first_seed + index

    def gsd_m_of(self, index: int) -> float:
        """Ground resolution of a scene, in metres."""
        return self.gsd_m_cycle[index % len(self.gsd_m_cycle)]


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How much the looks of crops are changed: standard deviations of normal draws, unless said otherwise."""

    gain: float = 0.04
    """Of the log of a gain that all bands share."""
    band_gain: float = 0.02
    """Of the log of each band's own gain."""
    offset: float = 2.0
    """Of an offset that all bands share, in grey levels."""
    band_offset: float = 1.0
    gamma: float = 0.04
    """Of the log of gamma."""
    noise: float = 0.0
    """Of the level of white noise, in grey levels."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Least and largest magnification, drawn evenly in its logarithm."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a source gives to every batch."""

    source: str
    num_samples: int
    looks: Looks = Looks()
    held_out: tuple[str, ...] = ()
    """Domains that the run is judged on."""


LANDSCAPES = "landscapes"
"""The source that is generated; others are real, and read from folders that the command names."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a run depends on.

    Raises:
        ValueError: Crops do not fit scenes or the network's stride, seeds of the two sets meet, or no source
            is generated.
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
    shares: tuple[Share, ...]
    """Of every batch; generated landscapes are always among them."""
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
    """Weight of a label is its frequency in its source to minus this power; 0 weighs all pixels alike."""
    begin_with: str | None = None
    """Artefact whose weights a run begins with; None begins at random."""
    within_set_weight: float = 0.0
    """Weight of what the network's own moving average says of classes inside a coarse label's set."""
    within_set_confidence: float = 0.5
    """Least probability, inside the set, of what it says."""

    def __post_init__(self) -> None:
        if self.crop_px % STRIDE_PX or self.crop_px > self.train.side_px:
            raise ValueError(
                f"crop of {self.crop_px} px: not a multiple of {STRIDE_PX} within {self.train.side_px}"
            )
        if self.train.first_seed + self.train.num_scenes > self.validation.first_seed:
            raise ValueError("training seeds reach into the validation seeds")
        if LANDSCAPES not in {share.source for share in self.shares}:
            raise ValueError(f"no share of {LANDSCAPES}: nothing would tell classes of a coarse label apart")
        if "nir" not in self.bands and self.nir_drop_share:
            raise ValueError("no near infrared to drop")

    @property
    def batch_size(self) -> int:
        """Samples of a step."""
        return sum(share.num_samples for share in self.shares)
