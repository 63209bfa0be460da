"""Coverage-guided fuzzing of the two readers of what others send: strict JSON, and FHIR resources to a picture.

`python -m tests.fuzz.fuzz_reader json|fhir FOLDER [libFuzzer options, such as -runs=1000 -seed=1]`. The corpus is made
in FOLDER, or grows there, from the fixtures and from `../shared/data` where that lies beside the project. What breaks
is left in `tests/fuzz/found`, where an ordinary test tries it ever after.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # had for Linux on x86_64 only

with atheris.instrument_imports(include=["cds_service"]):
    from tests.fuzz.reader_checks import CHECKS, FOUND

from tests.builders.fhir import PATIENT, entries_of_file, real_data
from tests.fuzz.fixture_requests import fixture_requests
from tests.fuzz.structural_mutations import mutated

LARGEST_SEED = 20_000


def resources() -> Iterator[dict[str, Any]]:
    """The resources of the fixtures and of public data."""
    for call in fixture_requests().values():
        for value in (call["prefetch"] or {}).values():
            held = value.get("entry", [{"resource": value}]) if isinstance(value, dict) else []
            yield from (entry["resource"] for entry in held if isinstance(entry.get("resource"), dict))
    for path in sorted(real_data().rglob("*.json")):
        yield from (dict(entry.resource) for entry in entries_of_file(path))


def own(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource, said of our patient."""
    if resource.get("resourceType") == "Patient":
        return resource | {"id": PATIENT}
    whose = {"reference": f"Patient/{PATIENT}"}
    return resource | {name: whose for name in ("subject", "patient") if name in resource}


def seed_corpus(folder: Path) -> None:
    """Write each kind of resource once: by its type and the names of its elements."""
    kinds = {(str(one.get("resourceType")), tuple(sorted(one))): one for one in resources()}
    for number, one in enumerate(kinds.values()):
        text = json.dumps(own(one), default=float)
        if len(text) <= LARGEST_SEED:
            (folder / f"seed-{number:04}.json").write_text(text, encoding="utf-8")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Mostly by structure, else by bytes."""
    random = Random(seed)
    if random.random() < 0.8:
        try:
            bent = json.dumps(mutated(json.loads(data), random)).encode()
        except (ValueError, RecursionError):
            pass
        else:
            if len(bent) <= max_size:
                return bent
    return bytes(atheris.Mutate(data, max_size))


def main() -> None:
    """Fuzz until libFuzzer's limit; its exit code tells."""
    target, corpus, options = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    corpus.mkdir(parents=True, exist_ok=True)
    seed_corpus(corpus)
    CHECKS[target](b"{}")  # the knowledge is loaded before anything is measured
    bounds = ["-max_len=65536", "-rss_limit_mb=2048", "-timeout=20", f"-artifact_prefix={FOUND}/{target}-"]
    atheris.Setup([sys.argv[0], *bounds, *options, str(corpus)], CHECKS[target], custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
