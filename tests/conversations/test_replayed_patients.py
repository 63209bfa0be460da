"""Ten whole Synthea patients, replayed around each of their CBCs: the service's verdicts against those of plain SQL.

Two ways of computing the same thing must agree. The SQL knows no occasions, bounds, units or clumps: these data have
exact numbers in 10*3/uL, one specimen a day.
"""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.builders import chart
from tests.builders.conversation import SERVICE
from tests.builders.fhir import real_data

PATIENTS = real_data() / "synthea-smart-r4"
pytestmark = pytest.mark.skipif(not PATIENTS.is_dir(), reason="public FHIR data are not beside the project")
FILES = sorted(PATIENTS.glob("*.json"))
AFTER_A_CBC = [timedelta(days=1), timedelta(days=90), timedelta(days=90, seconds=1), timedelta(days=-1)]

READ = """
create table result as
select case json_extract(value, '$.resource.code.coding[0].code') when '6690-2' then 'wbc' when '777-3' then 'plt' end
         as analyte,
       julianday(json_extract(value, '$.resource.effectiveDateTime')) as taken,
       json_extract(value, '$.resource.valueQuantity.value') as number
from json_each(json_extract(?, '$.entry'))
where json_extract(value, '$.resource.resourceType') = 'Observation' and analyte is not null
"""
JUDGE = """
with seen as (
  select *, number < case analyte when 'wbc' then 4.0 else 150 end as low, julianday(:now) - taken as ago
  from result where julianday(:now) - taken between -1 and 365
),
newest as (select analyte, low, ago from seen s where ago = (select min(ago) from seen where analyte = s.analyte)),
run as (
  select * from seen s where low
  and not exists (select 1 from seen n where n.analyte = s.analyte and not n.low and n.ago < s.ago)
),
verdict as (
  select a.analyte, case
    when n.ago is null or n.ago > 90.0000001 then 'no-recent-result'
    when not n.low then 'absent'
    when a.analyte = 'plt' then 'present'
    when (select max(ago) - min(ago) from run where analyte = a.analyte) >= 7 then 'present'
    else 'unconfirmed' end as verdict
  from (select 'wbc' as analyte union select 'plt') a left join newest n using (analyte)
)
select w.verdict, p.verdict, case
  when 'no-recent-result' in (w.verdict, p.verdict) then 'no-recent-result'
  when 'absent' in (w.verdict, p.verdict) then 'absent'
  when exists (select 1 from run w join run p on w.analyte = 'wbc' and p.analyte = 'plt'
               where abs(w.ago - p.ago) <= 7) then 'present'
  else 'absent' end
from verdict w join verdict p on w.analyte = 'wbc' and p.analyte = 'plt'
"""


def moments(document: str) -> Iterator[datetime]:
    """The points in time to replay: around each CBC."""
    for entry in json.loads(document)["entry"]:
        codes = [coding["code"] for coding in entry["resource"].get("code", {}).get("coding", ())]
        if entry["resource"]["resourceType"] == "Observation" and "6690-2" in codes:
            taken = datetime.fromisoformat(entry["resource"]["effectiveDateTime"]).astimezone(UTC)
            yield from (taken + offset for offset in AFTER_A_CBC)


def by_sql(document: str, now: datetime) -> list[str]:
    with sqlite3.connect(":memory:") as database:
        database.execute(READ, [document])
        (row,) = database.execute(JUDGE, {"now": now.isoformat()})
    return list(row)


def by_service(document: str, now: datetime, folder: Path) -> list[str]:
    whole: dict[str, Any] = json.loads(document)
    (patient,) = (one["resource"] for one in whole["entry"] if one["resource"]["resourceType"] == "Patient")
    prefetch = chart.prefetch([]) | {"patient": patient, "counts": {**whole, "type": "collection"}}
    call = chart.call(prefetch, context={"userId": "Practitioner/p1", "patientId": patient["id"]})
    settings = Settings(auth="off", database_url=f"sqlite:///{folder}/feedback.sqlite3")
    answer = create_app(settings, clock=lambda: now).test_client().post(SERVICE, json=call)
    findings = answer.get_json()["extension"]["org.cytopenia-cds.assessment"]["findings"]
    return [finding["verdict"] for finding in findings]


def test_there_are_ten_patients() -> None:
    assert len(FILES) == 10


@pytest.mark.parametrize("file", FILES, ids=[file.stem.partition("_")[0] for file in FILES])
def test_the_service_and_plain_sql_agree_around_each_cbc(file: Path, tmp_path: Path) -> None:
    document = file.read_text(encoding="utf-8")
    replayed = list(moments(document))
    assert replayed
    for now in replayed:
        assert by_service(document, now, tmp_path) == by_sql(document, now), now


def test_the_replays_show_low_and_normal_counts() -> None:
    found = {
        verdict for file in FILES for now in moments(file.read_text()) for verdict in by_sql(file.read_text(), now)
    }
    assert {"unconfirmed", "absent", "no-recent-result"} <= found
