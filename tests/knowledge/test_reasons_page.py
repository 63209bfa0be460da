"""The page of reasons and the enum say the same; nothing leaves the service under another reason."""

import re
from pathlib import Path

from cds_service.hematology.lab_results import SetAsideReason
from cds_service.knowledge.reasons_page import meanings_of_reasons
from fhir_fixtures.traps import load_traps

PAGE = Path(__file__).parents[2] / "docs" / "knowledge" / "reasons.md"


def test_the_page_lists_every_reason_in_its_order_with_meaning_and_words() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+\.) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [reason for reason, _, _ in rows] == [reason.value for reason in SetAsideReason]
    assert [meaning for _, meaning, _ in rows] == [meanings_of_reasons()[reason] for reason in SetAsideReason]


def test_every_reason_is_shown_by_a_trap_through_the_whole_service() -> None:
    shown = {reason for trap in load_traps().values() for reason in trap.expect.not_used.values()}
    assert shown == {reason.value for reason in SetAsideReason}
