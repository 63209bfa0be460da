"""SIGHUP on the real server: good files are served by new processes, bad ones leave the old, no call is lost."""

import os
import re
import shutil
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests

from cds_service.knowledge.loader import SHIPPED
from tests.builders import chart
from tests.builders.client_tokens import (
    ISSUER,
    PUBLIC_URL,
    SERVICE,
    bearer_now,
    ec_key,
    key_set,
    public_jwk,
)
from tests.builders.concept_maps import EXAMPLE
from tests.builders.fhir_stub import Reply, fhir_stub, resource, searchset
from tests.builders.ports import free_port
from tests.builders.serving import Served, serving, wait_for_end

pytestmark = pytest.mark.server


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    """The site's own copy of the knowledge files."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "secret-place"))


def _change(knowledge: Path) -> None:
    edition = knowledge / "edition.toml"
    edition.write_text(edition.read_text(encoding="utf-8") + f"# {uuid.uuid4()}\n", encoding="utf-8")


def _break(knowledge: Path) -> None:
    (knowledge / "units.toml").write_text("marker-of-content = ", encoding="utf-8")


def _call(served: Served, **members: Any) -> requests.Response:
    body = chart.call(chart.prefetch([]), hookInstance=str(uuid.uuid4()))
    return requests.post(served.url + SERVICE, json=body, timeout=30, **members)


def _version(served: Served) -> str:
    answer = _call(served)
    assert answer.status_code == 200
    told: str = answer.json()["extension"]["org.cytopenia-cds.assessment"]["knowledgeVersion"]
    return told


def test_new_knowledge_is_served_and_the_line_tells_both_versions(tmp_path: Path, knowledge: Path) -> None:
    with serving(tmp_path, CDS_AUTH="off", CDS_KNOWLEDGE_DIR=str(knowledge)) as served:
        before, workers = _version(served), served.workers()
        _change(knowledge)
        assert _version(served) == before, "files are read when it is said, and not before"
        served.signal(signal.SIGHUP)
        line = served.wait_for_line("reloaded")
        assert line["previousKnowledgeVersion"] == before
        assert line["knowledgeVersion"] != before
        for worker in workers:
            wait_for_end(worker)
        assert {_version(served) for _ in range(10)} == {line["knowledgeVersion"]}
        assert len(served.workers()) == len(workers)
        assert served.process.poll() is None


def test_bad_knowledge_is_refused_in_one_line_and_the_old_stays(tmp_path: Path, knowledge: Path) -> None:
    with serving(tmp_path, "--workers", "1", CDS_AUTH="off", CDS_KNOWLEDGE_DIR=str(knowledge)) as served:
        before, workers = _version(served), served.workers()
        _break(knowledge)
        served.signal(signal.SIGHUP)
        line = served.wait_for_line("reload-refused")
        assert line["files"] == "knowledge"
        assert line["knowledgeVersion"] == before
        assert "secret-place" not in served.log.read_text(encoding="utf-8")
        assert "marker-of-content" not in served.log.read_text(encoding="utf-8")
        assert [one["event"] for one in served.lines if one["event"] not in {"call", "setting"}] == ["reload-refused"]
        assert served.workers() == workers
        os.kill(workers[0], signal.SIGKILL)
        wait_for_end(workers[0])
        assert _version(served) == before, "who replaces a dead one serves what was checked"
        shutil.copy(SHIPPED / "units.toml", knowledge)
        served.signal(signal.SIGHUP)
        assert served.wait_for_line("reloaded")["knowledgeVersion"] == before


def test_a_refused_reload_is_told_to_prometheus_until_one_is_made(tmp_path: Path, knowledge: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"

    def told() -> list[str]:
        text = requests.get(f"http://{metrics}/metrics", timeout=30).text
        return re.findall(r"^cds_last_reload_refused (\S+)$", text, re.MULTILINE)

    with serving(tmp_path, CDS_AUTH="off", CDS_KNOWLEDGE_DIR=str(knowledge), CDS_METRICS_BIND=metrics) as served:
        assert told() == ["0.0"]
        _break(knowledge)
        served.signal(signal.SIGHUP)
        served.wait_for_line("reload-refused")
        assert told() == ["1.0"]
        worker = served.workers()[0]
        os.kill(worker, signal.SIGKILL)
        wait_for_end(worker)
        assert _call(served).status_code == 200
        assert told() == ["1.0"], "who replaces a dead one knows nothing of it, and takes nothing back"
        shutil.copy(SHIPPED / "units.toml", knowledge)
        served.signal(signal.SIGHUP)
        served.wait_for_line("reloaded")
        assert told() == ["0.0"]


@pytest.mark.parametrize(
    ("setting", "file", "contents", "kind"),
    [
        ("CDS_CONCEPT_MAPS", "site.json", EXAMPLE.read_text(encoding="utf-8"), "concept maps"),
        ("CDS_TRUSTED_CLIENTS", "clients.toml", None, "trusted clients"),
        ("CDS_SMART_REGISTRATIONS", "smart.toml", None, "smart registrations"),
    ],
)
def test_the_kind_of_bad_files_is_named(
    tmp_path: Path, setting: str, file: str, contents: str | None, kind: str
) -> None:
    told = {
        "CDS_TRUSTED_CLIENTS": f'[[client]]\nissuer = "{ISSUER}"\njwks_url = "https://ehr.example.org/jwks"\n',
        "CDS_SMART_REGISTRATIONS": '[[registration]]\nfhir_server = "https://ehr.example.org"\nclient_id = "x"\n',
    }
    path = tmp_path / file
    path.write_text(contents or told[setting], encoding="utf-8")
    auth = "required" if setting == "CDS_TRUSTED_CLIENTS" else "off"
    with serving(tmp_path, "--workers", "1", CDS_AUTH=auth, **{setting: str(path)}) as served:
        path.write_text("marker-of-content", encoding="utf-8")
        served.signal(signal.SIGHUP)
        assert served.wait_for_line("reload-refused")["files"] == kind
        assert "marker-of-content" not in served.log.read_text(encoding="utf-8")
        assert requests.get(served.url + "/readyz", timeout=20).status_code == 200
        path.unlink()
        served.signal(signal.SIGHUP)
        assert served.wait_for_line("reload-refused", 2)["files"] == kind


def _token(key: Any) -> dict[str, str]:
    return {"Authorization": bearer_now(key=key)}


def test_clients_come_and_go_with_a_reload(tmp_path: Path) -> None:
    def trust(*names: str) -> None:
        clients = "".join(
            f'[[client]]\nissuer = "{ISSUER}"\njwks_file = "{name}.json"\ntenant = "{name}"\n' for name in names
        )
        (tmp_path / "clients.toml").write_text(clients, encoding="utf-8")

    first, second = ec_key("first"), ec_key("second")
    (tmp_path / "north.json").write_bytes(key_set(public_jwk(first)))
    (tmp_path / "south.json").write_bytes(key_set(public_jwk(second)))
    trust("north")
    settings = {"CDS_TRUSTED_CLIENTS": str(tmp_path / "clients.toml"), "CDS_PUBLIC_URL": PUBLIC_URL}
    with serving(tmp_path, **settings) as served:
        assert _call(served, headers=_token(first)).status_code == 200
        assert _call(served, headers=_token(second)).status_code == 401
        trust("south")
        workers = served.workers()
        served.signal(signal.SIGHUP)
        served.wait_for_line("reloaded")
        for worker in workers:
            wait_for_end(worker)
        assert _call(served, headers=_token(first)).status_code == 401
        assert _call(served, headers=_token(second)).status_code == 200


def test_a_call_in_flight_is_answered_by_the_process_that_took_it(tmp_path: Path, knowledge: Path) -> None:
    asked, gate = Event(), Event()

    def wait() -> None:
        asked.set()
        assert gate.wait(60)

    replies = {
        "Observation": Reply(searchset(), wait=wait),
        f"Patient/{chart.PATIENT}": resource("Patient", chart.PATIENT),
        "Condition": searchset(),
        "Medication": searchset(),
    }
    settings = {"CDS_AUTH": "off", "CDS_KNOWLEDGE_DIR": str(knowledge), "CDS_TIME_BUDGET_MS": "60000"}
    with (
        fhir_stub(replies) as stub,
        serving(tmp_path, "--workers", "1", CDS_FHIR_SERVERS=stub.base, **settings) as served,
        ThreadPoolExecutor(1) as pool,
    ):
        before = _version(served)
        (old,) = served.workers()
        body = chart.call({}, hookInstance=str(uuid.uuid4()), fhirServer=stub.base)
        held = pool.submit(requests.post, served.url + SERVICE, json=body, timeout=60)
        assert asked.wait(30), "the call is in flight"
        _change(knowledge)
        served.signal(signal.SIGHUP)
        line = served.wait_for_line("reloaded")
        answered = (_version(served) for _ in range(1000))
        assert line["knowledgeVersion"] in answered, "others are answered meanwhile, by the new once the old is told"
        assert not held.done()
        assert old in served.workers()
        gate.set()
        answer = held.result(60)
        assert answer.status_code == 200
        assert answer.json()["extension"]["org.cytopenia-cds.assessment"]["knowledgeVersion"] == before
        wait_for_end(old)
