"""Sources: which ones a word names, what an edit of the config file changes, and that it changes nothing else."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dyvine_cli import config, lock
from dyvine_cli.config import Source
from dyvine_cli.errors import Busy, ConfigError, DiskFull, DyvineError, InputError, NotWritable
from dyvine_cli.events import Event, Failed, Warned
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.sync import sources
from dyvine_cli.operations.sync.sources import Addition, Wish, chosen, means_at
from dyvine_cli.simulator.world import World
from tests.operations.conftest import Person, asked_lines

A = "https://www.douyin.com/user/MS4wLjABAAAAaaaaaaaaaaaaaaaa"
B = "https://www.douyin.com/user/MS4wLjABAAAAbbbbbbbbbbbbbbbb"
MIX = "https://www.douyin.com/collection/7300000000012000036"
HANDLE = "https://www.tiktok.com/@mara.in.the.hills"


# -- which ones a word names ---------------------------------------------------------------------------------------

THERE = (
    Source(url=A, name="Anna", tags=("friends", "daily")),
    Source(url=A, name="anna-likes", listing="likes", tags=("friends",)),
    Source(url=MIX, name="stories", tags=("Anna",)),
    Source(url="@mara.in.the.hills", name="daily2", tags=("daily",)),
    Source(url="https://v.douyin.com/iRNBho8/"),
    Source(url="douyin:user:someone", name="ANNA-2", enabled=False),
)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        pytest.param([], [0, 1, 2, 3, 4, 5], id="no word is all"),
        pytest.param(["Anna"], [0], id="name before tag"),
        pytest.param(["ANNA"], [0], id="name in any case before tag"),
        pytest.param(["anna-2"], [5], id="another case"),
        pytest.param(["daily"], [0, 3], id="tag"),
        pytest.param(["DAILY", "stories"], [0, 2, 3], id="order of the settings"),
        pytest.param(["friends", "Anna"], [0, 1], id="each once"),
        pytest.param([A], [0, 1], id="link as it stands"),
        pytest.param([f"{A}?from_tab_name=main"], [0, 1], id="link that means the same"),
        pytest.param([f"{A}?showTab=like"], [1], id="one listing of an account"),
        pytest.param([f"douyin:user:{A.rpartition('/')[2]}"], [0, 1], id="ref"),
        pytest.param([HANDLE], [3], id="link of a handle"),
        pytest.param(["tiktok:user:mara.in.the.hills"], [3], id="ref of a handle"),
        pytest.param(["v.douyin.com/iRNBho8/"], [4], id="short link without scheme"),
        pytest.param(["someone"], [5], id="bare id"),
        pytest.param([f"4.30 看看 {MIX} 复制"], [2], id="share text"),
    ],
)
def test_a_word_names_sources(words: list[str], numbers: list[int]) -> None:
    """Names, tags, links and refs find what they mean, in the order of the settings."""
    assert chosen(THERE, words) == tuple(THERE[number] for number in numbers)


def test_a_link_names_all_sources_that_it_means() -> None:
    """Of several of one account each has a name for itself."""
    twice = (*THERE, Source(url=A, name="best of Anna", match="likes > 1000"))

    assert chosen(twice, [f"{A}?from_tab_name=main"]) == (*twice[:2], twice[-1])
    assert chosen(twice, ["best of anna"]) == twice[-1:]


@pytest.mark.parametrize(
    ("there", "word", "hint"),
    [
        pytest.param(THERE, "anan", "did you mean 'Anna'?", id="misspelt name"),
        pytest.param(THERE, "freinds", "did you mean 'friends'?", id="misspelt tag"),
        pytest.param(THERE, "zzz", "sync list", id="nothing near"),
        pytest.param(THERE, f"{B}?token=5ecre7", "sync list", id="another account"),
        pytest.param((), "anna", "dyvine sync add LINK", id="no sources"),
    ],
)
def test_a_word_that_names_nothing_is_an_error(there: tuple[Source, ...], word: str, hint: str) -> None:
    """With what was probably meant, and without what a link holds of secrets."""
    with pytest.raises(InputError, match="no source is called") as caught:
        chosen(there, ["friends", word] if there else [word])

    assert hint in (caught.value.hint or "")
    assert "5ecre7" not in caught.value.message


def test_bare_handles_belong_to_the_site_of_the_settings() -> None:
    """With `site = "douyin"` a handle is Douyin's, in the settings and in the call."""
    assert chosen(THERE, ["douyin:user:mara.in.the.hills"], means_at("douyin")) == (THERE[3],)


