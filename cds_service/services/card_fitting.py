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
    spelled, chosen = [part.spellings[0] for part in parts], [0] * len(parts)
    line = _joined(spelled, separator)
    taken: list[int] = []
    for index in _steps(parts):
        if _length(line) < limit:
            break
        chosen[index] += 1
        spelled[index] = parts[index].spellings[chosen[index]]
        line = _joined(spelled, separator)
        taken.append(index)
    for index in reversed(taken):
        spelled[index], terser = parts[index].spellings[chosen[index] - 1], spelled[index]
        if _length(fuller := _joined(spelled, separator)) < limit:
            chosen[index] -= 1
            line = fuller
        else:
            spelled[index] = terser
    return line


def _steps(parts: list[Part]) -> list[int]:
    """The order in which parts are shortened by one spelling."""
    steps = [(-rank, index) for index, part in enumerate(parts) for rank in part.ranks[: len(part.spellings) - 1]]
    return [index for _, index in sorted(steps)]


def _joined(spelled: list[str], separator: str) -> str:
    line = separator.join(filter(None, spelled))
    return line[:1].upper() + line[1:]


def _length(line: str) -> int:
    return len(line.encode("utf-16-le")) // 2
