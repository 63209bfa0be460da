"""Part 2 of a card's detail: the rule that fired, and each threshold with where it comes from. Judges nothing."""

from collections.abc import Iterator

from cds_service.hematology.bounds import is_below
from cds_service.hematology.clinical_picture import Downgrade
from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import CountResult
from cds_service.hematology.verdicts import CriticalReason, Finding, Situation, Verdict
from cds_service.services.card_causes import told_in_full
from cds_service.services.card_evidence import evidence_text
from cds_service.services.card_facts import ANALYTE, CardFacts
from cds_service.services.card_wording import Markdown


def rule_sentences(facts: CardFacts) -> tuple[Markdown, ...]:
    """What applied, in the words of the situation; how long; what makes it less or more insistent."""
    return tuple(
        line
        for line in (
            *_situation(facts),
            *_runs(facts),
            *_others(facts),
            *_downgrades(facts),
            _grades(facts),
        )
        if line
    )


def thresholds(facts: CardFacts) -> tuple[Markdown, ...]:
    """Each number applied, tagged *source document* or *site default*."""
    applied = dict.fromkeys(_criteria(facts))
    return (*(facts.phrases.thresholds[criterion] for criterion in applied), *_blasts_limit(facts))


def _situation(facts: CardFacts) -> Iterator[Markdown]:
    """Of a critical card each reason, with its number and its limit; then what is low."""
    for reason, result, limit in facts.assessment.severity.critical:
        value = facts.short(result) if isinstance(result, CountResult) else result.reported
        number = limit.value if limit else ""
        yield facts.words.markdown(f"rules.reasons.{reason}", value=value, limit=number, unit=facts.phrases.unit)
    for aspect in (f"-{facts.alert.leading}", "-below" if _is_below_card_limit(facts) else "-twice", ""):
        if line := facts.phrases.rules.get(f"rules.{facts.alert.situation}{aspect}"):
            yield line
            return


def _is_below_card_limit(facts: CardFacts) -> bool:
    """Whether the newest platelet count alone makes a card; else two specimens do."""
    newest = facts.assessment.thrombocytopenia.newest
    return newest is not None and is_below(newest.result, facts.guideline.thrombocytopenia_card_below.value) is True


def _runs(facts: CardFacts) -> Iterator[Markdown]:
    for finding, run in facts.runs.items():
        yield facts.words.markdown("rules.run", name=facts.phrases.names_first[ANALYTE[finding]], run=run.full)


def _others(facts: CardFacts) -> Iterator[Markdown]:
    """What is known of the count the card doesn't lead with."""
    for finding in (facts.assessment.leukopenia, facts.assessment.thrombocytopenia):
        if finding in facts.leading:
            continue
        key = f"rules.other-{finding.finding}-{finding.verdict}"
        established = facts.assessment.thrombocytopenia.verdict is Verdict.PRESENT
        if finding.finding is Finding.LEUKOPENIA and finding.verdict is Verdict.ABSENT and established:
            key = "rules.isolated"
        if line := facts.phrases.rules.get(key):
            yield line


def _downgrades(facts: CardFacts) -> Iterator[Markdown]:
    """Each kind once. Its records stand among the causes; only one that doesn't is listed here."""
    told = told_in_full(facts)
    for kind in dict.fromkeys(kind for kind, _ in facts.alert.downgrades):
        own = [evidence for other, evidence in facts.alert.downgrades if other is kind]
        listed = [evidence_text(one, facts) for one in own if one.reference not in told]
        below = (
            []
            if len(listed) == len(own)
            else [facts.words.markdown("rules.others-below" if listed else "rules.see-causes")]
        )
        records = Markdown("; ".join((*listed, *below)))
        yield facts.words.markdown(f"rules.downgrade-{kind}", records=records)


def _grades(facts: CardFacts) -> Markdown | None:
    grades = facts.assessment.severity.grades
    if not grades:
        return None
    told = facts.words.listed(
        facts.words.plain("rules.grade", name=facts.phrases.names[analyte], grade=grade) for analyte, grade in grades
    )
    return facts.words.markdown("rules.grades", grades=told)


def _criteria(facts: CardFacts) -> Iterator[Criterion]:
    guideline, assessment = facts.guideline, facts.assessment
    if facts.alert.leading is Finding.BICYTOPENIA:
        yield from assessment.bicytopenia.criteria
    for finding in facts.leading:
        yield from finding.criteria if finding.run else finding.criteria[:2]
    yield guideline.leukopenia_below
    yield guideline.thrombocytopenia_below
    if assessment.severity.critical:
        yield from (limit for _, _, limit in assessment.severity.critical if limit)
        yield guideline.severity_window
    match facts.alert.situation:
        case Situation.MILD_FALL:
            yield from (guideline.mild_leukocytes_at_least, guideline.mild_platelets_at_least)
            yield guideline.mild_fall_within
        case Situation.THROMBOCYTOPENIA:
            yield guideline.thrombocytopenia_card_below if _is_below_card_limit(facts) else guideline.separation
        case Situation.DOWNGRADED:
            yield from _downgrade_criteria(facts)


def _downgrade_criteria(facts: CardFacts) -> Iterator[Criterion]:
    guideline = facts.guideline
    kinds = {kind for kind, _ in facts.alert.downgrades}
    if Downgrade.THERAPY in kinds:
        yield from (guideline.therapy_encounter_before, guideline.cytotoxic_order_before)
    if Downgrade.BENIGN in kinds:
        yield from (guideline.benign_leukocytes_at_least, guideline.benign_neutrophils_below)


def _blasts_limit(facts: CardFacts) -> Iterator[Markdown]:
    """The one limit that is no number of the guideline: blasts in blood, or none."""
    if any(reason is CriticalReason.BLASTS for reason, *_ in facts.assessment.severity.critical):
        tag = facts.words.plain("words.site_default")
        text = facts.words.plain("rules.blasts-limit", days=facts.guideline.severity_window.days)
        yield facts.words.markdown("rules.threshold", text=text, tag=tag)
