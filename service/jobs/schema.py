"""The tables of the store, the same in SQLite and PostgreSQL; `migrations` brings a database to this state.

Order of locks, everywhere: the job's row first, then its units and its map. All that changes a unit holds
its job's row, so the counters in that row are exact and no two transactions can wait for each other. Tallies
come last, in the order of their keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    literal_column,
)

from service.jobs.clock import now
from service.jobs.records import JobStatus, UnitStatus

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy import ColumnElement

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

_Id = String(26)
_Plain = JSON(none_as_null=True)
_Big = BigInteger()
_RowId = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER is SQLite's own row number

DRAFT = "draft"
"""Status of a job whose units are being written or deleted; nobody sees it."""


def literally(word: StrEnum | str) -> ColumnElement[str]:
    """A word written into the statement: partial indices serve no query that binds it as a parameter."""
    return literal_column(f"'{word}'", String())


jobs = Table(
    "jobs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("request", _Plain, nullable=False),
    Column("notes", _Plain, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_digest", Text, nullable=False),
    Column("content_key", Text, nullable=False),
    Column("profile_class", Text),
    Column("profile", _Plain),
    Column("map_id", _Id, nullable=False),
    Column("map_name", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("area_km2", Double, nullable=False),
    Column("bounds_wgs84", _Plain, nullable=False),
    Column("num_px", _Big, nullable=False),
    Column("run_blocks", Integer, nullable=False),
    Column("max_failed_share", Double, nullable=False),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("served", Double),  # when units of it were last leased
    Column("finished", Double),
    Column("updated", Double, nullable=False),
    Column("blocks_total", Integer, nullable=False),
    Column("blocks_done", Integer, nullable=False),
    Column("blocks_failed", Integer, nullable=False),
    Column("px_total", _Big, nullable=False),
    Column("px_done", _Big, nullable=False),
    Column("sheets_total", Integer, nullable=False),
    Column("sheets_done", Integer, nullable=False),
    Column("units_open", Integer, nullable=False),  # of every kind, not settled
    Column("units_ready", Integer, nullable=False),
    Column("units_leased", Integer, nullable=False),
    Column("seq", _Big, nullable=False),
    Column("error", Text),
    Column("blocks_timed", Integer, nullable=False, server_default="0"),  # done, and the engine's time told
    Column("engine_us", _Big, nullable=False, server_default="0"),  # for those, in microseconds
)

IS_LIVE = jobs.c.status.in_([literally(JobStatus.ACCEPTED), literally(JobStatus.RUNNING)])
IS_WHOLE = jobs.c.status != DRAFT

Index("ix_jobs_created", jobs.c.created, jobs.c.id)
Index("ix_jobs_owner", jobs.c.owner, jobs.c.created, jobs.c.id)
Index("ix_jobs_content_key", jobs.c.content_key, jobs.c.owner)
Index("ix_jobs_live", jobs.c.owner, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE)

plans = Table(
    "plans",
    metadata,
    Column("job_id", ForeignKey(jobs.c.id, ondelete="CASCADE"), primary_key=True),
    Column("packed", LargeBinary, nullable=False),  # of a country some megabytes: read when asked for alone
)

units = Table(
    "units",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("job_id", ForeignKey(jobs.c.id, ondelete="CASCADE"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("sheet", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("row", Integer, nullable=False),
    Column("col", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    Column("turn", _Big, nullable=False),  # order of claims within the job; blocks of a run share it
    Column("num_px", _Big, nullable=False),
    Column("status", String(8), nullable=False),
    Column("blocks_open", Integer, nullable=False),  # of a sheet: blocks that are not settled
    Column("attempts", Integer, nullable=False),
    Column("losses", Integer, nullable=False, server_default="0"),  # attempts that ended with their worker
    Column("lease_token", String(32)),
    Column("lease_worker", Text),
    Column("lease_until", Double),
    Column("error", Text),
    Column("figures", _Plain),
    Column("seq", _Big, nullable=False),
    # Claims walk over what earlier ones have left behind until it is cleared away: do not wait for a fifth.
    postgresql_with={"autovacuum_vacuum_scale_factor": 0.02},
)

IS_READY = units.c.status == literally(UnitStatus.READY)
IS_LEASED = units.c.status == literally(UnitStatus.LEASED)
HAS_FAILED = units.c.status == literally(UnitStatus.FAILED)
HAS_LAPSED = and_(IS_LEASED, units.c.lease_until < now())

Index("ix_units_settled", units.c.job_id, units.c.kind, units.c.seq)
Index(
    "ix_units_ready",
    *(units.c.job_id, units.c.turn, units.c.attempts, units.c.id),
    sqlite_where=IS_READY,
    postgresql_where=IS_READY,
)
Index(
    "ix_units_leased",
    *(units.c.job_id, units.c.lease_until),
    sqlite_where=IS_LEASED,
    postgresql_where=IS_LEASED,
)
Index(
    "ix_units_failed",
    *(units.c.job_id, units.c.kind, units.c.seq),
    sqlite_where=HAS_FAILED,
    postgresql_where=HAS_FAILED,
)
Index(
    "ix_units_sheet",
    *(units.c.job_id, units.c.sheet),
    sqlite_where=units.c.kind == literally("sheet"),
    postgresql_where=units.c.kind == literally("sheet"),
)

maps = Table(
    "maps",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("job_id", ForeignKey(jobs.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("nomenclature", Text, nullable=False),
    Column("epsg", Integer),
    Column("acquisition_date", Text),
    Column("has_pictures", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("pixel_counts", _Plain),
    Column("confidence_total", _Big),  # over those pixels, in percent; null where a sheet did not tell
)

Index("ix_maps_created", maps.c.created, maps.c.id)
Index("ix_maps_owner", maps.c.owner, maps.c.created, maps.c.id)
Index("ix_maps_name", maps.c.name, maps.c.created)

job_log = Table(
    "job_log",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("job_id", ForeignKey(jobs.c.id, ondelete="CASCADE"), nullable=False),
    Column("at", Double, nullable=False),
    Column("level", String(8), nullable=False),
    Column("text", Text, nullable=False),
)

Index("ix_job_log_job_id", job_log.c.job_id, job_log.c.id)

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("profile_class", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("mpx_per_s", Double),
    Column("last_seen", Double, nullable=False),
)

leases = Table(
    "leases",  # by name, for duties that one process at a time performs
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("lease_until", Double, nullable=False),
)

tallies = Table(
    "tallies",  # what no row of `jobs` tells any more, or tells once only; see `service.jobs.tallies`
    metadata,
    Column("name", String(16), primary_key=True),
    Column("first", Text, primary_key=True),  # what it is counted by: values of up to two labels
    Column("second", Text, primary_key=True),
    Column("num", _Big, nullable=False),
    Column("total", _Big, nullable=False),  # over them, in whole pixels or microseconds: sums of floats drift
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("job_id", ForeignKey(jobs.c.id, ondelete="CASCADE"), index=True),
    Column("created", Double, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # sha256 of the key, hexadecimal
    Column("scopes", _Plain, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("revoked", Double),
)
