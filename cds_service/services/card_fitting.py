"""One line out of parts, shorter than a limit: the least important part is shortened first. Knows no word of a card."""

from typing import NamedTuple


class Part(NamedTuple):
    """One part of a line: its spellings from the fullest to the tersest, '' to leave it out.

    `ranks[i]`: how early spelling i is given up for the next one; the highest rank of all parts goes first.
    """

    spellings: tuple[str, ...]
    ranks: tuple[int, ...] = ()


def fitting_line(parts: list[Part], separator: str, limit: int) -> str:
    """The parts in their order, a capital letter first, in fewer than `limit` UTF-16 units where they can be.

    What was given up for something that then left more room than it needed is taken back, the last given up first.
    """
    parts = [part for part in parts if part.spellings]
    chosen = [0] * len(parts)
    taken: list[int] = []
    for index in _steps(parts):
        if _length(_joined(parts, chosen, separator)) < limit:
            break
        chosen[index] += 1
        taken.append(index)
    for index in reversed(taken):
        fuller = [spelling - (position == index) for position, spelling in enumerate(chosen)]
        chosen = fuller if _length(_joined(parts, fuller, separator)) < limit else chosen
    return _joined(parts, chosen, separator)


def _steps(parts: list[Part]) -> list[int]:
    """The order in which parts are shortened by one spelling."""
    steps = [(-rank, index) for index, part in enumerate(parts) for rank in part.ranks[: len(part.spellings) - 1]]
    return [index for _, index in sorted(steps)]


def _joined(parts: list[Part], chosen: list[int], separator: str) -> str:
    spelled = [part.spellings[index] for part, index in zip(parts, chosen, strict=True)]
    line = separator.join(filter(None, spelled))
    return line[:1].upper() + line[1:]


def _length(line: str) -> int:
    return len(line.encode("utf-16-le")) // 2
