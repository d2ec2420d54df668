"""What a user's raster may cost."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits of the child process and of what it agrees to read. Crosses to the child as JSON."""

    address_space_bytes: int = 4 * 2**30
    """Address space of the child (RLIMIT_AS), where the platform has it."""
    request_s: float = 120.0
    """Hard time limit of one request; a staging copy must show progress within it."""
    open_files: int = 256
    """File descriptors of the child (RLIMIT_NOFILE)."""
    max_pixels: int = 2**38
    """Most pixels of one raster: 524 288 a side, 22 000 km2 at 0.2 m."""
    max_bands: int = 32
    """Most bands of one raster."""
    max_block_bytes: int = 256 * 2**20
    """Most bytes that decoding one internal block may give."""
    free_pixels: int = 2**32
    """Up to this size (65 536 a side) a file may compress to nothing: an all-nodata sheet is legitimate."""
    max_pixels_per_byte: int = 2000
    """Above ``free_pixels``, most pixels per byte of file."""
    gdal_cache_bytes: int = 64 * 2**20
    """GDAL's block cache in the child."""
    decode_threads: int = 2
    """Threads that decode internal tiles of one read."""
    open_datasets: int = 8
    """Datasets that the child keeps open."""
    chunk_cache_bytes: int = 128 * 2**20
    """Resampled chunks that the child keeps."""

    def to_json(self) -> str:
        """Serialise; ``from_json`` is the inverse."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Limits":
        """Read what ``to_json`` wrote."""
        return cls(**json.loads(text))
