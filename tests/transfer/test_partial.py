"""Parts and notes at every step between first byte and final name, and names that someone planted."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dyvine_cli.errors import ContentChanged, DiskError, DiskFull, NotWritable
from dyvine_cli.transfer import partial
from dyvine_cli.transfer.folder import Folder, disk_error
from dyvine_cli.transfer.partial import NOTE_FROM, Note, Part, Promise

PROMISE = Promise(300_000, '"abc"')
HALF = b"h" * 150_000


def opened(folder: Path, rendition: str = "r") -> Part:
    """The part of film.mp4 in a folder, with what an earlier run left."""
    part = Part.open(folder / "film.mp4", folder, rendition)
    assert part is not None
    if part.has_leftover():
        for _ in part.recover():
            pass
    return part


def names(folder: Path) -> list[str]:
    """What stands in a folder."""
    return sorted(path.name for path in folder.iterdir())


def begun(folder: Path, *, promise: Promise = PROMISE, data: bytes = HALF) -> None:
    """A part that was begun and left."""
    part = opened(folder)
    part.begin(promise)
    part.write(data)
    part.close()


def change_note(folder: Path, **facts: object) -> None:
    """Rewrite facts of the note."""
    path = folder / "film.mp4.part.json"
    path.write_bytes(replace(Note.read(path.read_bytes()), **facts).text())


def test_left_part_is_continued_with_its_hash(tmp_path):
    """What was begun comes back with size, promise and a hash that goes on."""
    begun(tmp_path)
    part = opened(tmp_path)
    part.write(b"rest")
    part.close()

    assert part.size == len(HALF) + 4
    assert part.promise == PROMISE
    assert part.sha256 == hashlib.sha256(HALF + b"rest").hexdigest()


def test_killed_part_is_continued(tmp_path):
    """A kill closes nothing; the note that was written before the first byte vouches for all bytes."""
    part = opened(tmp_path)
    part.begin(PROMISE)
    part.write(HALF)
    os.close(part._fd)
    part.folder.close()

    again = opened(tmp_path)
    again.close()

    assert again.size == len(HALF)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "film.mp4.part.json").unlink(),
        lambda folder: (folder / "film.mp4.part.json").write_text(""),
        lambda folder: (folder / "film.mp4.part.json").write_text("[]"),
        lambda folder: (folder / "film.mp4.part.json").write_text("[" * 100_000),
        lambda folder: (folder / "film.mp4.part.json").write_bytes(b"\xff\x00"),
        lambda folder: change_note(folder, length=-1),
        lambda folder: change_note(folder, length="300000"),
        lambda folder: change_note(folder, length=True),
        lambda folder: change_note(folder, flushed=[[5, -1]]),
        lambda folder: change_note(folder, flushed=7),
        lambda folder: change_note(folder, written=[[0, 1, 2]]),
        lambda folder: change_note(folder, written=[[0, True]]),
        lambda folder: change_note(folder, validator=None),
        lambda folder: change_note(folder, validator='"a"\r\nX-Evil: 1'),
        lambda folder: change_note(folder, rendition="another"),
    ],
    ids=[
        "none",
        "empty",
        "list",
        "deep",
        "binary",
        "negative",
        "text",
        "bool",
        "flushed",
        "no_list",
        "no_pairs",
        "no_numbers",
        "null",
        "header",
        "rendition",
    ],
)
def test_part_without_a_fitting_note_is_begun_anew(tmp_path, damage):
    """Bytes that no sound note of this rendition vouches for are dropped."""
    begun(tmp_path)
    damage(tmp_path)
    part = opened(tmp_path)

    assert part.size == 0
    assert (tmp_path / "film.mp4.part").stat().st_size == 0
    part.close()
    assert list(tmp_path.iterdir()) == []


def test_power_loss_costs_what_was_not_flushed(tmp_path):
    """After a restart of the machine only flushed bytes are trusted: the others may be holes."""
    begun(tmp_path)
    change_note(tmp_path, boot="another", flushed=[[0, 100_000]])
    part = opened(tmp_path)
    part.close()

    assert part.size == 100_000
    assert part.sha256 == hashlib.sha256(HALF[:100_000]).hexdigest()


def test_flush_is_noted(tmp_path):
    """A flush moves what a loss of power may cost."""
    part = opened(tmp_path)
    part.begin(PROMISE)
    part.write(HALF)
    before = json.loads((tmp_path / "film.mp4.part.json").read_text())["flushed"]
    part.flush()
    after = json.loads((tmp_path / "film.mp4.part.json").read_text())["flushed"]
    part.close()

    assert (before, after) == ([], [[0, len(HALF)]])


@pytest.fixture
def unknown_boot(monkeypatch):
    """A system that does not name its boot."""

    def refuse(*args: object, **kwargs: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    partial.boot.cache_clear()
    yield
    partial.boot.cache_clear()


@pytest.mark.usefixtures("unknown_boot")
def test_without_a_known_boot_every_close_flushes(tmp_path):
    """Where the system does not name its boot, a part that was left in order is still continued whole."""
    begun(tmp_path)
    part = opened(tmp_path)
    part.close()

    assert part.size == len(HALF)


def test_part_longer_than_promised_is_cut(tmp_path):
    """Bytes behind the promised length are nothing that was fetched."""
    begun(tmp_path)
    with (tmp_path / "film.mp4.part").open("ab") as file:
        file.write(bytes(400_000))
    part = opened(tmp_path)
    part.close()

    assert part.size == PROMISE.length


def test_part_without_validator_is_not_kept_for_later(tmp_path):
    """Without something that proves the same bytes there is nothing to go on from."""
    begun(tmp_path, promise=Promise(300_000, None))
    part = opened(tmp_path)
    part.close()

    assert part.size == 0


def test_note_holds_no_address(tmp_path):
    """The note names length, validator and rendition, and its own run."""
    begun(tmp_path)
    note = json.loads((tmp_path / "film.mp4.part.json").read_text())

    assert set(note) == {
        "v",
        "length",
        "validator",
        "rendition",
        "flushed",
        "written",
        "boot",
        "pid",
        "begun",
        "sum",
    }


def test_small_part_gets_its_note_when_it_is_left(tmp_path):
    """A small file costs no note unless it is cut short."""
    part = opened(tmp_path)
    part.begin(Promise(NOTE_FROM - 1, '"abc"'))
    part.write(b"half")
    while_growing = (tmp_path / "film.mp4.part.json").exists()
    part.close()

    assert not while_growing
    assert Note.read((tmp_path / "film.mp4.part.json").read_bytes()).length == NOTE_FROM - 1


def test_stale_note_does_not_vouch_for_a_new_part(tmp_path):
    """A note whose part is gone is removed before the first new byte."""
    begun(tmp_path)
    (tmp_path / "film.mp4.part").unlink()
    part = opened(tmp_path)

    assert not (tmp_path / "film.mp4.part.json").exists()
    part.close()


def test_empty_part_leaves_no_trace(tmp_path):
    """Part, note and the folders made for them go if nothing came; folders that were there stay."""
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "made" / "also" / "film.mp4"
    Part.open(path, tmp_path, "r").close()

    assert [found.name for found in tmp_path.rglob("*")] == ["there"]


def test_second_run_does_not_get_the_part(tmp_path):
    """Whoever has the part keeps everyone else out, and lets go of it at the end."""
    first = opened(tmp_path)
    second = Part.open(tmp_path / "film.mp4", tmp_path, "r")
    first.close()
    third = opened(tmp_path)
    third.close()

    assert second is None


def published(folder: Path, *, overwrite: bool = False) -> None:
    """A whole file under its final name."""
    part = opened(folder)
    part.begin(PROMISE)
    part.write(b"new")
    try:
        part.publish("film.mp4", overwrite=overwrite)
    finally:
        part.close()


def test_published_file_stands_alone(tmp_path):
    """The final name has the bytes; part and note are gone."""
    published(tmp_path)

    assert names(tmp_path) == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == b"new"


@pytest.mark.parametrize("links", [True, False], ids=["hard_links", "no_hard_links"])
def test_foreign_file_is_not_clobbered(tmp_path, monkeypatch, links):
    """A file that stands under the final name stays, with and without hard links on the volume."""
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    (tmp_path / "film.mp4").write_bytes(b"mine")
    with pytest.raises(NotWritable) as caught:
        published(tmp_path)

    assert (tmp_path / "film.mp4").read_bytes() == b"mine"
    assert "--overwrite" in caught.value.hint
    assert (tmp_path / "film.mp4.part").read_bytes() == b"new"


def _no_links(*args: object, **kwargs: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_volume_without_hard_links_takes_the_file(tmp_path, monkeypatch):
    """Memory cards know no hard links; the file still gets its name."""
    monkeypatch.setattr(os, "link", _no_links)
    published(tmp_path)

    assert names(tmp_path) == ["film.mp4"]


def test_same_bytes_under_the_final_name_are_the_file(tmp_path):
    """A kill between rename and record, or another run, left the very same file: it counts."""
    (tmp_path / "film.mp4").write_bytes(b"new")
    published(tmp_path)

    assert names(tmp_path) == ["film.mp4"]


def test_overwrite_replaces_the_name_only(tmp_path):
    """--overwrite exchanges what stands under the name; another name of the old file keeps its bytes."""
    other = tmp_path / "other"
    other.write_bytes(b"mine")
    (tmp_path / "film.mp4").hardlink_to(other)
    published(tmp_path, overwrite=True)

    assert (tmp_path / "film.mp4").read_bytes() == b"new"
    assert other.read_bytes() == b"mine"


def test_kill_between_the_two_names_harms_nothing(tmp_path):
    """A kill when the file has both names: the next run frees the part's name and never writes into the file."""
    begun(tmp_path)
    (tmp_path / "film.mp4").hardlink_to(tmp_path / "film.mp4.part")
    part = opened(tmp_path)
    size = part.size
    part.write(b"x" * 10)
    part.discard()
    part.close()

    assert size == 0
    assert (tmp_path / "film.mp4").read_bytes() == HALF
    assert names(tmp_path) == ["film.mp4"]


