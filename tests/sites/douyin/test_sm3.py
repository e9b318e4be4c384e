"""SM3 against the standard's examples, and our own against OpenSSL's."""

from __future__ import annotations

import hashlib

import pytest

from dyvine_cli.sites.douyin.sm3 import portable_sm3, sm3

STANDARD = [
    (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
]


@pytest.mark.parametrize(("data", "expected"), STANDARD, ids=["abc", "one-block"])
def test_examples_of_the_standard(data: bytes, expected: str) -> None:
    """Both examples of GB/T 32905 annex A come out."""
    assert sm3(data).hex() == expected
    assert portable_sm3(data).hex() == expected


@pytest.mark.parametrize("size", [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 787])
def test_portable_is_the_same_at_every_padding(size: int) -> None:
    """Our own hash equals the one in use at every border of a block."""
    data = bytes(i * 7 & 255 for i in range(size))

    assert portable_sm3(data) == sm3(data)


def test_works_where_openssl_has_no_sm3(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build without SM3 gives the same digest."""

    def without(name: str, *_: object, **__: object) -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", without)

    assert sm3(STANDARD[0][0]).hex() == STANDARD[0][1]
