"""Tokens that must never open the door, each with the class of reason that its operator finds in the log."""

import hmac
import json
from typing import Any

import pytest

from cds_service.cds_hooks.errors import ClientRefused
from tests.builders.client_authentication import CLIENT, GivenKeys, MemoryUsedTokens, authentication
from tests.builders.client_tokens import (
    DISCOVERY,
    FEEDBACK,
    ISSUER,
    JWKS_URL,
    NOW,
    PUBLIC_URL,
    SERVICE,
    bearer,
    claims,
    ec_key,
    encode,
    header,
    key_set,
    public_jwk,
    rsa_key,
    token,
)

AT = int(NOW.timestamp())
OTHER = "https://attacker.example.org/keys.json"
PEM = ec_key().as_pem(private=False)
JWK_TEXT = json.dumps(public_jwk(ec_key())).encode()


def _bytes(document: Any, *replacements: tuple[str, str]) -> bytes:
    text = json.dumps(document)
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def _twice(document: dict[str, Any], name: str, value: Any) -> bytes:
    """The document with this member a second time."""
    return _bytes(document)[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}".encode()


def _tampered(part: int) -> str:
    parts = token().split(".")
    parts[part] = encode(header(extra=1)) if part == 0 else encode(claims(sub="somebody"))
    return "Bearer " + ".".join(parts)


def _hmac(key: bytes, algorithm: str = "HS384") -> str:
    signed = f"{encode(header(alg=algorithm))}.{encode(claims())}"
    return f"Bearer {signed}.{encode(hmac.digest(key, signed.encode(), f'sha{algorithm[2:]}'))}"


def _raw_es384_signature(signature: bytes) -> str:
    return f"Bearer {encode(header())}.{encode(claims())}.{encode(signature)}"


def _claims(**members: Any) -> str:
    return bearer(None, claims(**members))


def _header(**members: Any) -> str:
    return bearer(header(**members))


def _claims_text(old: str, new: str, **members: Any) -> str:
    return bearer(None, _bytes(claims(**members), (old, new)))


