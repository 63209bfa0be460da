"""How long feedback keeps a finding quiet: `quieting.toml`.

Room: knowledge. Knows which override reasons the cards offer, refuses to know what is decided by these times.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval, Quieting, QuietReason
from cds_service.knowledge.strict_files import KnowledgeError, Table, read_toml

FILE = "quieting.toml"
ACCEPTED = "accepted"
"""What stands in the place of an override reason where a suggestion was taken over."""
_DAYS_AT_MOST = 365


def load_quieting(directory: Path, wording: Mapping[str, str]) -> tuple[Quieting, Approval]:
    """The times by reason. Raises KnowledgeError when a reason isn't one that the cards offer."""
    file = read_toml(directory, FILE)
    approval = read_approval(file)
    overridden = file.table("overridden")
    quieting = Quieting(
        overridden=tuple(_read_reason(overridden, name, wording) for name in tuple(overridden.keys_left())),
        accepted_days=_read_days(file.table(ACCEPTED)),
        critical_hours=_read_time(file.table("critical"), "hours", 72),
        fall_percent=_read_fall(file.table("worsening")),
    )
    file.finish()
    return quieting, approval


def with_days(quieting: Quieting, days: Mapping[str, int]) -> Quieting:
    """The same with the days that the site gives by reason, or for `accepted`.

    Raises:
        KnowledgeError: a reason has no entry in the file, or the days are more than a year.
    """
    known = (*(reason.name for reason in quieting.overridden), ACCEPTED)
    for name, number in days.items():
        if name not in known:
            raise KnowledgeError("CDS_QUIET_DAYS", name, f"is none of: {', '.join(known)}")
        if number > _DAYS_AT_MOST:
            raise KnowledgeError("CDS_QUIET_DAYS", name, f"must be at most {_DAYS_AT_MOST} days")
    return replace(
        quieting,
        overridden=tuple(replace(one, days=days.get(one.name, one.days)) for one in quieting.overridden),
        accepted_days=days.get(ACCEPTED, quieting.accepted_days),
    )


def _read_reason(overridden: Table, name: str, wording: Mapping[str, str]) -> QuietReason:
    key = f"override.{name}"
    if f"{key}.code" not in wording:
        raise overridden.error(name, f"no override reason of cards/wording.toml has this name ([{key}])")
    table = overridden.table(name)
    also_critical = table.flag("also_critical")
    return QuietReason(name, wording[f"{key}.system"], wording[f"{key}.code"], _read_days(table), also_critical)


def _read_days(table: Table) -> int:
    return _read_time(table, "days", _DAYS_AT_MOST)


def _read_time(table: Table, unit: str, at_most: int) -> int:
    number = table.whole(unit)
    if not 0 <= number <= at_most:
        raise table.error(unit, f"must be 0 (never quiet) to {at_most}")
    table.finish()
    return number


def _read_fall(table: Table) -> Decimal:
    percent = table.decimal("fall_percent")
    if not 0 < percent <= 100:
        raise table.error("fall_percent", "must be more than 0 and at most 100")
    table.finish()
    return percent
