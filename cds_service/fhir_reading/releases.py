"""The FHIR releases, and the one place that names their models: what is read of a resource is validated here.

Room: fhir_reading. Knows no clinical meaning. fhir.resources has no R4 package; of the elements read here R4B has R4's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cds_service.fhir_reading.projection import Json, ResourceShape, is_empty, matches, projected
from cds_service.fhir_reading.spelling import Spelling, part_spelled, spelling_of


class Release(StrEnum):
    """A release of FHIR that resources may come in."""

    STU3 = "STU3"
    R4 = "R4"
    R4B = "R4B"
    R5 = "R5"


MODELS = {
    Release.STU3: "fhir.resources.STU3",
    Release.R4: "fhir.resources.R4B",
    Release.R4B: "fhir.resources.R4B",
    Release.R5: "fhir.resources",
}
"""Each is imported when a resource of its release comes: a service that sees R4 only loads no other."""


@dataclass(frozen=True)
class Validated:
    """What was read of a resource: the sound elements, and the names of those that were there and faulty."""

    elements: Json
    faulty: frozenset[str]

    def has(self, name: str) -> bool:
        """Whether the element was sent, sound or not."""
        return name in self.elements or name in self.faulty


@dataclass(frozen=True)
class Difference:
    """What a release has otherwise, validated as it was sent, and the R4 elements to read in its place."""

    sent: ResourceShape
    as_r4: Callable[[Json, Validated], dict[str, object]]


def validated(resource: Json, shape: ResourceShape, release: Release = Release.R4) -> Validated:
    """Project a resource to `shape` and validate each element on its own; one faulty element spoils no other.

    Elements that hold dates are left to `dates`.
    """
    elements: dict[str, object] = {}
    faulty: set[str] = set()
    for name in shape.elements:
        element = resource.get(name)
        if element is None:
            continue
        part, is_sound = read_element(element, shape, name, release)
        if not is_sound:
            faulty.add(name)
        elif part is not None:
            elements[name] = part
    return Validated(elements, frozenset(faulty))


def read_element(
    element: object, shape: ResourceShape, name: str, release: Release = Release.R4
) -> tuple[object, bool]:
    """The part of an element that is read, None where it says nothing, and whether it is sound."""
    part = projected(element, shape.elements[name])
    return (None, True) if is_empty(part) else (part, _is_sound(shape, name, part, release))


def _is_sound(shape: ResourceShape, name: str, part: object, release: Release) -> bool:
    """Whether a part is valid; a text or a flat object like one seen before in this call isn't validated again."""
    if name in shape.dated:
        return matches(part, shape.elements[name])
    spelling = spelling_of(part)
    if spelling is None:
        return _validates(shape, name, part, release)
    return _validates_spelled(shape, name, spelling, release)


@lru_cache(maxsize=4096)
def _validates_spelled(shape: ResourceShape, name: str, spelling: Spelling, release: Release) -> bool:
    return _validates(shape, name, part_spelled(spelling), release)


@contextmanager
def spellings_forgotten() -> Iterator[None]:
    """Around the reading of a call: no text of a chart stays here once it is over."""
    try:
        yield
    finally:
        _validates_spelled.cache_clear()


def _validates(shape: ResourceShape, name: str, part: object, release: Release) -> bool:
    if not matches(part, shape.elements[name]):
        return False
    try:
        _adapter(release, shape.resource_type, name).validate_python(part)
    except (ValidationError, ValueError, ArithmeticError):
        return False
    return True


@cache
def _adapter(release: Release, resource_type: str, name: str) -> TypeAdapter[Any]:
    """The validator of one element of a resource."""
    module = import_module(f"{MODELS[release]}.{resource_type.lower()}")
    field = getattr(module, resource_type).model_fields[name]
    return TypeAdapter(field.annotation)
