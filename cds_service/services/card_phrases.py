"""What the cards of one site have in common, said once at start. Knows no chart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds_service.hematology.criteria import CauseGroup, Criterion, Guideline
from cds_service.hematology.lab_results import Analyte
from cds_service.knowledge.model import Knowledge
from cds_service.services.card_quieting import quieting_lines
from cds_service.services.card_values import count_limits, criteria_of
from cds_service.services.card_wording import Markdown, Plain, Wording, escaped, in_sentence


@dataclass(frozen=True)
class GroupPhrases:
    """A cause group as a card tells it; `named`: what the source document names in it where both counts are low."""

    name: Markdown
    mechanisms: Markdown
    named: Markdown
    named_in_sentence: Markdown
    in_summary: Plain
    """Its name inside a sentence: a shorter one where the wording has it."""


@dataclass(frozen=True)
class SitePhrases:
    """Phrases made of knowledge and settings alone."""

    limits: tuple[Decimal, ...]
    """Every number of the guideline a count is compared with."""
    unit: Plain
    """10*9/L as people read it."""
    names: Mapping[Analyte, Plain]
    names_first: Mapping[Analyte, Plain]
    """Where a sentence begins."""
    tests: Mapping[Analyte, Markdown]
    """In the table of results."""
    groups: Mapping[str, GroupPhrases]
    rules: Mapping[str, Markdown]
    """The sentences of rules that numbers of the guideline complete, by key."""
    thresholds: Mapping[Criterion, Markdown]
    """Each number of the guideline."""
    versions: tuple[Markdown, ...]
    """Knowledge, software, and the site's own vocabularies where it has any: what was read rests on them."""
    quieting: tuple[Markdown, ...]
    quieting_critical: tuple[Markdown, ...]


def site_phrases(knowledge: Knowledge, words: Wording, software_version: str) -> SitePhrases:
    """The phrases of a site with this knowledge and software."""
    guideline = knowledge.guideline
    names = {analyte: words.plain(f"analytes.{analyte}") for analyte in Analyte}
    first = {analyte: Plain(name[:1].upper() + name[1:]) for analyte, name in names.items()}
    return SitePhrases(
        limits=count_limits(guideline),
        unit=words.plain("words.count_unit"),
        names=names,
        names_first=first,
        tests={analyte: words.markdown("results.cell", text=name) for analyte, name in first.items()},
        groups={group.id: _group(group, words) for group in guideline.groups},
        rules=words.completed("rules", **_numbers(guideline, words)),
        thresholds=dict(_thresholds(guideline, words)),
        versions=tuple(_versions(knowledge, words, software_version)),
        quieting=tuple(quieting_lines(knowledge.quieting, words, critical=False)),
        quieting_critical=tuple(quieting_lines(knowledge.quieting, words, critical=True)),
    )


def _group(group: CauseGroup, words: Wording) -> GroupPhrases:
    hypothesis, short = f"hypotheses.{group.id}", f"groups_short.{group.id}"
    named = words.plain(hypothesis) if words.has(hypothesis) else Plain("")
    mechanisms = words.listed(words.plain(f"mechanisms.{one}") for one in group.mechanisms)
    return GroupPhrases(
        name=escaped(Plain(group.name)),
        mechanisms=escaped(mechanisms),
        named=escaped(named),
        named_in_sentence=escaped(in_sentence(named)),
        in_summary=words.plain(short) if words.has(short) else in_sentence(group.name),
    )


def _numbers(guideline: Guideline, words: Wording) -> dict[str, object]:
    return {
        "current_days": guideline.current.days,
        "separation_days": guideline.separation.days,
        "fall_days": guideline.mild_fall_within.days,
        "card_below": guideline.thrombocytopenia_card_below.value,
        "unit": words.plain("words.count_unit"),
    }


def _thresholds(guideline: Guideline, words: Wording) -> Iterator[tuple[Criterion, Markdown]]:
    """Those that the knowledge has a sentence for, tagged *source document* or *site default*."""
    unit = words.plain("words.count_unit")
    for criterion in criteria_of(guideline):
        if words.has(key := f"criteria.{criterion.id}"):
            tag = words.plain("words.site_default" if criterion.is_site_default else "words.source_document")
            text = words.plain(key, value=criterion.value, unit=unit)
            yield criterion, words.markdown("rules.threshold", text=text, tag=tag)


def _versions(knowledge: Knowledge, words: Wording, software_version: str) -> Iterator[Markdown]:
    key = "limits.versions-draft" if knowledge.drafts else "limits.versions"
    yield words.markdown(key, knowledge=knowledge.version, software=software_version)
    if knowledge.concept_maps:
        yield words.markdown("limits.concept-maps", maps=", ".join(map(str, knowledge.concept_maps)))
