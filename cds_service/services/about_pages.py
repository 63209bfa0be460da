"""The pages for people: what the service judges and by what, and the causes by group. Made from the knowledge alone.

Self-contained HTML, no script, no patient data. Layout and words are knowledge (`about.html.j2`, `causes.html.j2`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined

from cds_service.hematology.criteria import Bands, CauseGroup, Criterion
from cds_service.knowledge.model import Knowledge, Statement
from cds_service.services.card_values import COUNT_UNIT
from cds_service.services.card_wording import Wording

ABOUT, CAUSES = "about.html.j2", "causes.html.j2"
_NOTICE = "data/NOTICE"


@dataclass(frozen=True)
class CriterionRow:
    """One number of the guideline as the page lists it; `statement` None: a site default."""

    text: str
    statement: Statement | None


@dataclass(frozen=True)
class GroupEntry:
    """One cause group as the page lists it."""

    group: CauseGroup
    statement: Statement | None
    mechanisms: tuple[str, ...]


def render_about(knowledge: Knowledge, software_version: str, root: str = "") -> str:
    """What the service judges: findings, criteria with provenance, sources, versions, limits, intended use, notices.

    `root`: the path the service is published under, without final slash; links hold whether or not the page's own
    address ends in a slash.
    """
    return _render(
        ABOUT,
        knowledge,
        root=root,
        software_version=software_version,
        criteria=tuple(_criteria(knowledge)),
        bands=tuple(_bands(knowledge)),
        notices=_notices(),
    )


def render_causes(knowledge: Knowledge, root: str = "") -> str:
    """The causes by group, with mechanisms and the statements of the source document they rest on.

    `root` as in `render_about`.
    """
    entries = tuple(_group(group, knowledge) for group in knowledge.guideline.groups)
    mechanisms = dict.fromkeys(name for group in knowledge.guideline.groups for name in group.mechanisms)
    cited = knowledge.guideline.statements
    return _render(
        CAUSES,
        knowledge,
        root=root,
        groups=tuple(entry for entry in entries if not entry.group.context_only),
        context=tuple(entry for entry in entries if entry.group.context_only),
        mechanisms=tuple((name, knowledge.statements[cited[name]]) for name in mechanisms if name in cited),
        classes=tuple(knowledge.statements[cited[name]] for name in ("classes", "primary", "secondary", "symptoms")),
    )


def _criteria(knowledge: Knowledge) -> Iterator[CriterionRow]:
    guideline = knowledge.guideline
    for entry in fields(guideline):
        criterion = getattr(guideline, entry.name)
        if isinstance(criterion, Criterion):
            yield _row(criterion, knowledge)


def _row(criterion: Criterion, knowledge: Knowledge) -> CriterionRow:
    words = Wording(knowledge.wording)
    unit = words.plain("words.count_unit") if criterion.unit == COUNT_UNIT else criterion.unit
    statement = knowledge.statements[criterion.statement] if criterion.statement else None
    return CriterionRow(words.plain(f"criteria.{criterion.id}", value=criterion.value, unit=unit), statement)


def _bands(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Analyte and the limits of grades 2, 3 and 4."""
    words, guideline = Wording(knowledge.wording), knowledge.guideline
    bands: tuple[tuple[str, Bands], ...] = (
        ("leukocytes", guideline.leukocyte_bands),
        ("neutrophils", guideline.neutrophil_bands),
        ("platelets", guideline.platelet_bands),
    )
    for analyte, band in bands:
        yield words.plain(f"analytes.{analyte}"), tuple(str(criterion.value) for criterion in band.below)


def _group(group: CauseGroup, knowledge: Knowledge) -> GroupEntry:
    words = Wording(knowledge.wording)
    return GroupEntry(
        group=group,
        statement=knowledge.statements[group.statement] if group.statement else None,
        mechanisms=tuple(words.plain(f"mechanisms.{one}") for one in group.mechanisms),
    )


def _notices() -> tuple[tuple[str, str], ...]:
    """The third-party notices shipped with the codes: heading ('' where it has none) and text."""
    text = files("cds_service.knowledge").joinpath(_NOTICE).read_text(encoding="utf-8")
    return tuple(_notice(paragraph.splitlines()) for paragraph in text.split("\n\n") if paragraph.strip())


def _notice(lines: list[str]) -> tuple[str, str]:
    underlined = len(lines) > 2 and set(lines[1]) == {"-"}
    return (lines[0], " ".join(lines[2:])) if underlined else ("", " ".join(lines))


def _render(name: str, knowledge: Knowledge, **values: object) -> str:
    environment = _environment(tuple(sorted(knowledge.templates.items())))
    words = Wording(knowledge.wording)
    return environment.get_template(name).render(words=words, say=words.plain, knowledge=knowledge, **values)


@lru_cache(maxsize=4)
def _environment(templates: tuple[tuple[str, str], ...]) -> Environment:
    return Environment(
        loader=DictLoader(dict(templates)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
