"""What every view of the chart page answers with: a tab of a chart, or a page that says what didn't work."""

from dataclasses import dataclass

from flask import Response, abort, render_template

from cds_service.sandbox.chart_room import ChartRoom
from cds_service.sandbox.chart_view import GROUPS
from cds_service.sandbox.tabs import TABS, shown_on
from cds_service.sandbox.visits import Visit


@dataclass(frozen=True)
class PageFrame:
    """The page around one room."""

    room: ChartRoom

    def visit(self, hook_instance: str) -> Visit:
        """The visit of an address, or 404."""
        return self.room.visits.find(hook_instance) or abort(404)

    def tab(self, tab: str, visit: Visit, status: int = 200, said: str = "") -> Response:
        """One tab of a visit; `said` is why something asked for wasn't done."""
        given = {"chart": self.room.view(visit), "visit": visit, "current": visit.patient_id}
        given |= {"tabs": TABS, "tab": tab, "said": said}
        return self.show(f"{tab}.html", status, **given, **shown_on(tab, self.room, visit))

    def trouble(self, status: int, trouble: str, current: str = "") -> Response:
        """A page with one message."""
        return self.show("trouble.html", status, current=current, trouble=trouble)

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        """A page with the patients beside it."""
        html = render_template(f"sandbox/{template}", patients=self.room.patients(), groups=GROUPS, **values)
        return Response(html, status, content_type="text/html; charset=utf-8")