HEADER_FIELD: dict[str, tuple[str | None, str]] = {
    "no header": (None, "no-token"),
    "empty header": ("", "no-token"),
    "scheme only": ("Bearer", "no-token"),
    "scheme and a space": ("Bearer ", "no-token"),
    "basic": ("Basic dXNlcjpwYXNzdw==", "other-scheme"),
    "another scheme": ("DPoP " + token(), "other-scheme"),
    "a bare token": (token(), "other-scheme"),
    "two tokens in one header": (f"{bearer()}, {bearer()}", "malformed"),
    "a tab for a space": ("Bearer\t" + token(), "other-scheme"),
    "beyond ASCII": ("Bearer " + token()[:-1] + "\u0661", "malformed"),
    "a control character": ("Bearer " + token() + "\n", "malformed"),
    "too long": (bearer(header(x="a" * 16_384)), "malformed"),
}
FORM = {
    "two parts": ("Bearer " + ".".join(token().split(".")[:2]), "malformed"),
    "four parts": (bearer() + ".e30", "malformed"),
    "five parts, encrypted": ("Bearer e30.e30.e30.e30.e30", "malformed"),
    "nothing but dots": ("Bearer ..", "malformed"),
    "padding": ("Bearer " + token().replace(".", "=.", 1), "malformed"),
    "a header that is no JSON": (bearer(b"alg", algorithm="ES384"), "malformed"),
    "a header that is an array": (bearer(b'["alg"]', algorithm="ES384"), "malformed"),
    "a header nested 50,000 deep": ("Bearer " + encode(b"[" * 5000) + ".e30.e30", "malformed"),
    "claims that are no object": (bearer(None, b'"iss"'), "malformed"),
    "claims nested 3,000 deep": (bearer(None, b'{"a":' * 1500), "malformed"),
    "claims in UTF-16": (bearer(None, json.dumps(claims()).encode("utf-16")), "malformed"),
    "a byte order mark": (bearer(None, b"\xef\xbb\xbf" + json.dumps(claims()).encode()), "malformed"),
    "a lone surrogate": (_claims_text(ISSUER, "\\ud800"), "malformed"),
    "bits beyond the end of the signature": (bearer()[:-1] + "B", "signature"),
}
DUPLICATES = {
    "alg twice in the header": (bearer(_twice(header(), "alg", "none"), algorithm="ES384"), "malformed"),
    "kid twice in the header": (bearer(_twice(header(), "kid", "other"), algorithm="ES384"), "malformed"),
    "aud twice in the claims": (bearer(None, _twice(claims(aud="x"), "aud", PUBLIC_URL + SERVICE)), "malformed"),
    "exp twice, the second escaped": (
        bearer(None, _twice(claims(), "exp", 1).replace(b'p": 1', b'\\u0070": 1')),
        "malformed",
    ),
    "a member twice below a claim": (
        bearer(None, _bytes(claims(x=0), ('"x": 0', '"x": {"a": 1, "a": 2}'))),
        "malformed",
    ),
}
ALGORITHMS = {
    "none, unsigned": (f"Bearer {encode(header(alg='none'))}.{encode(claims())}.", "algorithm"),
    "none, with a signature": (bearer(header(alg="none"), algorithm="ES384"), "algorithm"),
    "None in another spelling": (bearer(header(alg="nOnE"), algorithm="ES384"), "algorithm"),
    "no alg": (bearer(header(alg=None), algorithm="ES384"), "algorithm"),
    "an empty alg": (bearer(header(alg=""), algorithm="ES384"), "algorithm"),
    "alg as an array": (bearer(header(alg=["ES384"]), algorithm="ES384"), "algorithm"),
    "alg in lower case": (bearer(header(alg="es384"), algorithm="ES384"), "algorithm"),
    "HMAC keyed with the public key's PEM": (_hmac(PEM), "algorithm"),
    "HMAC keyed with the public JWK": (_hmac(JWK_TEXT, "HS256"), "algorithm"),
    "HMAC keyed with nothing known": (_hmac(b"k" * 64, "HS512"), "algorithm"),
    "another curve's algorithm": (bearer(header(alg="ES256"), key=ec_key(curve="P-256")), "algorithm"),
    "an RSA algorithm for an EC key": (bearer(header(alg="RS384"), key=rsa_key()), "algorithm"),
    "EdDSA": (bearer(header(alg="EdDSA"), algorithm="ES384"), "algorithm"),
    "ES256K": (bearer(header(alg="ES256K"), algorithm="ES384"), "algorithm"),
}
SIGNATURES = {
    "an empty signature": (bearer().rpartition(".")[0] + ".", "signature"),
    "all zeros (CVE-2022-21449)": (_raw_es384_signature(bytes(96)), "signature"),
    "DER instead of two numbers": (_raw_es384_signature(b"\x30\x44" + bytes(68)), "signature"),
    "shorter": (_raw_es384_signature(bytes(95)), "signature"),
    "of another key under our kid": (bearer(key=ec_key("attacker")), "signature"),
    "a changed header": (_tampered(0), "signature"),
    "changed claims": (_tampered(1), "signature"),
    "of another token": (f"{bearer().rpartition('.')[0]}.{token().rpartition('.')[2]}", "signature"),
}
HEADERS = {
    "no kid": (_header(kid=None), "header"),
    "an empty kid": (_header(kid=""), "header"),
    "kid as a number": (_header(kid=1), "header"),
    "a kid of 501 characters": (_header(kid="k" * 501), "header"),
    "an unknown kid": (_header(kid="unknown"), "unknown-key"),
    "a kid that is a path": (_header(kid="../../dev/null"), "unknown-key"),
    "a kid that is SQL": (_header(kid="x' UNION SELECT 'key"), "unknown-key"),
    "no typ": (_header(typ=None), "header"),
    "typ of an access token": (_header(typ="at+jwt"), "header"),
    "typ of an encrypted one": (_header(typ="JWE"), "header"),
    "typ as an array": (_header(typ=["JWT"]), "header"),
    "an unknown critical header": (_header(crit=["exp"], exp=1), "critical-header"),
    "an empty crit": (_header(crit=[]), "critical-header"),
    "crit that is no array": (_header(crit="b64"), "critical-header"),
    "an unencoded payload (RFC 7797)": (_header(crit=["b64"], b64=False), "critical-header"),
    "b64 without crit": (_header(b64=False), "critical-header"),
    "another jku": (_header(jku=OTHER), "key-url"),
    "our jku with a query": (_header(jku=JWKS_URL + "?"), "key-url"),
    "our jku in capitals": (_header(jku=JWKS_URL.upper()), "key-url"),
    "jku null": (bearer(header() | {"jku": None}), "key-url"),
    "our jku in an array": (_header(jku=[JWKS_URL]), "key-url"),
    "our jku as user name": (_header(jku=f"{JWKS_URL}@attacker.example.org"), "key-url"),
    "a key in the header": (bearer(header(jwk=public_jwk(ec_key("attacker"))), key=ec_key("attacker")), "signature"),
    "a certificate in the header": (bearer(header(x5c=["MIIB"], x5t="x"), key=ec_key("attacker")), "signature"),
    "a certificate's URL in the header": (bearer(header(x5u=OTHER), key=ec_key("attacker")), "signature"),
}
MISSING = {f"no {name}": (_claims(**{name: None}), "claims") for name in ("iss", "aud", "exp", "iat", "jti")}
NULL = {
    f"{name} is null": (bearer(None, {**claims(), name: None}), "claims")
    for name in ("iss", "aud", "exp", "iat", "jti", "nbf")
}
TYPES = {
    f"{name} as {json.dumps(value)}": (_claims(**{name: value}), "claims")
    for name, values in {
        "iss": (1, [ISSUER], {"iss": ISSUER}),
        "exp": (True, str(AT + 300), [AT + 300], {}),
        "iat": (False, str(AT), []),
        "nbf": (True, "now", [AT]),
        "jti": (1, True, [], ["a"], {}, "", "a\u0001b", "j" * 501),
        "tenant": (1, ["north"]),
    }.items()
    for value in values
}
NUMBERS = {
    "exp NaN": (_claims_text(str(AT + 300), "NaN"), "malformed"),
    "exp Infinity": (_claims_text(str(AT + 300), "Infinity"), "malformed"),
    "exp 1e400": (_claims_text(str(AT + 300), "1e400"), "malformed"),
    "exp of 5,000 digits": (_claims_text(str(AT + 300), "9" * 5000), "malformed"),
    "exp of 300 digits": (_claims_text(str(AT + 300), "9" * 300), "lifetime"),
    "exp 1e300": (_claims_text(str(AT + 300), "1e300"), "lifetime"),
    "iat of minus 300 digits": (_claims_text(str(AT), "-" + "9" * 300, exp=AT + 300), "lifetime"),
}
TIMES = {
    "expired 61 seconds ago": (_claims(iat=AT - 300, exp=AT - 61), "expired"),
    "expired just now, by the clock's tolerance": (_claims(iat=AT - 300, exp=AT - 60), "expired"),
    "expired a year ago": (_claims(iat=AT - 31_536_300, exp=AT - 31_536_000), "expired"),
    "issued in an hour": (_claims(iat=AT + 3600, exp=AT + 3900), "not-yet-valid"),
    "issued in 61 seconds": (_claims(iat=AT + 61), "not-yet-valid"),
    "valid from 61 seconds on": (_claims(nbf=AT + 61), "not-yet-valid"),
    "valid from an hour on": (_claims(nbf=AT + 3600), "not-yet-valid"),
    "a life of an hour and a second": (_claims(exp=AT + 3601), "lifetime"),
    "a life of a day": (_claims(exp=AT + 86_400), "lifetime"),
    "issued long ago to live long": (_claims(iat=0, exp=AT + 300), "lifetime"),
    "expires before it is issued": (_claims(iat=AT + 30, exp=AT + 10), "lifetime"),
}
AUDIENCES = {
    f"aud {json.dumps(value)}": (_claims(aud=value), reason)
    for value, reason in (
        ("", "audience"),
        ([], "audience"),
        (1, "audience"),
        ([1], "audience"),
        ({PUBLIC_URL + SERVICE: 1}, "audience"),
        (PUBLIC_URL, "audience"),
        (PUBLIC_URL + DISCOVERY, "audience"),
        (PUBLIC_URL + FEEDBACK, "audience"),
        (PUBLIC_URL + SERVICE + "/", "audience"),
        (PUBLIC_URL + SERVICE + "?x=1", "audience"),
        (PUBLIC_URL + SERVICE + " ", "audience"),
        (PUBLIC_URL.upper() + SERVICE, "audience"),
        (PUBLIC_URL.replace("https", "http") + SERVICE, "audience"),
        (PUBLIC_URL.replace("/hooks", ":443/hooks") + SERVICE, "audience"),
        ("https://other.example.org" + SERVICE, "audience"),
        (SERVICE, "audience"),
        (["https://other.example.org" + SERVICE], "audience"),
        ([[PUBLIC_URL + SERVICE]], "audience"),
        ([PUBLIC_URL + SERVICE, 1], "audience"),
    )
}
ISSUERS = {
    f"iss {value}": (_claims(iss=value), "unknown-issuer")
    for value in ("", ISSUER + "/", ISSUER.upper(), "https://attacker.example.org", f" {ISSUER}")
}
ATTACKS = {
    **HEADER_FIELD, **FORM, **DUPLICATES, **ALGORITHMS, **SIGNATURES, **HEADERS, **MISSING, **NULL, **TYPES, **NUMBERS,
    **TIMES, **AUDIENCES, **ISSUERS,
}  # fmt: skip


