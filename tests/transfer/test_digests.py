"""Hashes of a file that grows, by bytes that pass by and by reading behind them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from dyvine_cli.transfer import digests
from dyvine_cli.transfer.digests import Digests, read_at

CONTENT = Random(0).randbytes(300_000)
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """An open file with the content, its place at byte 7."""
    (tmp_path / "file").write_bytes(CONTENT)
    fd = os.open(tmp_path / "file", os.O_RDWR)
    os.lseek(fd, 7, os.SEEK_SET)
    yield fd
    os.close(fd)


@pytest.fixture(params=["beside", "in turn", "no pread"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both hashes at once, one after the other, and a system that cannot read beside a writer."""
    monkeypatch.setattr(digests, "MUCH", 1 if request.param == "beside" else 1 << 40)
    monkeypatch.setattr(digests, "_BLOCK", 10_000)
    monkeypatch.setattr(digests, "_STEP", 40_000)
    if request.param == "no pread":
        monkeypatch.delattr(os, "pread")
        monkeypatch.delattr(os, "preadv")
    return request.param


@pytest.mark.parametrize("md5", [True, False], ids=["both", "sha256"])
@pytest.mark.usefixtures("system")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(borders=some.lists(some.integers(0, len(CONTENT)), max_size=6), passing=some.integers(0, len(CONTENT)))
def test_hash_does_not_depend_on_how_the_bytes_came(fd, md5, borders, passing):
    """Bytes that passed by, steps of any size, the same step twice: it is the hash of the file."""
    made = Digests(md5=md5)
    made.add(CONTENT[:passing])
    for border in sorted(each for each in borders if each >= passing):
        made.catch_up(fd, border)
        made.catch_up(fd, border)
    seen = list(made.read(fd, len(CONTENT)))

    assert made.sha256.hex == SHA256
    assert made.sha256.count == len(CONTENT)
    assert (made.md5.hex if made.md5 else None) == (MD5 if md5 else None)
    assert seen == sorted(set(seen))


@pytest.mark.usefixtures("system")
def test_writer_keeps_its_place(fd):
    """Reading behind a writer does not move where it writes next."""
    made = Digests(md5=True)
    made.catch_up(fd, 100_000)
    behind = read_at(fd, 5, 250_000)

    assert os.lseek(fd, 0, os.SEEK_CUR) == 7
    assert behind == CONTENT[250_000:250_005]


@pytest.mark.usefixtures("system")
def test_missing_bytes_are_an_error_and_no_endless_wait(fd):
    """A file that was cut under us ends in the system's error for bad reads."""
    os.truncate(fd, 123_456)
    with pytest.raises(OSError, match="cut while it was written"):
        Digests(md5=True).catch_up(fd, len(CONTENT))


def test_reading_can_be_left_between_steps(fd, monkeypatch):
    """Every step says how far it came, and the next one goes on there."""
    monkeypatch.setattr(digests, "_STEP", 100_000)
    made = Digests(md5=False)
    steps = made.read(fd, len(CONTENT))
    first = next(steps)
    steps.close()
    rest = list(made.read(fd, len(CONTENT)))

    assert (first, rest) == (100_000, [200_000, 300_000])
    assert made.sha256.hex == SHA256
