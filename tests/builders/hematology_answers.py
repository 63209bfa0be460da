"""An Assessment in the words the sentences of `tests/spec/hematology_*.yaml` expect."""

from typing import Any

from cds_service.hematology.verdicts import Assessment, FindingAssessment, GroupSupport, Occasion, Run, RunWords


def told(assessment: Assessment) -> dict[str, Any]:
    """Everything a sentence may expect, by its key."""
    alert = assessment.alert
    return {
        **{one.finding.value: one.verdict.value for one in assessment.findings},
        "importance": alert.importance.value if alert else "none",
        "situation": alert.situation.value if alert else "none",
        "leading": alert.leading.value if alert else "none",
        "downgrades": [kind.value for kind, _ in alert.downgrades] if alert else [],
        "critical": [reason.value for reason, *_ in assessment.severity.critical],
        "grades": {analyte.value: grade for analyte, grade in assessment.severity.grades},
        "known": [one.reference for one in assessment.known],
        "not_used": [f"{one.analyte} {one.reason}" for one in assessment.not_used],
        "minor": assessment.minor,
        **_told_of_findings(assessment),
        **_told_of_causes(assessment),
    }


def values(occasion: Occasion | None) -> str:
    """`3.1`, or `3.1 / 4.2` where the results of one occasion differ."""
    return " / ".join(str(result.value) for result in occasion.results) if occasion else "none"


def _told_of_findings(assessment: Assessment) -> dict[str, Any]:
    by_finding = {one.finding.value: one for one in assessment.findings}
    pair = assessment.bicytopenia.pair
    return {
        "run": {name: _run(one.run) for name, one in by_finding.items() if one.run},
        "newest": {name: values(one.newest) for name, one in by_finding.items() if one.newest},
        "previous": {name: values(one.previous) for name, one in by_finding.items() if one.previous},
        "conflicting": {name: values(one.conflicting) for name, one in by_finding.items() if one.conflicting},
        "unread": {name: len(one.unread) for name, one in by_finding.items() if one.unread},
        "shown_only": {name: len(one.shown_only) for name, one in by_finding.items() if one.shown_only},
        "rests_on": {name: _rests_on(one) for name, one in by_finding.items() if one.occasions},
        "pair": " & ".join(values(one) for one in pair) if pair else "none",
    }


def _told_of_causes(assessment: Assessment) -> dict[str, Any]:
    causes = assessment.causes
    return {
        "causes": [one.group for one in causes.groups if one.evidence],
        "named_without_evidence": [one.group for one in causes.groups if not one.evidence],
        "weak": [one.group for one in (*causes.groups, *causes.weak) if one.weak],
        "context": [one.group for one in causes.context],
        "evidence": [one.reference for group in causes.groups for one in group.evidence],
        "start_before_first_low": _starts(causes.groups),
        "causes_assessed": causes.assessed,
    }


def _starts(groups: tuple[GroupSupport, ...]) -> list[int | None]:
    return [one.days_before_first_low for group in groups for one in group.evidence if one.kind == "medication"]


def _rests_on(finding: FindingAssessment) -> str:
    return ", ".join(values(one) for one in finding.occasions)


def _run(run: Run) -> str:
    number = len(run.occasions)
    over = f"{run.hours} hours" if run.hours is not None else f"{run.days} days"
    return {
        RunWords.ONE: "one low result",
        RunWords.REPEATED: f"low on {number} results over {over}",
        RunWords.THREE_MONTHS: "low for 3 months or more",
        RunWords.WITH_GAP: f"low on {number} results, none between for {run.widest_gap_days} days",
    }[run.words]
