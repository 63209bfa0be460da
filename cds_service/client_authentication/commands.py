"""The commands `client-key` and `client-token`: a synthetic client to try the door with. They know no server."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from cds_service.client_authentication.signing import (
    Call,
    KeyUnusable,
    make_key,
    private_jwk,
    public_key_set,
    read_private_key,
    sign_token,
)
from cds_service.client_authentication.signing_keys import ALGORITHMS


@click.command("client-key")
@click.option("--algorithm", default="ES384", show_default=True, type=click.Choice(sorted(ALGORITHMS)))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def client_key_command(algorithm: str, file: Path) -> None:
    """Make a key pair: the private key goes to FILE, the public key set (JWKS) to standard output."""
    key = make_key(algorithm)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; a key is never overwritten.") from None
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(private_jwk(key) + "\n")
    click.echo(public_key_set(key))


@click.command("client-token")
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Private JWK.")
@click.option("--issuer", required=True, help="The client's iss, as registered.")
@click.option("--endpoint", required=True, help="The URL that will be called (aud).")
@click.option("--jku", help="The URL of the client's key set, if the token is to name it.")
@click.option(
    "--seconds", default=300, show_default=True, type=click.IntRange(1, 3600), help="How long it can be used."
)
def client_token_command(key: Path, issuer: str, endpoint: str, jku: str | None, seconds: int) -> None:
    """Print a signed token for one call of one endpoint."""
    try:
        private = read_private_key(key.read_text(encoding="utf-8"))
    except (KeyUnusable, OSError, UnicodeDecodeError):
        raise click.ClickException(f"{key} holds no private JWK with kid and alg, as client-key makes it.") from None
    click.echo(sign_token(private, Call(issuer, endpoint, seconds), datetime.now(UTC), jku))
