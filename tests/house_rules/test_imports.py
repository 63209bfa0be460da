"""Who may import whom: the rooms of the house, their doors, and no way back."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "cds_service"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "fixtures" not in path.parts)

MAY_IMPORT = {
    "call_phases": set(),
    "hematology": set(),
    "cds_hooks": set(),
    "outbound": {"call_phases"},
    "settings": set(),
    "healthcheck": set(),
    "knowledge": {"hematology"},
    "fhir_reading": {"call_phases", "hematology", "knowledge"},
    "services": {"call_phases", "hematology", "cds_hooks", "outbound", "knowledge", "fhir_reading"},
    "feedback_summary": {"cds_hooks"},
    "site_knowledge": {"settings", "knowledge"},
    "records": {"cds_hooks", "services", "feedback_summary"},
    "site_files": set(),
    "client_authentication": {"cds_hooks", "outbound", "site_files"},
    "tracing": {"call_phases"},
    "composition": {
        "audit",
        "call_phases",
        "cds_hooks",
        "client_authentication",
        "fhir_reading",
        "feedback_summary",
        "knowledge",
        "outbound",
        "records",
        "services",
        "settings",
        "site_knowledge",
        "smart_app",
        "tracing",
        "web",
    },
    "serving": {"app", "composition", "knowledge", "records", "settings", "web"},
    "doctor": {
        "composition",
        "site_knowledge",
        "cds_hooks",
        "outbound",
        "hematology",
        "knowledge",
        "fhir_reading",
        "services",
        "settings",
        "app",
    },
    "trend_view": {"hematology", "knowledge", "services"},
    "smart_app": {
        "site_files",
        "hematology",
        "cds_hooks",
        "outbound",
        "knowledge",
        "client_authentication",
        "services",
        "trend_view",
        "web",
    },
    "sandbox": {
        "hematology",
        "cds_hooks",
        "client_authentication",
        "outbound",
        "fhir_reading",
        "knowledge",
        "services",
        "trend_view",
        "settings",
        "site_knowledge",
        "app",
    },
    "web": {"call_phases", "services", "cds_hooks", "feedback_summary"},
    "audit": {"call_phases", "command_line", "cds_hooks", "records", "services", "web"},
    "__main__": {"cli"},
    "app": {
        "call_phases",
        "cds_hooks",
        "client_authentication",
        "composition",
        "feedback_summary",
        "services",
        "settings",
        "site_knowledge",
        "smart_app",
        "web",
    },
    "command_line": {"settings", "knowledge", "cds_hooks"},
    "feedback_commands": {"command_line", "settings", "knowledge", "records", "feedback_summary"},
    "records_commands": {"command_line", "settings", "records", "services"},
    "cli": {"site_knowledge", "command_line", "serving", "settings", "records", "web"},
}
"""Room to the rooms it may know. `composition`, `app` and `cli` compose; what isn't listed is refused."""

STDLIB_ONLY = {"hematology", "cds_hooks", "healthcheck"}
ONLY_HERE = {
    "authlib": {"cds_service/smart_app", "cds_service/sandbox/authorization_server.py"},
    "fhir": {"cds_service/fhir_reading/releases.py"},
    "requests": {"cds_service/outbound"},
    "urllib3": {"cds_service/outbound"},
    "limits": {"cds_service/web/rate_limit.py"},
    "flask": {
        "cds_service/web",
        "cds_service/app.py",
        "cds_service/serving",
        "cds_service/sandbox",
        "cds_service/smart_app/routes.py",
    },
    "opentelemetry": {"cds_service/tracing.py"},
    "prometheus_client": {"cds_service/web/metrics.py", "cds_service/web/metrics_listener.py"},
    "sqlalchemy": {"cds_service/records"},
    "alembic": {"cds_service/records"},
    "joserfc": {
        "cds_service/client_authentication",
        "cds_service/smart_app/identity.py",
        "cds_service/sandbox/authorization_server.py",
    },
    "redis": {"cds_service/outbound/redis_client.py", "cds_service/client_authentication/redis_tokens.py"},
}


def _room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def _imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names.append(node.module or "")
            if node.module == "cds_service":
                names += [f"cds_service.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_the_rooms_it_may_know(path: Path) -> None:
    room = _room(path)
    if room == "__init__":
        return
    allowed = MAY_IMPORT[room] | {room}
    ours = {name.split(".")[1] for name in _imports(path) if name.startswith("cds_service.")}
    assert ours <= allowed, f"{room} must not know {sorted(ours - allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_library_is_imported_only_where_it_belongs(path: Path) -> None:
    place = path.relative_to(PACKAGE.parent).as_posix()
    tops = {name.split(".")[0] for name in _imports(path)}
    for library, homes in ONLY_HERE.items():
        if library in tops:
            assert any(place == home or place.startswith(home + "/") for home in homes), f"{place} imports {library}"


@pytest.mark.parametrize("room", sorted(STDLIB_ONLY))
def test_the_pure_rooms_know_the_standard_library_only(room: str) -> None:
    allowed = set(sys.stdlib_module_names) | {"cds_service"} | ({"msgspec", "orjson"} if room == "cds_hooks" else set())
    for path in (path for path in MODULES if _room(path) == room):
        tops = {name.split(".")[0] for name in _imports(path)}
        assert tops <= allowed, f"{path.name} imports {sorted(tops - allowed)}"


def test_no_module_reads_the_wall_clock_inside_the_evaluation() -> None:
    for room in ("hematology", "knowledge", "fhir_reading", "services", "cds_hooks"):
        for path in (PACKAGE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                    base = node.value
                    name = base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
                    assert name not in {"datetime", "date"}, f"{path.name} reads the clock"
