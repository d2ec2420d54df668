"""Attempts that ended because the whole worker was gone are told from those that the unit may have ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is known of earlier attempts: they count in full."""
    op.add_column("units", sa.Column("losses", sa.Integer(), nullable=False, server_default="0"))
