"""The words of a card, out of the knowledge: sentences by key, filled in safely. Knows no finding.

A value filled in counts as chart text unless its type says that it is ours: it is cleaned and cut in plain text,
escaped in Markdown, so that nobody can forget to.
"""

from collections.abc import Iterable, Mapping

from cds_service.services.chart_text import clean_text, escape_text


class Markdown(str):
    """Text that is safe Markdown already: made of our own sentences and of escaped values."""

    __slots__ = ()


class Plain(str):
    """Plain text made of our own sentences and of cleaned values: not cut, and escaped in Markdown."""

    __slots__ = ()


class Wording:
    """The sentences of the knowledge. Every method raises KeyError for a key the knowledge doesn't hold."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._sentences = sentences
        self._fixed = {key: Plain(sentence) for key, sentence in sentences.items() if "{" not in sentence}
        """The sentences that nothing is filled into."""

    def plain(self, key: str, /, **values: object) -> Plain:
        """A sentence as plain text."""
        if key in self._fixed:
            return self._fixed[key]
        for name, value in values.items():
            values[name] = value if type(value) is Plain else clean_text(str(value))
        return Plain(self._sentences[key].format_map(values))

    def markdown(self, key: str, /, **values: object) -> Markdown:
        """A sentence as Markdown."""
        if key in self._fixed:
            return Markdown(self._fixed[key])
        for name, value in values.items():
            values[name] = value if type(value) is Markdown else _escaped(value)
        return Markdown(self._sentences[key].format_map(values))

    def counted(self, key: str, number: int, /, **values: object) -> Plain:
        """A sentence about a number of things, as plain text: `key-one` or `key-many`."""
        return self.plain(f"{key}-{'one' if number == 1 else 'many'}", number=number, **values)

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
        return Plain(self._sentences["words.list_separator"].join(_clean(item) for item in items))

    def listed_markdown(self, items: Iterable[object]) -> Markdown:
        """Items as a list in a sentence, as Markdown."""
        return Markdown(self._sentences["words.list_separator"].join(_escaped(item) for item in items))


def in_sentence(name: str) -> Plain:
    """A name of ours as it stands inside a sentence: its first letter small, unless it opens an abbreviation."""
    return Plain(name[:1].lower() + name[1:] if name[1:2].islower() else name)


_UNCUT = 2000


def _clean(value: object) -> str:
    return value if type(value) is Plain else clean_text(str(value))


def _escaped(value: object) -> str:
    if type(value) is Markdown:
        return value
    return escape_text(value, _UNCUT) if type(value) is Plain else escape_text(str(value))
