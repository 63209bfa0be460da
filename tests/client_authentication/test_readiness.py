"""What /readyz says of the whole service: each thing with its state, needed or spared as the site is set up."""

from pathlib import Path
from typing import Any

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.builders.client_tokens import ISSUER, ec_key, key_set, public_jwk
from tests.builders.ports import free_port
from tests.builders.raw_server import answer, raw_server

OPERATOR = "synthetic-operator-token"
WORKS, FAILS, OFF = "working", "failing", "off"


def _ready(folder: Path, clients: str = "", **settings: Any) -> tuple[int, str, dict[str, str]]:
    """Status, word, and the operator's checks."""
    (folder / "keys.json").write_bytes(key_set(public_jwk(ec_key())))
    (folder / "clients.toml").write_text(f'[[client]]\nissuer = "{ISSUER}"\n{clients}\n', encoding="utf-8")
    auth = {"trusted_clients": folder / "clients.toml"} if clients else {"auth": "off"}
    app = create_app(Settings(database_url=f"sqlite:///{folder}/r.sqlite3", ops_token=OPERATOR, **auth, **settings))
    told = app.test_client().get("/readyz", headers={"Authorization": f"Bearer {OPERATOR}"})
    body = told.get_json()
    return told.status_code, body["status"], body["checks"]


def test_a_site_without_clients_and_redis_says_that_they_are_off(tmp_path: Path) -> None:
    checks = {"database": WORKS, "redis": OFF, "keys": OFF, "knowledge": WORKS}
    assert _ready(tmp_path) == (200, "ready", checks)


def test_keys_from_a_file_work(tmp_path: Path) -> None:
    checks = {"database": WORKS, "redis": OFF, "keys": WORKS, "knowledge": WORKS}
    assert _ready(tmp_path, 'jwks_file = "keys.json"') == (200, "ready", checks)


def test_keys_are_fetched_when_readiness_is_asked_for(tmp_path: Path) -> None:
    with raw_server(answer(body=key_set(public_jwk(ec_key())))) as keys:
        assert _ready(tmp_path, f'jwks_url = "{keys.base}"')[1:] == (
            "ready",
            {"database": WORKS, "redis": OFF, "keys": WORKS, "knowledge": WORKS},
        )


def test_keys_that_can_not_be_had_close_the_door_for_nobody_else(tmp_path: Path) -> None:
    status, word, checks = _ready(tmp_path, f'jwks_url = "http://127.0.0.1:{free_port()}/jwks"')
    assert (status, word, checks["keys"]) == (200, "degraded", FAILS)


def test_where_redis_remembers_tokens_it_is_needed_and_the_database_is_not(tmp_path: Path) -> None:
    redis = f"redis://127.0.0.1:{free_port()}/0"
    checks = {"database": WORKS, "redis": FAILS, "keys": WORKS, "knowledge": WORKS}
    assert _ready(tmp_path, 'jwks_file = "keys.json"', redis_url=redis) == (503, "not ready", checks)
