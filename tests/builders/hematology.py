"""A strict reader of the sentences in `tests/spec/hematology_*.yaml`: words in, a ClinicalPicture out.

Every sentence is `WHAT, word, word, ...`. A word it doesn't know is an error, never skipped. Everything is synthetic.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from cds_service.hematology.clinical_picture import (
    Affects,
    CauseMatch,
    ClinicalPicture,
    Course,
    Downgrade,
    PatientFacts,
    RecordedCondition,
    RecordedMedication,
    Use,
)
from cds_service.hematology.criteria import Guideline
from cds_service.hematology.lab_results import (
    Analyte,
    ClumpingReport,
    CollectionTime,
    CompanionKind,
    CompanionResult,
    Comparator,
    CountResult,
    SetAside,
    SetAsideReason,
)
from cds_service.knowledge.loader import load_knowledge

AS_OF = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)

_COUNT = re.compile(r"(leukocytes|platelets|neutrophils) (<=|>=|<|>|)\s?(\d+(?:\.\d+)?)")
_COMPANION = re.compile(r"(blasts) (present|absent|unclear)")
_AGO = re.compile(r"(?:(\d+) days? )?(?:(\d+) hours? )?(?:(\d+) minutes? )?ago")
_AHEAD = re.compile(r"in (\d+) hours?")
_ON = re.compile(r"on (\d{4}-\d\d-\d\d)(?:T(\S+))?")
_MATCH_WORDS: dict[str, dict[str, Any]] = {
    "acute": {"course": Course.ACUTE},
    "chronic": {"course": Course.CHRONIC},
    **{use.value: {"use": use} for use in Use},
    **{f"affecting {affects}": {"affects": affects} for affects in Affects},
    **{f"downgrading as {kind}": {"downgrade": kind} for kind in Downgrade},
}


@cache
def guideline() -> Guideline:
    """The shipped guideline: the tests' numbers are the service's."""
    return load_knowledge().guideline


def picture(
    *,
    counts: list[str] | None = None,
    unreadable: list[str] | None = None,
    no_result: list[str] | None = None,
    clumping: list[str] | None = None,
    companions: list[str] | None = None,
    conditions: list[str] | None = None,
    medications: list[str] | None = None,
    born: date | None = None,
) -> ClinicalPicture:
    """A picture in sentences.

    Counts: `platelets <50, 3 days ago, corrected, specimen A` (`_count_word` has the words). `unreadable`:
    `leukocytes, today`; `no_result`: the same, set aside without being unreadable.
    """
    set_aside = [_set_aside(text, number, unreadable=True) for number, text in enumerate(unreadable or [], 1)]
    set_aside += [_set_aside(text, number, unreadable=False) for number, text in enumerate(no_result or [], 101)]
    return ClinicalPicture(
        counts=tuple(_count(text, number) for number, text in enumerate(counts or [], 1)),
        set_aside=tuple(set_aside),
        clumping=tuple(_clumping(text, number) for number, text in enumerate(clumping or [], 1)),
        companions=tuple(_companion(text, number) for number, text in enumerate(companions or [], 1)),
        conditions=tuple(_condition(text, number) for number, text in enumerate(conditions or [], 1)),
        medications=tuple(_medication(text, number) for number, text in enumerate(medications or [], 1)),
        patient=PatientFacts(born=born),
    )


def collected(words: str) -> CollectionTime | None:
    """`3 days ago`, `3 days 2 hours ago`, `in 5 hours`, `today`, `on 2026-06-01`, `on 2026-06-01T08:00+02:00`."""
    if words == "today":
        return _day_only(AS_OF.date())
    if (ago := _AGO.fullmatch(words)) and any(ago.groups()):
        days, hours, minutes = (int(part or 0) for part in ago.groups())
        return _timed(AS_OF - timedelta(days=days, hours=hours, minutes=minutes))
    if ahead := _AHEAD.fullmatch(words):
        return _timed(AS_OF + timedelta(hours=int(ahead[1])))
    if on := _ON.fullmatch(words):
        return _timed(datetime.fromisoformat(words[3:])) if on[2] else _day_only(date.fromisoformat(on[1]))
    return None


def _timed(instant: datetime) -> CollectionTime:
    assert instant.tzinfo is not None, "a time needs its offset"
    return CollectionTime(reported=instant.isoformat(), day=instant.date(), instant=instant)


def _day_only(day: date) -> CollectionTime:
    return CollectionTime(reported=day.isoformat(), day=day)


def _read(sentence: str, word: Callable[[str], Mapping[str, Any] | None]) -> tuple[str, dict[str, Any]]:
    """The first part and what the other words say; an unknown or a repeated word is an error."""
    first, *words = (part.strip() for part in sentence.split(","))
    said: dict[str, Any] = {}
    for text in words:
        meaning = word(text)
        assert meaning is not None, f"not understood: {text!r} in {sentence!r}"
        assert not said.keys() & meaning.keys(), f"said twice: {text!r} in {sentence!r}"
        said |= meaning
    return first, said


def _count(sentence: str, number: int) -> CountResult:
    first, said = _read(sentence, _count_word)
    parts = _COUNT.fullmatch(first)
    assert parts, f"no count: {first!r}"
    assert "collected" in said, f"when? {sentence!r}"
    result = CountResult(
        reference=f"Observation/{number}",
        analyte=Analyte(parts[1]),
        collected=said.pop("collected"),
        value=Decimal(parts[3]),
        reported_value=parts[3],
        reported_unit="10*9/L",
        comparator=Comparator(parts[2] or "="),
    )
    return replace(result, **said)


def _count_word(text: str) -> Mapping[str, Any] | None:
    """A time; `without time`; a status; `estimate`; `nRBC-corrected`; `clumped`; `specimen X`; `issued TIME`."""
    if when := collected(text.removesuffix(" without time")):
        return {"collected": _day_only(when.day) if text.endswith(" without time") else when}
    if text in {"final", "corrected", "amended"}:
        return {"status": text}
    flags = {"estimate": "low_confidence", "nRBC-corrected": "nrbc_corrected", "clumped": "clumped"}
    if text in flags:
        return {flags[text]: True}
    if text.startswith("specimen "):
        return {"specimen": text}
    if text.startswith("issued ") and (when := collected(text.removeprefix("issued "))):
        return {"issued": when.instant}
    return None


def _time_word(text: str) -> Mapping[str, Any] | None:
    said = _count_word(text)
    return said if said and said.keys() <= {"collected", "specimen"} else None


def _set_aside(sentence: str, number: int, *, unreadable: bool) -> SetAside:
    first, said = _read(sentence, _time_word)
    reason = SetAsideReason.UNIT_MISSING if unreadable else SetAsideReason.STATUS_NOT_FINAL
    return SetAside(f"Observation/aside-{number}", Analyte(first), reason, unreadable=unreadable, **said)


def _clumping(sentence: str, number: int) -> ClumpingReport:
    first, said = _read(f"report, {sentence}", _time_word)
    assert first == "report"
    return ClumpingReport(reference=f"Observation/clumping-{number}", **said)


def _companion(sentence: str, number: int) -> CompanionResult:
    first, said = _read(sentence, _time_word)
    parts = _COMPANION.fullmatch(first)
    assert parts, f"no companion: {first!r}"
    said["present"] = {"present": True, "absent": False, "unclear": None}[parts[2]]
    return CompanionResult(f"Observation/c{number}", CompanionKind(parts[1]), reported=parts[2], **said)


def _match(group: str, said: dict[str, Any]) -> CauseMatch:
    words = {key: said.pop(key) for key in ("course", "use", "affects", "downgrade") if key in said}
    usual: dict[str, Any] = {"use": Use.EVIDENCE, "course": Course.CHRONIC, "affects": Affects.BOTH}
    assert group in {one.id for one in guideline().groups}, f"no cause group: {group!r}"
    return CauseMatch(group=group, system="urn:test", code=group, display=f"a {group} code", **(usual | words))


def _condition(sentence: str, number: int) -> RecordedCondition:
    """`infection, acute, onset 3 days ago, recorded today, weak, affecting platelets, downgrading as marrow`."""
    group, said = _read(sentence, lambda text: _MATCH_WORDS.get(text) or _day_word(text, "onset", "recorded"))
    match = _match(group, said)
    return RecordedCondition(f"Condition/{number}", f"{group} in the chart", matches=(match,), **said)


def _medication(sentence: str, number: int) -> RecordedMedication:
    """`drug, start 30 days ago, end 2 days ago, current`: the dates named are the record's dates."""
    group, said = _read(
        sentence,
        lambda text: (
            {"current": True} if text == "current" else _MATCH_WORDS.get(text) or _day_word(text, "start", "end")
        ),
    )
    match = _match(group, said)
    dates = tuple(said[key] for key in ("start", "end") if key in said)
    return RecordedMedication(f"MedicationRequest/{number}", f"{group} drug", dates=dates, matches=(match,), **said)


def _day_word(text: str, *keys: str) -> Mapping[str, Any] | None:
    key, _, words = text.partition(" ")
    when = collected(words)
    return {key: when.day} if key in keys and when else None
