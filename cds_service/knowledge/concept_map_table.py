"""What a concept map would match, as a table for whoever wrote it: local code, our code, what it means here.

Room: knowledge, at its edge. Refuses to know how rows are judged.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from cds_service.knowledge.concept_map_files import ConceptMapFile
from cds_service.knowledge.concept_map_rows import JudgedRow, Verdict

ARROW = " -> "
WIDEST = 48


def concept_map_lines(found: ConceptMapFile, rows: Iterable[JudgedRow]) -> Iterator[str]:
    """The table of one map: a heading, then its rows by source and target system."""
    own = [judged for judged in rows if judged.row.file == found.file]
    number = {verdict: sum(judged.verdict is verdict for judged in own) for verdict in Verdict}
    counted = ", ".join(f"{count} {verdict}" for verdict, count in number.items() if count)
    yield f"Concept map {found.name} {found.version} ({found.file}): {len(own)} rows, {counted}."
    by_systems = groupby(own, key=lambda judged: (judged.row.source[0], judged.row.target_system))
    for (source, target), group in by_systems:
        yield f"\n  {source}{ARROW}{target}"
        yield from _rows(tuple(group))


def _rows(group: tuple[JudgedRow, ...]) -> Iterator[str]:
    sources, targets = [_source(judged) for judged in group], [judged.row.target_code or "-" for judged in group]
    first, second = (min(WIDEST, max(map(len, column))) for column in (sources, targets))
    for source, target, judged in zip(sources, targets, group, strict=True):
        place = f" [{judged.row.key}]" if judged.verdict is Verdict.REFUSED else ""
        said = judged.says if judged.verdict is Verdict.USED else f"{judged.verdict.upper()}: {judged.says}{place}"
        yield f"    {source:<{first}}  {target:<{second}}  {said}"


def _source(judged: JudgedRow) -> str:
    """The local code, with what the map calls it."""
    _, code = judged.row.source
    return code if judged.row.display == code else f"{code} ({judged.row.display})"
