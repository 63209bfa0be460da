"""A CDS service that always answers the same: what the sandbox shows is then known to its tests."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify, request

LOINC = "http://loinc.org"
REASON = {"code": "known", "system": "urn:example:reasons", "display": "Already known and followed"}
ORDER = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "code": {"coding": [{"system": LOINC, "code": "57021-8", "display": "CBC W Auto Differential panel - Blood"}]},
}
DETAIL = """| Collected | Leukocytes | Platelets |
|:--|--:|:--|
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


def create_fake_service(calls: list[Mapping[str, Any]], feedback: list[Mapping[str, Any]]) -> Flask:
    """Answers one warning card; none for oliver-example, a critical one for lars-eksempel, 412 for walter-vorlage."""
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
        calls.append(body)
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
        assessment: dict[str, Any] = {"findings": [finding, *others]}
        if quiet:
            assessment["notUsed"] = [{"reference": "Observation/clotted", "reason": "value-not-a-quantity"}]
        return jsonify(cards=cards, extension={"org.cytopenia-cds.assessment": assessment})

    @app.post("/cds-services/cytopenia-review/feedback")
    def take_feedback() -> Response:
        feedback.extend(request.get_json()["feedback"])
        return Response(status=200)

    return app
