"""Bends any JSON value: members dropped, replaced, retyped, repeated, moved, renamed, reordered, nested, at any depth.

Driven by a `Random`, so that Hypothesis (which shrinks it) and a coverage-guided fuzzer (which seeds it) share it.
"""

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

MARK = "Zx9mark"
"""In every text that is put in: an answer that refuses must not hold it."""
TEXTS = (
    MARK,
    f"<script>{MARK}</script><img src=x onerror=1>",
    f"![{MARK}](https://{MARK}.example.org/x) [{MARK}](javascript:1) | {MARK} | `{MARK}`",
    f"\r\n\r\n{MARK}: 1\x1b[31m\u202e\u2066\u0000\ufeff",
    f"Patient/{MARK}",
    f"#{MARK}",
    f"https://{MARK}.example.org/fhir/Observation/1",
    MARK * 3000,
)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**40, 0.1, -0.0, 5e-324, 1.7e308, "", " ", "2.9", "true", "2026-02-30",
    "0000-00-00", "9999-12-31T23:59:59.999999999+14:00", "24:00", "final", "[]", [], {}, [[]], [None], [{}],
    {"": None}, {MARK: MARK}, {"reference": "#"}, {"value": -2.9, "unit": ""}, {"resourceType": "Observation"},
    {"resourceType": MARK}, {"coding": [None]},
)  # fmt: skip


class Repeated(dict[str, Any]):
    """An object whose members are all written twice (json.dumps asks for the items)."""

    def items(self) -> Any:
        """Every member, twice."""
        return [*super().items(), *super().items()]


def mutated(value: Any, random: Random) -> Any:
    """A copy with one to three changes."""
    changed = [copy.deepcopy(value)]
    for _ in range(random.randint(1, 3)):
        holder, key = _spot(changed, random)
        random.choice(_CHANGES)(holder, key, random)
        changed = changed[:1] or [None]
    return changed[0]


def with_repeated_members(value: Any, random: Random) -> Any:
    """A copy in which one object has its members twice."""
    changed = [copy.deepcopy(value)]
    spots = [(holder, key) for holder, key in spots_in(changed) if isinstance(holder[key], dict) and holder[key]]
    holder, key = random.choice(spots)
    holder[key] = Repeated(holder[key])
    return changed[0]


def reordered(value: Any, random: Random) -> Any:
    """A copy that says the same: the members of every object in another order."""
    if isinstance(value, list):
        return [reordered(item, random) for item in value]
    if not isinstance(value, dict):
        return value
    members = [(name, reordered(member, random)) for name, member in value.items()]
    random.shuffle(members)
    return dict(members)


def spots_in(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Every place within: who holds it, and under which name or index."""
    for key in _keys(holder):
        yield holder, key
        yield from spots_in(holder[key])


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []


def _spot(holder: Any, random: Random) -> tuple[Any, Any]:
    """A place; shallow ones are as likely as each of the many deep ones together."""
    key = random.choice(_keys(holder))
    while _keys(holder[key]) and random.random() < 0.85:
        holder = holder[key]
        key = random.choice(_keys(holder))
    return holder, key


def _drop(holder: Any, key: Any, _: Random) -> None:
    del holder[key]


def _replace(holder: Any, key: Any, random: Random) -> None:
    holder[key] = copy.deepcopy(random.choice((*VALUES, *TEXTS)))


def _retype(holder: Any, key: Any, random: Random) -> None:
    value = holder[key]
    forms = [[value], {"value": value}, str(value), {"0": value}, bool(value), [value, value]]
    holder[key] = random.choice(forms)


def _repeat(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, list):
        holder[key:key] = [copy.deepcopy(holder[key])] * random.choice((1, 2, 50))
    else:
        holder[f"{key}{random.choice(('', ' ', '_', '2'))}"] = copy.deepcopy(holder[key])


def _move(holder: Any, key: Any, random: Random) -> None:
    other = random.choice(_keys(holder))
    holder[key], holder[other] = holder[other], holder[key]


def _rename(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, dict):
        name = random.choice((f"_{key}", key.upper(), f"{key}\u0000", MARK, "resourceType", "extension", "value"))
        holder[name] = holder.pop(key)


def _nest(holder: Any, key: Any, random: Random) -> None:
    for _ in range(random.choice((1, 10, 200))):
        holder[key] = [holder[key]]


_CHANGES = (_drop, _replace, _replace, _retype, _repeat, _move, _rename, _nest)
