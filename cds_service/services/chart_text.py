"""Text out of a chart, made safe to show: one line, nothing invisible, nothing active. Knows no card and no medicine.

Chart text is whatever a record holds: units, names of conditions and drugs, ids, dates. None of it is trusted.
"""

import re
import unicodedata

LIMIT = 80
"""Characters of chart text shown in one place, unless told otherwise."""

_TERMINAL = re.compile(r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_]|\[[0-?]*[ -/]*[@-~]?)|\x9b[0-?]*[ -/]*[@-~]?")
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_BLANK = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
"""Letters and symbols without ink."""
_SPACES = {"\t", "\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\x85"}
_ACTIVE = str.maketrans(
    {character: "\\" + character for character in "\\`*_~[]"}
    | {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "|": "&#124;",
    }
)
_LINKS = (
    (r"/(?=/)", "/ "),
    (r"(?<=\w)\.(?=[^\W\d_]{2})", ". "),
    (r"\s*@\s*", " @ "),
    (r"(?i:\b(https?|ftp|mailto|javascript|data|vbscript|xmpp|file):)", r"\1 :"),
)
"""What a Markdown renderer would make a link of by itself: schemes, host names, addresses. A space breaks it."""
_BROKEN = tuple((re.compile(pattern), inert) for pattern, inert in _LINKS)
_MAYBE_LINK = re.compile("|".join(pattern for pattern, _ in _LINKS))
_PLAIN = re.compile(r"[!-;=-~]++(?: [!-;=-~]++)*+")
"""One line of visible ASCII without `<`: nothing in it needs to change where it isn't Markdown."""
_WORD = r"[A-Za-z0-9*%^]++(?:(?:[/-]|(?<=[0-9])[.:](?=[0-9]))[A-Za-z0-9*%^]++)*+"
_INERT = re.compile(rf"{_WORD}(?:[,;]? [(+-]?{_WORD}\)?)*+")
"""Words, numbers, units, dates and references: most of what a chart holds; Markdown makes of it nothing but of `*`."""
_TAG = re.compile(r"<(?![\d=.\s]|$)")
_BLOCK_START = re.compile(r"^(\d{0,9})(?:(?<=\d)([.)])(?=\s|$)|(?<!\d)([-+#=]))")
"""What would open a list or a heading where a line begins with chart text."""


def clean_text(text: str, limit: int = LIMIT) -> str:
    """The text as one plain line of at most `limit` characters, for JSON and for places that aren't Markdown.

    Control, format (bidirectional, zero-width), private and unassigned characters, terminal sequences and lone
    surrogates are dropped; an angle bracket that could open a tag becomes a guillemet.
    """
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    return _TAG.sub("\u2039", _one_line(text, limit))


def escape_text(text: str, limit: int = LIMIT) -> str:
    """The text as one line of GitHub Flavored Markdown that renders as itself, with nothing active in it."""
    if len(text) <= limit and _INERT.fullmatch(text):
        return text.replace("*", "\\*")
    line = _one_line(text, limit)
    if _MAYBE_LINK.search(line):
        for pattern, inert in _BROKEN:
            line = pattern.sub(inert, line)
    line = line.strip().translate(_ACTIVE)
    return _BLOCK_START.sub(lambda start: f"{start[1]}\\{start[2] or start[3]}", line)


def _one_line(text: str, limit: int) -> str:
    line = " ".join((text if text.isprintable() and _BLANK.isdisjoint(text) else _shown(text, limit)).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "\u2026"


def _shown(text: str, limit: int) -> str:
    text = _TERMINAL.sub("", text[: limit * 20])
    return "".join(" " if character in _SPACES else character for character in text if _is_shown(character))


def _is_shown(character: str) -> bool:
    if character in _SPACES:
        return True
    return unicodedata.category(character) not in _NOT_SHOWN and character not in _BLANK