@pytest.fixture
def outside(tmp_path) -> Path:
    """A file of the person's outside of the chosen folder."""
    path = tmp_path / "outside" / "diary.txt"
    path.parent.mkdir()
    path.write_bytes(b"dear diary")
    return path


@pytest.fixture
def chosen(tmp_path) -> Path:
    """The chosen folder."""
    path = tmp_path / "chosen"
    path.mkdir()
    return path


def test_symlink_planted_as_part_is_not_followed(chosen, outside):
    """A link under the part's name is refused."""
    (chosen / "film.mp4.part").symlink_to(outside)
    with pytest.raises(NotWritable, match="cannot write") as caught:
        opened(chosen)

    assert outside.read_bytes() == b"dear diary"
    assert "link" in caught.value.hint


def test_symlink_planted_as_note_is_not_followed(chosen, outside):
    """A link under the note's name is neither read nor written through."""
    (chosen / "film.mp4.part.json").symlink_to(outside)
    begun(chosen)

    assert outside.read_bytes() == b"dear diary"
    assert not (chosen / "film.mp4.part.json").is_symlink()


@pytest.mark.parametrize("name", ["film.mp4.part", "film.mp4.part.json"])
def test_hard_link_planted_at_a_temp_name_is_not_written_through(chosen, outside, name):
    """A second name of someone's file is removed, the file stays as it is."""
    (chosen / name).hardlink_to(outside)
    begun(chosen)

    assert outside.read_bytes() == b"dear diary"
    assert outside.stat().st_nlink == 1


