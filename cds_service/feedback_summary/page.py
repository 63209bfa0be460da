"""The summary as one self-contained page: no script, nothing fetched. The words are the template's."""

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from cds_service.feedback_summary.as_table import harmless
from cds_service.feedback_summary.fates import SHOWN, Kind
from cds_service.feedback_summary.made import MadeSummary
from cds_service.feedback_summary.names import Names
from cds_service.feedback_summary.page_view import view_page
from cds_service.feedback_summary.rates import Rate

_SPACE = "\N{NO-BREAK SPACE}"
_TEMPLATES = Environment(
    loader=PackageLoader("cds_service.feedback_summary"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_page(made: MadeSummary, names: Names) -> str:
    """The page's HTML.

    Raises:
        ImportError: the drawing library isn't installed.
    """
    return _TEMPLATES.get_template("summary.html.j2").render(
        page=view_page(made, names), names=names, Kind=Kind, SHOWN=SHOWN
    )


def _percent(rate: Rate) -> str:
    return "–" if rate.value is None else f"{100 * rate.value:.0f}{_SPACE}%"


def _interval(rate: Rate) -> str:
    if rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{100 * low:.0f} to {100 * high:.0f}{_SPACE}%"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _number(number: int) -> str:
    return f"{number:,}"


_TEMPLATES.filters |= {
    "percent": _percent,
    "interval": _interval,
    "day": _day,
    "number": _number,
    "harmless": harmless,
}
