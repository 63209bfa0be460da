"""Chart text wherever it is shown or written: nothing in it becomes active, and none of it reaches a log.

The cards are rendered by a real Markdown renderer, as permissive as they come: HTML on, addresses made links, tables.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from flask.testing import FlaskClient
from markdown_it import MarkdownIt
from rich.console import Console
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.cli import main
from cds_service.doctor import commands as doctor_commands
from cds_service.sandbox.ehr import Exchange
from cds_service.sandbox.fixtures import FixtureIndex, fixture_folder, load_index
from cds_service.sandbox.server import add_sandbox, filled_store
from cds_service.sandbox.terminal import print_exchange
from cds_service.services.chart_text import clean_text
from cds_service.settings import Settings
from cds_service.site_knowledge import load_site_knowledge
from cds_service.trend_view.card_markdown import render_detail
from tests.builders import chart
from tests.builders.card_contract import any_words_in_the_chart
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.conversation import FEEDBACK, SERVICE, overridden
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub
from tests.builders.hostile_text import HOSTILE, MARK, TAGS, hostile_prefetch, strings

RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": True, "breaks": True})
ACTIVE = {"html_block", "html_inline", "image", "code_inline", "code_block", "fence", "blockquote_open"}
PLAIN = hostile_prefetch("Plain words")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
Json = dict[str, Any]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "records.sqlite3"


@pytest.fixture(scope="module")
def client(database: Path) -> FlaskClient:
    settings = Settings(auth="off", database_url=f"sqlite:///{database}", memory=False, log_level="debug")
    return create_app(settings, clock=lambda: chart.AS_OF).test_client()


@pytest.fixture(params=HOSTILE, ids=list(HOSTILE))
def text(request: pytest.FixtureRequest) -> str:
    return HOSTILE[request.param]


def _answer(client: FlaskClient, prefetch: Json) -> Json:
    with any_words_in_the_chart():
        answer = client.post(SERVICE, json=chart.call(prefetch))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body: Json = answer.get_json()
    assert_response_conforms(body, chart.PATIENT)
    return body


def _hidden(text: str) -> set[str]:
    return {one for one in text if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}}


def _tokens(markdown: str) -> list[Any]:
    return [part for token in RENDERER.parse(markdown) for part in (token, *(token.children or []))]


def _links(markdown: str) -> set[str]:
    return {str(token.attrs["href"]) for token in _tokens(markdown) if token.type == "link_open"}


def _shape(markdown: str) -> set[str]:
    """The kinds of blocks, and what headings and heads of columns say."""
    tokens = RENDERER.parse(markdown)
    headed = {"heading_open", "th_open"}
    said = {after.content for token, after in pairwise(tokens) if token.type in headed}
    return said | {token.type for token in tokens}


def test_the_renderer_would_make_something_of_nearly_all_of_them() -> None:
    made = {
        kind
        for kind, text in HOSTILE.items()
        if {t.type for t in _tokens(text)} - {"paragraph_open", "paragraph_close", "inline", "text"}
    }
    assert len(made) > len(HOSTILE) / 2


def test_a_card_says_it_and_nothing_of_it_is_active(client: FlaskClient, text: str) -> None:
    (plain,) = _answer(client, PLAIN)["cards"]
    (card,) = _answer(client, hostile_prefetch(text))["cards"]
    detail = card["detail"]
    assert MARK in detail or MARK not in clean_text(text), "what is text of it is there to be read"
    assert not {token.type for token in _tokens(detail)} & ACTIVE
    assert _links(detail) == _links(plain["detail"]), "no link that isn't ours"
    assert _shape(detail) <= _shape(plain["detail"]), "no block of another kind, no heading and no column more"
    assert not _hidden(detail) - {"\n"}
    assert not [tag for tag in TAGS if tag in detail.lower()]
    assert max(map(len, detail.split())) <= 200, "no word that breaks a page"


def test_every_string_of_an_answer_is_one_plain_line(client: FlaskClient, text: str) -> None:
    for place, told in strings(_answer(client, hostile_prefetch(text))):
        if place.endswith(".detail"):
            continue
        assert not _hidden(told), place
        assert not re.search(r"<[a-zA-Z/!?]", told), place
        assert len(told) < 2000, place


def test_a_terminal_shows_it_and_is_not_driven_by_it(client: FlaskClient, text: str) -> None:
    screen = StringIO()
    answer = _answer(client, hostile_prefetch(text))
    print_exchange(Console(file=screen, width=100, force_terminal=True), Exchange({}, 200, answer, 1.0))
    assert not _hidden(COLOURS.sub("", screen.getvalue())) - {"\n"}


def test_a_terminal_is_not_driven_by_another_services_card_either(text: str) -> None:
    card: Json = {"summary": text, "detail": text, "indicator": text, "source": {"label": text, "url": text}}
    card |= {"links": [{"label": text, "url": text}], "suggestions": [{"label": text}]}
    answer = {
        "cards": [card],
        "extension": {"org.cytopenia-cds.assessment": {"notUsed": [{"reference": text, "reason": text}]}},
    }
    screen = StringIO()
    print_exchange(Console(file=screen, width=100, force_terminal=True), Exchange({}, 200, answer, 1.0))
    shown = COLOURS.sub("", screen.getvalue())
    assert not {one for one in _hidden(shown) if unicodedata.category(one) in {"Cc", "Cf"}} - {"\n"}


class _Tags(HTMLParser):
    """The tags of a page, with their attributes' names and where they lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links |= {str(value) for name, value in attrs if name in {"href", "src"}}


