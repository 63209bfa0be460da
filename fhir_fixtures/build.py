"""Writes the committed fixtures from the stories: `python -m fhir_fixtures.build`. Judges nothing, reads no clock."""

import json
from pathlib import Path

from fhir_fixtures.counts import count_resources
from fhir_fixtures.dates import REFERENCE_DAY
from fhir_fixtures.hook_requests import RequestStory, load_request_stories, request_for
from fhir_fixtures.lexicon import place, row
from fhir_fixtures.resources import Resource, conditions, medications, patient
from fhir_fixtures.story import Story, load_stories
from fhir_fixtures.traps import load_traps, prefetch_for

FOLDER = Path(__file__).parent
BASE = "https://fhir.example.org/r4"
_BEGIN, _END = "<!-- patients: written by fhir_fixtures.build -->", "<!-- end of patients -->"


def bundle(story: Story) -> Resource:
    """The patient of `story` as a FHIR R4 transaction Bundle that creates or updates each resource under its id."""
    kept_at = place(story.place)
    resources = [patient(kept_at, story.id, story.person)]
    resources += [patient(kept_at, other, person) for other, person in story.others.items()]
    for count in story.counts:
        resources += count_resources(kept_at, story.id, count)
    resources += conditions(story, kept_at) + medications(story, kept_at)
    return {
        "resourceType": "Bundle",
        "id": story.id,
        "type": "transaction",
        "entry": [_entry(one) for one in resources],
    }


def index(stories: tuple[Story, ...], requests: tuple[RequestStory, ...]) -> Resource:
    """What is there and what each must lead to, for machines: the content of index.json."""
    return {
        "referenceDay": REFERENCE_DAY.isoformat(),
        "patients": [_indexed(story) for story in stories],
        "requests": [
            {"name": one.name, "file": f"requests/{one.name}.json", "patient": one.patient, "story": one.story}
            | {"indicator": one.indicator, "shows": [row(key) for key in one.shows]}
            for one in requests
        ],
    }


def readme(text: str, stories: tuple[Story, ...], requests: tuple[RequestStory, ...]) -> str:
    """`text` with the tables between its markers written anew."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    lines = ["| patient | story | card | what it shows |", "|---|---|---|---|"]
    for one in stories:
        name = f"[{one.person.given} {one.person.family}](r4/{one.id}.json)"
        shown = "; ".join(row(key) for key in one.shows)
        lines.append(f"| {name} | **{one.title}.** {one.story} | {one.expect.indicator or 'none'} | {shown} |")
    lines += ["", "| request | story | card |", "|---|---|---|"]
    lines += [
        f"| [{one.name}](requests/{one.name}.json) | {one.story} | {one.indicator or 'none'} |" for one in requests
    ]
    return f"{before}{_BEGIN}\n" + "\n".join(lines) + f"\n{_END}{after}"


def built() -> dict[str, str]:
    """Every generated file, by its path below this folder."""
    stories, requests = tuple(sorted(load_stories(), key=_urgency)), load_request_stories()
    bundles = {story.id: bundle(story) for story in stories}
    files = {f"r4/{name}.json": _json(content) for name, content in bundles.items()}
    files |= {f"requests/{one.name}.json": _json(request_for(one, bundles[one.patient])) for one in requests}
    files |= {f"traps/{name}.json": _in_ascii(prefetch_for(trap)) for name, trap in load_traps().items()}
    files["index.json"] = _json(index(stories, requests))
    files["README.md"] = readme((FOLDER / "README.md").read_text(encoding="utf-8"), stories, requests)
    return files


def main() -> None:
    """Write every generated file, and remove those no story makes any more."""
    files = built()
    for stale in [path for folder in ("r4", "requests", "traps") for path in (FOLDER / folder).glob("*.json")]:
        if stale.relative_to(FOLDER).as_posix() not in files:
            stale.unlink()
    for name, content in files.items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _urgency(story: Story) -> int:
    """The place of a patient in the lists: what shows a card comes first."""
    return ("critical", "warning", "info", None).index(story.expect.indicator)


def _indexed(story: Story) -> Resource:
    expected = story.expect
    expect: Resource = {
        "leukopenia": expected.leukopenia,
        "thrombocytopenia": expected.thrombocytopenia,
        "bicytopenia": expected.bicytopenia,
        "indicator": expected.indicator,
        "causeGroups": list(expected.cause_groups),
        "context": list(expected.context),
    }
    if expected.withheld:
        expect["withheld"] = expected.withheld
    expect["shows"] = [row(key) for key in story.shows]
    name = f"{story.person.given} {story.person.family}"
    told = {"id": story.id, "file": f"r4/{story.id}.json", "name": name, "title": story.title, "story": story.story}
    return {**told, "expect": expect}


def _entry(one: Resource) -> Resource:
    address = f"{one['resourceType']}/{one['id']}"
    return {"fullUrl": f"{BASE}/{address}", "resource": one, "request": {"method": "PUT", "url": address}}


def _json(content: Resource) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _in_ascii(content: Resource) -> str:
    """What can't be seen is written out: zero-width spaces are a trap of their own."""
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    main()
