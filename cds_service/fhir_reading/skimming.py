"""What a call was sent, decoded as far as it is of use: a chart holds far more than the counts.

Room: fhir_reading. Knows which Observations nobody reads, by their codes; reads none. In doubt it decodes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw, Struct

from cds_service.fhir_reading.codings import LabCodes
from cds_service.fhir_reading.entries import Entry, unpack
from cds_service.fhir_reading.projection import text_at
from cds_service.knowledge.model import LabUse


class _Coding(Struct):
    system: str | None = None
    code: str | None = None


class _Concept(Struct):
    coding: list[_Coding] | None = None


class _Component(Struct):
    code: _Concept | None = None


class _Reference(Struct):
    reference: str | None = None


class ObservationSkimmed(Struct):
    """What tells that an Observation is of no use.

    Whatever else an element holds, such as one of those that must not be there, is for the reader to see.
    """

    resourceType: str  # noqa: N815 - named as on the wire
    id: str | None = None
    code: _Concept | None = None
    subject: _Reference | None = None
    component: list[_Component] | None = None
    contained: None = None
    comment: None = None
    related: None = None
    context: None = None
    bodyStructure: None = None  # noqa: N815
    instantiatesCanonical: None = None  # noqa: N815
    instantiatesReference: None = None  # noqa: N815
    triggeredBy: None = None  # noqa: N815


class _Search(Struct):
    mode: str | None = None


class _Member(Struct):
    resource: ObservationSkimmed
    search: _Search | None = None
    response: None = None


class _Listed(Struct):
    entry: list[Raw]


_MEMBER = msgspec.json.Decoder(_Member)
_LISTED = msgspec.json.Decoder(_Listed)
_ONE_PAGE = ("searchset", "collection")
_NO_USE = (LabUse.PANEL, LabUse.NEVER)
"""What such a code says of a result matters only where another code beside it is of use."""


@dataclass
class Skimmed:
    """The documents of one call by their keys, and the entries left out of them by the ids of their Observations."""

    decode: Callable[[Raw], object]
    documents: dict[str, object] = field(default_factory=dict)
    left_out: dict[str, list[Raw]] = field(default_factory=lambda: defaultdict(list))

    def versions_of(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """What was left out and has the id of one of these, wherever they came from: it may be a later version."""
        if not self.left_out:
            return ()
        ids = dict.fromkeys(text_at(one.resource, "id") for one in entries)
        found = [self.decode(one) for resource_id in ids if resource_id for one in self.left_out.get(resource_id, ())]
        return unpack({"resourceType": "Bundle", "type": "collection", "entry": found}).entries


class Skimmer:
    """Decodes the documents of a call without the Observations that no rule reads."""

    def __init__(self, lab_codes: LabCodes, decoder: Callable[[], Callable[[Raw], object]]) -> None:
        """`decoder` makes what decodes the parts of one call."""
        self._of_use = frozenset(pair for pair, known in lab_codes.items() if known.use not in _NO_USE)
        self._decoder = decoder

    def skim(self, sent: Mapping[str, object], patient_id: str) -> Skimmed:
        """What was sent by its key; what is decoded already stays as it is.

        An Observation is left out where it is the patient's and has no code of use: unless it is a version of one that
        is read, which `versions_of` is asked for, it could change nothing. Raises whatever the decoder raises.
        """
        skimmed, subject = Skimmed(self._decoder()), f"Patient/{patient_id}"
        for key, one in sent.items():
            skimmed.documents[key] = self._document(one, subject, skimmed) if isinstance(one, Raw) else one
        return skimmed

    def _document(self, sent: Raw, subject: str, skimmed: Skimmed) -> object:
        decode = skimmed.decode
        try:
            listed = _LISTED.decode(sent).entry
        except msgspec.MsgspecError:
            return decode(sent)
        bundle = decode(_without(listed, bytes(sent))) if listed else None
        if not isinstance(bundle, dict) or bundle.get("type") not in _ONE_PAGE or _has_next(bundle):
            return decode(sent)
        kept: list[object] = []
        answered = False
        for member in listed:
            unread = self._unread(member, subject)
            if unread is None or not answered:  # the first stays, to tell what was answered
                kept.append(decode(member))
            elif unread.id is not None:
                skimmed.left_out[unread.id.strip()].append(member)
            answered = answered or unread is not None
        return {**bundle, "entry": kept}

    def _unread(self, member: Raw, subject: str) -> ObservationSkimmed | None:
        """The member's Observation, if it is one that nobody reads."""
        try:
            entry = _MEMBER.decode(member)
        except msgspec.MsgspecError:
            return None
        skimmed, reference = entry.resource, entry.resource.subject
        if skimmed.resourceType != "Observation" or reference is None or reference.reference != subject:
            return None
        if (entry.search is not None and entry.search.mode == "include") or bytes(member).count(b'"resource"') > 1:
            return None
        concepts = (skimmed.code, *(part.code for part in skimmed.component or ()))
        return None if any(map(self._is_of_use, concepts)) else skimmed

    def _is_of_use(self, concept: _Concept | None) -> bool:
        for coding in concept.coding or () if concept is not None else ():
            if coding.system and coding.code and (coding.system.strip(), coding.code.strip()) in self._of_use:
                return True
        return False


def _without(listed: list[Raw], document: bytes) -> Raw:
    """The Bundle without its entries."""
    last = bytes(listed[-1])
    return Raw(document[: document.find(listed[0])] + document[document.rfind(last) + len(last) :])


def _has_next(bundle: dict[str, object]) -> bool:
    links = bundle.get("link")
    return links is not None and not (
        isinstance(links, list) and all(isinstance(one, dict) and one.get("relation") != "next" for one in links)
    )