def refusal(authorization: str | None, endpoint: str = SERVICE, **parts: Any) -> str:
    with pytest.raises(ClientRefused) as refused:
        authentication(**parts).authenticate(authorization, endpoint)
    return refused.value.reason


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_uses_up_no_token(attack: str) -> None:
    authorization, reason = ATTACKS[attack]
    used = MemoryUsedTokens()
    assert refusal(authorization, used=used) == reason
    assert used.used == {}


@pytest.mark.parametrize(
    "attack", ["none, with a signature", "HMAC keyed with the public JWK", "another jku", 'aud ""']
)
def test_nothing_of_a_token_is_told(attack: str) -> None:
    messages = set()
    for authorization in (ATTACKS[attack][0], None):
        with pytest.raises(ClientRefused) as refused:
            authentication().authenticate(authorization, SERVICE)
        messages.add(refused.value.message)
    assert len(messages) == 1


def test_no_key_is_looked_for_where_no_key_could_help() -> None:
    keys = GivenKeys(key_set(public_jwk(ec_key())))
    for attack in ("none, with a signature", "HMAC keyed with the public JWK", "another jku", "no kid", "iss "):
        refusal(ATTACKS[attack][0], keys=keys)
    assert keys.asked == 0


@pytest.mark.parametrize(
    ("endpoint", "aud"),
    [
        (DISCOVERY, PUBLIC_URL + SERVICE),
        (DISCOVERY, PUBLIC_URL),
        (SERVICE, PUBLIC_URL + FEEDBACK),
        (FEEDBACK, PUBLIC_URL + DISCOVERY),
        ("/cds-services/feedback", PUBLIC_URL + DISCOVERY),
        ("/cds-services/other", PUBLIC_URL + SERVICE),
        ("/cds-services/other/feedback", PUBLIC_URL + SERVICE),
    ],
)
def test_a_token_for_one_endpoint_opens_no_other(endpoint: str, aud: str) -> None:
    assert refusal(_claims(aud=aud), endpoint) == "audience"


def test_a_token_is_used_once_and_another_issuers_jti_is_another_token() -> None:
    door = authentication()
    authorization = _claims(jti="one")
    assert door.authenticate(authorization, SERVICE) == CLIENT
    for again in (authorization, _claims(jti="one"), _claims(jti="one", aud=[PUBLIC_URL + SERVICE, "x"])):
        with pytest.raises(ClientRefused) as refused:
            door.authenticate(again, SERVICE)
        assert refused.value.reason == "replayed"
    assert door.authenticate(_claims(jti="ONE"), SERVICE) == CLIENT
