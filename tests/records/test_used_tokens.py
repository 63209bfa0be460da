"""A token is used once, whoever asks, and remembered no longer than it lives."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.stores import Stores, open_stores
from cds_service.records.tables import USED_TOKENS

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def _count(stores: Stores) -> int | None:
    with stores.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(USED_TOKENS))


def test_a_token_is_used_once(stores: Stores) -> None:
    use = stores.used_tokens.use_once
    assert use("https://ehr.example.org", "a", LATER, NOW)
    assert not use("https://ehr.example.org", "a", LATER, NOW)
    assert not use("https://ehr.example.org", "a", LATER + timedelta(days=1), NOW), "a longer life makes it no other"
    assert use("https://ehr.example.org", "b", LATER, NOW)
    assert use("https://other.example.org", "a", LATER, NOW)


@pytest.mark.parametrize("jti", ["", "x" * 1_000_000, "a\x00b", "\ud83d"])
def test_any_text_is_a_jti(stores: Stores, jti: str) -> None:
    assert stores.used_tokens.use_once("https://ehr.example.org", jti, LATER, NOW)
    assert not stores.used_tokens.use_once("https://ehr.example.org", jti, LATER, NOW)


def test_of_eight_at_once_one_succeeds(url: str) -> None:
    opened = [open_stores(url) for _ in range(8)]
    together = Barrier(8)

    def use(stores: Stores) -> bool:
        together.wait(timeout=30)
        return stores.used_tokens.use_once("https://ehr.example.org", "a", LATER, NOW)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, opened)) == [False] * 7 + [True]
    for stores in opened:
        stores.close()


def test_expired_tokens_are_forgotten_in_passing(stores: Stores) -> None:
    for number in range(20):
        stores.used_tokens.use_once("https://ehr.example.org", f"old-{number}", NOW, NOW - timedelta(minutes=5))
    stores.used_tokens.use_once("https://ehr.example.org", "young", LATER, NOW)
    assert _count(stores) == 21, "what expires this very moment is still remembered"
    stores.used_tokens.use_once("https://ehr.example.org", "younger", LATER, NOW + timedelta(seconds=1))
    assert _count(stores) == 2
    assert not stores.used_tokens.use_once("https://ehr.example.org", "young", LATER, NOW)


def test_where_it_can_not_be_told_the_token_is_not_used(stores: Stores) -> None:
    with stores.database.writing() as connection:
        USED_TOKENS.drop(connection)
    with pytest.raises(StoreUnavailable):
        stores.used_tokens.use_once("https://ehr.example.org", "a", LATER, NOW)
