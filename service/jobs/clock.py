"""The store's own clock, as SQL: leases never depend on the clocks of workers.

``now()`` reads the time when the statement runs (not when its transaction began), in seconds since 1970.
SQLite counts in milliseconds, PostgreSQL in microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


class now(FunctionElement[float]):  # noqa: N801  used like a function of SQL
    """Seconds since 1970 on the store's clock."""

    type = Double()
    inherit_cache = True


@compiles(now, "postgresql")
def _now_in_postgresql(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@compiles(now, "sqlite")
def _now_in_sqlite(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    # unixepoch('subsec') would read better, but needs SQLite 3.42.
    return "((julianday('now') - 2440587.5) * 86400.0)"
