"""Search over the store as FHIR R4 describes it: parameters in, matching resources in order out. Knows no HTTP."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cds_service.sandbox.fhir_server.dates import COMPARE, date_range, element_range, split_prefix
from cds_service.sandbox.fhir_server.parameters import RESOURCE_TYPES, Parameter, parameters_of, values_of
from cds_service.sandbox.fhir_server.refusals import FhirRefusal
from cds_service.sandbox.fhir_server.store import FhirStore, Resource

Pairs = Sequence[tuple[str, str]]

_RESULT_PARAMETERS = ("_sort", "_count", "_summary", "_total", "_format", "_pretty")
_MODIFIERS = {"token": ("not",), "string": ("exact", "contains"), "reference": (), "date": (), "uri": ()}


@dataclass(frozen=True)
class Found:
    """The outcome of a search: every match in order, the parameters that were used, the count asked for."""

    matches: tuple[Resource, ...]
    used: tuple[tuple[str, str], ...]
    count: int | None
    only_total: bool


def search(store: FhirStore, resource_type: str, pairs: Pairs, base: str, strict: bool) -> Found:
    """Run one search. Repeated parameters are AND, comma lists OR; `base` is the server's own, for absolute references.

    Raises:
        FhirRefusal: 404 for a type that isn't offered; 400 for an unusable value or modifier, and with `strict` for a
            parameter that isn't known.
    """
    if resource_type not in RESOURCE_TYPES:
        raise FhirRefusal(404, "not-supported", f"{resource_type} isn't a type that can be searched here.")
    known, used = parameters_of(resource_type), []
    matches: list[Resource] = list(store.all(resource_type))
    for key, value in pairs:
        name, _, modifier = key.partition(":")
        if name in _RESULT_PARAMETERS or not value:
            used.extend([(key, value)] if value else [])
            continue
        if name not in known:
            _refuse_if(strict, f"The search parameter '{name}' isn't known for {resource_type}.")
            continue
        test = _matcher(known[name], name, modifier, value, base)
        matches = [resource for resource in matches if test(resource)]
        used.append((key, value))
    ordered = _sorted(matches, known, _last(pairs, "_sort"), strict)
    count = _count(_last(pairs, "_count"))
    return Found(tuple(ordered), tuple(used), count, _last(pairs, "_summary") == "count" or count == 0)


def _refuse_if(strict: bool, message: str) -> None:
    if strict:
        raise FhirRefusal(400, "not-supported", message)


def _last(pairs: Pairs, name: str) -> str:
    return next((value for key, value in reversed(pairs) if key == name), "")


def _count(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}", text):
        raise FhirRefusal(400, "invalid", "_count must be a whole number, 0 or more.")
    return int(text)


def _matcher(parameter: Parameter, name: str, modifier: str, value: str, base: str) -> Callable[[Resource], bool]:
    if modifier == "missing":
        wanted = value == "true"
        return lambda resource: (not values_of(resource, parameter)) is wanted
    if parameter.kind == "reference" and modifier[:1].isupper():
        parameter, modifier = Parameter("reference", parameter.paths, target=modifier), ""
    if modifier and modifier not in _MODIFIERS[parameter.kind]:
        raise FhirRefusal(400, "not-supported", f"The modifier ':{modifier}' isn't supported for '{name}'.")
    tests = [_single(parameter, name, modifier, one, base) for one in _split(value)]
    if modifier == "not":
        return lambda resource: not any(test(held) for test in tests for held in values_of(resource, parameter))
    return lambda resource: any(test(held) for test in tests for held in values_of(resource, parameter))


def _split(value: str) -> list[str]:
    """A comma list, where `\\,` is a comma of the value itself (FHIR R4, Search, Escaping)."""
    parts = re.split(r"(?<!\\),", value)
    return [re.sub(r"\\([,$|\\])", r"\1", part) for part in parts if part]


def _single(parameter: Parameter, name: str, modifier: str, value: str, base: str) -> Callable[[object], bool]:
    if parameter.kind == "date":
        return _date_test(name, value)
    if parameter.kind == "reference":
        return _reference_test(value, parameter.target, base)
    if parameter.kind == "string":
        return _string_test(modifier, value)
    if parameter.kind == "uri":
        return lambda held: held == value
    return _token_test(value)


def _date_test(name: str, value: str) -> Callable[[object], bool]:
    prefix, text = split_prefix(value)
    asked = date_range(text.replace(" ", "+"))
    if asked is None:
        raise FhirRefusal(
            400, "invalid", f"'{name}' needs a FHIR date such as 2026-03, ge2026-03-01, lt2026-03-01T10:00Z."
        )
    compare = COMPARE[prefix]
    return lambda held: (found := element_range(held)) is not None and compare(asked, found)


def _token_test(value: str) -> Callable[[object], bool]:
    system, bar, code = value.rpartition("|")
    return lambda held: any(
        (not code or code == held_code) and (not bar or held_system is None or system == held_system)
        for held_system, held_code in _tokens(held)
    )


def _tokens(held: object) -> list[tuple[str | None, str]]:
    """(system, code) of each token in a value; the system of a plain code or boolean is implied: None."""
    if isinstance(held, bool):
        return [(None, "true" if held else "false")]
    if isinstance(held, str):
        return [(None, held)]
    if not isinstance(held, Mapping):
        return []
    if isinstance(held.get("coding"), list):
        return [token for coding in held["coding"] for token in _tokens(coding)]
    return [(str(held.get("system", "")), str(held.get("code", held.get("value", ""))))]


def _reference_test(value: str, target: str | None, base: str) -> Callable[[object], bool]:
    asked = _local(value, base)

    def test(held: object) -> bool:
        reference = held.get("reference") if isinstance(held, Mapping) else None
        if not isinstance(reference, str):
            return False
        local = _local(reference, base)
        held_type, _, held_id = local.rpartition("/")
        return (target is None or held_type == target) and asked in (local, held_id)

    return test


def _local(reference: str, base: str) -> str:
    """`Type/id` of a reference into this server; other references stay as they are."""
    return reference.removeprefix(f"{base}/").partition("/_history/")[0]


def _string_test(modifier: str, value: str) -> Callable[[object], bool]:
    asked = value if modifier == "exact" else value.casefold()

    def test(held: object) -> bool:
        if not isinstance(held, str):
            return False
        if modifier == "exact":
            return held == asked
        return asked in held.casefold() if modifier == "contains" else held.casefold().startswith(asked)

    return test


def _sorted(matches: list[Resource], known: Mapping[str, Parameter], order: str, strict: bool) -> list[Resource]:
    """By each sort key in turn, what lacks the element last; the id settles ties, so that pages are stable."""
    ordered = sorted(matches, key=lambda resource: str(resource["id"]))
    for key in reversed([key for key in order.split(",") if key]):
        name, descending = key.lstrip("-"), key.startswith("-")
        if name not in known:
            _refuse_if(strict, f"Sorting by '{name}' isn't supported.")
            continue
        keyed = [(_sort_key(resource, known[name], descending), resource) for resource in ordered]
        having = [(value, resource) for value, resource in keyed if value is not None]
        having.sort(key=lambda pair: pair[0], reverse=descending)
        ordered = [resource for _, resource in having] + [resource for value, resource in keyed if value is None]
    return ordered


def _sort_key(resource: Resource, parameter: Parameter, descending: bool) -> str | None:
    held = values_of(resource, parameter)
    if parameter.kind == "date":
        ranges = [found for value in held if (found := element_range(value))]
        keys = [(found[1] if descending else found[0]).isoformat(timespec="microseconds") for found in ranges]
    elif parameter.kind == "reference":
        keys = [str(value.get("reference", "")) for value in held if isinstance(value, Mapping)]
    else:
        keys = [code for value in held for _, code in _tokens(value)]
    return (max(keys) if descending else min(keys)) if keys else None
