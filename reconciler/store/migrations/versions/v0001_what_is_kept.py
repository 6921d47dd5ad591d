"""History with its causes, documents and revisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    _history()
    _present()


def _history() -> None:
    op.create_table(
        "causes",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("action", "reason")),
        sa.Column("revision", ORDERED, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("author", "source", "plan", "who")),
    )
    op.create_index("causes_by_revision", "causes", ["revision"])
    op.create_table(
        "history",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("key", ORDERED, nullable=False),
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("cause", sa.BigInteger, sa.ForeignKey("causes.id"), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in ("profile_id", "evse_id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("digest", "stage", "write")),
        sa.Column("duration_ms", sa.BigInteger),
    )
    op.create_index("history_by_station", "history", ["key", "at"])
    op.create_index("history_by_cause", "history", ["cause", "at"])
    op.create_index("history_by_time", "history", ["at"])


def _present() -> None:
    op.create_table(
        "documents",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("kind", "name")),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "revisions",
        sa.Column("commit", ORDERED, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("fleet", "subject", "author", "signature")),
        sa.Column("committed_at", sa.BigInteger),
        sa.Column("taken_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("verdict", "why", "plan")),
        sa.Column("files", sa.LargeBinary),
    )
    op.create_index("revisions_by_time", "revisions", ["taken_at"])