# -- what an edit changes ------------------------------------------------------------------------------------------


@dataclass
class File:
    """A config file with a text."""

    path: Path

    def write(self, text: str) -> Path:
        self.path.write_bytes(text.encode())
        self.path.chmod(0o600)
        return self.path

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()

    def add(self, *entries: dict[str, Any]) -> str:
        with config.editing(self.path) as draft:
            draft.add(entries)
            draft.write()
        return self.text

    def remove(self, *numbers: int) -> str:
        with config.editing(self.path) as draft:
            draft.remove(numbers)
            draft.write()
        return self.text


@pytest.fixture
def file(tmp_path: Path) -> File:
    """A config file's path."""
    return File(tmp_path / "config.toml")


NEW = '[[source]]\nurl = "n"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", NEW, id="empty file"),
        pytest.param("\ufeff", "\ufeff" + NEW, id="only a mark"),
        pytest.param("site = 'tiktok'\n", f"site = 'tiktok'\n\n{NEW}", id="behind settings"),
        pytest.param("site = 'tiktok'", f"site = 'tiktok'\n\n{NEW}", id="no line end"),
        pytest.param("site = 'tiktok'\n\n", f"site = 'tiktok'\n\n{NEW}", id="blank line there"),
        pytest.param("# end\n[sync]\n# jobs = 1\n", f"# end\n[sync]\n# jobs = 1\n\n{NEW}", id="behind comments"),
        pytest.param("[[source]]\nurl='a'\n# own\n\n# of the table\n[sync]\njobs=1\n",
            f"[[source]]\nurl='a'\n# own\n\n{NEW}\n# of the table\n[sync]\njobs=1\n", id="behind the last source"),
        pytest.param("[[source]]\nurl='a'\n# of the table\n[sync]\n",
            f"[[source]]\nurl='a'\n\n{NEW}\n# of the table\n[sync]\n", id="nothing between"),
        pytest.param("[[source]]\r\nurl='a'\r\n", "[[source]]\r\nurl='a'\r\n\r\n[[source]]\r\nurl = \"n\"\r\n", id="CRLF"),
        pytest.param("\ufeff[ [source] ]\n".replace("[ [", "[[ ").replace("] ]", " ]]") + "url='a'\n",
            f"\ufeff[[ source ]]\nurl='a'\n\n{NEW}", id="spaces in the header"),
        pytest.param('[["source"]]\nurl = """\\\na"""', f'[["source"]]\nurl = """\\\na"""\n\n{NEW}', id="quoted header"),
    ],
)  # fmt: skip
def test_new_sources_stand_behind_the_last_one(file: File, before: str, after: str) -> None:
    """Nothing but them is written, in the line ends of the file."""
    file.write(before)

    assert file.add({"url": "n"}) == after


THREE = """# my settings

# about a
[[source]]
url = 'a' # here
# limit = 3

# between

[[source]]
url = 'b'
tags = [
  "x", # [

]

# about c
[[source]]
url = 'c'
# own of c

# a table
[sync]
jobs = 2
"""