@pytest.mark.parametrize("overwrite", [False, True])
def test_symlink_planted_at_the_target_is_not_followed(chosen, outside, overwrite):
    """A link under the final name is refused, or replaced by --overwrite; where it leads nothing changes."""
    (chosen / "film.mp4").symlink_to(outside)
    if overwrite:
        published(chosen, overwrite=True)
    else:
        with pytest.raises(NotWritable):
            published(chosen)

    assert outside.read_bytes() == b"dear diary"
    assert (chosen / "film.mp4").is_symlink() is not overwrite


def test_symlink_planted_as_parent_is_not_followed(chosen, outside):
    """A link where a folder of the chosen one should be is refused, and so is a link further up."""
    (chosen / "user").symlink_to(outside.parent)
    for path in (chosen / "user" / "film.mp4", chosen / "user" / "deeper" / "film.mp4"):
        with pytest.raises(NotWritable, match="cannot write"):
            Part.open(path, chosen, "r")

    assert names(outside.parent) == ["diary.txt"]


def test_chosen_folder_itself_may_be_a_link(tmp_path, chosen):
    """The folder that the person names may be a link: that is their word."""
    (tmp_path / "alias").symlink_to(chosen)
    published(tmp_path / "alias")

    assert (chosen / "film.mp4").read_bytes() == b"new"


