"""Batch files that are no lists of links: endless, binary, or a hundred thousand mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dyvine_cli.cli.download import LARGEST, MOST_LINES
from dyvine_cli.operations.attempts import MOST_TOLD
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program

BINARY = {
    "endless zeros": Path("/dev/zero"),
    "endless noise": Path("/dev/urandom"),
}


@pytest.mark.parametrize("device", BINARY.values(), ids=list(BINARY))
def test_an_endless_device_as_batch_file_is_refused_at_once(dyvine: Program, device: Path) -> None:
    """Neither memory nor time goes into it."""
    if not device.exists():
        device = dyvine.home.parent / "zeros"
        device.write_bytes(bytes(1000))
    done = dyvine.inside("get", "-a", device)

    assert done.code == 2
    assert done.complaints() == [f"--batch-file: {device} is binary data, not text"]


def test_binary_data_on_stdin_is_refused(dyvine: Program) -> None:
    """A video piped into `-a -`."""
    done = dyvine("get", "-a", "-", stdin=b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)))

    assert done.code == 2
    assert done.complaints() == ["stdin is binary data, not text"]


def test_an_export_that_is_binary_is_refused(dyvine: Program) -> None:
    """The zip that was not unpacked."""
    file = dyvine.home.parent / "user_data_tiktok.json"
    file.write_bytes(b"PK\x03\x04\x14\x00\x00\x00" + bytes(100))
    done = dyvine.inside("post", "--from-export", file, "--section", "likes")

    assert done.code == 2
    assert done.complaints() == [f"--from-export: {file} is binary data, not text"]


def test_a_batch_file_beyond_the_bound_is_refused(dyvine: Program) -> None:
    """A byte more than 64 MiB, all of it text."""
    file = dyvine.home.parent / "links.txt"
    with file.open("wb") as huge:
        for _ in range(LARGEST // 2**20):
            huge.write(b"#" * 2**20)
        huge.write(b"#")
    done = dyvine.inside("get", "-a", file)

    assert done.code == 2
    assert done.complaints() == [f"--batch-file: {file} is larger than 64 MiB"]


@pytest.mark.slow
def test_a_batch_file_of_too_many_lines_is_refused(dyvine: Program) -> None:
    """Small in bytes, large as links."""
    file = dyvine.home.parent / "links.txt"
    file.write_text("1\n" * (MOST_LINES + 1))
    done = dyvine.inside("get", "-a", file)

    assert done.code == 2
    assert done.complaints() == ["more than 1,000,000 links in one batch"]


def test_a_batch_file_in_utf_16_is_read(dyvine: Program) -> None:
    """What a shell of Windows writes has zeros and is text all the same."""
    file = dyvine.home.parent / "links.txt"
    file.write_text(f"{World.SMALL}\r\n", encoding="utf-16")
    done = dyvine.inside("post", "-a", file)

    assert done.code == 0
    assert len(dyvine.files) == 1


@pytest.mark.slow
def test_a_hundred_thousand_bad_lines_are_soon_told(dyvine: Program) -> None:
    """Twenty complaints, the number of the others, status 3 because of the one good line."""
    file = dyvine.home.parent / "links.txt"
    bad = "".join(f"nothing at all {number}\n" for number in range(100_000))
    file.write_text(bad + World.SMALL)
    done = dyvine.inside("post", "-a", file)

    assert done.code == 3
    assert len(done.complaints()) == MOST_TOLD
    assert done.complaints("warning")[0] == "99,980 more lines cannot be used"
    assert len(dyvine.files) == 1
