"""What Schemathesis can't know from the description: how a client signs a token, which days are plausible."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import schemathesis
from hypothesis import strategies as st

from cds_service.client_authentication.signing import Call, read_private_key, sign_token
from tests.builders.client_tokens import ISSUER, PUBLIC_URL

KEY = read_private_key(Path(os.environ["FUZZ_CLIENT_KEY"]).read_text(encoding="utf-8"))
IN_YEARS_OF_CARDS = st.integers(946_800_000, 4_102_300_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
schemathesis.openapi.format("date-time", IN_YEARS_OF_CARDS.map(datetime.isoformat))
schemathesis.openapi.format("uuid", st.uuids().map(str))
schemathesis.openapi.format(
    "uri", st.from_regex(r"https?://[a-z0-9]{1,10}(\.[a-z]{2,5})?(:[0-9]{1,4})?(/[a-z0-9]{0,6}){0,3}", fullmatch=True)
)


@schemathesis.auth(refresh_interval=None)
class SignedForOneCall:
    """A new token for each call, for the address that is called."""

    def get(self, case: Any, _context: Any) -> str:
        """The Authorization header."""
        endpoint = PUBLIC_URL + unquote(case.formatted_path)
        return f"Bearer {sign_token(KEY, Call(ISSUER, endpoint, 300), datetime.now(UTC))}"

    def set(self, case: Any, data: str, _context: Any) -> None:
        """Send it."""
        case.headers["Authorization"] = data


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """A token of the EHR is for the patient in context, which no schema can say."""
    body = case.body
    if case.meta and case.meta.generation.mode.is_positive and isinstance(body, dict):
        granted = body.get("fhirAuthorization")
        if isinstance(granted, dict) and granted.get("patient"):
            granted["patient"] = body["context"]["patientId"]
