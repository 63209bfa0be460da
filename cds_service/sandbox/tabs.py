"""The tabs of a chart, and what each shows beyond the visit itself. Knows no HTTP."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from cds_service.sandbox.chart_room import ChartRoom
from cds_service.sandbox.hook_clients import CLIENTS
from cds_service.sandbox.launch_context import LAUNCHES
from cds_service.sandbox.result_editing import STATUSES, addable, editable_results
from cds_service.sandbox.situation import FAULTS, SENDINGS
from cds_service.sandbox.visits import Visit

Shown = Mapping[str, object]

TABS: Mapping[str, str] = {
    "chart": "Chart",
    "results": "Edit results",
    "situation": "Situation",
    "traffic": "Traffic",
    "discovery": "Discovery",
    "feedback": "Feedback",
    "app": "SMART app",
}
"""Names, which are those of the templates and in addresses, and labels."""


def shown_on(tab: str, room: ChartRoom, visit: Visit) -> Shown:
    """What the tab's template is given."""
    return _SHOWN[tab](room, visit) if tab in _SHOWN else {}


def _chart(room: ChartRoom, visit: Visit) -> Shown:
    return {"before": room.visits.find(visit.before), "trend": room.trend(visit.patient_id)}


def _results(room: ChartRoom, visit: Visit) -> Shown:
    return {
        "results": editable_results(room.store, visit.patient_id),
        "statuses": STATUSES,
        "addable": addable(room.knowledge),
        "now": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _others(room: ChartRoom, visit: Visit) -> Shown:
    return {"others": [one for one in room.visits.newest() if one is not visit]}


_SHOWN: Mapping[str, Callable[[ChartRoom, Visit], Shown]] = {
    "chart": _chart,
    "results": _results,
    "situation": lambda _room, _visit: {"clients": CLIENTS, "sendings": SENDINGS, "faults": FAULTS},
    "traffic": _others,
    "feedback": lambda room, visit: {"visits": room.visits.of_patient(visit.patient_id)},
    "app": lambda _room, _visit: {"launches": LAUNCHES},
}
