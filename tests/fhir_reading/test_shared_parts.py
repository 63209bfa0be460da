"""A part is read once a call, and never taken for another."""

from typing import Any

from cds_service.fhir_reading.shared_parts import once_a_call, parts_shared

ASKED: list[object] = []


@once_a_call
def text_of(part: dict[str, Any], prefix: str) -> str:
    """A reading that tells when it is done."""
    ASKED.append(part)
    return prefix + str(part["text"])


def test_the_same_part_is_read_once_a_call_and_anew_in_the_next() -> None:
    part = {"text": "a"}
    for _ in range(2):
        ASKED.clear()
        with parts_shared():
            assert [text_of(part, "x"), text_of(part, "x"), text_of(part, "y")] == ["xa", "xa", "ya"]
        assert [part, part] == ASKED


@once_a_call
def number_of(part: dict[str, int]) -> int:
    """A reading that keeps nothing of what it reads."""
    return part["number"]


def test_parts_that_come_and_go_are_never_taken_for_each_other() -> None:
    """A part that is gone leaves its identity to the next one; what was read of it must not be left as well."""
    with parts_shared():
        assert [number_of({"number": number}) for number in range(200)] == list(range(200))


def test_outside_a_call_nothing_is_kept() -> None:
    part = {"text": "a"}
    text_of(part, "")
    part["text"] = "b"
    assert text_of(part, "") == "b"
