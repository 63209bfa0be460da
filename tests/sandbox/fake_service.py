"""A CDS service that always answers the same, and just enough knowledge to draw a trend: the sandbox's own tests."""

from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from flask import Flask, Response, jsonify, request

from cds_service.hematology.lab_results import Analyte
from cds_service.knowledge.model import Knowledge, LabCode, LabUse, UnitMeaning

LOINC = "http://loinc.org"
CODES = {"6690-2": Analyte.LEUKOCYTES, "26464-8": Analyte.LEUKOCYTES, "777-3": Analyte.PLATELETS}
REASON = {"code": "known", "system": "urn:example:reasons", "display": "Already known and followed"}
ORDER = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "code": {"coding": [{"system": LOINC, "code": "57021-8", "display": "CBC W Auto Differential panel - Blood"}]},
}
DETAIL = """| Collected | Leukocytes | Platelets |
|---|---|---|
| 2026-01-15 08:10 +01:00 | 2.9 10\\*3/uL | 88 10\\*3/uL |
| 2025-12-26 09:00 +01:00 | 3.1 10\\*3/uL | 102 10\\*3/uL |

**Rule.** Leukocytes below 4.0 on two specimens at least 7 days apart *(source document; separation: site default)*.

**Recorded in this chart**

- Compensated cirrhosis (Condition, 2021-04-02): supports a splenic cause.
- Leukemia, aplastic anemia: not found in the data sent.

**Next.** Repeat the count with differential and smear. <b onclick="alert(1)">Not bold</b>
"""


def card(uuid: str, indicator: str = "warning") -> dict[str, Any]:
    return {
        "uuid": uuid,
        "summary": "Leukocytes 2.9, platelets 88, low for 20 days: consider spleen (cirrhosis recorded), leukemia",
        "indicator": indicator,
        "detail": DETAIL,
        "source": {"label": "Leukopenia guidance", "url": "https://example.org/about"},
        "suggestions": [
            {
                "uuid": f"{uuid[:-1]}{n}",
                "label": label,
                "isRecommended": n == 1,
                "actions": [{"type": "create", "description": label, "resource": ORDER}],
            }
            for n, label in (
                (1, "Repeat CBC with differential and smear"),
                (2, "Abdominal ultrasound: spleen and liver"),
            )
        ],
        "selectionBehavior": "any",
        "overrideReasons": [REASON, {**REASON, "code": "other", "display": "Not clinically relevant now"}],
        "links": [{"label": "All cause groups", "url": "https://example.org/about/causes", "type": "absolute"}],
    }


def create_fake_service(feedback: list[Mapping[str, Any]]) -> Flask:
    """Answers one warning card, none for oliver-example, a critical one for lars-eksempel, 412 without `counts`."""
    app = Flask("fake_cds_service")

    @app.get("/cds-services")
    def discovery() -> Response:
        prefetch = {
            "patient": "Patient/{{context.patientId}}",
            "counts": "Observation?patient={{context.patientId}}&code=6690-2,777-3&_sort=-date",
            "odd": "Observation?encounter={{context.encounterId}}",
        }
        return jsonify(services=[{"id": "cytopenia-review", "hook": "patient-view", "prefetch": prefetch}])

    @app.post("/cds-services/cytopenia-review")
    def call() -> Response | tuple[Response, int]:
        body = request.get_json()
        patient = body["context"]["patientId"]
        if patient == "walter-vorlage":
            issue = [{"severity": "error", "code": "incomplete", "diagnostics": "The counts could not be had."}]
            return jsonify(resourceType="OperationOutcome", issue=issue), 412
        quiet = patient == "oliver-example"
        finding = {"finding": "leukopenia", "verdict": "absent" if quiet else "present"}
        others = [
            {"finding": "thrombocytopenia", "verdict": "no-recent-result"},
            {"finding": "bicytopenia", "verdict": "not-evaluable"},
        ]
        cards = (
            []
            if quiet
            else [
                card(
                    body["hookInstance"],
                    "critical" if patient == "lars-eksempel" else "info" if patient == "aino-malli" else "warning",
                )
            ]
        )
        return jsonify(cards=cards, extension={"org.cytopenia-cds.assessment": {"findings": [finding, *others]}})

    @app.post("/cds-services/cytopenia-review/feedback")
    def take_feedback() -> Response:
        feedback.extend(request.get_json()["feedback"])
        return Response(status=200)

    return app


class _Units:
    def normalise(self, text: str) -> str:
        return text

    def look_up(self, text: str) -> UnitMeaning | None:
        factors: dict[str, int | Decimal | None] = {"10*3/uL": 1, "10*9/L": 1, "/uL": Decimal("0.001"), "mg/dL": None}
        if text not in factors:
            return None
        factor = factors[text]
        return UnitMeaning(None if factor is None else Decimal(factor))


def fake_knowledge() -> Knowledge:
    guideline = SimpleNamespace(
        leukopenia_below=SimpleNamespace(value=Decimal("4.0")),
        thrombocytopenia_below=SimpleNamespace(value=Decimal(150)),
    )
    codes = {(LOINC, code): LabCode(LOINC, code, code, LabUse.COUNT, analyte) for code, analyte in CODES.items()}
    return cast(Knowledge, SimpleNamespace(guideline=guideline, lab_codes=codes, units=_Units()))
