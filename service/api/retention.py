"""Deleting maps that were kept long enough, where the settings say how long that is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from service.api.deleting import delete_map
from service.errors import Conflict, NotFound

if TYPE_CHECKING:
    from service.api.deps import Services

_log = logging.getLogger(__name__)


def expire_maps(services: Services) -> int:
    """Delete the maps whose jobs have been over for `map_keep_s`, as their owners would.

    Returns:
        How many were deleted; none where maps are kept until somebody deletes them.
    """
    keep_s, num_deleted = services.settings.map_keep_s, 0
    if not keep_s:
        return 0
    for map_id in services.store.maps_over_for(keep_s):
        try:
            delete_map(map_id, services)
        except (NotFound, Conflict) as error:  # another server was faster, or its job was taken up again
            _log.info("map not deleted: %s", error.message, extra={"map_id": map_id})
        else:
            num_deleted += 1
            _log.info("map deleted, it was kept for %.0f s", keep_s, extra={"map_id": map_id})
    return num_deleted
