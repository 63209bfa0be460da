"""Looking for words in what a person wrote: letter case, accents' encodings and punctuation don't matter.

Room: fhir_reading. Knows no word of its own.
"""

import re
import unicodedata
from functools import lru_cache

_BREAKS = re.compile(r"[\W_]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts written without spaces, where a whole word can't be told from its surroundings."""


def folded(text: str) -> str:
    """Words in lower case, one blank between them, none at the ends; invisible characters dropped."""
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isascii():
        plain = "".join(character for character in plain if unicodedata.category(character) != "Cf")
    return _BREAKS.sub(" ", plain.casefold()).strip()


@lru_cache(maxsize=64)
def _pattern(words: frozenset[str]) -> re.Pattern[str]:
    known = {folded(word) for word in words} - {""}
    spaced = sorted((word for word in known if not _UNSPACED.search(word)), key=len, reverse=True)
    unspaced = sorted((word for word in known if _UNSPACED.search(word)), key=len, reverse=True)
    parts = [rf"(?<!\S)(?:{'|'.join(map(re.escape, spaced))})(?!\S)"] if spaced else []
    return re.compile("|".join([*parts, *map(re.escape, unspaced)]) or r"(?!)")


def names_word(text: str, words: frozenset[str]) -> bool:
    """Whether a text as written holds one of the words (or phrases) as a whole word."""
    return holds_any(folded(text), words)


def holds_any(text: str, words: frozenset[str]) -> bool:
    """Whether a folded text holds one of the words as a whole word."""
    return _pattern(words).search(text) is not None


def end_of_first(text: str, words: frozenset[str]) -> int | None:
    """Where the first of the words that a folded text holds as a whole word ends."""
    found = _pattern(words).search(text)
    return None if found is None else found.end()


def starts_with_any(text: str, words: frozenset[str]) -> bool:
    """Whether a folded text begins with one of the words as a whole word."""
    return _pattern(words).match(text) is not None
