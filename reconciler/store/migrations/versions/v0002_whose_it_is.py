"""The keeper: whose the database is, how often it changed hands, and which batch was the last."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its one row."""
    keeper = op.create_table(
        "keeper",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fleet", sa.Text, nullable=False),
        sa.Column("tenure", sa.BigInteger, nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(keeper, [{"id": 1, "fleet": "", "tenure": 0, "batch": 0}])
