"""Typed access to the members of the protocol's JSON objects. Knows no member's meaning.

Types are checked, never coerced. A message names the member by its path and never repeats a value.
"""

import re
from collections.abc import Mapping

from cds_service.cds_hooks.errors import RequestInvalid

FHIR_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
"""FHIR R4 datatypes, id."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Members = Mapping[str, object]


def required_string(members: Members, name: str, path: str) -> str:
    """A member that must be a non-empty string.

    Raises:
        RequestInvalid: it is missing, null, empty or of another type.
    """
    text = optional_string(members, name, path)
    if text is None:
        raise RequestInvalid(f"'{path}' is missing or empty; it is required and must be a string.")
    return text


def optional_string(members: Members, name: str, path: str) -> str | None:
    """A member that may be absent; null and the empty string, which sloppy clients send, count as absent.

    Raises:
        RequestInvalid: it is of another type.
    """
    value = members.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RequestInvalid(f"'{path}' must be a string.")
    return value


def required_object(members: Members, name: str, path: str) -> Members:
    """A member that must be an object.

    Raises:
        RequestInvalid: it is missing, null or of another type.
    """
    value = optional_object(members, name, path)
    if value is None:
        raise RequestInvalid(f"'{path}' is missing; it is required and must be an object.")
    return value


def optional_object(members: Members, name: str, path: str) -> Members | None:
    """A member that may be absent or null.

    Raises:
        RequestInvalid: it is of another type.
    """
    value = members.get(name)
    if value is None:
        return None
    return as_object(value, path)


def as_object(value: object, path: str) -> Members:
    """A value that must be an object.

    Raises:
        RequestInvalid: it is of another type.
    """
    if not isinstance(value, dict):
        raise RequestInvalid(f"'{path}' must be an object.")
    return value


def optional_list(members: Members, name: str, path: str) -> list[object] | None:
    """A member that may be absent or null.

    Raises:
        RequestInvalid: it is of another type.
    """
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise RequestInvalid(f"'{path}' must be an array.")
    return value


def required_uuid(members: Members, name: str, path: str) -> str:
    """A member that must be a UUID in its usual form, 8-4-4-4-12; returned in lower case.

    Raises:
        RequestInvalid: it is missing or no UUID.
    """
    text = required_string(members, name, path)
    if not _UUID.fullmatch(text):
        raise RequestInvalid(f"'{path}' must be a UUID, such as 0f8fad5b-d9cb-469f-a165-70867728950e.")
    return text.lower()
