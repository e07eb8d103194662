"""Addresses."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from bench.wire import Address, parse_address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080", Address("http", "127.0.0.1", 8080)),
        ("http://127.0.0.1:8080/v1/", Address("http", "127.0.0.1", 8080)),
        ("http://box/ai/v1", Address("http", "box", 80, "/ai")),
        ("https://box.example", Address("https", "box.example", 443)),
        ("http://[::1]:9", Address("http", "::1", 9)),
    ],
)
def test_addresses(url: str, expected: Address) -> None:
    assert parse_address(url) == expected
    assert parse_address(str(expected)) == expected


@pytest.mark.parametrize(
    "url", ["", "foo", "ftp://x", "http://", "http://x:99999", "http://x?y", "http://me@x", "http://["]
)
def test_malformed_addresses_are_named(url: str) -> None:
    with pytest.raises(UsageError, match=r"expected something like http://"):
        parse_address(url)


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.2", True), ("localhost", True), ("::1", True), ("10.0.0.1", False)]
)
def test_which_addresses_are_this_machine(host: str, local: bool) -> None:
    assert Address("http", host, 1).is_local is local
