"""Positive evidence of platelet clumps in what a laboratory wrote: clause by clause, and never where it is negated.

Room: fhir_reading. The words are the knowledge's.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from cds_service.fhir_reading.projection import Json, texts_in
from cds_service.fhir_reading.quantities import comparator_of, number
from cds_service.fhir_reading.words import end_of_first, folded, holds_any, starts_with_any
from cds_service.hematology.lab_results import Comparator
from cds_service.knowledge.model import ScreeningWords

_CLAUSE_ENDS = re.compile(r"[.,;!?。，；！？、\n\r]+")
_FOLLOWING = 1000
"""Characters after the word among which a negation of it is looked for: longer than any two words and a phrase."""
_LOWER_BOUNDS = (Comparator.EXACT, Comparator.ABOVE, Comparator.AT_LEAST)


class ClumpWords:
    """Tells what a note, an interpretation or a qualitative value says."""

    def __init__(self, words: ScreeningWords) -> None:
        stems = "|".join(re.escape(folded(stem)) for stem in words.clump_stems)
        self._clumps = re.compile(rf"(?<!\S)\S*(?:{stems})\w*")  # from a word's start only: a word is looked at once
        self._spelled = frozenset(word.casefold() for word in words.clump_positive)
        positive = "|".join(re.escape(word) for word in map(folded, self._spelled) if word.isalpha())
        self._positive = re.compile(rf"(?<!\S)(?:{positive})(?!\S)")
        self._before = words.negations_before
        self._anywhere = words.negations_before | frozenset(words.negations_after)

    def tells_clumps(self, texts: Iterable[str]) -> bool:
        """Whether any clause names clumps without a negation before the word or directly after it."""
        return any(self._asserts(self._clumps, text) for text in texts)

    def presence(self, observation: Json) -> bool | None:
        """What the value of a test for presence says: present, not present, or None where it can't be told."""
        for name in ("valueQuantity", "valueInteger", "valueBoolean"):
            if name in observation:
                return _above_zero(observation[name])
        texts = _value_texts(observation)
        if any(self._is_positive(text) for text in texts):
            return True
        return False if any(holds_any(folded(text), self._anywhere) for text in texts) else None

    def _is_positive(self, text: str) -> bool:
        """A value that is a word for present, or holds one (or the word for clumps) in a clause."""
        spelled = text.strip().casefold() in self._spelled
        return spelled or self._asserts(self._positive, text) or self._asserts(self._clumps, text)

    def _asserts(self, pattern: re.Pattern[str], text: str) -> bool:
        return any(self._clause_asserts(pattern, clause) for clause in _clauses(text))

    def _clause_asserts(self, pattern: re.Pattern[str], clause: str) -> bool:
        """Negations before hold for all that follows in the clause."""
        negated_from = end_of_first(clause, self._before)
        return any(
            not self._is_negated_after(clause[found.end() : found.end() + _FOLLOWING])
            for found in pattern.finditer(clause)
            if negated_from is None or found.start() < negated_from
        )

    def _is_negated_after(self, after: str) -> bool:
        """At once, or behind one word ("clumps were not seen")."""
        following = after.strip()
        return any(starts_with_any(text, self._anywhere) for text in (following, following.partition(" ")[2]))


@lru_cache(maxsize=4)
def clump_words(words: ScreeningWords) -> ClumpWords:
    """What tells clumps by these words, made once."""
    return ClumpWords(words)


def _clauses(text: str) -> list[str]:
    return [folded(clause) for clause in _CLAUSE_ENDS.split(text)]


def _value_texts(observation: Json) -> list[str]:
    concept = observation.get("valueCodeableConcept")
    codes = [coding["code"] for coding in (concept or {}).get("coding", ()) if "code" in coding]
    stated = observation.get("valueString")
    return [*texts_in(concept), *codes, *([stated] if isinstance(stated, str) else [])]


def _above_zero(value: object) -> bool | None:
    """Whether a number (or a Quantity's bound) is certainly above zero, certainly not, or neither."""
    if isinstance(value, bool):
        return value
    quantity: Json = value if isinstance(value, dict) else {"value": value}
    found, comparator = number(quantity.get("value")), comparator_of(quantity)
    if found is None or comparator is None or found < 0:
        return None
    if found > 0:
        return True if comparator in _LOWER_BOUNDS else None
    if comparator is Comparator.ABOVE:
        return True
    return False if comparator in (Comparator.EXACT, Comparator.AT_MOST) else None
