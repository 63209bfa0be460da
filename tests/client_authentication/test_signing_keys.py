"""Of a published key set only what may verify signatures is used, key by key."""

import json
import subprocess
import sys
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey

from cds_service.client_authentication.signing_keys import KeySetUnreadable, read_key_set
from tests.builders.client_tokens import CURVES, RSA_ALGORITHMS, ec_key, encode, key_set, public_jwk, rsa_key

EC = public_jwk(ec_key())
RSA = public_jwk(rsa_key())
PRIVATE = {**ec_key().as_dict(private=True), "kid": "x"}
SECP256K1 = {**ECKey.generate_key("secp256k1").as_dict(private=False), "kid": "x"}

USED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "EC P-256 by its curve": (public_jwk(ec_key(curve="P-256")), {"ES256"}),
    "EC P-384 by its curve": (EC, {"ES384"}),
    "EC P-521 by its curve": (public_jwk(ec_key(curve="P-521")), {"ES512"}),
    "RSA by what EHRs sign with": (RSA, {"RS256", "RS384", "RS512"}),
    "for signatures, said twice": ({**EC, "use": "sig", "key_ops": ["verify"]}, {"ES384"}),
    "with certificates and members of its own": ({**EC, "x5c": ["MIIB"], "x5t": "x", "org": {"a": 1}}, {"ES384"}),
    **{f"RSA for {name}": ({**RSA, "alg": name}, {name}) for name in RSA_ALGORITHMS},
}
LEFT_OUT: dict[str, Any] = {
    "not an object": "key",
    "null": None,
    "empty": {},
    "no kid": {**EC, "kid": None},
    "an empty kid": {**EC, "kid": ""},
    "kid as a number": {**EC, "kid": 1},
    "no kty": {name: value for name, value in EC.items() if name != "kty"},
    "an unknown kty": {**EC, "kty": "AKP"},
    "kty as an object": {**EC, "kty": {}},
    "symmetric": {**OctKey.generate_key(256).as_dict(private=True), "kid": "x"},
    "symmetric in an asymmetric dress": {**EC, "k": "c2VjcmV0"},
    "Ed25519": {**OKPKey.generate_key("Ed25519").as_dict(private=False), "kid": "x"},
    "secp256k1": SECP256K1,
    "an unknown curve": {**EC, "crv": "P-999"},
    "private": PRIVATE,
    "private RSA": {**rsa_key().as_dict(private=True), "kid": "x"},
    "for encryption": {**EC, "use": "enc"},
    "use in another spelling": {**EC, "use": "SIG"},
    "to sign only": {**EC, "key_ops": ["sign"]},
    "key_ops as text": {**EC, "key_ops": "verify"},
    "use and key_ops at odds": {**EC, "use": "sig", "key_ops": ["verify", "encrypt"]},
    "alg none": {**EC, "alg": "none"},
    "alg HMAC": {**RSA, "alg": "HS256"},
    "alg of another curve": {**EC, "alg": "ES256"},
    "alg of another type": {**EC, "alg": "RS256"},
    "alg for encryption": {**RSA, "alg": "RSA-OAEP"},
    "alg as an array": {**RSA, "alg": ["RS256"]},
    "RSA of 1024 bits": public_jwk(rsa_key("weak", 1024)),
    "RSA of 2040 bits": public_jwk(rsa_key("weak", 2040)),
    "RSA beyond 8192 bits": {**RSA, "n": encode(b"\xff" * 1025)},
    "RSA with an exponent of 1": {**RSA, "e": "AQ"},
    "RSA with an even exponent": {**RSA, "e": "Ag"},
    "RSA without a modulus": {name: value for name, value in RSA.items() if name != "n"},
    "RSA with a modulus of nothing": {**RSA, "n": ""},
    "RSA with a modulus that is no base64url": {**RSA, "n": "!!"},
    "a point that isn't on the curve": {**EC, "x": EC["y"], "y": EC["x"]},
    "the point 0, 0": {**EC, "x": encode(bytes(48)), "y": encode(bytes(48))},
    "a coordinate beyond the field": {**EC, "x": encode(b"\xff" * 60)},
    "a coordinate as a number": {**EC, "x": 1},
}


@pytest.mark.parametrize("which", USED)
def test_a_usable_key_and_its_algorithms(which: str) -> None:
    jwk, algorithms = USED[which]
    read = read_key_set(key_set(jwk))
    assert read.keys[jwk["kid"]].algorithms == algorithms
    assert read.left_out == 0


@pytest.mark.parametrize("which", LEFT_OUT)
def test_an_unusable_key_is_left_out_and_the_others_stay(which: str) -> None:
    other = public_jwk(ec_key("other"))
    read = read_key_set(key_set(LEFT_OUT[which], other))
    assert set(read.keys) == {other["kid"]}
    assert read.left_out == 1


def test_nothing_is_written_beside_the_log_about_a_weak_key() -> None:
    weak = key_set(public_jwk(rsa_key("weak", 1024)))
    program = "import sys; from cds_service.client_authentication.signing_keys import read_key_set as read; "
    program += "print(read(sys.stdin.buffer.read()).left_out)"
    ran = subprocess.run([sys.executable, "-c", program], input=weak, capture_output=True, check=True)
    assert (ran.stdout, ran.stderr) == (b"1\n", b"")


def test_every_curve_is_known() -> None:
    assert set(CURVES) == {"ES256", "ES384", "ES512"}


def test_of_two_keys_with_one_kid_the_first_holds() -> None:
    read = read_key_set(key_set({**EC, "kid": "same"}, {**RSA, "kid": "same"}))
    assert read.keys["same"].algorithms == {"ES384"}
    assert read.left_out == 1


def test_a_set_without_keys_is_a_set() -> None:
    assert not read_key_set(b'{"keys": []}').keys


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": null}',
        b'{"keys": [], "keys": []}',
        b"[" * 100_000,
        json.dumps(EC).encode(),
        key_set(*[EC] * 201),
        key_set(EC).decode().encode("utf-16"),
        key_set(EC)[:-1],
    ],
    ids=lambda document: document[:20],
)
def test_what_is_no_key_set_is_refused_as_a_whole(document: bytes) -> None:
    with pytest.raises(KeySetUnreadable, match=r"^(not-json|no-key-set)$"):
        read_key_set(document)
