"""Preflight: what does not fit is refused before any work, with what to do about it.

Pure rules over facts that the limited child process read. Each rule raises one error class; none changes
anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import PreflightError
from service.rasters.bands import known_roles, resolve_bands

if TYPE_CHECKING:
    from models.manifest import InputSpec, Range
    from service.rasters.facts import RasterFacts
    from service.rasters.placing import NodataOption

MAX_UPSAMPLING = 2.0
"""A scene may be this many times coarser than the model's range; beyond, details it needs are not there."""

MAX_DOWNSAMPLING = 20.0
"""A scene may be this many times finer than the model's range."""

GSD_SLACK = 0.02
"""A ground resolution this share outside the model's range still counts as inside.

Projections stretch the ground: Lambert-93 by -0.1 to +0.3 % over France, UTM by up to 0.1 %.
"""


class ResolutionOutOfRange(PreflightError):
    """The ground resolution is too far from what the model was trained on."""


class SceneTooLarge(PreflightError):
    """The scene passes the limit of this machine's settings."""


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What the caller says of a scene beyond what its file says."""

    bands: str = "auto"
    """``auto``, a preset (RGB, RGBI, IRC) or a role per band; see `service.rasters.bands`."""
    nodata: NodataOption = "file"
    """``file`` believes the file, None has no such value, a number is no data where all bands are it."""
    source_crs: str | None = None
    """The CRS of files that state none."""


@dataclass(frozen=True, kw_only=True)
class SceneFacts:
    """One scene: its raster and companions, as read."""

    main: RasterFacts
    irc: RasterFacts | None = None
    """The NIR, R, G twin."""
    height: RasterFacts | None = None
    """Height above ground."""

    @property
    def all(self) -> tuple[RasterFacts, ...]:
        """The rasters there are."""
        return tuple(facts for facts in (self.main, self.irc, self.height) if facts is not None)


@dataclass(frozen=True, kw_only=True)
class FittingBands:
    """Where a model finds its bands in a scene."""

    main: dict[str, int]
    """Role to 1-based band of the raster itself."""
    reads_irc: bool
    """Whether the near infrared comes from the IRC companion."""
    reads_height: bool
    """Whether the height comes from its companion."""


def check_fits(scene: SceneFacts, spec: InputSpec, options: ReadingOptions) -> FittingBands:
    """Refuse a scene that this model cannot be run on.

    Raises:
        BandMismatch: A role is missing.
        ResolutionOutOfRange: The model was not trained for this ground resolution.
    """
    check_resolution(scene.main, spec.gsd_m)
    own_roles = known_roles(scene.main, options.bands)
    fits = FittingBands(
        main={role: own_roles[role] for role in spec.bands if role in own_roles},
        reads_irc=scene.irc is not None and "nir" in spec.bands and "nir" not in own_roles,
        reads_height=scene.height is not None and "height" in spec.bands and "height" not in own_roles,
    )
    from_companions = [
        role for role, is_read in (("nir", fits.reads_irc), ("height", fits.reads_height)) if is_read
    ]
    resolve_bands(
        scene.main, tuple(role for role in spec.bands if role not in from_companions), options.bands
    )
    return fits


def check_resolution(facts: RasterFacts, gsd_m: Range) -> None:
    """Refuse a ground resolution that resampling cannot bring honestly into the model's range.

    Raises:
        ResolutionOutOfRange: Too coarse, or absurdly fine.
    """
    assert facts.gsd_m is not None, "require_usable comes first"
    coarsest, finest = max(facts.gsd_m), min(facts.gsd_m)
    if coarsest > gsd_m.max * MAX_UPSAMPLING * (1 + GSD_SLACK):
        raise ResolutionOutOfRange(
            f"{facts.path} has {coarsest:.3g} m on the ground a pixel; the model reads {gsd_m.min:g} to "
            f"{gsd_m.max:g} m, and at most {gsd_m.max * MAX_UPSAMPLING:g} m resampled",
            remedy="give a finer orthophoto, or a model made for this resolution (orthoscape models)",
        )
    if finest < gsd_m.min / MAX_DOWNSAMPLING:
        raise ResolutionOutOfRange(
            f"{facts.path} has {finest:.3g} m on the ground a pixel; the model reads {gsd_m.min:g} to "
            f"{gsd_m.max:g} m",
            remedy=f"check the georeference; if it is right, gdalwarp -tr {gsd_m.nominal} {gsd_m.nominal} "
            "-r average it first",
        )


def check_size(num_px: int, *, max_px: int) -> None:
    """Refuse more pixels than the settings allow.

    Raises:
        SceneTooLarge: It has more.
    """
    if num_px > max_px:
        raise SceneTooLarge(
            f"{num_px:,} px are asked for, at most {max_px:,} are accepted",
            remedy="give an --aoi, or raise ORTHOSCAPE_MAX_SCENE_PX",
        )
