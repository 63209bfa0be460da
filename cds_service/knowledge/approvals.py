"""Whether a piece of knowledge is clinically approved, and the pieces of it that aren't.

Room: knowledge. Refuses to know what is approved, only whether.
"""

from collections.abc import Iterable

from cds_service.knowledge.model import Approval
from cds_service.knowledge.strict_files import Table

DRAFT = "draft"
APPROVED = "approved"


def read_approval(table: Table) -> Approval:
    """The `approval` of a table: the text "draft", or a table with status, by and on (a date).

    Raises KnowledgeError when it is missing, or approved without saying by whom and when.
    """
    if "approval" not in table:
        raise table.error("approval", 'missing; write [approval] with status = "draft", or "approved" with by and on')
    if not table.is_table("approval"):
        status = table.text("approval")
        if status != DRAFT:
            raise table.error("approval", f"'{status}' needs who approved it and when; only \"draft\" can stand alone")
        return Approval(DRAFT)
    approval = table.table("approval")
    status = approval.text("status")
    if status not in (DRAFT, APPROVED):
        raise approval.error("status", f"'{status}' is none of: {DRAFT}, {APPROVED}")
    if status == DRAFT:
        approval.finish()
        return Approval(DRAFT)
    found = Approval(APPROVED, by=approval.text("by"), on=approval.day("on").isoformat())
    approval.finish()
    return found


def drafts(approvals: Iterable[tuple[str, Approval]]) -> tuple[str, ...]:
    """The names of those that are not approved, sorted."""
    return tuple(sorted(name for name, approval in approvals if approval.status != APPROVED))
