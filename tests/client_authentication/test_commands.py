"""What an integrator does by hand: make a key pair, register it, sign a token."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.client_authentication.presented_token import read_token
from cds_service.client_authentication.signing_keys import ALGORITHMS, read_key_set


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_key_made_here_signs_a_token_that_its_published_half_verifies(tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "ehr.jwk.json"
    made = _run("client-key", "--algorithm", algorithm, str(file))
    assert (made.exit_code, made.stderr) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not {"d", "p", "q"} & json.loads(made.stdout)["keys"][0].keys(), "what is printed is public"
    url = "https://cds.example.org/cds-services"
    signed = _run("client-token", "--key", str(file), "--issuer", "me", "--endpoint", url, "--jku", "https://x.org/k")
    assert (signed.exit_code, signed.stderr) == (0, "")
    token = read_token(f"Bearer {signed.stdout.strip()}")
    assert (token.algorithm, token.issuer, token.jku) == (algorithm, "me", "https://x.org/k")
    assert token.claims["aud"] == url
    key = read_key_set(made.stdout.encode()).keys[token.kid]
    assert key.algorithms == {algorithm}
    assert key.verifies(signed.stdout.strip())


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "ehr.jwk.json"
    file.write_text("precious", encoding="utf-8")
    again = _run("client-key", str(file))
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    assert file.read_text(encoding="utf-8") == "precious"


def test_a_key_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    assert "can't be written" in _run("client-key", str(tmp_path / "no" / "such" / "folder")).stderr


@pytest.mark.parametrize(
    "content",
    ["", "no JSON", "[]", "{}", '{"kty": "EC"}', '{"kty": "oct", "k": "c2VjcmV0LXdvcmQ", "kid": "x", "alg": "HS256"}'],
)
def test_what_is_no_private_key_signs_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="utf-8")
    refused = _run("client-token", "--key", str(file), "--issuer", "me", "--endpoint", "https://x.org")
    assert refused.exit_code == 1
    assert "holds no private JWK" in refused.stderr


def test_a_published_half_signs_nothing(tmp_path: Path) -> None:
    public = json.loads(_run("client-key", str(tmp_path / "key")).stdout)["keys"][0]
    (tmp_path / "public").write_text(json.dumps(public), encoding="utf-8")
    refused = _run("client-token", "--key", str(tmp_path / "public"), "--issuer", "me", "--endpoint", "https://x.org")
    assert refused.exit_code == 1
