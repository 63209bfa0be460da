"""A resource cut down to the elements the assessment reads, so that a fault elsewhere is never seen.

Room: fhir_reading. Knows the shape of JSON as it is decoded (objects are dict), no element's meaning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
Form: TypeAlias = "Mapping[str, Form] | list[Form] | str | None"
Shape: TypeAlias = Mapping[str, Form]
"""Element name to None (a primitive), DATE, a shape (an object) or a list of one of these (a repeating element)."""
DATE = "date"
"""A date of any kind: read by `dates`, which takes more than FHIR's grammar does (a time without zone)."""


@dataclass(frozen=True, eq=False)
class ResourceShape:
    """What is read of a resource type; each shape is its own. `dated` names the elements that hold dates."""

    resource_type: str
    elements: Shape
    dated: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        dated = frozenset(name for name, form in self.elements.items() if _has_dates(form))
        object.__setattr__(self, "dated", dated)


_COMPOUND = (dict, list)
_WITHOUT_CONTENT = (str, dict, list)
"""What says nothing where it is false; a number does."""
CODING: Shape = {"system": None, "code": None, "display": None}
CONCEPT: Shape = {"coding": [CODING], "text": None}
QUANTITY: Shape = {"value": None, "comparator": None, "unit": None, "system": None, "code": None}
PERIOD: Shape = {"start": DATE, "end": DATE}


def project(resource: Json, shape: Shape) -> dict[str, object]:
    """The parts of an object that `shape` names. Strings are stripped; null and empty parts count as not sent.

    An object where a list belongs is read as a list of one. What has another JSON type than the shape says stays as it
    is, for the validation to find.
    """
    parts: dict[str, object] = {}
    for name, form in shape.items():
        part = projected(resource.get(name), form)
        if not is_empty(part):
            parts[name] = part
    return parts


def projected(element: object, form: Form) -> object:
    """What `form` names of one element, as `project` gives it."""
    if element is None:
        return None
    if isinstance(form, list):
        listed = element if isinstance(element, list) else [element]
        return [part for part in (projected(member, form[0]) for member in listed) if not is_empty(part)]
    if isinstance(element, str):
        return element.strip()
    return project(element, form) if isinstance(form, dict) and isinstance(element, dict) else element


def is_empty(part: object) -> bool:
    """Whether an element says nothing: null, a blank string, an empty object or list."""
    if not part:
        return part is None or isinstance(part, _WITHOUT_CONTENT)
    return isinstance(part, str) and part.isspace()


def matches(element: object, form: Form) -> bool:
    """Whether a projection has objects, lists and primitives where its shape has them."""
    if isinstance(form, list):
        return isinstance(element, list) and all(matches(member, form[0]) for member in element)
    if isinstance(form, dict):
        return isinstance(element, dict) and all(matches(part, form[name]) for name, part in element.items())
    return not isinstance(element, _COMPOUND)


def _has_dates(form: Form) -> bool:
    if isinstance(form, list):
        return _has_dates(form[0])
    return any(map(_has_dates, form.values())) if isinstance(form, dict) else form == DATE


def members(element: object, name: str) -> Iterator[Json]:
    """The objects under a repeating element; one sent without its list is one, everything else is left out."""
    return objects_in(element.get(name)) if isinstance(element, dict) else iter(())


def objects_in(value: object) -> Iterator[Json]:
    """The objects of a repeating element, as `members` gives them."""
    candidates: Sequence[object] = value if isinstance(value, list) else [value]
    return (candidate for candidate in candidates if isinstance(candidate, dict))


def text_at(element: object, *path: str) -> str | None:
    """The string at a path of objects, stripped; None where there is none."""
    for name in path:
        element = element.get(name) if isinstance(element, dict) else None
    return element.strip() or None if isinstance(element, str) else None


def texts_in(element: object) -> Iterator[str]:
    """What a person would read of a concept or a reference, however it is nested: every `text` and `display`."""
    waiting = [element]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            for name, value in part.items():
                if name in ("text", "display") and isinstance(value, str):
                    yield value
                elif isinstance(value, _COMPOUND):
                    waiting.append(value)
