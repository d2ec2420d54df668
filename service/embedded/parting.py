"""A server that lets its listeners go when it is asked to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


class PartingServer(uvicorn.Server):
    """Uvicorn's server waits for answers that are under way; those that tell of jobs end when told to."""

    def __init__(self, config: uvicorn.Config, *, let_go: Callable[[], None]) -> None:
        """Prepare.

        Args:
            config: Uvicorn's.
            let_go: Ends answers that would go on for as long as somebody listens; called in the loop.
        """
        super().__init__(config)
        self._let_go = let_go

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        self._let_go()
        await super().shutdown(sockets)
