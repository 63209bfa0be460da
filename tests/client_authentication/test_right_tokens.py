"""Tokens that real clients send are taken: every algorithm, their spellings of time and audience."""

from datetime import timedelta
from typing import Any

import pytest

from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.errors import ClientRefused, StoreUnavailable
from cds_service.client_authentication.authentication import ClientAuthentication, KnownClient
from tests.builders.client_authentication import CLIENT, GivenKeys, MemoryUsedTokens, authentication
from tests.builders.client_tokens import (
    CURVES,
    DISCOVERY,
    FEEDBACK,
    ISSUER,
    JWKS_URL,
    NOW,
    PUBLIC_URL,
    RSA_ALGORITHMS,
    SERVICE,
    bearer,
    claims,
    ec_key,
    header,
    key_for,
    key_set,
    public_jwk,
    rsa_key,
    token,
)

AT = int(NOW.timestamp())


@pytest.mark.parametrize("algorithm", [*CURVES, *RSA_ALGORITHMS])
def test_every_asymmetric_algorithm_that_the_key_names(algorithm: str) -> None:
    key = key_for(algorithm)
    authorization = bearer(header(alg=algorithm, kid=key.kid), key=key)
    door = authentication(public_jwk(key, alg=algorithm, use="sig", key_ops=["verify"]))
    assert door.authenticate(authorization, SERVICE) == CLIENT


@pytest.mark.parametrize(("algorithm", "taken"), [(name, name.startswith("RS")) for name in RSA_ALGORITHMS])
def test_an_rsa_key_that_names_no_algorithm_verifies_pkcs1_signatures_only(algorithm: str, taken: bool) -> None:
    door = authentication(public_jwk(rsa_key()))
    authorization = bearer(header(alg=algorithm, kid=rsa_key().kid), key=rsa_key())
    if taken:
        assert door.authenticate(authorization, SERVICE) == CLIENT
    else:
        with pytest.raises(ClientRefused) as refused:
            door.authenticate(authorization, SERVICE)
        assert refused.value.reason == "algorithm"


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS384"])
def test_a_key_for_one_algorithm_verifies_no_other_one(algorithm: str) -> None:
    door = authentication(public_jwk(rsa_key(), alg="RS384"))
    with pytest.raises(ClientRefused) as refused:
        door.authenticate(bearer(header(alg=algorithm, kid=rsa_key().kid), key=rsa_key()), SERVICE)
    assert refused.value.reason == "algorithm"


TAKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the smallest": ({}, {}),
    "with the registered jku, as the CDS Hooks Sandbox sends it": ({"jku": JWKS_URL}, {}),
    "fifteen minutes and five minutes back, as Epic signs": ({}, {"nbf": AT - 300, "iat": AT, "exp": AT + 900}),
    "a whole hour": ({}, {"exp": AT + 3600}),
    "expired 59 seconds ago, by a clock behind ours": ({}, {"iat": AT - 300, "exp": AT - 59}),
    "issued in 60 seconds, by a clock ahead of ours": ({}, {"iat": AT + 60, "nbf": AT + 60}),
    "times with fractions": ({}, {"iat": AT + 0.25, "exp": AT + 300.75}),
    "aud as an array of one": ({}, {"aud": [PUBLIC_URL + SERVICE]}),
    "aud among others": ({}, {"aud": ["https://other.example.org", PUBLIC_URL + SERVICE]}),
    "with sub, tenant and claims of its own": ({}, {"sub": "x", "tenant": "any", "org": {"a": [1, None, True]}}),
    "a key and certificates in the header, which are ignored": (
        {"jwk": public_jwk(ec_key("other")), "x5c": ["MIIB" * 500], "x5u": "not even a URL", "x5t": 5},
        {},
    ),
    "header members of its own": ({"cty": "x", "org.example": {"a": 1}}, {}),
    "typ in lower case": ({"typ": "jwt"}, {}),
    "a jti of 500 characters": ({}, {"jti": "j" * 500}),
}


@pytest.mark.parametrize("which", TAKEN)
def test_a_right_token_tells_who_calls(which: str) -> None:
    members, claimed = TAKEN[which]
    assert authentication().authenticate(bearer(header(**members), claims(**claimed)), SERVICE) == CLIENT


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_letter_case(scheme: str) -> None:
    assert authentication().authenticate(f"{scheme} {token()}", SERVICE) == CLIENT


@pytest.mark.parametrize(
    ("endpoint", "aud"),
    [(DISCOVERY, DISCOVERY), (SERVICE, SERVICE), (FEEDBACK, FEEDBACK), (FEEDBACK, SERVICE)],
)
def test_each_endpoint_is_an_audience_and_feedback_takes_the_services_too(endpoint: str, aud: str) -> None:
    assert authentication().authenticate(bearer(None, claims(aud=PUBLIC_URL + aud)), endpoint) == CLIENT


def test_a_token_is_remembered_as_long_as_any_machine_of_ours_would_take_it() -> None:
    used = MemoryUsedTokens()
    authentication(used=used).authenticate(bearer(None, claims(jti="one")), SERVICE)
    assert used.used == {(ISSUER, "one"): NOW + timedelta(seconds=300 + 60 + 60)}


def test_without_the_memory_of_used_tokens_nobody_comes_in() -> None:
    with pytest.raises(StoreUnavailable):
        authentication(used=MemoryUsedTokens(down=True)).authenticate(bearer(), SERVICE)


def test_without_any_key_so_far_nothing_is_said_of_a_token() -> None:
    with pytest.raises(StoreUnavailable):
        authentication(keys=GivenKeys(None)).authenticate(bearer(), SERVICE)


def test_where_one_issuer_speaks_for_several_its_signed_tenant_tells_which() -> None:
    keys = GivenKeys(key_set(public_jwk(ec_key())))
    named = {claim: KnownClient(CdsClient(ISSUER, name), keys) for claim, name in (("a", "north"), ("b", "south"))}
    clients: dict[tuple[str, str | None], KnownClient] = {(ISSUER, claim): known for claim, known in named.items()}
    door = ClientAuthentication(clients, PUBLIC_URL, MemoryUsedTokens(), lambda: NOW)
    for claim, known in named.items():
        assert door.authenticate(bearer(None, claims(tenant=claim)), SERVICE) == known.client
    for other in (None, "c", "A", ""):
        with pytest.raises(ClientRefused) as refused:
            door.authenticate(bearer(None, claims(tenant=other)), SERVICE)
        assert refused.value.reason == "unknown-issuer"
    with pytest.raises(ClientRefused) as refused:
        door.authenticate(bearer(None, claims(tenant="a"), key=ec_key("attacker")), SERVICE)
    assert refused.value.reason == "signature"
    rest = ClientAuthentication(
        {**clients, (ISSUER, None): KnownClient(CLIENT, keys)}, PUBLIC_URL, MemoryUsedTokens(), lambda: NOW
    )
    assert rest.authenticate(bearer(None, claims(tenant="c")), SERVICE) == CLIENT
