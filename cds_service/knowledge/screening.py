"""Words that say a result isn't of blood, or that platelets were clumped, in the shipped languages.

Room: knowledge. Refuses to know where the words are looked for.
"""

from pathlib import Path

from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval, ScreeningWords
from cds_service.knowledge.strict_files import Table, read_toml

FILE = "screening.toml"


def load_screening(directory: Path) -> tuple[ScreeningWords, Approval]:
    """The words of `screening.toml`, case-folded. Raises KnowledgeError on a word that stands twice in a table."""
    file = read_toml(directory, FILE)
    approval = read_approval(file)
    words = ScreeningWords(
        not_blood=frozenset(_words(file, "not_blood")),
        not_blood_in_specimen=frozenset(_words(file, "not_blood_in_specimen")),
        clump_stems=_words(file, "clump_stems"),
        negations_before=frozenset(_words(file, "negations_before")),
        negations_after=_words(file, "negations_after"),
        clump_positive=_words(file, "clump_positive"),
    )
    file.finish()
    return words, approval


def _words(file: Table, key: str) -> tuple[str, ...]:
    """The words of all languages of one table; languages may share words."""
    table = file.table(key)
    found: dict[str, None] = {}
    for language in tuple(table.keys_left()):
        found.update(dict.fromkeys(word.casefold() for word in table.texts(language)))
    if not found:
        raise file.error(key, "no word is here")
    return tuple(found)
