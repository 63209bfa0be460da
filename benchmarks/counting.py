"""What following and counting a call costs: microseconds of processor time a call, and beside it a whole call.

`python -m benchmarks.counting` counts into files as `serve` does.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

CALLS = 5000
PHASES = ("authenticating", "parsing", "gathering", "reading", "assessing", "remembering", "composing", "remembering",
          "auditing")  # fmt: skip


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _measure()


def _measure() -> None:
    from cds_service.call_phases import Phase  # noqa: PLC0415 - after the folder is named
    from cds_service.services.registry import CallFacts  # noqa: PLC0415
    from cds_service.web.metrics import PhaseCounts, count_call  # noqa: PLC0415
    from cds_service.web.request_log import CallRecord  # noqa: PLC0415

    listeners = (PhaseCounts(),)

    def follow(heard_by: tuple[PhaseCounts, ...]) -> None:
        whole = Phase.of_call(heard_by, "")
        whole.begin()
        for name in PHASES:
            with Phase(name):  # type: ignore[arg-type]  # they are names of phases
                pass
        whole.end()

    facts = CallFacts(
        dict.fromkeys(("leukopenia", "thrombocytopenia", "bicytopenia"), "present"), ("c",), "warning", "v", {},
        finding="bicytopenia", used=60,
    )  # fmt: skip
    record = CallRecord(datetime.now(UTC), "call", facts=facts, status=200, seconds=0.002)
    for what, once in (
        ("marks nobody hears", lambda: follow(())),
        ("marks and their counts", lambda: follow(listeners)),
        ("the call's counts", lambda: count_call(record)),
    ):
        print(f"{what:25} {_microseconds(once):6.1f} µs")


def _microseconds(once: Callable[[], None]) -> float:
    """Processor time of one, the best of five rounds."""
    rounds = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(CALLS):
            once()
        rounds.append((time.process_time() - begun) / CALLS * 1e6)
    return min(rounds)


if __name__ == "__main__":
    main()
