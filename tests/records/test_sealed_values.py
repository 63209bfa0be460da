"""What the app keeps: found until it expires, taken once by whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from cds_service.records.database import Database
from cds_service.records.sealed_values import SealedValues

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=10)


def test_a_value_is_found_until_it_expires(database: Database) -> None:
    values = SealedValues(database)
    values.put("a", b"one", SOON, NOW)
    assert values.find("a", NOW) == b"one"
    assert values.find("a", SOON) is None
    assert values.find("b", NOW) is None


def test_the_newest_of_a_name_stands(database: Database) -> None:
    values = SealedValues(database)
    values.put("a", b"one", SOON, NOW)
    values.put("a", b"two", SOON, NOW)
    assert values.find("a", NOW) == b"two"


def test_eight_takers_at_once_and_one_has_it(database: Database) -> None:
    values = SealedValues(database)
    values.put("a", b"one", SOON, NOW)
    with ThreadPoolExecutor(8) as takers:
        taken = list(takers.map(lambda _: values.take("a", NOW), range(8)))
    assert sorted(map(str, taken)) == sorted([str(b"one"), *["None"] * 7])
    assert values.find("a", NOW) is None


def test_an_expired_value_is_not_given_away(database: Database) -> None:
    values = SealedValues(database)
    values.put("a", b"one", SOON, NOW)
    assert values.take("a", SOON) is None


def test_what_has_expired_goes_in_passing(database: Database) -> None:
    values = SealedValues(database)
    for number in range(5):
        values.put(str(number), b"old", SOON, NOW)
    values.put("new", b"new", SOON + timedelta(hours=1), SOON + timedelta(seconds=1))
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sealed_values").scalar() == 1