@pytest.mark.parametrize(
    ("before", "numbers", "after"),
    [
        pytest.param(THREE, [0], THREE.replace("# about a\n[[source]]\nurl = 'a' # here\n# limit = 3\n\n", ""), id="first"),
        pytest.param(THREE, [1], THREE.replace("[[source]]\nurl = 'b'\ntags = [\n  \"x\", # [\n\n]\n\n", ""), id="middle"),
        pytest.param(THREE, [2], THREE.replace("# about c\n[[source]]\nurl = 'c'\n# own of c\n\n", ""), id="last"),
        pytest.param(THREE, [0, 1, 2], "# my settings\n\n# between\n\n# a table\n[sync]\njobs = 2\n", id="all"),
        pytest.param("[[source]]\nurl='a'\n\n[[source]]\nurl='b'", [1], "[[source]]\nurl='a'\n", id="end of the file"),
        pytest.param("[[source]]\nurl='a'\n\n[[source]]\nurl='b'", [0], "[[source]]\nurl='b'", id="begin of the file"),
        pytest.param("# dyvine\n[[source]]\nurl='a'\n", [0], "# dyvine\n", id="heading of the file"),
        pytest.param("[sync]\n[[source]]\nurl='a'\n\n[limits]\n", [0], "[sync]\n\n[limits]\n", id="the only blank line"),
        pytest.param("[[source]]\nurl='a'\n# of b\n[[source]]\nurl='b'\n", [0], "# of b\n[[source]]\nurl='b'\n", id="next one's"),
        pytest.param("[sync]\r\n\r\n[[source]]\r\nurl='a'\r\n", [0], "[sync]\r\n", id="CRLF"),
    ],
)  # fmt: skip
def test_sources_go_with_their_own_comments(file: File, before: str, numbers: list[int], after: str) -> None:
    """Comments right above, within and right below a table are its own; all others stay."""
    file.write(before)

    assert file.remove(*numbers) == after


@dataclass
class Block:
    """Lines that belong together; `source` says whether they are a source."""

    lines: list[str]
    source: bool = False
    blank: int = 1


SPACES = st.sampled_from(["", " ", "  ", "\t"])
COMMENTS = st.lists(st.sampled_from(["# [[source]]", "#", '# url = "x"', "  # 注释 ]", "# '''"]), max_size=2)
VALUES = st.sampled_from(
    ['tags = ["a","b"]', "tags = [\n  'a', # ]\n\n]", "kind=['video']", 'quality = "1080"', "limit   =   3 # [",
     "since = 2026-01-01", 'output = """{id}\\\n  .{ext}"""', "sound = false", "every = '6h'"]
)  # fmt: skip
OTHERS = st.sampled_from(
    ["[sync]\njobs = 2", "[ limits ]\nparallel=3 # x", "[network]\nallow = [\n '10.0.0.0/8',\n]",
     "[douyin]\nprofile = ['a', 'b']", "[serve]\n# host = ''\nport = 1"]
)  # fmt: skip


@st.composite
def blocks(draw: st.DrawFn) -> list[Block]:
    """A heading, then tables and sources with comments and odd spacing, in any order."""
    found = [
        Block(["# settings", draw(st.sampled_from(["site = 'tiktok'", "limits = { parallel = 2 }", ""]))])
    ]
    taken = {"limits"} if "limits" in found[0].lines[1] else set()
    for number in range(draw(st.integers(0, 5))):
        above, below = draw(COMMENTS), draw(COMMENTS)
        if draw(st.booleans()):
            space = draw(SPACES)
            values = draw(st.lists(VALUES, max_size=3, unique_by=lambda each: each.split("=")[0].strip()))
            lines = [*above, f"{space}[[{space}source{space}]]", f"url{space}= 'u{number}'", *values, *below]
            found.append(Block(lines, source=True))
        else:
            table = draw(OTHERS)
            name = table.split("]")[0].strip("[ ")
            if name not in taken:
                taken.add(name)
                found.append(Block([*above, table]))
        found[-1].blank = draw(st.integers(1, 2))
    return found


def written(found: Sequence[Block], end: str) -> str:
    """The text of a file of these blocks."""
    return "".join("\n".join(each.lines) + "\n" * (1 + each.blank) for each in found).replace("\n", end)


def solid(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line for line in text.splitlines() if line.strip()]


