"""Positive evidence of platelet clumps in what a laboratory wrote: clause by clause, and never where it is negated.

Room: fhir_reading. The words are the knowledge's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.fhir_reading.projection import Json, texts_in
from cds_service.fhir_reading.quantities import comparator_of, number
from cds_service.fhir_reading.words import folded, holds_any, starts_with_any
from cds_service.hematology.lab_results import Comparator
from cds_service.knowledge.model import ScreeningWords

_CLAUSE_ENDS = re.compile(r"[.,;!?。，；！？、\n\r]+")
_LOWER_BOUNDS = (Comparator.EXACT, Comparator.ABOVE, Comparator.AT_LEAST)


@dataclass(frozen=True)
class ClumpWords:
    """Tells what a note, an interpretation or a qualitative value says."""

    words: ScreeningWords

    def tells_clumps(self, texts: Iterable[str]) -> bool:
        """Whether any clause names clumps without a negation before the word or directly after it."""
        stems = [folded(stem) for stem in self.words.clump_stems]
        return any(self._asserts(clause, stems) for text in texts for clause in _clauses(text))

    def _asserts(self, clause: str, stems: Iterable[str]) -> bool:
        return any(
            not self._is_negated(clause[: found.start()], clause[found.end() :])
            for stem in stems
            for found in re.finditer(rf"\S*{re.escape(stem)}\w*", clause)
        )

    def _is_negated(self, before: str, after: str) -> bool:
        """Negations before hold for the whole clause; after, at once or behind one word ("clumps were not seen")."""
        if holds_any(before.strip(), self.words.negations_before):
            return True
        negations = self.words.negations_before | frozenset(self.words.negations_after)
        following = after.strip()
        return any(starts_with_any(text, negations) for text in (following, following.partition(" ")[2]))

    def presence(self, observation: Json) -> bool | None:
        """What the value of a test for presence says: present, not present, or None where it can't be told."""
        for name in ("valueQuantity", "valueInteger", "valueBoolean"):
            if name in observation:
                return _above_zero(observation[name])
        texts = list(_value_texts(observation))
        if any(self._is_positive(text) for text in texts) or self.tells_clumps(texts):
            return True
        negations = self.words.negations_before | frozenset(self.words.negations_after)
        return False if any(holds_any(folded(text), negations) for text in texts) else None

    def _is_positive(self, text: str) -> bool:
        """A value that is, or a clause of a value that holds, a word for present."""
        spelled = {word.casefold() for word in self.words.clump_positive}
        if text.strip().casefold() in spelled:
            return True
        positive = [word for word in map(folded, spelled) if word.isalpha()]
        return any(
            not self._is_negated(clause[: found.start()], clause[found.end() :])
            for clause in _clauses(text)
            for word in positive
            for found in re.finditer(rf"(?<!\S){re.escape(word)}(?!\S)", clause)
        )


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
