"""Opening a chart in the app leaves an entry in the trail as a hook call does, and a log line; neither holds an id."""

import json
from pathlib import Path

import pytest

from cds_service.audit.audit_events import audit_event
from cds_service.audit.pseudonyms import AuditPseudonyms
from cds_service.records.audit_trail import AuditEntry, AuditTrail, Period
from cds_service.records.database import Database
from cds_service.web.request_log import configure_logging
from tests.builders.log_lines import without_durations
from tests.smart_app.conftest import PSEUDONYM_KEY, Browser, Clock, MakeBrowser
from tests.smart_app.fake_ehr import FakeEhr

PSEUDONYMS = AuditPseudonyms(PSEUDONYM_KEY.encode())


def entries(folder: Path) -> list[AuditEntry]:
    return [*AuditTrail(Database(f"sqlite:///{folder}/records.sqlite3", 1000)).export(Period(None, None), None)]


def test_a_chart_opened_in_the_app_is_told_as_who_whom_and_what(browser: Browser, tmp_path: Path) -> None:
    browser.read(browser.open_chart("ravi-namuna"))
    (entry,) = entries(tmp_path)
    assert entry.client.issuer == browser.ehr.fhir
    assert entry.patient_hash == PSEUDONYMS.patient("ravi-namuna").hash
    assert entry.user_hash is None, "nobody said who it is"
    assert entry.answered["verdicts"]["leukopenia"] == "present"  # type: ignore[index]
    event = audit_event(entry)
    assert event["subtype"] == [
        {"system": "https://cytopenia-cds.org/CodeSystem/audit", "code": "smart-app", "display": "SMART app"}
    ]
    assert "ravi" not in json.dumps(event)


def test_a_download_and_data_that_could_not_be_had_are_told_too(browser: Browser, ehr: FakeEhr, tmp_path: Path) -> None:
    path = browser.open_chart()
    browser.read(f"{path}/results.csv")
    ehr.refuses_data = True
    browser.read(path)
    assert [entry.status for entry in entries(tmp_path)] == [200, 502]


def test_the_user_is_told_as_a_hash_where_the_ehr_says_who_it_is(
    make_browser: MakeBrowser, ehr: FakeEhr, clock: Clock, tmp_path: Path
) -> None:
    ehr.claims = {"fhirUser": f"{ehr.fhir}/Practitioner/dr-1"}
    browser = make_browser("identity = true\n")
    asked = browser.sent_to(browser.launch())
    ehr.tokens["id_token"] = ehr.id_token(asked["nonce"], clock.now)
    browser.read(browser.come_back(code="good", state=asked["state"]).location)
    (entry,) = entries(tmp_path)
    assert entry.user_hash == PSEUDONYMS.user("Practitioner/dr-1").hash


def test_the_log_line_says_what_was_answered_and_nothing_of_the_patient(
    browser: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info")
    browser.read(browser.open_chart("ravi-namuna"))
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    line, written = lines[-1], without_durations(lines)
    assert (line["endpoint"], line["status"], line["client"]) == ("smart.chart", 200, browser.ehr.fhir)
    assert line["verdicts"]["leukopenia"] == "present"
    assert not [text for text in ("ravi", "Namuna", "3.3", "synthetic-access-token") if text in written]


def test_a_patient_who_opens_the_app_sees_no_card_and_is_told_why(
    make_browser: MakeBrowser, ehr: FakeEhr, clock: Clock
) -> None:
    ehr.claims = {"fhirUser": f"{ehr.fhir}/Patient/ravi-namuna"}
    browser = make_browser("identity = true\n")
    asked = browser.sent_to(browser.launch())
    ehr.tokens["id_token"] = ehr.id_token(asked["nonce"], clock.now)
    page = browser.read(browser.come_back(code="good", state=asked["state"]).location).get_data(as_text=True)
    assert "WBC 3.3" not in page
    assert "nothing to point out" not in page
    assert "meant for clinicians" in page
