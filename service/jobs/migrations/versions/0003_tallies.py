"""What is counted for ever: ends of jobs, and what jobs that are deleted have done."""

from bisect import bisect_left

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BOUNDS_S = (
    5.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
    10_800.0,
    43_200.0,
    86_400.0,
    604_800.0,
)
_OVER = "SELECT status, finished - created FROM jobs WHERE status IN ('successful', 'failed', 'dismissed')"


def upgrade() -> None:
    """Count the jobs that are there; of those deleted before, and of the engines' time, nothing is known."""
    op.add_column("jobs", sa.Column("blocks_timed", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("engine_us", sa.BigInteger(), nullable=False, server_default="0"))
    tallies = op.create_table(
        "tallies",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=False),
        sa.Column("num", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "first", "second", name=op.f("pk_tallies")),
    )
    ended: dict[tuple[str, str], list[int]] = {}
    for status, duration_s in op.get_bind().execute(sa.text(_OVER)):
        duration_us = max(0, round((duration_s or 0.0) * 1e6))
        bound_s = (*_BOUNDS_S, float("inf"))[bisect_left(_BOUNDS_S, duration_us / 1e6)]
        ended.setdefault((status, str(bound_s)), []).append(duration_us)
    rows = [
        {"name": "ended", "first": status, "second": bound, "num": len(each), "total": sum(each)}
        for (status, bound), each in ended.items()
    ]
    if rows:
        op.bulk_insert(tallies, rows)