def alike(one: str, other: str) -> int:
    """How many characters two texts have in common from their beginning on."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=blocks(), end=st.sampled_from(["\n", "\r\n"]), mark=st.sampled_from(["", "\ufeff"]), data=st.data()
)
def test_every_other_byte_of_a_file_stays(
    file: File, found: list[Block], end: str, mark: str, data: st.DataObject
) -> None:
    """Whatever a file looks like, an addition is one piece put in, and a removal takes whole blocks out."""
    before = mark + written(found, end)
    file.write(before)
    after = file.add({"url": "new", "tags": ["t"]}, {"url": "newer"})
    same = alike(before, after)
    rest = alike(before[::-1], after[::-1])

    assert same + rest >= len(before)
    assert [each["url"] for each in tomllib.loads(after.removeprefix(mark))["source"]][-2:] == [
        "new",
        "newer",
    ]

    numbers = [number for number, each in enumerate(found) if each.source]
    gone = data.draw(st.sets(st.sampled_from(range(len(numbers))))) if numbers else set()
    file.write(before)
    after = file.remove(*gone)
    kept = [each for number, each in enumerate(found) if number not in {numbers[each] for each in gone}]

    assert solid(after) == solid(mark + written(kept, end))


def test_sources_in_one_list_are_not_edited(file: File) -> None:
    """What is written as a list of inline tables is refused with its line, and stays."""
    file.write("site = 'tiktok'\nsource = [{url = 'a'}]\n")

    with pytest.raises(ConfigError, match=r"config\.toml:2: .* one list"):
        file.add({"url": "n"})
    assert file.text == "site = 'tiktok'\nsource = [{url = 'a'}]\n"


def test_an_entry_that_is_no_source_is_not_written(file: File) -> None:
    """What was put together is read like any file before it is one."""
    file.write("# mine\n")

    with pytest.raises(ConfigError, match="no duration"):
        file.add({"url": "n", "every": "seldom"})
    assert file.text == "# mine\n"


@pytest.mark.skipif(os.name == "nt", reason="modes and links of Unix")
def test_the_mode_stays_and_a_link_is_followed(file: File, tmp_path: Path) -> None:
    """The file behind a link is replaced, not the link, and nothing is left beside it."""
    real = File(tmp_path / "dotfiles" / "dyvine.toml")
    real.path.parent.mkdir()
    real.write("# real\n").chmod(0o640)
    file.path.symlink_to(real.path)
    file.add({"url": "n"})

    assert file.path.is_symlink()
    assert real.text == f"# real\n\n{NEW}"
    assert stat.S_IMODE(real.path.stat().st_mode) == 0o640
    assert [each.name for each in real.path.parent.iterdir()] == ["dyvine.toml"]


def test_a_file_that_another_program_changed_is_not_overwritten(file: File) -> None:
    """What an editor saved meanwhile stays, and the person is told."""
    file.write("# old\n")
    with config.editing(file.path) as draft:
        draft.add([{"url": "n"}])
        file.path.write_text("# new\n")
        with pytest.raises(Busy, match="changed by another program"):
            draft.write()

    assert file.text == "# new\n"
    assert [each.name for each in file.path.parent.iterdir()] == ["config.toml"]


@pytest.mark.skipif(os.name == "nt", reason="Windows holds no lock")
def test_edits_at_the_same_time_lose_nothing(file: File) -> None:
    """Of several dyvines each waits for the one before it, and sees what that one wrote."""
    file.write("# mine\n")
    threads = [threading.Thread(target=file.add, args=({"url": f"u{number}"},)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert {each["url"] for each in tomllib.loads(file.text)["source"]} == {f"u{n}" for n in range(6)}


@pytest.mark.skipif(os.name == "nt", reason="Windows holds no lock")
def test_an_edit_that_never_ends_is_not_waited_for_for_ever(file: File) -> None:
    """After ten seconds the other one is told to be busy."""
    slept: list[float] = []
    with file.write("# mine\n").open("rb") as other:
        assert lock.take(other.fileno())
        with (
            pytest.raises(Busy, match="edited by another dyvine"),
            config.editing(file.path, sleep=slept.append),
        ):
            pass

    assert 9 < sum(slept) < 11


@pytest.mark.parametrize(
    ("number", "error"), [pytest.param(28, DiskFull, id="full"), pytest.param(5, NotWritable, id="broken")]
)
def test_a_disk_that_fails_leaves_the_file(
    file: File, monkeypatch: pytest.MonkeyPatch, number: int, error: type[DyvineError]
) -> None:
    """An edit that cannot be flushed changes nothing and leaves nothing."""

    def fails(descriptor: int) -> None:
        raise OSError(number, "no")

    file.write("# mine\n")
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(error):
        file.add({"url": "n"})

    assert file.text == "# mine\n"
    assert [each.name for each in file.path.parent.iterdir()] == ["config.toml"]


# -- adding --------------------------------------------------------------------------------------------------------


def added(
    person: Person,
    file: File,
    *asked: str | Asked,
    events: list[Event] | None = None,
    flags: dict[str, Any] | None = None,
    **wish: Any,
) -> Addition:
    """Add what is named."""

    async def run() -> Addition:
        heard: list[Event] = [] if events is None else events
        async with person.at_work(heard, **(flags or {})) as workspace:
            things = [each if isinstance(each, Asked) else Asked(each) for each in asked]
            return await sources.add(workspace.client, things, Wish(file=file.path, **wish), heard.append)

    return asyncio.run(run())


def entries(file: File) -> list[dict[str, Any]]:
    """The sources that stand in a file."""
    found: list[dict[str, Any]] = tomllib.loads(file.text).get("source", [])
    return found


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        pytest.param(f"{A}?from_tab_name=main&share_token=abcdef", {"url": A, "name": "douyin-aaaaaaaa"}, id="tracked link"),
        pytest.param(f"{A}?showTab=like", {"url": f"{A}?showTab=like", "name": "douyin-aaaaaaaa-likes", "listing": "likes"}, id="likes"),
        pytest.param("@mara.in.the.hills", {"url": HANDLE, "name": "mara.in.the.hills"}, id="handle"),
        pytest.param(f"看看 {HANDLE}?_t=1 复制", {"url": HANDLE, "name": "mara.in.the.hills"}, id="share text"),
        pytest.param(MIX, {"url": MIX, "name": "mix-12000036"}, id="mix"),
        pytest.param("douyin:mix:7300000000012000036", {"url": MIX, "name": "mix-12000036"}, id="ref"),
        pytest.param("someone", {"url": "douyin:user:someone", "name": "someone"}, id="bare id"),
        pytest.param("https://www.douyin.com/user/self", {"url": "https://www.douyin.com/user/self", "name": "self"}, id="self"),
    ],
)  # fmt: skip
def test_what_is_named_becomes_a_source(person: Person, file: File, text: str, entry: dict[str, Any]) -> None:
    """A link without what says who shared it, and a name to call it by; no site is asked."""
    file.write("")
    done = added(person, file, text)

    assert (done.exit_code, entries(file)) == (0, [entry])
    assert [each.name for each in done.added] == [entry["name"]]
    assert person.platform.requests == []


@pytest.mark.parametrize(
    ("text", "says", "code"),
    [
        pytest.param("douyin:post:7691173170486214656", "is a post; what is kept in sync", 2, id="post"),
        pytest.param("https://www.douyin.com/music/7300000000012000036", "is a sound", 2, id="sound"),
        pytest.param("https://example.com/user/1", "no site that dyvine knows", 2, id="foreign"),
        pytest.param("https://v.douyin.com/iRNBho8/", "leads nowhere", 5, id="dead short link"),
    ],
)
def test_what_cannot_be_kept_in_sync_is_refused(
    person: Person, file: File, text: str, says: str, code: int
) -> None:
    """With the cause, and nothing is written."""
    file.write("# mine\n")
    events: list[Event] = []
    done = added(person, file, text, events=events)
    (failed,) = [each for each in events if isinstance(each, Failed)]

    assert (done.exit_code, file.text) == (code, "# mine\n")
    assert says in failed.error.message
    assert failed.error.hint


def test_short_links_are_followed(person: Person, file: File) -> None:
    """What stands in the file is the account or mix itself; a single post behind one is refused."""
    file.write("")
    world = person.platform.world
    assert world
    user, mix = world.short_link("user", World.OPEN), world.short_link("mix", "7300000000012000036")
    done = added(person, file, user, mix, world.short_link("post", World.VIDEO))

    assert done.exit_code == 3
    assert [each["url"] for each in entries(file)] == [f"https://www.douyin.com/user/{World.OPEN}", MIX]


def test_a_short_link_that_cannot_be_followed_now_is_kept(person: Person, file: File) -> None:
    """Without a network it stays as it is, once, and that is said."""
    file.write("")
    events: list[Event] = []
    link = "https://v.douyin.com/iRNBho8/"
    way = {"connect_to": "*:443:127.0.0.1:1", "retries": 0}
    done = added(person, file, link, f"看看 {link}", events=events, flags=way)

    assert (done.exit_code, entries(file)) == (0, [{"url": link, "name": "douyin-iRNBho8"}])
    assert any("could not be followed now" in each.message for each in events if isinstance(each, Warned))
    assert added(person, file, link, flags=way).known == done.added


def test_doubles_are_added_once(person: Person, file: File) -> None:
    """The same account by another link is known already; its likes are another source."""
    file.write(f"[[source]]\nurl = '{A}'\nname = 'anna'\n")
    done = added(person, file, f"{A}?x=1", HANDLE, "@mara.in.the.hills", f"{A}?showTab=like")

    assert [each.name for each in done.known] == ["anna"]
    assert [each["url"] for each in entries(file)] == [A, HANDLE, f"{A}?showTab=like"]
    assert done.exit_code == 0


def test_what_is_said_is_kept_with_each(person: Person, file: File) -> None:
    """The fields stand in the order of the example, whatever order they were given in."""
    file.write("")
    added(person, file, A, B, said={"limit": 5, "tags": ["x"], "kind": ["video"], "listing": "likes"})

    assert [list(each) for each in entries(file)] == [["url", "name", "listing", "tags", "kind", "limit"]] * 2
    assert [each["listing"] for each in entries(file)] == ["likes", "likes"]


def test_names_are_nobody_elses(person: Person, file: File) -> None:
    """A generated name avoids names and tags; a given one must be free and for one source."""
    file.write("[[source]]\nurl = 'x'\nname = 'DOUYIN-aaaaaaaa'\ntags = ['mara.in.the.hills']\n")
    added(person, file, A, HANDLE)

    assert [each["name"] for each in entries(file)][1:] == ["douyin-aaaaaaaa-2", "mara.in.the.hills-2"]
    with pytest.raises(InputError, match="is called Douyin-AAAAAAAA already"):
        added(person, file, B, name="Douyin-AAAAAAAA")
    with pytest.raises(InputError, match="one name is given for 2 sources"):
        added(person, file, B, MIX, name="both")


def test_bad_lines_of_a_batch_do_not_keep_the_others_away(person: Person, file: File) -> None:
    """Each is told with its number, the rest is added in one edit, status 3."""
    file.write("")
    events: list[Event] = []
    done = added(person, file, *asked_lines([A, "https://example.com/x", "douyin:post:1", B]), events=events)

    assert done.exit_code == 3
    assert [each["url"] for each in entries(file)] == [A, B]
    assert [(each.text or "")[:7] for each in events if isinstance(each, Failed)] == ["line 2:", "line 3:"]


@pytest.mark.slow
def test_two_thousand_links_are_one_edit_of_seconds(person: Person, file: File) -> None:
    """A batch of thousands is added, found to be there, and taken out again in seconds."""
    file.write(config.example())
    lines = asked_lines([f"https://www.douyin.com/user/MS4wLjABAAAA{number:020}x" for number in range(2000)])
    began = time.process_time()
    first, again = added(person, file, *lines, said={"tags": ["all"]}), added(person, file, *lines)
    gone = sources.remove(file.path, ["all"])

    assert (len(first.added), len(again.known), len(again.added), len(gone)) == (2000, 2000, 0, 2000)
    assert file.text == config.example()
    assert time.process_time() - began < 10


# -- taking out ----------------------------------------------------------------------------------------------------


def test_sources_are_taken_out_by_word(file: File) -> None:
    """All of a tag go, and a word that names nothing takes nothing out."""
    text = "".join(f"[[source]]\nurl = 'u{n}'\nname = 'n{n}'\ntags = ['t{n % 2}']\n\n" for n in range(4))
    file.write(text)
    gone = sources.remove(file.path, ["t1"])

    assert [each.name for each in gone] == ["n1", "n3"]
    assert [each["name"] for each in entries(file)] == ["n0", "n2"]
    with pytest.raises(InputError):
        sources.remove(file.path, ["n0", "t3"])
    assert [each["name"] for each in entries(file)] == ["n0", "n2"]
