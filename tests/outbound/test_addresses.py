"""Addresses that are never called, in every spelling that reaches them."""

import socket
import threading

import pytest

from cds_service.outbound.addresses import AddressForbidden, is_forbidden, resolve


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "::FFFF:A9FE:A9FE", "FE80::1", "febf::1",
        "2001:0:0:0:0:0:5601:5601", "::169.254.169.254",
        "2002:a9fe:a9fe::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "0.0.0.0", "::",
        "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_never_called(address: str) -> None:
    assert is_forbidden(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.7", "192.168.1.2", "fd12::1", "93.184.216.34"])
def test_hospital_and_loopback_addresses_are_called(address: str) -> None:
    assert not is_forbidden(address)


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662", "0xa9.0xfe.0xa9.0xfe", "0", "0.0"]
)
def test_nor_in_the_forms_that_only_a_resolver_takes_for_an_address(host: str) -> None:
    with pytest.raises(AddressForbidden):
        resolve(host, 443, timeout=5)


def test_one_forbidden_address_among_good_ones_spoils_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*_: object, **__: object) -> list[object]:
        addresses = ["10.0.0.7", "169.254.169.254"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", told)
    with pytest.raises(AddressForbidden):
        resolve("ehr.example.org", 443, timeout=1)


def test_a_dead_resolver_costs_no_more_than_the_time_given(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(10))
    try:
        with pytest.raises(TimeoutError):
            resolve("ehr.example.org", 443, timeout=0.05)
    finally:
        over.set()