def test_the_chart_pages_card_has_no_tag_and_no_link_more(client: FlaskClient, text: str) -> None:
    (plain,) = _answer(client, PLAIN)["cards"]
    (card,) = _answer(client, hostile_prefetch(text))["cards"]
    told, expected = _Tags(str(render_detail(card["detail"]))), _Tags(str(render_detail(plain["detail"])))
    assert set(told.tags) <= set(expected.tags)
    assert told.links == expected.links


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole chart page on loopback, its patients' texts all hostile."""
    database = tmp_path_factory.mktemp("sandbox") / "records.sqlite3"
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    settings = Settings(
        auth="off", database_url=f"sqlite:///{database}", public_url=url, fhir_servers=f"{url}/sandbox/fhir",
        allow_http=True, memory=False,
    )  # fmt: skip
    index: FixtureIndex = load_index(fixture_folder())
    store = filled_store(index, chart.AS_OF.date())
    app = create_app(settings, clock=lambda: chart.AS_OF)
    add_sandbox(app, url, index, store, load_site_knowledge(settings))

    def any_words(environ: Any, start_response: Any) -> Any:
        with any_words_in_the_chart():
            return app(environ, start_response)

    server.app = any_words
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield url
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.mark.parametrize("kind", ["script", "image with a handler", "attribute break", "Jinja", "markdown link"])
def test_the_whole_chart_page_runs_nothing_of_it(sandbox: str, kind: str) -> None:
    resources = [
        entry["resource"]
        for bundle in hostile_prefetch(HOSTILE[kind]).values() if bundle["resourceType"] == "Bundle"
        for entry in bundle.get("entry", ()) if re.fullmatch(r"[\w.-]{1,64}", entry["resource"]["id"])
    ] + [hostile_prefetch(HOSTILE[kind])["patient"]]  # fmt: skip
    for one in resources:
        requests.put(f"{sandbox}/sandbox/fhir/{one['resourceType']}/{one['id']}", json=one, timeout=10)
    page = requests.get(f"{sandbox}/patients/{chart.PATIENT}", timeout=20).text
    assert MARK in page
    assert 'class="card' in page or "<article" in page, "with its card"
    assert str(7919 * 6841) not in page, "no template was run"
    told = _Tags(page)
    assert not [names for _, names in told.tags if any(name.startswith("on") for name in names)]
    assert not {tag for tag, _ in told.tags} & {"iframe", "object", "embed"}
    assert not [link for link in told.links if "e.example" in link or link.startswith(("javascript:", "x"))]


def test_neither_log_nor_audit_trail_holds_any_of_it(
    client: FlaskClient, database: Path, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    _answer(client, hostile_prefetch(text))
    comment = {"feedback": [overridden(overrideReason={"userComment": text[:5000]})]}
    assert client.post(FEEDBACK, json=comment).status_code == 200
    client.post(SERVICE, json=chart.call(hostile_prefetch(text)) | {"hook": text})
    written = capfd.readouterr().err
    assert MARK not in written
    assert [json.loads(line)["status"] for line in written.splitlines()] == [200, 200, 400], "a line a call, no more"
    exported = CliRunner().invoke(main, ["audit", "export"], env={"CDS_DATABASE_URL": f"sqlite:///{database}"})
    assert exported.exit_code == 0
    assert MARK not in exported.output


def test_exported_feedback_cannot_drive_a_terminal(client: FlaskClient, database: Path, text: str) -> None:
    client.post(FEEDBACK, json={"feedback": [overridden(overrideReason={"userComment": text[:5000]})]})
    exported = CliRunner().invoke(main, ["feedback", "export"], env={"CDS_DATABASE_URL": f"sqlite:///{database}"})
    assert not _hidden(exported.stdout) - {"\n"}
    assert text[:5000] in [json.loads(line)["overrideReason"]["userComment"] for line in exported.stdout.splitlines()]


@pytest.fixture(scope="module")
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as server:
        yield server


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["lines", "json"])
def test_the_doctor_shows_a_hostile_server_and_is_not_driven_by_it(
    stub: FhirStub, text: str, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = hostile_prefetch(text)
    software = {"name": text, "version": text}
    stub.replies = {
        "Patient": Reply(told["patient"]),
        "Observation": Reply(told["counts"]),
        "Condition": Reply(told["conditions"]),
        "MedicationRequest": Reply(told["medications"]),
        "metadata": Reply({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "software": software}),
    }
    monkeypatch.setattr(doctor_commands, "utc_now", lambda: chart.AS_OF)
    arguments = ["doctor", "--fhir-server", stub.base, "--patient", chart.PATIENT, *options]
    with any_words_in_the_chart():
        result = CliRunner().invoke(main, arguments, env={"CDS_AUTH": "off"})
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    assert not _hidden(COLOURS.sub("", result.output)) - {"\n"}
