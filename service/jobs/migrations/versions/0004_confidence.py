"""Maps know the sum of their confidences, and with it their mean."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody counted it for the maps that are there: it is not known."""
    op.add_column("maps", sa.Column("confidence_total", sa.BigInteger(), nullable=True))
