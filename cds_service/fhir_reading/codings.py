"""What a code element identifies: every coding counts, system and code are compared, displays never.

Room: fhir_reading. Codes and their meaning are the knowledge's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cds_service.fhir_reading.projection import Json, members, text_at, texts_in
from cds_service.hematology.lab_results import Analyte, CompanionKind
from cds_service.knowledge.model import LabCode, LabUse

LabCodes = Mapping[tuple[str, str], LabCode]
_COUNTS = (LabUse.COUNT, LabUse.LOW_CONFIDENCE_COUNT)


def codings_of(concept: object) -> tuple[tuple[str, str], ...]:
    """The (system, code) pairs of a CodeableConcept; codings without either are left out."""
    found = []
    for coding in members(concept, "coding"):
        system, code = text_at(coding, "system"), text_at(coding, "code")
        if system is not None and code is not None:
            found.append((system, code))
    return tuple(found)


def codes_of(concept: object) -> frozenset[str]:
    """The codes of a CodeableConcept bound to a closed FHIR code list, whatever their system; lower case."""
    codes = (text_at(coding, "code") for coding in members(concept, "coding"))
    return frozenset(code.lower() for code in codes if code is not None)


def display_of(concept: object) -> str:
    """What the record itself calls it: the text, else a display, else a code, else nothing."""
    texts: Iterator[str] = (text.strip() for text in texts_in(concept))
    coded = (code for _, code in codings_of(concept))
    return text_at(concept, "text") or next((text for text in texts if text), None) or next(coded, "")


@dataclass(frozen=True)
class TestIdentity:
    """What a laboratory test is. `counts` are the analytes named; several, or a look-alike beside, contradict."""

    __test__ = False

    counts: tuple[Analyte, ...] = ()
    companion: CompanionKind | None = None
    clump_test: bool = False
    contradictory: bool = False
    low_confidence: bool = False
    nrbc_corrected: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the assessment has any use for it."""
        return bool(self.counts) or self.companion is not None or self.clump_test


UNKNOWN_TEST = TestIdentity()


def identify(code: object, lab_codes: LabCodes) -> TestIdentity:
    """What the codings of `Observation.code` say a result is; a panel's coding beside another says nothing."""
    found = [lab_codes[pair] for pair in codings_of(code) if pair in lab_codes]
    known = [lab_code for lab_code in found if lab_code.use is not LabUse.PANEL]
    if not known:
        return UNKNOWN_TEST
    counts = [lab_code for lab_code in known if lab_code.use in _COUNTS]
    kinds = {(lab_code.analyte, lab_code.companion, lab_code.use is LabUse.NEVER) for lab_code in known}
    never = any(lab_code.use is LabUse.NEVER for lab_code in known)
    if counts:
        analytes = tuple(dict.fromkeys(lab_code.analyte for lab_code in counts if lab_code.analyte is not None))
        return TestIdentity(
            counts=analytes,
            contradictory=len(kinds) > 1,
            low_confidence=any(lab_code.use is LabUse.LOW_CONFIDENCE_COUNT for lab_code in counts),
            nrbc_corrected=any(lab_code.nrbc_corrected for lab_code in counts),
        )
    return UNKNOWN_TEST if never or len(kinds) > 1 else _beside(known[0])


def _beside(lab_code: LabCode) -> TestIdentity:
    return TestIdentity(companion=lab_code.companion, clump_test=lab_code.use is LabUse.CLUMPING)


def code_is_sound(code: Json) -> bool:
    """Whether every coding could be read: an unreadable one might contradict the others."""
    codings = code.get("coding")
    listed = codings if isinstance(codings, list) else [codings]
    return all(
        isinstance(coding, dict) and all(isinstance(coding.get(name), str | None) for name in ("system", "code"))
        for coding in listed
        if coding is not None
    )
