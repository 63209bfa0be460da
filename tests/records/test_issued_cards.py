"""Issued cards are kept once a hook instance and client, whole, and hold no more than they were told."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.issued_cards import issued_to
from cds_service.records.stores import Stores
from cds_service.records.tables import ISSUED_CARDS
from cds_service.services.issued_card import IssuedCards, Pseudonym
from tests.builders.records import issued_card

NORTH = CdsClient("https://ehr.example.org/fhir", "north")
WHEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def _rows(stores: Stores) -> list[dict[str, object]]:
    with stores.database.reading() as connection:
        table = ISSUED_CARDS
        return [dict(row._mapping) for row in connection.execute(select(table).order_by(table.c.id))]


def test_a_card_is_kept_as_it_was_told(stores: Stores) -> None:
    kept: IssuedCards = stores.issued_cards
    card = issued_card(
        client=NORTH, user=Pseudonym("key-1", "user"), mode="silent", shown=False, quieted_by="already-known",
        quieted_until=WHEN + timedelta(days=90), basis={"newest": "2026-01-14"},
    )  # fmt: skip
    kept.record([card])
    (row,) = _rows(stores)
    told = vars(card) | {
        "issuer": NORTH.issuer, "tenant": "north", "key_id": "key-1", "patient_hash": "patient", "user_hash": "user",
        "suggestions": list(card.suggestions),
    }  # fmt: skip
    assert row == {name: told[name] for name in row if name != "id"} | {"id": row["id"]}


def test_a_retried_call_changes_nothing_and_another_clients_card_is_its_own(stores: Stores) -> None:
    stores.issued_cards.record([issued_card()])
    stores.issued_cards.record([issued_card(shown=False), issued_card(client=NORTH)])
    assert [(row["issuer"], row["shown"]) for row in _rows(stores)] == [("", True), (NORTH.issuer, True)]


def test_no_card_is_no_row(stores: Stores) -> None:
    stores.issued_cards.record([])
    assert _rows(stores) == []


def test_all_are_kept_or_none(stores: Stores) -> None:
    with pytest.raises(StoreUnavailable):
        stores.issued_cards.record([issued_card(), issued_card(card="another", finding=None)])
    assert _rows(stores) == []


def test_a_card_belongs_to_the_client_it_was_given_to(stores: Stores) -> None:
    stores.issued_cards.record([issued_card(card="a", client=NORTH), issued_card(card="b")])
    with stores.database.reading() as connection:
        assert issued_to(connection, NORTH, ["a", "b", "c"]) == {"a"}
        assert issued_to(connection, ANYONE, ["a", "b", "c"]) == {"b"}
        assert issued_to(connection, CdsClient(NORTH.issuer), ["a"]) == set()
