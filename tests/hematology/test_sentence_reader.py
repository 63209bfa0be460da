"""The reader of the sentences is strict: what it doesn't understand is an error, never a shorter picture."""

import pytest

from tests.builders.hematology import picture


@pytest.mark.parametrize(
    "sentences",
    [
        {"counts": ["leukocytes 3.1, yesterday"]},
        {"counts": ["leukocytes 3.1"]},
        {"counts": ["leukocytes three, today"]},
        {"counts": ["leukocytes 3.1, today, 3 days ago"]},
        {"counts": ["leukocytes 3.1, on 2026-06-01T08:00"]},
        {"counts": ["leukocytes 3.1, ago"]},
        {"companions": ["blasts many, today"]},
        {"conditions": ["humors"]},
        {"conditions": ["splenic, very weak"]},
        {"medications": ["drug, since 3 days ago"]},
        {"clumping": ["today, estimate"]},
    ],
    ids=str,
)
def test_what_is_not_understood_is_an_error(sentences: dict[str, list[str]]) -> None:
    with pytest.raises(AssertionError):
        picture(**sentences)  # type: ignore[arg-type]
