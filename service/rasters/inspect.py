"""Facts of a raster, found out in a limited child process."""

import os

from service.rasters.client import ReaderChild
from service.rasters.facts import RasterFacts
from service.rasters.limits import Limits


def read_facts(
    path: str | os.PathLike[str],
    *,
    limits: Limits | None = None,
    source_crs: str | None = None,
    child: ReaderChild | None = None,
) -> RasterFacts:
    """Find out what a raster is, without trusting it.

    Args:
        path: A file of a user.
        limits: What it may cost; the defaults of ``Limits`` when None.
        source_crs: CRS of a raster that states none.
        child: A running child to ask, for many files in a row; else one is started for this file.

    Returns:
        The facts; nothing is refused here but what cannot be opened safely (see ``refusals``).

    Raises:
        RasterError: A subclass named after what is wrong.
    """
    name = os.fspath(path)
    if child is not None:
        return _ask(child, name, source_crs)
    with ReaderChild(limits or Limits()) as own:
        return _ask(own, name, source_crs)


def _ask(child: ReaderChild, name: str, source_crs: str | None) -> RasterFacts:
    # a relative name means the same in the child: it inherits the folder
    return RasterFacts.model_validate(child.request("facts", about=name, path=name, source_crs=source_crs))
