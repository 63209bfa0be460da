"""Results that are spelled alike: a laboratory says the same of one after the other, but for what tells them apart.

Room: fhir_reading. Knows which elements of an Observation are its own, and which nobody reads; judges none. In doubt a
result is like no other.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from msgspec import Raw, Struct

from cds_service.fhir_reading.entries import Entry, entry_of
from cds_service.fhir_reading.projection import Json

NOT_SENT = Raw(b"")
_STRINGS = 3
"""`resourceType`, `id` and `effectiveDateTime` are always there."""
_OBJECTS = 1
"""`resource` itself."""
Decode = Callable[[Raw], object]
APART = b"\xff"
"""Stands in no UTF-8 text, and so in no element."""


class Glance(Struct, forbid_unknown_fields=True, kw_only=True):
    """An Observation of R4, its elements as they were sent, in FHIR's order.

    What would turn its meaning around, or hide another result in it, is left out, and so are extended primitives and
    the marks of other releases: an Observation with one of them is not glanced at but decoded.
    """

    resourceType: Literal["Observation"]  # noqa: N815 - named as on the wire
    id: str | None = None
    meta: Raw = NOT_SENT
    language: Raw = NOT_SENT
    text: Raw = NOT_SENT
    identifier: Raw = NOT_SENT
    basedOn: Raw = NOT_SENT  # noqa: N815
    partOf: Raw = NOT_SENT  # noqa: N815
    status: Raw = NOT_SENT
    category: Raw = NOT_SENT
    code: Raw = NOT_SENT
    subject: Raw = NOT_SENT
    focus: Raw = NOT_SENT
    encounter: Raw = NOT_SENT
    effectiveDateTime: str | None = None  # noqa: N815
    effectivePeriod: Raw = NOT_SENT  # noqa: N815
    effectiveTiming: Raw = NOT_SENT  # noqa: N815
    effectiveInstant: Raw = NOT_SENT  # noqa: N815
    issued: str | None = None
    performer: Raw = NOT_SENT
    valueQuantity: Raw = NOT_SENT  # noqa: N815
    valueCodeableConcept: Raw = NOT_SENT  # noqa: N815
    valueString: Raw = NOT_SENT  # noqa: N815
    valueBoolean: Raw = NOT_SENT  # noqa: N815
    valueInteger: Raw = NOT_SENT  # noqa: N815
    valueRange: Raw = NOT_SENT  # noqa: N815
    valueRatio: Raw = NOT_SENT  # noqa: N815
    valueSampledData: Raw = NOT_SENT  # noqa: N815
    valueTime: Raw = NOT_SENT  # noqa: N815
    valueDateTime: Raw = NOT_SENT  # noqa: N815
    valuePeriod: Raw = NOT_SENT  # noqa: N815
    dataAbsentReason: Raw = NOT_SENT  # noqa: N815
    interpretation: Raw = NOT_SENT
    note: Raw = NOT_SENT
    bodySite: Raw = NOT_SENT  # noqa: N815
    method: Raw = NOT_SENT
    specimen: Raw = NOT_SENT
    device: Raw = NOT_SENT
    referenceRange: Raw = NOT_SENT  # noqa: N815
    hasMember: Raw = NOT_SENT  # noqa: N815
    derivedFrom: Raw = NOT_SENT  # noqa: N815
    component: Raw = NOT_SENT
    extension: Raw = NOT_SENT


class Member(Struct, forbid_unknown_fields=True):
    """A member of a Bundle whose resource can be glanced at."""

    resource: Glance
    fullUrl: str | None = None  # noqa: N815
    search: Raw = NOT_SENT


@dataclass(frozen=True, eq=False)
class Likeness:
    """What results of one Bundle have in common: what was read of the first tells how to read the others.

    `quotes` are those of the elements they share.
    """

    quotes: int


class Alike(Entry):
    """An Observation like one that stands before it in its Bundle, told by the elements that are its own.

    Who asks for its `resource` has the whole of it decoded, as strictly as any other.
    """

    resource_type = "Observation"
    own: Glance
    decode: Decode
    _id: str
    _member: Raw

    def __init__(self, resource_id: str, own: Glance, member: Raw, likeness: Likeness, decode: Decode) -> None:
        told = {"own": own, "decode": decode, "full_url": None, "included": False, "likeness": likeness}
        vars(self).update(told, _id=resource_id, _member=member)

    @property
    def resource_id(self) -> str:
        """The id, stripped."""
        return self._id

    @cached_property
    def resource(self) -> Json:
        """All of the resource."""
        member: Any = self.decode(self._member)
        resource: Json = member["resource"]
        return resource


class LikenessFinder:
    """Tells the results of one Bundle that are alike."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._known: dict[bytes, Likeness] = {}

    def entry(self, member: Raw, glanced: Member) -> Entry | None:
        """A member as the first of its like or as one like it; None: it is to be read on its own.

        Raises whatever the decoder raises.
        """
        resource = glanced.resource
        resource_id = resource.id.strip() if resource.id is not None else ""
        if not resource_id or resource.effectiveDateTime is None or resource.valueQuantity is NOT_SENT:
            return None
        shared = _shared(resource)
        spelled = APART.join(shared)
        known = self._known.get(spelled)
        likeness = known or Likeness(spelled.count(b'"'))
        if not _is_told(bytes(member), glanced, shared, likeness):
            return None
        if known is not None:
            return Alike(resource_id, resource, member, known, self._decode)
        self._known[spelled] = likeness
        decoded: Any = self._decode(member)
        return replace(entry_of(decoded, decoded["resource"]), likeness=likeness)


def _shared(one: Glance) -> tuple[Raw, ...]:
    return (
        one.status, one.category, one.code, one.subject, one.interpretation, one.note, one.bodySite, one.method,
        one.referenceRange,
    )  # fmt: skip


def _not_shared(one: Glance) -> tuple[Raw, ...]:
    """What is its own beside id and times, and what is read of no result that is like another."""
    return (
        one.valueQuantity, one.specimen, one.meta, one.language, one.text, one.identifier, one.basedOn, one.partOf,
        one.focus, one.encounter, one.performer, one.device, one.hasMember, one.derivedFrom, one.extension,
    )  # fmt: skip


def _is_told(text: bytes, glanced: Member, shared: tuple[Raw, ...], likeness: Likeness) -> bool:
    """Whether a member holds nothing but what was told of it, and nothing of that twice.

    A name or a string that wasn't told of has quotes of its own.
    """
    one = glanced.resource
    own = (*_not_shared(one), glanced.search)
    parts = len(shared) + len(own) - shared.count(NOT_SENT) - own.count(NOT_SENT)
    strings = _STRINGS + (one.issued is not None) + (glanced.fullUrl is not None)
    quotes = likeness.quotes + APART.join(own).count(b'"') + 2 * (parts + _OBJECTS) + 4 * strings
    return text.count(b'"') == quotes
