"""The words of a card, out of the knowledge: sentences by key, filled in safely. Knows no finding.

A value filled in counts as chart text unless its type says that it is ours: it is cleaned and cut in plain text,
escaped in Markdown, so that nobody can forget to.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from string import Formatter

from cds_service.services.chart_text import clean_text, escape_text


class Markdown(str):
    """Text that is safe Markdown already: made of our own sentences and of escaped values."""

    __slots__ = ()


NOTHING = Markdown("")


class Plain(str):
    """Plain text made of our own sentences and of cleaned values: not cut, and escaped in Markdown."""

    __slots__ = ()


class Wording:
    """The sentences of the knowledge. Every method raises KeyError for a key the knowledge doesn't hold."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._sentences = sentences
        fixed = [(key, sentence) for key, sentence in sentences.items() if "{" not in sentence]
        self._plain = {key: Plain(sentence) for key, sentence in fixed}
        self._markdown = {key: Markdown(sentence) for key, sentence in fixed}
        """The sentences that nothing is filled into."""
        self._filled = {key: _percent_format(sentence) for key, sentence in sentences.items()}
        """All, in the form that is filled in fastest."""

    def plain(self, key: str, /, **values: object) -> Plain:
        """A sentence as plain text."""
        if key in self._plain:
            return self._plain[key]
        for name, value in values.items():
            if type(value) not in _CLEAN:
                values[name] = clean_text(str(value))
        return Plain(self._filled[key] % values)

    def markdown(self, key: str, /, **values: object) -> Markdown:
        """A sentence as Markdown."""
        if key in self._markdown:
            return self._markdown[key]
        for name, value in values.items():
            if type(value) not in _SAFE:
                values[name] = _escaped(value)
        return Markdown(self._filled[key] % values)

    def counted(self, key: str, number: int, /, **values: object) -> Plain:
        """A sentence about a number of things, as plain text: `key-one` or `key-many`."""
        return self.plain(f"{key}-{'one' if number == 1 else 'many'}", number=number, **values)

    def completed(self, prefix: str, /, **values: object) -> dict[str, Markdown]:
        """The sentences below `prefix` that need nothing but some of these values, by key."""
        keys = [key for key in self._sentences if key.startswith(prefix + ".")]
        return {key: self.markdown(key, **values) for key in keys if _placeholders(self._sentences[key]) <= set(values)}

    def section(self, prefix: str) -> tuple[str, ...]:
        """The next part of every key below `prefix`, in the order of the knowledge."""
        start = prefix + "."
        return tuple(
            dict.fromkeys(key.removeprefix(start).split(".")[0] for key in self._sentences if key.startswith(start))
        )

    def has(self, key: str) -> bool:
        """Whether the knowledge has this sentence."""
        return key in self._sentences

    def listed(self, items: Iterable[object]) -> Plain:
        """Items as a list in a sentence, plain."""
        return Plain(self._sentences["words.list_separator"].join(map(_clean, items)))

    def listed_markdown(self, items: Iterable[object]) -> Markdown:
        """Items as a list in a sentence, as Markdown."""
        return Markdown(self._sentences["words.list_separator"].join(map(_escaped, items)))


def in_sentence(name: str) -> Plain:
    """A name of ours as it stands inside a sentence: its first letter small, unless it opens an abbreviation."""
    return Plain(name[:1].lower() + name[1:] if name[1:2].islower() else name)


def _percent_format(sentence: str) -> str:
    """`{name}` in the form that `%` fills in."""
    parts = Formatter().parse(sentence)
    return "".join(text.replace("%", "%%") + (f"%({name})s" if name else "") for text, name, *_ in parts)


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(sentence) if name}


_UNCUT = 2000
_CLEAN = {Plain, int, date}
_SAFE = {Markdown, date}
"""Types whose text is filled in as it is."""


def _clean(value: object) -> str:
    return value if type(value) is Plain else clean_text(str(value))


def escaped(value: object) -> Markdown:
    """Anything as safe Markdown: what is not ours is cut."""
    return Markdown(_escaped(value))


def _escaped(value: object) -> str:
    if type(value) is Markdown:
        return value
    return escape_text(value, _UNCUT) if type(value) is Plain else escape_text(str(value))