def test_parent_exchanged_in_mid_transfer_leads_nowhere(chosen, outside):
    """A folder that is exchanged for a link while its file grows: the file stays where it was begun."""
    part = Part.open(chosen / "user" / "film.mp4", chosen, "r")
    part.begin(PROMISE)
    (chosen / "user").rename(chosen / "moved")
    (chosen / "user").symlink_to(outside.parent)
    part.write(b"new")
    part.publish("film.mp4", overwrite=True)
    part.close()

    assert names(outside.parent) == ["diary.txt"]
    assert (chosen / "moved" / "film.mp4").read_bytes() == b"new"


def test_part_exchanged_in_mid_transfer_is_not_published(chosen, outside):
    """If someone puts another file under the part's name, that one never gets the final name."""
    part = opened(chosen)
    part.begin(PROMISE)
    part.write(b"new")
    (chosen / "film.mp4.part").unlink()
    (chosen / "film.mp4.part").symlink_to(outside)
    with pytest.raises(ContentChanged):
        part.publish("film.mp4", overwrite=True)
    part.close()

    assert not (chosen / "film.mp4").exists()
    assert outside.read_bytes() == b"dear diary"


@pytest.mark.parametrize("name", ["../film.mp4", "user/../../film.mp4", "/film.mp4"])
def test_path_that_leads_out_of_the_chosen_folder_is_refused(tmp_path, chosen, name):
    """No path leaves the chosen folder, whoever made it."""
    with pytest.raises(NotWritable, match="outside"):
        Part.open(chosen / name, chosen, "r")

    assert names(tmp_path) == ["chosen"]


@pytest.mark.parametrize("name", ["film.mp4.part", "film.mp4.part.json"])
def test_planted_pipe_does_not_block(chosen, name):
    """A pipe under a temp name ends in an error or is replaced, it is not waited for."""
    os.mkfifo(chosen / name)
    with suppress(NotWritable):
        begun(chosen)

    assert not (chosen / "film.mp4").exists()


