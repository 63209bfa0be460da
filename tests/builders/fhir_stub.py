"""A FHIR server on loopback that answers what it is told and remembers what it was asked. Data are synthetic."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Reply:
    """An answer; `document` is sent as JSON, bytes as they are. `wait` is called before it is sent."""

    document: object = None
    status: int = 200
    media_type: str = "application/fhir+json"
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: Callable[[], object] | None = None


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str


@dataclass
class FhirStub:
    """`replies` maps the beginning of a target below the base to a reply; the longest match answers, else 404."""

    base: str
    replies: dict[str, Reply]
    asked: list[Asked] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        """What was asked of patients, below the base, decoded, in alphabetical order (searches run side by side)."""
        below = (unquote(asked.target.partition("/fhir")[2].lstrip("/")) for asked in list(self.asked))
        return sorted(target for target in below if target != "metadata")

    @property
    def introductions(self) -> int:
        """How often it was asked what it offers."""
        return sum(asked.target.endswith("/metadata") for asked in list(self.asked))


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Callers hang up when they have had enough: nothing to report."""


@contextmanager
def fhir_stub(replies: Mapping[str, Reply | object] | None = None) -> Iterator[FhirStub]:
    """Serve the replies; a plain document stands for a Reply with it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _answer(self, body: str) -> None:
            stub.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            target = unquote(self.path.partition("/fhir")[2].lstrip("/"))
            matches = [prefix for prefix in stub.replies if target.startswith(prefix)]
            reply = stub.replies[max(matches, key=len)] if matches else Reply({"resourceType": "Odd"}, 404)
            if reply.wait:
                reply.wait()
            content = reply.document if isinstance(reply.document, bytes) else json.dumps(reply.document).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.media_type, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _QuietServer(("127.0.0.1", 0), Handler)
    stub = FhirStub(f"http://127.0.0.1:{server.server_port}/fhir", {})
    stub.replies = {
        prefix: reply if isinstance(reply, Reply) else Reply(reply) for prefix, reply in (replies or {}).items()
    }
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)


def searchset(*resources: Mapping[str, object], next_url: str | None = None, **members: object) -> dict[str, Any]:
    """A searchset Bundle of these resources."""
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", **members}
    if resources:
        bundle["entry"] = [
            {"fullUrl": f"https://ehr.example.org/fhir/{r.get('resourceType')}/{r.get('id')}", "resource": r}
            for r in resources
        ]
    if next_url:
        bundle["link"] = [{"relation": "self", "url": "x"}, {"relation": "next", "url": next_url}]
    return bundle


def resource(resource_type: str, resource_id: str, **members: object) -> dict[str, object]:
    """A resource with nothing but type, id and the patient that it is about."""
    about = {} if resource_type == "Patient" else {"subject": {"reference": "Patient/p1"}}
    return {"resourceType": resource_type, "id": resource_id, **about, **members}


def outcome(*severities: str) -> dict[str, object]:
    """An OperationOutcome with issues of these severities, whose words must never be shown."""
    issues = [
        {"severity": severity, "code": "processing", "diagnostics": "SECRET-DIAGNOSTICS"} for severity in severities
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}
