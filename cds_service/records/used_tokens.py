"""Tokens that have been used, so that none is used twice. Knows no token: it is told issuer and jti."""

import hashlib
from datetime import datetime

from sqlalchemy import delete, select, tuple_

from cds_service.records.database import Database
from cds_service.records.tables import USED_TOKENS

_PURGED_AT_ONCE = 100
_NOT_TOLD = "It can't be told whether this token was used before; try again."


class UsedTokens:
    """Used tokens in a database that `migrate` has made; as many as are unexpired, and few more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def use_once(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:
        """Use a token. Of several attempts, by whichever process, one succeeds until it has expired.

        Args:
            issuer: the token's `iss`; the same jti of another issuer is another token.
            jti: the token's id, of any length; only a digest of it is kept.
            expires_at: from then on nobody accepts the token, and it need not be remembered.
            now: the time of the call.

        Returns:
            Whether this was its first use.

        Raises:
            StoreUnavailable: it can't be told; the token is not used.
        """
        digest = hashlib.sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
        with self._database.writing(_NOT_TOLD) as connection:
            expired = select(USED_TOKENS.c.issuer, USED_TOKENS.c.jti_digest).where(USED_TOKENS.c.expires_at < now)
            old = connection.execute(expired.limit(_PURGED_AT_ONCE)).all()
            if old:
                connection.execute(
                    delete(USED_TOKENS).where(tuple_(USED_TOKENS.c.issuer, USED_TOKENS.c.jti_digest).in_(old))
                )
            once = self._database.insert_new(USED_TOKENS, "issuer", "jti_digest")
            row = {"issuer": issuer, "jti_digest": digest, "expires_at": expires_at}
            return connection.execute(once.values(row).returning(USED_TOKENS.c.jti_digest)).first() is not None
