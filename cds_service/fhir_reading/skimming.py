"""What a call was sent, decoded as far as it is of use: a chart holds far more than the counts.

Room: fhir_reading. Knows which Observations nobody reads, by their codes; reads none. In doubt it decodes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import MsgspecError, Raw, Struct
from msgspec.json import Decoder

from cds_service.fhir_reading.alike import APART, NOT_SENT, Decode, LikenessFinder, Member
from cds_service.fhir_reading.codings import LabCodes
from cds_service.fhir_reading.entries import Entry, unpack
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


class _Search(Struct):
    mode: str | None = None


class _Listed(Struct):
    entry: list[Raw]


_LISTED = Decoder(_Listed)
_MEMBER = Decoder(Member)
_SUBJECT = Decoder(_Reference | None)
_CODE = Decoder(_Concept | None)
_COMPONENTS = Decoder(list[_Component] | None)
_SEARCH = Decoder(_Search | None)
_ONE_PAGE = ("searchset", "collection")
_NO_USE = (LabUse.PANEL, LabUse.NEVER)
"""What such a code says of a result matters only where another code beside it is of use."""


@dataclass
class Skimmed:
    """The documents of one call by their keys, and the entries left out of them by the ids of their Observations."""

    decode: Decode
    documents: dict[str, object] = field(default_factory=dict)
    left_out: dict[str, list[Raw]] = field(default_factory=lambda: defaultdict(list))

    def versions_of(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """What was left out and has the id of one of these, wherever they came from: it may be a later version."""
        if not self.left_out:
            return ()
        ids = dict.fromkeys(one.resource_id for one in entries)
        found = [self.decode(one) for resource_id in ids if resource_id for one in self.left_out.get(resource_id, ())]
        return unpack({"resourceType": "Bundle", "type": "collection", "entry": found}).entries


class Skimmer:
    """Decodes the documents of calls without the Observations that no rule reads."""

    def __init__(self, lab_codes: LabCodes, decode: Decode) -> None:
        self._of_use = frozenset(pair for pair, known in lab_codes.items() if known.use not in _NO_USE)
        self._decode = decode

    def skim(self, sent: Mapping[str, object], patient_id: str) -> Skimmed:
        """What was sent by its key; what is decoded already stays as it is.

        An Observation is left out where it is the patient's and has no code of use: unless it is a version of one that
        is read, which `versions_of` is asked for, it could change nothing. Raises whatever the decoder raises.
        """
        skimmed, skim = Skimmed(self._decode), _Skim(self._of_use, f"Patient/{patient_id}")
        for key, one in sent.items():
            skimmed.documents[key] = _document(one, skim, skimmed) if isinstance(one, Raw) else one
        return skimmed


class _Skim(dict[bytes, bool | None]):
    """Whether a matched Observation of the patient is of use, by its subject, code and search; None for all others.

    Told once a call for each spelling.
    """

    def __init__(self, of_use: frozenset[tuple[str, str]], subject: str) -> None:
        super().__init__()
        self._of_use = of_use
        self._subject = subject

    def tell(self, member: Member) -> bool | None:
        """The same of a member: by its code, or the codes of its components."""
        one = member.resource
        told = self[APART.join((one.subject, member.search, one.code))]
        return self._has_component_of_use(one.component) if told is False and one.component is not NOT_SENT else told

    def __missing__(self, spelled: bytes) -> bool | None:
        subject, search, code = spelled.split(APART)
        is_own_match = self._is_own(subject) and _is_match(search)
        told = self[spelled] = self._is_useful(code) if is_own_match else None
        return told

    def _is_own(self, subject: bytes) -> bool:
        try:
            reference = _SUBJECT.decode(subject)
        except MsgspecError:
            return False
        return reference is not None and reference.reference == self._subject

    def _is_useful(self, code: bytes) -> bool:
        try:
            return self._means(_CODE.decode(code)) if code else False
        except MsgspecError:
            return True

    def _has_component_of_use(self, components: Raw) -> bool:
        try:
            return any(self._means(part.code) for part in _COMPONENTS.decode(components) or ())
        except MsgspecError:
            return True

    def _means(self, concept: _Concept | None) -> bool:
        for one in concept.coding or () if concept is not None else ():
            if one.system and one.code and (one.system.strip(), one.code.strip()) in self._of_use:
                return True
        return False


def _is_match(search: bytes) -> bool:
    """Whether it is no resource that was only included beside the matches."""
    try:
        told = _SEARCH.decode(search) if search else None
    except MsgspecError:
        return False
    return told is None or told.mode != "include"


def _document(sent: Raw, skim: _Skim, skimmed: Skimmed) -> object:
    decode = skimmed.decode
    try:
        listed = _LISTED.decode(sent).entry
    except MsgspecError:
        return decode(sent)
    bundle = decode(_without(listed, bytes(sent))) if listed else None
    if not isinstance(bundle, dict) or bundle.get("type") not in _ONE_PAGE or _has_next(bundle):
        return decode(sent)
    return {**bundle, "entry": _entries(listed, skim, skimmed)}


def _entries(listed: list[Raw], skim: _Skim, skimmed: Skimmed) -> list[object]:
    """The members to be read, decoded or as entries; of those of no use, the first stays to tell what was answered."""
    kept: list[object] = []
    alikes, answered = LikenessFinder(skimmed.decode), False
    for member in listed:
        try:
            glanced = _MEMBER.decode(member)
        except MsgspecError:
            kept.append(skimmed.decode(member))
            continue
        is_of_use = skim.tell(glanced)
        if is_of_use:
            kept.append(alikes.entry(member, glanced) or skimmed.decode(member))
        elif is_of_use is None or not answered or bytes(member).count(b'"resource"') > 1:
            kept.append(skimmed.decode(member))
            answered = answered or is_of_use is False
        elif glanced.resource.id is not None:
            skimmed.left_out[glanced.resource.id.strip()].append(member)
    return kept


def _without(listed: list[Raw], document: bytes) -> Raw:
    """The Bundle without its entries."""
    last = bytes(listed[-1])
    return Raw(document[: document.find(listed[0])] + document[document.rfind(last) + len(last) :])


def _has_next(bundle: dict[str, object]) -> bool:
    links = bundle.get("link")
    return links is not None and not (
        isinstance(links, list) and all(isinstance(one, dict) and one.get("relation") != "next" for one in links)
    )
