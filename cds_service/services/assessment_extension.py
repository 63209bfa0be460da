"""The assessment as machines read it, beside the cards: `org.cytopenia-cds.assessment`. Knows no wording.

Empty members are left out. Chart text is cleaned as on the card; references stay whole, for they are looked up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds_service.cds_hooks.cards import Whole
from cds_service.hematology.lab_results import CountResult
from cds_service.hematology.verdicts import Assessment, Evidence, FindingAssessment, GroupSupport
from cds_service.services.card_values import COUNT_UNIT, bound_text, plain_number, utc_text
from cds_service.services.chart_text import clean_text
from cds_service.services.quieting import Quieted

NAME = "org.cytopenia-cds.assessment"
_NOT_USED_AT_MOST = 50
_RESULTS_AT_MOST = 100
_REFERENCE_CHARACTERS = 200


@dataclass(frozen=True)
class CardFate:
    """What becomes of the card that an assessment deserves: withheld for a reason, quieted by feedback, or shown."""

    fingerprint: str | None = None
    withheld: str | None = None
    quieted: Quieted | None = None

    @property
    def shown(self) -> bool:
        """Whether there is a card, and nothing speaks against it."""
        return self.fingerprint is not None and self.withheld is None and self.quieted is None


def compose_extension(assessment: Assessment, knowledge_version: str, software_version: str, fate: CardFate) -> Whole:
    """The extension object of the answer: one member, named after the product."""
    shown = assessment.not_used[:_NOT_USED_AT_MOST]
    told = _given(
        knowledgeVersion=knowledge_version,
        softwareVersion=software_version,
        assessedAt=utc_text(assessment.as_of),
        findings=[_finding(finding) for finding in assessment.findings],
        causeGroups=[_group(support) for support in assessment.causes.groups if support.evidence],
        context=[_context(support) for support in assessment.causes.context if support.evidence],
        notUsed=[_given(reference=_reference(one.reference), reason=one.reason.value) for one in shown],
        notUsedMore=len(assessment.not_used) - len(shown),
        notAvailable=not_available(assessment),
        withheld=fate.withheld,
        quieted=_quieted(fate.quieted) if fate.quieted else None,
        fingerprint=fate.fingerprint,
    )
    return Whole({NAME: told})


def not_available(assessment: Assessment) -> list[str]:
    """The kinds of data that could not be had, or not be understood."""
    picture = assessment.picture
    told = list(picture.not_available)
    told += ["counts:incomplete"] if picture.counts_incomplete else []
    told += ["conditions:unmapped"] if picture.unmapped_conditions else []
    told += ["medications:unmapped"] if picture.unmapped_medications else []
    return told


def _finding(finding: FindingAssessment) -> Mapping[str, object]:
    results = tuple(dict.fromkeys(result for occasion in finding.occasions for result in occasion.results))
    return _given(
        finding=finding.finding.value,
        verdict=finding.verdict.value,
        statement=finding.statement,
        results=[_result(result) for result in results[:_RESULTS_AT_MOST]],
        resultsMore=max(0, len(results) - _RESULTS_AT_MOST),
    )


def _result(result: CountResult) -> Mapping[str, object]:
    reference, effective = _reference(result.reference), clean_text(result.collected.reported)
    reported = clean_text(f"{result.reported_value} {result.reported_unit}")
    told = {
        "reference": reference,
        "effective": effective,
        "reported": bound_text(result.comparator) + reported,
        "value": _exact(result.value),
        "unit": COUNT_UNIT,
    }
    return told if reference and effective and reported else _given(**told)


def _exact(value: Decimal) -> Decimal:
    """Without needless zeros, and so that it is written without exponent."""
    short = value.normalize()
    return Decimal(plain_number(short)) if not short or "E" in str(short) else short


def _group(support: GroupSupport) -> Mapping[str, object]:
    return _given(group=support.group, support="recorded", evidence=_evidence(support.evidence))


def _context(support: GroupSupport) -> Mapping[str, object]:
    return _given(group=support.group, evidence=_evidence(support.evidence))


def _evidence(records: Iterable[Evidence]) -> list[Mapping[str, object]]:
    told = (
        _given(
            reference=_reference(record.reference),
            system=record.system,
            code=clean_text(record.code),
            display=clean_text(record.display),
        )
        for record in records
    )
    return [record for record in told if record]


def _quieted(quieted: Quieted) -> Mapping[str, object]:
    return {"finding": quieted.finding, "by": quieted.by, "until": utc_text(quieted.until)}


def _reference(reference: str) -> str:
    return clean_text(reference, _REFERENCE_CHARACTERS)


def _given(**members: object) -> dict[str, object]:
    """The members that hold something: no null, no empty text, list or object, no count of nothing."""
    return {name: value for name, value in members.items() if value or (value == 0 and isinstance(value, Decimal))}