@pytest.mark.parametrize(
    ("number", "error", "word"),
    [
        (28, DiskFull, "make room"),
        (122, DiskFull, "make room"),
        (13, NotWritable, "-P"),
        (30, NotWritable, "read-only"),
        (20, NotWritable, "a file stands"),
        (36, NotWritable, "shorten"),
        (40, NotWritable, "link"),
        (27, NotWritable, "size"),
    ],
    ids=["ENOSPC", "EDQUOT", "EACCES", "EROFS", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EFBIG"],
)
def test_what_the_disk_says_has_a_cure(number, error, word):
    """Every common refusal of the system names its cause and its cure."""
    found = disk_error(OSError(number, os.strerror(number)), Path("/x/film.mp4"))

    assert type(found) is error
    assert "/x/film.mp4" in str(found)
    assert word in found.hint


def test_file_where_a_folder_is_needed_is_said(tmp_path):
    """A file in the way of a folder is named with its cure."""
    (tmp_path / "user").write_bytes(b"")
    with pytest.raises(NotWritable) as caught:
        Part.open(tmp_path / "user" / "film.mp4", tmp_path, "r")

    assert "a file stands" in caught.value.hint


def test_name_that_is_too_long_is_said(tmp_path):
    """A name beyond the file system's limit is named with its cure."""
    with pytest.raises(NotWritable) as caught:
        Part.open(tmp_path / ("x" * 252), tmp_path, "r")

    assert "shorten" in caught.value.hint


def test_folder_without_rights_is_said(tmp_path):
    """A folder that others own is named with its cure; as root the test gives up its rights for a moment."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    rights = os.geteuid()
    if rights == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(NotWritable) as caught:
            Part.open(folder / "film.mp4", folder, "r")
    finally:
        os.seteuid(rights)

    assert "right to write" in caught.value.hint


def test_open_folder_is_not_left_behind(tmp_path):
    """A part that cannot be had leaves no descriptor open."""
    before = len(names(Path("/proc/self/fd")))
    with Folder.open(tmp_path, tmp_path), pytest.raises(NotWritable):
        Part.open(tmp_path / ("x" * 252), tmp_path, "r")

    assert len(names(Path("/proc/self/fd"))) == before


def scattered(folder: Path) -> Part:
    """A part with a gap: bytes 0 to 50,000 and 100,000 to 200,000."""
    part = opened(folder)
    part.begin(PROMISE, scattered=True)
    part.put(b"b" * 100_000, 100_000)
    part.put(b"a" * 50_000, 0)
    return part


def killed(part: Part) -> None:
    """What a kill leaves of an open part."""
    os.close(part._fd)
    part.folder.close()


def test_scattered_part_comes_back_with_its_gaps(tmp_path):
    """Bytes out of order are kept; the hash covers them once the gap is closed."""
    scattered(tmp_path).close()
    part = opened(tmp_path)
    found = part.spans.pairs
    part.put(b"a" * 50_000, 50_000)
    part.put(b"c" * 100_000, 200_000)
    part.catch_up()
    part.close()

    assert found == ((0, 50_000), (100_000, 200_000))
    assert part.is_complete
    assert part.sha256 == hashlib.sha256(b"a" * 100_000 + b"b" * 100_000 + b"c" * 100_000).hexdigest()


def test_killed_scattered_part_is_trusted_as_far_as_noted(tmp_path):
    """After a kill only what the last note vouches for counts: a hole looks like bytes."""
    part = scattered(tmp_path)
    part.care()
    part.put(b"c" * 100_000, 200_000)
    killed(part)
    again = opened(tmp_path)
    again.close()

    assert again.spans.pairs == ((0, 50_000), (100_000, 200_000))


def test_scattered_part_without_a_note_of_bytes_is_begun_anew(tmp_path):
    """A kill before the first note leaves nothing that can be trusted."""
    killed(scattered(tmp_path))
    again = opened(tmp_path)

    assert again.size == 0
    again.close()


def test_part_that_is_scattered_later_never_trusts_its_size(tmp_path):
    """A part that grew at its end and goes on in ranges is noted as such before a byte lands behind a gap."""
    begun(tmp_path)
    part = opened(tmp_path)
    part.scatter()
    part.put(b"z" * 1000, 290_000)
    killed(part)
    again = opened(tmp_path)
    again.close()

    assert again.spans.pairs == ((0, len(HALF)),)


def test_power_loss_costs_what_of_a_scattered_part_was_not_flushed(tmp_path):
    """After a restart of the machine only flushed stretches are trusted."""
    part = scattered(tmp_path)
    part.flush()
    part.put(b"c" * 100_000, 200_000)
    part.close()
    change_note(tmp_path, boot="another")
    again = opened(tmp_path)
    again.close()

    assert again.spans.pairs == ((0, 50_000), (100_000, 200_000))


def damaged(part: Part, folder: Path, *, size: int | None = None, **facts: object) -> Part:
    """What an earlier run left, after its note or its bytes were changed."""
    part.close()
    if facts:
        change_note(folder, **facts)
    if size is not None:
        os.truncate(folder / "film.mp4.part", size)
    found = opened(folder)
    found.close()
    return found


@pytest.mark.parametrize(
    ("facts", "size", "spans"),
    [
        ({}, None, ((0, 50_000), (100_000, 200_000))),
        ({}, 120_000, ((0, 50_000), (100_000, 120_000))),
        ({}, 100_000, ((0, 50_000),)),
        ({}, 30_000, ((0, 30_000),)),
        ({"written": ((0, 40_000), (30_000, 50_000))}, None, ((0, 50_000),)),
        ({"written": ((100_000, 200_000), (0, 50_000))}, None, ((0, 50_000), (100_000, 200_000))),
        ({"written": ((0, 999_999),)}, None, ((0, 200_000),)),
        ({"written": ((250_000, 280_000),)}, None, ()),
        ({"length": 150_000}, None, ((0, 50_000), (100_000, 150_000))),
    ],
    ids=["as_left", "cut", "to_the_gap", "to_the_front", "overlap", "order", "too_far", "newer", "shorter"],
)
def test_note_counts_only_as_far_as_there_are_bytes(tmp_path, facts, size, spans):
    """A note that is newer than the data, or says more than there can be, vouches for nothing that is not there."""
    part = damaged(scattered(tmp_path), tmp_path, size=size, **facts)
    path = tmp_path / "film.mp4.part"
    front = path.read_bytes()[: part.spans.front] if path.exists() else b""

    assert part.spans.pairs == spans
    assert part.sha256 == hashlib.sha256(front).hexdigest()


def test_note_torn_between_an_older_and_a_newer_one_vouches_for_nothing(tmp_path):
    """Whatever of a note reached the disk when the power went: it is the old one, the new one or none."""
    part = scattered(tmp_path)
    part.care()
    old = (tmp_path / "film.mp4.part.json").read_bytes()
    part.put(b"c" * 1_234, 51_111)
    part.care()
    new = (tmp_path / "film.mp4.part.json").read_bytes()
    part.close()
    torn = [Note.read(new[:cut] + old[cut:]) for cut in range(len(new))]

    assert Note.read(old) != Note.read(new)
    assert {note.written for note in torn if note} <= {Note.read(old).written, Note.read(new).written}
    assert torn.count(None) > 10
    assert Note.read(new.rstrip()) == Note.read(new)
    assert all(Note.read(new[:cut]) is None for cut in range(len(new.rstrip())))


def test_note_is_written_every_few_megabytes(tmp_path):
    """A scattered part asks for care when so much was put that a kill would hurt."""
    part = opened(tmp_path)
    part.begin(Promise(1 << 24, '"abc"'), scattered=True)
    part.put(bytes(partial.CARE_EVERY - 1), 100)
    before = part.wants_care
    part.put(b"x", 0)
    after = part.wants_care
    part.care()
    cared = part.wants_care
    part.discard()
    part.close()

    assert (before, after, cared) == (False, True, False)


def test_part_that_someone_cut_while_it_was_written_is_not_published(tmp_path):
    """Bytes that vanish under us end in an error of the disk, not in a file with a hole."""
    part = scattered(tmp_path)
    part.put(b"a" * 50_000, 50_000)
    os.truncate(tmp_path / "film.mp4.part", 20_000)

    with pytest.raises(DiskError):
        part.catch_up()
    part.close()


def test_room_for_the_rest_is_asked_for_before_it_comes(tmp_path, monkeypatch):
    """A part that is continued needs room for what is missing, and says so first; it stays for later."""
    begun(tmp_path)
    volume = os.statvfs(tmp_path)
    facts = list(volume)
    facts[3] = facts[4] = (PROMISE.length - len(HALF)) // volume.f_frsize - 1
    monkeypatch.setattr(os, "fstatvfs", lambda fd: os.statvfs_result(facts))
    part = Part.open(tmp_path / "film.mp4", tmp_path, "r")
    with pytest.raises(DiskFull):
        list(part.recover())
    part.close()
    monkeypatch.undo()
    again = opened(tmp_path)
    again.close()

    assert again.size == len(HALF)


def test_full_disk_in_a_range_counts_what_was_written(tmp_path):
    """What of a range did not reach the disk is still missing."""
    part = opened(tmp_path)
    part.begin(PROMISE, scattered=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, resource.RLIM_INFINITY))
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(NotWritable):
            part.put(b"x" * 50_000, 100_000)
    finally:
        signal.signal(signal.SIGXFSZ, before)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    spans = part.spans.pairs
    part.discard()
    part.close()

    assert spans == ((100_000, 120_000),)
