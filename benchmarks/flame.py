"""A flame graph of one call answered over and over in this process, as an SVG: `-m benchmarks.flame --out FILE`.

Width is processor time, sampled; a function stands on the one that called it; hovering tells name and share. To see an
older version, run this file by its path with PYTHONPATH naming that version's folder.
"""

import argparse
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from types import FrameType

from benchmarks.payload import request_body
from cds_service.app import create_app
from cds_service.settings import Settings

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PATH = "/cds-services/cytopenia-review"
WIDTH, ROW, NARROWEST, LETTER = 1200, 17, 1.5, 6.6
FIRST = "routes.py:call"
"""The stack is shown from here on."""
COLOURS = {"cds_hooks": "#f2c879", "fhir_reading": "#e8956b", "hematology": "#d9776f", "services": "#eab08a"}


@dataclass
class Node:
    """A function on its caller: the samples in which it was running, or something it called."""

    samples: int = 0
    callees: dict[str, "Node"] = field(default_factory=dict)


def sampled(observations: int, seconds: float) -> Counter[tuple[str, ...]]:
    """The stacks that were met each millisecond of processor time while calls were answered."""
    settings = Settings(auth="off", memory=False, audit=False, log_level="error")
    client = create_app(settings, clock=lambda: NOW, observers=()).test_client()
    body = request_body(observations, NOW)
    stacks: Counter[tuple[str, ...]] = Counter()

    def sample(_: int, frame: FrameType | None) -> None:
        stacks[tuple(reversed(list(_names(frame))))] += 1

    for _ in range(5):
        client.post(PATH, data=body, content_type="application/json")
    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    began = time.process_time()
    while time.process_time() - began < seconds:
        client.post(PATH, data=body, content_type="application/json")
    signal.setitimer(signal.ITIMER_PROF, 0)
    return stacks


def _names(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        code = frame.f_code
        yield f"{'/'.join(Path(code.co_filename).parts[-2:])}:{code.co_name}"
        frame = frame.f_back


def tree_of(stacks: Counter[tuple[str, ...]]) -> Node:
    """The stacks from the route on, joined."""
    root = Node()
    for stack, count in stacks.items():
        first = next((place for place, name in enumerate(stack) if name.endswith(FIRST)), None)
        if first is None:
            continue
        node = root
        node.samples += count
        for name in stack[first:]:
            node = node.callees.setdefault(name, Node())
            node.samples += count
    return root


def drawn(root: Node, title: str) -> str:
    """The SVG."""
    boxes = list(_boxes(root, 0.0, 0, WIDTH / root.samples))
    height = (max(depth for depth, _, _, _, _ in boxes) + 3) * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" '
        'font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/><text x="4" y="13">{escape(title)}</text>',
    ]
    for depth, left, width, name, samples in boxes:
        top = height - (depth + 1) * ROW
        short = name.rpartition(":")[2][: int(width / LETTER)] if width > 4 * LETTER else ""
        told = f"{name} {samples / root.samples:.1%}"
        box = f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" fill="{_colour(name)}"/>'
        text = f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(short)}</text>' if short else ""
        parts.append(f"<g><title>{escape(told)}</title>{box}{text}</g>")
    return "\n".join([*parts, "</svg>\n"])


def _boxes(node: Node, left: float, depth: int, scale: float) -> Iterator[tuple[int, float, float, str, int]]:
    for name, callee in sorted(node.callees.items()):
        width = callee.samples * scale
        if width >= NARROWEST:
            yield depth, left, width, name, callee.samples
            yield from _boxes(callee, left, depth + 1, scale)
        left += width


def _colour(name: str) -> str:
    return COLOURS.get(name.partition("/")[0], "#d8d3c8")


def main() -> None:
    """Sample and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--observations", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--title", default="now")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    root = tree_of(sampled(options.observations, options.seconds))
    title = f"{options.title}: {options.observations} Observations, {root.samples} samples of 1 ms processor time"
    options.out.write_text(drawn(root, title), encoding="utf-8")


if __name__ == "__main__":
    main()
