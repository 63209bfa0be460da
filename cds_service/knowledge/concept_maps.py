"""A site's own vocabulary: concept map files and knowledge in, the knowledge that understands the site's codes out.

Room: knowledge. Knows what must agree between the maps, refuses to know how a file is read and a row is judged.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cds_service.knowledge.concept_map_files import ConceptMapFile, read_concept_map
from cds_service.knowledge.concept_map_rows import JudgedRow, Opposites, RowJudge, SiteCodes, Verdict, refusal
from cds_service.knowledge.mapped_causes import MappedCauses
from cds_service.knowledge.model import Knowledge, SiteVocabulary
from cds_service.knowledge.strict_files import KnowledgeError


def read_concept_maps(paths: Iterable[Path]) -> tuple[ConceptMapFile, ...]:
    """The files in their order. Raises KnowledgeError when one can't be read, or two can't be told apart by name."""
    maps = tuple(read_concept_map(path) for path in paths)
    names: dict[str, str] = {}
    for found in maps:
        if found.file in names.values():
            raise KnowledgeError(found.file, "", "two concept maps have this file name; list each once, or rename one")
        if found.name in names:
            raise KnowledgeError(found.file, "name", f"'{found.name}' is also the name of {names[found.name]}")
        names[found.name] = found.file
    return maps


def judge_concept_maps(maps: Iterable[ConceptMapFile], knowledge: Knowledge, opposites: Opposites) -> SiteCodes:
    """Every row of the maps with what becomes of it, and what the used ones add to the knowledge as shipped."""
    judge = RowJudge(knowledge.lab_codes, knowledge.causes, opposites)
    for found in maps:
        judge.judge(found.rows)
    return judge.site


def with_concept_maps(knowledge: Knowledge, maps: Sequence[ConceptMapFile], opposites: Opposites) -> Knowledge:
    """The knowledge with the site's codes in it: each is as good as the code it stands for.

    Raises:
        KnowledgeError: a row says what can't be; the message names file and element.
    """
    site = judge_concept_maps(maps, knowledge, opposites)
    for judged in site.rows:
        if judged.verdict is Verdict.REFUSED:
            raise refusal(judged)
    digest = hashlib.sha256("".join(sorted(found.digest for found in maps)).encode()).hexdigest()
    drafts = tuple(f"concept map {found.name}" for found in maps if not found.approved)
    return replace(
        knowledge,
        version=f"{knowledge.version}+maps:{digest[:12]}",
        lab_codes={**knowledge.lab_codes, **site.lab_codes},
        causes=MappedCauses(knowledge.causes, site.causes),
        concept_maps=tuple(_vocabulary(found, site.rows) for found in maps),
        drafts=(*knowledge.drafts, *drafts),
    )


def _vocabulary(found: ConceptMapFile, rows: Iterable[JudgedRow]) -> SiteVocabulary:
    own = [judged for judged in rows if judged.row.file == found.file]
    used = {judged.row.source for judged in own if judged.verdict is Verdict.USED}
    return SiteVocabulary(found.name, found.version, len(used), len({one.row.source for one in own} - used))
