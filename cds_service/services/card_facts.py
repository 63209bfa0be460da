"""What every part of one card is made from, and the phrases they share. Decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from jinja2 import Template

from cds_service.hematology.clinical_picture import Downgrade
from cds_service.hematology.criteria import Criterion, Guideline
from cds_service.hematology.lab_results import Analyte, CountResult
from cds_service.hematology.verdicts import Alert, Assessment, Finding, FindingAssessment, Run, RunWords
from cds_service.knowledge.model import Knowledge
from cds_service.services.card_phrases import SitePhrases
from cds_service.services.card_values import (
    converted_number,
    is_converted,
    reported_number,
    reported_unit,
)
from cds_service.services.card_wording import Plain, Wording
from cds_service.services.chart_text import clean_text

_SHORT_UNIT = 12
SPLENIC_COUNTER = "splenic-counter"
"""The context group of an absent or atrophic spleen."""
ANALYTE = {Finding.LEUKOPENIA: Analyte.LEUKOCYTES, Finding.THROMBOCYTOPENIA: Analyte.PLATELETS}


class RunSpellings(NamedTuple):
    """How long a count has been low: in a sentence, and where a summary has little room."""

    full: Plain
    short: Plain
    shortest: Plain


@dataclass(frozen=True)
class CardFacts:
    """One assessment that deserves a card, with the words to say it."""

    assessment: Assessment
    alert: Alert
    knowledge: Knowledge
    words: Wording
    phrases: SitePhrases
    layout: Template
    """In which the parts of the detail stand."""

    @property
    def guideline(self) -> Guideline:
        """The criteria applied."""
        return self.knowledge.guideline

    @cached_property
    def leading(self) -> tuple[FindingAssessment, ...]:
        """The findings of one analyte the card leads with: both for bicytopenia."""
        match self.alert.leading:
            case Finding.LEUKOPENIA:
                return (self.assessment.leukopenia,)
            case Finding.THROMBOCYTOPENIA:
                return (self.assessment.thrombocytopenia,)
            case Finding.BICYTOPENIA:
                return (self.assessment.leukopenia, self.assessment.thrombocytopenia)

    @property
    def followed(self) -> bool:
        """Whether the finding, or a marrow disease behind it, is on record: what counts then is the change."""
        marrow = any(kind is Downgrade.MARROW for kind, _ in self.alert.downgrades)
        return bool(self.assessment.known) or marrow

    @property
    def spleen_recorded_absent(self) -> bool:
        """Whether this record says that the spleen is absent or atrophic."""
        return any(one.group == SPLENIC_COUNTER for one in self.assessment.causes.context)

    def limit_of(self, finding: FindingAssessment) -> Criterion:
        """The limit below which the finding's analyte is low."""
        if finding.finding is Finding.LEUKOPENIA:
            return self.guideline.leukopenia_below
        return self.guideline.thrombocytopenia_below

    def reported(self, result: CountResult) -> Plain:
        """Value and unit as reported, with the value in 10*9/L where that is another number."""
        number, unit = reported_number(result, self.phrases.limits), reported_unit(result)
        if not is_converted(result):
            return self.words.plain("results.reported", number=number, unit=unit)
        converted = converted_number(result, self.phrases.limits)
        return self.words.plain(
            "results.converted", number=number, unit=unit, value=converted, count_unit=self.phrases.unit
        )

    def short(self, result: CountResult, *remarks: str) -> Plain:
        """The value in 10*9/L; in parentheses the reported one where that is another number, and remarks."""
        number: str = reported_number(result, self.phrases.limits)
        if is_converted(result):
            remarks = (f"{number} {clean_text(result.reported_unit, _SHORT_UNIT)}", *remarks)
            number = converted_number(result, self.phrases.limits)
        return Plain(f"{number} ({'; '.join(remarks)})" if remarks else number)

    def short_low(self, finding: FindingAssessment) -> Plain:
        """The newest value of a finding with its limit: 2.9 (<4.0); empty where it has none."""
        if finding.newest is None:
            return Plain("")
        return self.short(finding.newest.result, f"<{self.limit_of(finding).value}")

    @cached_property
    def runs(self) -> Mapping[Finding, RunSpellings]:
        """How long each count that the card leads with has been low, where it has."""
        return {one.finding: self._spelled(one.run) for one in self.leading if one.run}

    def _spelled(self, run: Run) -> RunSpellings:
        values: dict[str, object] = {}
        match run.words:
            case RunWords.ONE:
                return RunSpellings(*[self.words.plain("runs.one")] * 3)
            case RunWords.THREE_MONTHS:
                key = "runs.three-months"
            case RunWords.WITH_GAP:
                key, values = (
                    "runs.with-gap",
                    {
                        "number": len(run.occasions),
                        "first": run.oldest.collected.day,
                        "last": run.newest.collected.day,
                        "gap": run.widest_gap_days,
                    },
                )
            case RunWords.REPEATED:
                key, values = "runs.repeated", {"number": len(run.occasions), "time": self._duration(run)}
        return RunSpellings(*(self.words.plain(f"{key}{form}", **values) for form in ("", "-short", "-shortest")))

    def difference(self, finding: FindingAssessment) -> Decimal | None:
        """Newest minus previous value, in 10*9/L."""
        return self.assessment.change_since_previous(finding)

    def _duration(self, run: Run) -> Plain:
        if run.days:
            return self.words.counted("runs.days", run.days)
        if run.hours:
            return self.words.counted("runs.hours", run.hours)
        return self.words.plain("runs.same-day")
