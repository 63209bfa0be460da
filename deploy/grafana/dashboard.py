"""Makes the Grafana dashboard from the questions below: `python deploy/grafana/dashboard.py` writes its JSON anew."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "dashboards" / "cytopenia-cds.json"
CALL = '{endpoint="call",tenant=~"$tenant"}'
OURS = '{tenant=~"$tenant"}'
RATE = "[$__rate_interval]"


@dataclass(frozen=True)
class Panel:
    """One picture. `queries` are PromQL and the name of their lines; `width` is in columns, of which a row has 24."""

    title: str
    meaning: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    width: int = 8


ROWS: dict[str, tuple[Panel, ...]] = {
    "Is it up?": (
        Panel("Replicas", "Replicas that can be asked for their metrics.", "none",
              (('sum(up{job="cytopenia-cds"})', ""),), "stat", 4),
        Panel("Versions", "More than one for long: charts get different cards.", "none",
              (("count by (software, knowledge) (cds_build_info)", "{{software}} / {{knowledge}}"),), "stat", 8),
        Panel("Knowledge loaded", "Time since the last start or reload.", "s",
              (("time() - max(cds_knowledge_loaded_timestamp_seconds)", ""),), "stat", 4),
        Panel("Calls", "A second, by status: 4xx are refused, 5xx fail.", "reqps",
              ((f"sum by (status) (rate(cds_calls_total{CALL}{RATE}))", "{{status}}"),)),
    ),
    "Is it fast?": (
        Panel("What clinicians wait", "From a call's arrival to its answer; CDS Hooks wants 500 ms.", "s", tuple(
            (f"histogram_quantile({q}, sum by (le) (rate(cds_call_seconds_bucket{CALL}{RATE})))", name)
            for q, name in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %")))),
        Panel("Where the time goes", "Seconds a call, by room; gathering waits for FHIR servers.", "s", (
            (f"sum by (phase) (rate(cds_phase_seconds_sum{RATE})) / on () group_left () "
             f'sum(rate(cds_calls_total{{endpoint="call"}}{RATE}))', "{{phase}}"),)),
        Panel("The slowest in a room", "95 % of the calls are faster there.", "s", (
            (f"histogram_quantile(0.95, sum by (le, phase) (rate(cds_phase_seconds_bucket{RATE})))", "{{phase}}"),)),
    ),
    "Is it right?": (
        Panel("Verdicts", "What was found of leukocytes and platelets.", "percentunit", (
            ('sum by (verdict) (rate(cds_verdicts_total{finding!="bicytopenia",tenant=~"$tenant"}[1h])) '
             "/ on () group_left () "
             'sum(rate(cds_verdicts_total{finding!="bicytopenia",tenant=~"$tenant"}[1h]))', "{{verdict}}"),)),
        Panel("Nothing can be said", "Share of the counts that are not evaluable, by tenant.", "percentunit",
              ((f"cds:verdicts_not_evaluable:share1h{OURS}", "{{tenant}}"),)),
        Panel("Set aside", "Share of the results that could not be used, by reason: a jump is a laboratory's change.",
              "percentunit", ((f"cds:results_set_aside:share1h{OURS}", "{{tenant}} {{reason}}"),)),
        Panel("Answered without", "Kinds of data that could not be had.", "reqps",
              ((f"sum by (kind) (rate(cds_data_not_available_total{OURS}{RATE}))", "{{kind}}"),)),
    ),
    "Is it heard?": (
        Panel("Cards shown", "In an hour, by how insistent they are.", "none",
              ((f"sum by (indicator) (increase(cds_cards_total{OURS}[1h]))", "{{indicator}}"),)),
        Panel("Cards not shown", "In an hour: kept quiet by feedback, or for nobody.", "none",
              ((f"sum by (by) (increase(cds_cards_quieted_total{OURS}[1h]))", "quiet: {{by}}"),
               (f"sum by (by) (increase(cds_cards_withheld_total{OURS}[1h]))", "withheld: {{by}}"))),
        Panel("What clinicians made of them", "Reports of a day, by outcome and reason.", "none",
              ((f"sum by (outcome, reason) (increase(cds_feedback_total{OURS}[1d]))", "{{outcome}} {{reason}}"),)),
    ),
    "Who is refused?": (
        Panel("Refused calls", "By class; ClientRefused proves no trusted client.", "reqps",
              ((f"sum by (refused) (rate(cds_calls_refused_total{OURS}{RATE}))", "{{refused}}"),)),
        Panel("Clients refused", "By reason: see how-to/trust-a-client.md.", "reqps",
              ((f'sum by (reason) (rate(cds_calls_refused_total{{refused="ClientRefused"}}{RATE}))', "{{reason}}"),)),
        Panel("Data not available (412)", "By cause: see operations/metrics.md.", "reqps", (
            (f'sum by (reason) (rate(cds_calls_refused_total{{refused="DataNotAvailable",tenant=~"$tenant"}}{RATE}))',
             "{{reason}}"),)),
    ),
    "What are FHIR servers doing?": (
        Panel("Requests", "By server and what came of them.", "reqps",
              ((f"sum by (server, outcome) (rate(cds_fhir_requests_total{RATE}))", "{{server}} {{outcome}}"),)),
        Panel("How long they take", "95 % of the requests are faster.", "s", (
            (f"histogram_quantile(0.95, sum by (le, server) (rate(cds_fhir_request_seconds_bucket{RATE})))",
             "{{server}}"),)),
        Panel("Waiting to be written", "Cards and audit entries: a number that stays was lost by kills.", "none", (
            ('sum by (kind) (cds_records_total{fate="taken"}) '
             '- sum by (kind) (cds_records_total{fate=~"written|lost"})', "{{kind}}"),)),
        Panel("Lost", "Entries of the audit trail, cards without memory, calls let in uncounted.", "none", (
            ("sum(increase(cds_audit_lost_total[1h]))", "audit"),
            ("sum(increase(cds_memory_unavailable_total[1h]))", "memory"),
            ("sum(increase(cds_rate_limit_unknown_total[1h]))", "limit"))),
    ),
}  # fmt: skip


def dashboard() -> dict[str, object]:
    """The dashboard as Grafana reads it (dashboard JSON model, schema version 39)."""
    panels: list[dict[str, object]] = []
    top = 0
    for title, row in ROWS.items():
        panels.append({"type": "row", "title": title, "collapsed": False, "gridPos": _place(0, top, 24, 1)})
        left, top = 0, top + 1
        for panel in row:
            if left + panel.width > 24:
                left, top = 0, top + 8
            panels.append(_panel(panel, _place(left, top, panel.width, 8)))
            left += panel.width
        top += 8
    for number, one in enumerate(panels, 1):
        one["id"] = number
    return {
        "uid": "cytopenia-cds",
        "title": "cytopenia-cds",
        "tags": ["cytopenia-cds"],
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_DATASOURCE, _TENANT]},
        "panels": panels,
    }


_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_DATASOURCE = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
_TENANT = {
    "name": "tenant",
    "type": "query",
    "label": "Tenant",
    "datasource": _SOURCE,
    "query": {"query": "label_values(cds_calls_total, tenant)", "refId": "tenant"},
    "refresh": 2,
    "includeAll": True,
    "allValue": ".*",
    "current": {"text": "All", "value": "$__all"},
}


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, object]:
    targets = [
        {"refId": chr(ord("A") + number), "expr": expr, "legendFormat": legend or "__auto", "datasource": _SOURCE}
        for number, (expr, legend) in enumerate(panel.queries)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def _place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


if __name__ == "__main__":
    FILE.write_text(json.dumps(dashboard(), indent=1) + "\n", encoding="utf-8")
