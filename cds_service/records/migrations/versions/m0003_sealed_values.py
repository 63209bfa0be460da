"""What the app keeps between a browser's requests: sealed, and for some hours."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A table of its own; nothing else changes."""
    op.create_table(
        "sealed_values",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_sealed_values_expires_at", "sealed_values", ["expires_at"])
