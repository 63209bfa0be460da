"""Whether a result is of blood, by what the record says of its specimen; and which specimen it is.

Room: fhir_reading. The words are the knowledge's. Faults in these elements lose nothing: whatever text is there counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import Json, members, objects_in, text_at, texts_in
from cds_service.fhir_reading.words import names_word
from cds_service.knowledge.model import ScreeningWords


@dataclass(frozen=True)
class Specimens:
    """The Specimen resources sent beside the results, by every reference they go by."""

    sent: Mapping[str, Json]
    words: ScreeningWords
    _screened: dict[tuple[str, bool], bool] = field(default_factory=dict)
    """Texts of this call already looked through: laboratories repeat themselves."""

    def is_not_blood(self, observation: Json, container: Json, further: Iterable[object] = ()) -> bool:
        """Whether specimen, bodySite, method, category or the code's texts say so.

        `container` holds the contained resources; `further` are elements of a panel or report the result belongs to.
        """
        told = self._not_blood(observation.get("method"), observation.get("category"), observation.get("code"))
        return (
            told
            or any(map(self._not_blood, further))
            or any(self._tells(text, of_specimen=True) for text in texts_in(observation.get("bodySite")))
            or self.specimen_is_not_blood(observation.get("specimen"), container)
        )

    def specimen_is_not_blood(self, specimen: object, container: Json) -> bool:
        """Whether the element `specimen`, or what it refers to, says so."""
        return any(self._tells(text, of_specimen=True) for text in self._specimen_texts(specimen, container))

    def _not_blood(self, *elements: object) -> bool:
        return any(self._tells(text, of_specimen=False) for text in texts_in(list(elements)))

    def _tells(self, text: str, of_specimen: bool) -> bool:
        key = (text, of_specimen)
        if key not in self._screened:
            in_specimen = of_specimen and names_word(text, self.words.not_blood_in_specimen)
            self._screened[key] = in_specimen or names_word(text, self.words.not_blood)
        return self._screened[key]

    def _specimen_texts(self, element: object, container: Json) -> Iterator[str]:
        for specimen in objects_in(element):
            yield from texts_in(specimen)
            described = self._described(text_at(specimen, "reference"), container)
            yield from texts_in([described.get("type"), described.get("role")])
            for collection in members(described, "collection"):
                yield from texts_in(collection.get("bodySite"))

    def _described(self, reference: str | None, container: Json) -> Json:
        if reference is None:
            return {}
        if reference.startswith("#"):
            contained = members(container, "contained")
            return next((resource for resource in contained if text_at(resource, "id") == reference[1:]), {})
        return self.sent.get(reference.split("/_history/")[0], {})


def read_specimens(entries: Iterable[Entry], words: ScreeningWords) -> Specimens:
    """The Specimen resources among the entries, for the results that refer to them."""
    sent: dict[str, Json] = {}
    for entry in entries:
        if entry.resource_type == "Specimen":
            specimen_id = text_at(entry.resource, "id")
            names = (entry.full_url, f"Specimen/{specimen_id}" if specimen_id else None)
            sent.update({name: entry.resource for name in names if name is not None})
    return Specimens(sent, words)


def specimen_key(specimen: object, reference: str) -> str | None:
    """What tells one specimen from another: its reference, else its identifier; None: not known.

    A contained specimen belongs to the resource (`reference`) that holds it.
    """
    named = text_at(specimen, "reference")
    if named is not None:
        return f"{reference}{named}" if named.startswith("#") else named.split("/_history/")[0]
    value = text_at(specimen, "identifier", "value")
    return None if value is None else f"{text_at(specimen, 'identifier', 'system') or ''}|{value}"
