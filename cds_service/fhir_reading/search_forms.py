"""One search in several forms: as advertised, and narrower for servers that don't understand all of it.

Room: fhir_reading. Rewrites queries and compares codes; asks nobody. What a narrower form finds beside the point is
left out again here, so that every form answers the same question.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from cds_service.fhir_reading.codings import codings_of
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import members

_RESULT_PARAMETERS = ("_sort", "_count")
_CODE = "code"
_LISTED = re.compile(r"(?:\\.|[^\\,])+")
_PARTS = re.compile(r"(?:\\.|[^\\|])+")
_ESCAPED = re.compile(r"\\([\\$,|])")
"""R4 Search, Escaping Search Parameters: a backslash before what would else separate."""
Code = tuple[str, str]


@dataclass(frozen=True)
class SearchForm:
    """What of a search is left out: the parameters that only order and size the result, the list of codes."""

    plain: bool = False
    unlisted: bool = False

    def put(self, query: str) -> str:
        """The query (percent-encoded, with or without parameters) in this form."""
        resource, mark, search = query.partition("?")
        kept = [pair for pair in search.split("&") if not self._leaves_out(*pair.partition("=")[::2])]
        return resource + mark + "&".join(kept)

    def _leaves_out(self, name: str, value: str) -> bool:
        return (self.plain and name in _RESULT_PARAMETERS) or (
            self.unlisted and name == _CODE and "," in unquote(value)
        )


AS_ADVERTISED = SearchForm()
UNLISTED = SearchForm(unlisted=True)
FORMS = (AS_ADVERTISED, SearchForm(plain=True), UNLISTED, SearchForm(plain=True, unlisted=True))
"""In the order they are tried."""


def forms_after(refused: SearchForm, query: str, learnt: SearchForm) -> Iterator[SearchForm]:
    """The forms that put a query otherwise than the refused one, beginning with what was learnt meanwhile."""
    told = {refused.put(query)}
    for form in FORMS[max(FORMS.index(refused), FORMS.index(learnt)) :]:
        if form.put(query) not in told:
            told.add(form.put(query))
            yield form


def listed_codes(query: str) -> tuple[Code, ...]:
    """The (system, code) pairs that a search asks for by `code`, in its order."""
    for pair in query.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if name == _CODE:
            return _tokens(value)
    return ()


def by_component(query: str, parameter: str) -> str:
    """The same search, by the codes of components."""
    return re.sub(rf"(?<=[?&]){_CODE}=", f"{parameter}=", query)


def with_codes(entries: Iterable[Entry], codes: Iterable[Code]) -> tuple[Entry, ...]:
    """The entries that a search for these codes, of a resource or one of its components, would find."""
    wanted = set(codes)
    return tuple(entry for entry in entries if not wanted.isdisjoint(_codes_in(entry)))


def shows_lists(entries: Iterable[Entry], codes: tuple[Code, ...]) -> bool:
    """Whether the answer to a list can't be the answer to its first code alone."""
    return bool(with_codes(entries, codes[1:]))


@lru_cache(maxsize=64)
def _tokens(listed: str) -> tuple[Code, ...]:
    """The pairs of a list; the lists asked for are few, and hold no patient's id."""
    return tuple(_token(text) for text in _LISTED.findall(unquote(listed)))


def _token(text: str) -> Code:
    *system, code = (_ESCAPED.sub(r"\1", part) for part in _PARTS.findall(text))
    return "".join(system[:1]), code


def _codes_in(entry: Entry) -> Iterator[Code]:
    yield from codings_of(entry.resource.get("code"))
    for component in members(entry.resource, "component"):
        yield from codings_of(component.get("code"))
