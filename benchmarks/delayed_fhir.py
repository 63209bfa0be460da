"""A FHIR server that answers each search after so many milliseconds: `/fhir/150/Observation?...` after 150.

A process of its own with one event loop, so that the delay is what is measured. Below `/fhir/dead` it never answers.
Arguments: its port, and how many counts the patient has (4).
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from benchmarks.payload import COUNTS, observation

_PATIENT = {"resourceType": "Patient", "id": "synthetic-1", "birthDate": "1970-05-05"}
_NOTHING = {"resourceType": "Bundle", "type": "searchset", "total": 0}


def _body(document: Mapping[str, object]) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _observation(number: int, when: datetime) -> dict[str, object]:
    code, name, unit, value = COUNTS[number % 2]
    return observation(number, code, name, unit, value, when)


def _counts(number: int) -> dict[str, object]:
    newest, apart = datetime.now(UTC) - timedelta(days=2), min(timedelta(days=20), timedelta(days=350) / number)
    made = [_observation(index, newest - apart * index) for index in range(number)]
    return {**_NOTHING, "total": len(made), "entry": [{"resource": one} for one in made]}


_STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [{"resource": [{"type": "Observation", "searchParam": [{"name": "component-code"}]}]}],
}
_ANSWERS = {
    "metadata": _body(_STATEMENT),
    "Patient/": _body(_PATIENT),
    "Observation?patient=synthetic-1&code=http:%2F%2Floinc.org%7C58410-2": _body(
        _counts(int(sys.argv[2]) if len(sys.argv) > 2 else 4)
    ),
    "": _body(_NOTHING),
}
"""By the beginning of what is asked; the counts' search begins with the first panel."""


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _read_head(reader):
        target = head.split(" ", 2)[1].removeprefix("/fhir/")
        delay, _, search = target.partition("/")
        await asyncio.sleep(3600 if delay == "dead" else int(delay) / 1000)
        writer.write(next(answer for start, answer in _ANSWERS.items() if search.startswith(start)))
    writer.close()


async def _read_head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


async def _main(port: int) -> None:
    async with await asyncio.start_server(_serve, "127.0.0.1", port, backlog=512) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
