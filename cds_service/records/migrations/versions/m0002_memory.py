"""Who reported, which cards were given, which tokens were used, and the trail of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Rows of feedback that are there keep all they told; whether their card was ours isn't known."""
    op.add_column("feedback", sa.Column("issuer", sa.Text, nullable=False, server_default=""))
    op.add_column("feedback", sa.Column("tenant", sa.Text, nullable=False, server_default=""))
    op.add_column("feedback", sa.Column("foreign_card", sa.Boolean))
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])
    _create_issued_cards()
    _create_used_tokens()
    _create_audit_trail()


def _create_issued_cards() -> None:
    op.create_table(
        "issued_cards",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("hook_instance", sa.Text, nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("patient_hash", sa.String(64), nullable=False),
        sa.Column("user_hash", sa.String(64)),
        sa.Column("finding", sa.String(64), nullable=False),
        sa.Column("severity_band", sa.String(64), nullable=False),
        sa.Column("indicator", sa.String(16), nullable=False),
        sa.Column("critical", sa.Boolean, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("knowledge_version", sa.Text, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("shown", sa.Boolean, nullable=False),
        sa.Column("quieted_by", sa.Text),
        sa.Column("quieted_until", sa.DateTime),
        sa.Column("basis", sa.JSON, nullable=False),
        sa.Column("issued_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("card", "issuer", "tenant", name="uq_issued_cards_card"),
    )
    op.create_index("ix_issued_cards_patient", "issued_cards", ["patient_hash", "issuer", "tenant", "issued_at"])
    op.create_index("ix_issued_cards_fingerprint", "issued_cards", ["fingerprint"])
    op.create_index("ix_issued_cards_issued_at", "issued_cards", ["issued_at"])


def _create_used_tokens() -> None:
    op.create_table(
        "used_tokens",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("jti_digest", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_used_tokens_expires_at", "used_tokens", ["expires_at"])


def _create_audit_trail() -> None:
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("recorded_at", sa.DateTime, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("service", sa.String(64)),
        sa.Column("hook_instance", sa.Text),
        sa.Column("key_id", sa.String(16)),
        sa.Column("patient_hash", sa.String(64)),
        sa.Column("user_hash", sa.String(64)),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answered", sa.JSON, nullable=False),
        sa.Column("knowledge_version", sa.Text),
    )
    op.create_index("ix_audit_trail_recorded_at", "audit_trail", ["recorded_at"])
    op.create_index("ix_audit_trail_patient_hash", "audit_trail", ["patient_hash"])
