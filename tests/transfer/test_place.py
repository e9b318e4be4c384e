"""Small files of our own, put in place by several runs at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dyvine_cli.errors import Busy
from dyvine_cli.transfer import partial
from dyvine_cli.transfer import place as placing
from dyvine_cli.transfer.folder import Folder
from dyvine_cli.transfer.place import place

DATA = b"{}" * 2000
RUN = """
import sys
from pathlib import Path
from dyvine_cli.transfer.place import place
root = Path(sys.argv[1])
sys.stdin.readline()
for number in range(300):
    assert place(root / f"{number}.info.json", b"{}" * 2000, root=root, is_ours=lambda data: True)
"""


def test_two_runs_put_the_same_files_in_place(tmp_path: Path) -> None:
    """Neither gets an error, every file is whole, nothing is left beside."""
    runs = [
        subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], stdin=subprocess.PIPE) for _ in range(2)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write(b"go\n")
        run.stdin.flush()
    for run in runs:
        run.communicate(timeout=60)

    assert [run.returncode for run in runs] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{number}.info.json" for number in range(300)
    )
    assert all(path.read_bytes() == DATA for path in tmp_path.iterdir())


def test_what_a_killed_run_left_beside_is_taken_over(tmp_path: Path) -> None:
    """Its bytes do not count."""
    (tmp_path / "a.info.json.part").write_bytes(b"x" * 100_000)
    placed = place(tmp_path / "a.info.json", DATA, root=tmp_path)

    assert placed is not None
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.info.json": DATA}


def test_a_run_that_never_finishes_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, but not for ever; what it writes is left alone."""
    monkeypatch.setattr(placing, "_PATIENCE", 0.05)
    with Folder.open(tmp_path, tmp_path) as folder:
        assert partial.open_locked(folder, "a.info.json") is not None

        with pytest.raises(Busy, match=r"a\.info\.json"):
            place(tmp_path / "a.info.json", DATA, root=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.info.json.part"]
