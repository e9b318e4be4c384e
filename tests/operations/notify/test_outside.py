"""Who is told of a run, when, in which words; over real sockets and with the real library."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import (
    ArchiveError,
    DiskFull,
    DyvineError,
    ListingIncomplete,
    LoginExpired,
    MissingExtra,
    NetworkError,
    Private,
    RiskControl,
)
from dyvine_cli.events import (
    Cut,
    Event,
    Failed,
    Finished,
    Report,
    Saved,
    SourceBegun,
    Summarized,
    SyncedSource,
)
from dyvine_cli.identity import Profile
from dyvine_cli.models import Author, Post, Ref
from dyvine_cli.operations.notify import messages
from dyvine_cli.operations.notify.messages import Messages
from dyvine_cli.operations.notify.notices import LINES, LONGEST, Due, Gathered, notice
from dyvine_cli.operations.notify.outside import Outside, Wanted
from dyvine_cli.operations.notify.told import MOST, Counts, Sheet, Told
from dyvine_cli.operations.notify.webhook import NotTaken, Way, Webhook

from ...receiver import Receiver, receiving

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC).astimezone().replace(hour=12)
"""A moment at noon, local time."""
ANNA = Author(id="MS4wLjABAAAAanna", uid="1", handle="anna", nickname="Anna")
LISTING = Ref("douyin", "user", ANNA.id)


def post(number: int, title: str = "a title", author: Author = ANNA) -> Post:
    """An invented post."""
    ref = Ref("douyin", "post", str(7_000_000_000_000_000_000 + number))
    return Post(ref=ref, kind="video", url=f"https://www.douyin.com/video/{ref.id}", title=title, author=author,
                created=datetime(2026, 9, 1, tzinfo=UTC))  # fmt: skip


def saved(number: int, title: str = "a title", author: Author = ANNA) -> list[Event]:
    """What is heard of a post that was saved."""
    each = post(number, title, author)
    file = Saved(
        ref=each.ref, asset="video", path=Path(f"/v/{number}.mp4"), size=1000, sha256="0" * 64, post=each
    )
    return [file, Finished(ref=each.ref, state="saved")]


def failed(number: int, error: DyvineError | None = None) -> Failed:
    """What is heard of a post that failed."""
    return Failed(
        ref=post(number).ref, error=error or Private("its author shows it to nobody"), source=LISTING
    )


def summed(code: int, **more: Any) -> Summarized:
    """The last event."""
    return Summarized(**{"files": 0, "size": 0, "posts": 0, "known": 0, "failed": 0, "seconds": 1.0, "exit_code": code, **more})  # fmt: skip


def login(left: timedelta) -> Profile:
    """A login that ends after so long."""
    jar = Cookie("sessionid", "planted-session", ".douyin.com", expires=NOON + left)
    return Profile(site="douyin", name="main", cookies=(jar,), session=True)


class Run:
    """Runs that are told; all with one state folder."""

    def __init__(self, state: Path, receiver: Receiver, *on: str) -> None:
        self.state = state
        self.receiver = receiver
        self.on = frozenset(on)
        self.now = NOON
        self.digest_at = "08:00"
        self.secrets: Sequence[str] = ()
        self.warnings: list[str] = []

    async def __call__(
        self, code: int, *events: Event, error: DyvineError | None = None, logins: Sequence[Profile] = ()
    ) -> list[Any]:
        """One run with these events; what the receiver got of it."""

        async def work(report: Report) -> int:
            for event in events:
                report(event)
            if error is not None:
                raise error
            return code

        wanted = Wanted(
            state=self.state,
            on=self.on,
            digest_at=self.digest_at,
            webhook=Webhook(url=self.receiver.url, secret="a key", sleep=_no_sleep),
        )
        before, self.warnings = len(self.receiver.got), []
        outside = Outside(wanted=wanted, secrets=self.secrets, now=lambda: self.now)
        with nullcontext() if error is None else pytest.raises(type(error)):
            ended = await outside.around(work, lambda event: None, logins=logins, warnings=self.warnings)
            assert ended == code
        return [each.json for each in self.receiver.got[before:]]


async def _no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


# --- occasions ----------------------------------------------------------------------------------------------------

ENDED = [(code, True) for code in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)]
ENDED += [(code, False) for code in (0, 13, 14, 15, 130, 141, 143)]


async def test_a_failure_is_told_when_its_status_needs_a_person(tmp_path: Path) -> None:
    """Done, nothing new, off air, busy and stopped are no failures."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "failure")
        got = [await run(code, failed(1), summed(code, failed=1)) for code, _ in ENDED]

    assert [bool(each) for each in got] == [told for _, told in ENDED]
    assert [each[0]["exit_code"] for each in got if each] == [code for code, told in ENDED if told]


async def test_one_message_for_a_run_whatever_failed(tmp_path: Path) -> None:
    """Three hundred failures and new posts are one message, bounded in lines and bytes, with the rest counted."""
    events = [SourceBegun(ref=LISTING, title="Anna"), *(failed(each) for each in range(300))]
    events += [event for each in range(300, 340) for event in saved(each, "很长的标题" * 30)]
    async with receiving() as receiver:
        got = await Run(tmp_path, receiver, "failure", "new")(3, *events, summed(3, failed=300, posts=40))
    text = got[0]["text"]

    assert len(got) == 1
    assert len(text.encode()) <= LONGEST
    assert text.count("(Private)") == LINES == len(got[0]["failures"])
    assert f"… and {300 - LINES} more" in text
    assert "Anna: douyin:post:7000000000000000000: its author shows it to nobody (Private)" in text
    assert "40 new posts:\nAnna (40): " in text


async def test_the_same_failure_is_told_again_after_a_day(tmp_path: Path) -> None:
    """An unchanged one is not; another one is, and so is one that nobody got."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "failure")
        counts = []
        for hours, which in ((0, 1), (1, 1), (2, 2), (3, 1), (23, 1), (25, 1)):
            run.now = NOON + timedelta(hours=hours)
            counts.append(len(await run(3, failed(which), summed(3))))
        receiver.answers = ["403 no"]
        lost = await run(3, failed(3), summed(3))
        again = await run(3, failed(3), summed(3))

    assert counts == [1, 0, 1, 0, 0, 1]
    assert len(lost) == len(again) == 1


async def test_numbers_that_change_do_not_make_a_failure_another_one(tmp_path: Path) -> None:
    """Neither the order, nor counts, nor the time of a next try."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "failure")
        refused = [RiskControl(f"the next try makes sense after 14:{each:02}") for each in (5, 9)]
        first = await run(6, failed(1), Failed(ref=None, error=refused[0], text="12 more of douyin"))
        second = await run(6, Failed(ref=None, error=refused[1], text="9 more of douyin"), failed(1))

    assert (len(first), len(second)) == (1, 0)


async def test_an_error_that_ends_the_run_is_told_and_raised(tmp_path: Path) -> None:
    """Without a summary, too; a run that ended so has its status and cause in the event."""
    error = ArchiveError("/srv/state/archive.sqlite3 is damaged", hint="move it away")
    async with receiving() as receiver:
        got = await Run(tmp_path, receiver, "failure")(12, error=error)

    assert (got[0]["exit_code"], got[0]["failed"]) == (12, 1)
    assert "/srv/state/archive.sqlite3 is damaged (ArchiveError)\n\nhint: move it away" in got[0]["text"]


async def test_sources_of_sync_are_told_in_their_own_lines(tmp_path: Path) -> None:
    """A source in trouble has one line with its causes; what came from its listing follows."""
    sources = (
        SyncedSource(ref=LISTING, name="Anna", state="complete", new=3, failed=1, reasons={"Private": 1}),
        SyncedSource(ref=LISTING, name="Bob", state="failed", error="no such account"),
        SyncedSource(ref=LISTING, name="Cleo", state="complete", new=1),
    )
    own = Failed(ref=LISTING, error=NetworkError("no such account"), text="Bob")
    async with receiving() as receiver:
        got = await Run(tmp_path, receiver, "failure")(
            3, own, failed(1), summed(3, failed=2, sources=sources)
        )
    lines = got[0]["text"].split("\n\n")[1].split("\n")

    assert lines[:2] == ["Anna: complete, 1 failed (1 Private)", "Bob: failed: no such account"]
    assert len(lines) == 3
    assert [each["name"] for each in got[0]["sources"]] == ["Anna", "Bob", "Cleo"]


async def test_new_posts_are_told_by_account(tmp_path: Path) -> None:
    """Most first, some titles each; what was there already, failed or filtered is not new."""
    bob = Author(id="MS4wLjABAAAAbob", uid="2", handle="bob", nickname="Bob")
    events = [*saved(1, "one"), *saved(2, "two", bob), *saved(3, "three", bob)]
    events += [
        Finished(ref=post(4).ref, state="known"),
        saved(5)[0],
        Finished(ref=post(5).ref, state="failed"),
    ]
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "new")
        got = await run(0, *events, summed(0))
        none = await run(0, Finished(ref=post(4).ref, state="known"), summed(0))

    assert none == []
    assert got[0]["text"] == "3 new posts:\nBob (2): two; three\nAnna (1): one"
    assert [(each["nickname"], each["count"]) for each in got[0]["new"]] == [("Bob", 2), ("Anna", 1)]


async def test_a_login_that_ends_or_is_dead_is_told_once_a_day(tmp_path: Path) -> None:
    """The sentence of the reminder with its cure; no value of it."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "login")
        far = await run(0, summed(0), logins=[login(timedelta(days=6))])
        near = [await run(0, summed(0), logins=[login(timedelta(days=3))]) for _ in range(2)]
        dead = [
            await run(4, Failed(ref=LISTING, error=LoginExpired("the login is no longer accepted")))
            for _ in range(2)
        ]
        run.now += timedelta(days=1)
        tomorrow = await run(0, summed(0), logins=[login(timedelta(days=3))])

    assert (far, near[1], dead[1]) == ([], [], [])
    assert "ends in 3 days" in near[0][0]["logins"][0]
    assert "dyvine login add" in near[0][0]["text"]
    assert dead[0][0]["text"] == "the login is no longer accepted (LoginExpired)"
    assert len(tomorrow) == 1
    assert b"planted" not in b"".join(each.body for each in receiver.got)


async def test_a_dead_login_that_is_told_as_failure_is_not_told_twice(tmp_path: Path) -> None:
    """One message with one line on it."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "failure", "login")
        got = await run(4, Failed(ref=LISTING, error=LoginExpired("the login is no longer accepted")))

    assert got[0]["text"].count("no longer accepted") == 1
    assert got[0]["on"] == ["failure"]


async def test_the_digest_comes_once_a_day_with_everything_since(tmp_path: Path) -> None:
    """By the first run after its time; earlier runs of the day are counted, nothing is lost between."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "digest")
        run.now = NOON.replace(hour=7)
        early = await run(0, *saved(1), summed(0, files=1, size=1000))
        run.now = NOON.replace(hour=9)
        first = await run(
            3, *saved(2), failed(3), summed(3, files=1, size=1000, failed=1, reasons={"Private": 1})
        )
        later = await run(0, *saved(4), summed(0, files=1, size=1000))
        run.now += timedelta(days=1)
        second = await run(0, summed(0))

    assert (early, later) == ([], [])
    assert (first[0]["event"], first[0]["runs"], first[0]["posts"], first[0]["failed"]) == ("digest", 2, 2, 1)
    assert "2 runs, 2 new posts, 2 files (2 kB), 1 failed (1 Private)" in first[0]["text"]
    assert (second[0]["runs"], second[0]["posts"]) == (2, 1)


async def test_a_digest_that_nobody_got_is_sent_by_the_next_run(tmp_path: Path) -> None:
    """With what it would have said."""
    async with receiving("404 no") as receiver:
        run = Run(tmp_path, receiver, "digest")
        await run(0, *saved(1), summed(0, files=1))
        warned = run.warnings
        got = await run(0, *saved(2), summed(0, files=1))

    assert warned == ["the webhook was not told: it answered with status 404"]
    assert (got[0]["runs"], got[0]["posts"]) == (2, 2)


async def test_a_run_that_is_stopped_tells_nobody(tmp_path: Path) -> None:
    """But the next digest counts what it saved."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "failure", "new", "digest")
        begun = asyncio.Event()

        async def work(report: Report) -> int:
            for event in saved(1):
                report(event)
            begun.set()
            await asyncio.sleep(60)
            return 0

        outside = Outside(wanted=Wanted(state=tmp_path, on=run.on, webhook=Webhook(url=receiver.url)))
        task = asyncio.ensure_future(outside.around(work, lambda event: None, warnings=[]))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        told = len(receiver.got)
        got = await run(0, summed(0))

    assert told == 0
    assert (got[0]["runs"], got[0]["posts"]) == (2, 1)


# --- words --------------------------------------------------------------------------------------------------------

SECRETS = {
    "learned": ("planted-short", "cannot reach planted-short today"),
    "token": ("eyJhbGciOiJIUzI1NiJ9x1", "the answer was eyJhbGciOiJIUzI1NiJ9x1"),
    "signed address": ("a1b2c3d4e5f6a7b8", "no file at https://v3.douyinvod.com/v/?sign=a1b2c3d4e5f6a7b8&x-expires=1"),
    "named": ("planted-sid", "sessionid=planted-sid is refused"),
    "proxy": ("planted-password", "socks5://me:planted-password@proxy:1 refused"),
}  # fmt: skip


@pytest.mark.parametrize(("secret", "text"), SECRETS.values(), ids=list(SECRETS))
async def test_a_secret_in_an_error_is_not_sent(secret: str, text: str, tmp_path: Path) -> None:
    """Neither in the message nor in the event, wherever it stands."""
    errors = [kind(text, hint=text) for kind in (NetworkError, DiskFull)]
    events: list[Event] = [SourceBegun(ref=LISTING, title="Anna")]
    events += [Failed(ref=None, error=each, text=text, source=LISTING) for each in errors]
    events += [
        Cut(ref=LISTING, error=ListingIncomplete(text, cursor=None), listed=1, declared=2, resumable=True)
    ]
    if secret.startswith("eyJ"):  # a token in a disk's error would be the name of a file
        del events[2]
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "failure")
        run.secrets = ["planted-short"]
        await run(3, *events, summed(3))
    (got,) = receiver.got

    assert secret.encode() not in got.body
    assert b"(NetworkError)" in got.body


HOSTILE = {
    "lines": ("one\r\ntwo\n\nhint: run this", "one two hint: run this"),
    "escape": ("\x1b]0;title\x07\x1b[31mred", "]0;title [31mred"),
    "direction": ("\u202egnp.exe\u2066", "gnp.exe"),
    "everyone": ("@everyone look", "@\u2060everyone look"),
    "all of a group": ('<at user_id="all">x</at>', '<\u2060at user_id="all">x<\u2060/at>'),
    "html": ("<b>x</b><script>", "<\u2060b>x<\u2060/b><\u2060script>"),
    "half": ("a\ud800b", "ab"),
}


@pytest.mark.parametrize(("name", "shown"), HOSTILE.values(), ids=list(HOSTILE))
def test_the_name_of_an_account_is_data(name: str, shown: str) -> None:
    """One line without control characters, calling nobody; markup stays text, to be escaped by whoever sends it."""
    gathered = Gathered()
    for event in saved(1, name, Author(id="x", uid="1", handle="h", nickname=name)):
        gathered.take(event)
    text = notice(gathered, 0, Due(new=True)).text

    assert text.startswith(f"1 new post:\n{shown} (1): ")
    assert text.count("\n") == 1


def test_the_words_of_an_error_call_nobody() -> None:
    """A platform's sentence and a title in the name of a file come from strangers, too; an address can be copied."""
    gathered = Gathered()
    gathered.take(failed(1, Private("no <!channel>", hint="see https://www.tiktok.com/@all.is.well")))
    gathered.take(failed(2, DiskFull("/v/@Everyone look.mp4: no space left")))
    text = notice(gathered, 3, Due(failure=True)).text

    assert "no <\u2060!channel> (Private)" in text
    assert "/v/@\u2060Everyone look.mp4" in text


async def test_a_clock_that_was_wrong_does_not_silence_the_digest(tmp_path: Path) -> None:
    """Nor does what is no day: both are as if there had been none."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "digest")
        run.now = NOON + timedelta(days=9_000)
        await run(0, summed(0))
        run.now = NOON
        after = await run(0, summed(0))
        again = await run(0, summed(0))
        (tmp_path / "notify.json").write_text(
            (tmp_path / "notify.json").read_text().replace('"digest": "', '"digest": "zz')
        )
        odd = await run(0, summed(0))

    assert [len(each) for each in (after, again, odd)] == [1, 0, 1]


def test_memory_does_not_grow_with_the_run() -> None:
    """A listener of thousands of posts and failures keeps a bounded number of words."""
    gathered = Gathered()
    for number in range(2_000):
        author = Author(id=str(number), uid="1", handle="h", nickname="n")
        for event in (*saved(number, author=author), failed(number + 50_000)):
            gathered.take(event)

    assert (gathered.new, len(gathered.failures), gathered.unnamed) == (2_000, LINES, 2_000 - LINES)
    assert len(gathered.accounts) == 1_000


# --- the webhook --------------------------------------------------------------------------------------------------


def readme_check() -> Callable[[str, str, bytes], bool]:
    """The function that the README gives to receivers."""
    text = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    return names["is_ours"]  # type: ignore[no-any-return]


async def test_the_signature_is_what_the_readme_checks() -> None:
    """The bytes as they came and the key are ours; other bytes, another key, an old one are not."""
    async with receiving() as receiver:
        await Webhook(url=receiver.url, secret="a key").post(
            {"event": "summary", "text": "好\u2028"}, version="1"
        )
        await Webhook(url=receiver.url, secret="a key", clock=lambda: time.time() - 3600).post(
            {"event": "x"}, version="1"
        )
    new, old = receiver.got
    signature = new.headers["x-dyvine-signature"]
    is_ours = readme_check()

    assert is_ours("a key", signature, new.body)
    assert not is_ours("another", signature, new.body)
    assert not is_ours("a key", signature, new.body + b" ")
    assert not is_ours("a key", old.headers["x-dyvine-signature"], old.body)
    assert new.headers["content-type"] == "application/json"
    assert new.headers["x-dyvine-event"] == "summary"


TRIES = {
    "taken": (["204 ok"], 1, None),
    "busy once": (["503 busy"], 2, None),
    "busy twice": (["429 wait", "500 no"], 3, None),
    "always busy": (["502 no"] * 3, 3, "it answered with status 502"),
    "refused": (["403 no"], 1, "it answered with status 403"),
    "redirect": (["302 on\r\nLocation: http://127.0.0.1:9/secret"], 1, "a redirect (status 302), which is not followed"),
}  # fmt: skip


@pytest.mark.parametrize(("answers", "tries", "complaint"), TRIES.values(), ids=list(TRIES))
async def test_what_can_help_is_tried_again(answers: list[str], tries: int, complaint: str | None) -> None:
    """At most three times, with one number for the delivery; a redirect is not followed."""
    async with receiving(*answers) as receiver:
        try:
            await Webhook(url=receiver.url, sleep=_no_sleep).post({"event": "x"}, version="1")
            told = None
        except NotTaken as error:
            told = error.message

    assert len(receiver.got) == tries
    assert len({each.headers["x-dyvine-delivery"] for each in receiver.got}) == 1
    assert (told is None) == (complaint is None)
    assert complaint is None or complaint in str(told)
    assert "x-dyvine-signature" not in receiver.got[0].headers


async def test_waits_are_those_of_the_server_within_bounds() -> None:
    """`Retry-After` up to ten seconds."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with receiving("429 x\r\nRetry-After: 2", "503 x\r\nRetry-After: 86400") as receiver:
        await Webhook(url=receiver.url, sleep=sleep).post({"event": "x"}, version="1")

    assert slept == [2.0, 10.0]


HIDDEN = {
    "nobody there": "http://planted.example:9/planted?key=planted",
    "a login": "http://planted:planted@127.0.0.1:{port}/planted",
    "no host": "http://planted..example/planted",
}


@pytest.mark.parametrize("url", HIDDEN.values(), ids=list(HIDDEN))
async def test_no_error_tells_the_address_of_a_webhook(url: str) -> None:
    """Neither host nor path nor login: for some services the host is the secret."""
    async with receiving("403 no") as receiver:
        way = Way(connect_to="planted.example:9:127.0.0.1:9")
        with pytest.raises(NotTaken) as raised:
            await Webhook(url=url.format(port=receiver.port), way=way, sleep=_no_sleep).post(
                {"event": "x"}, version="1"
            )

    assert "planted" not in f"{raised.value} {raised.value.__cause__}"
    if receiver.got:
        assert receiver.got[0].headers["authorization"] == "Basic cGxhbnRlZDpwbGFudGVk"
        assert "planted@" not in receiver.got[0].headers["host"]


async def test_a_webhook_in_the_own_network_is_not_asked_of_a_proxy() -> None:
    """A private address is the person's own word, and a proxy elsewhere could not reach it."""
    async with receiving() as receiver:
        way = Way(proxy="http://127.0.0.1:9")
        await Webhook(url=receiver.url, way=way).post({"event": "x"}, version="1")

    assert len(receiver.got) == 1


async def test_what_is_posted_is_of_the_schema(tmp_path: Path) -> None:
    """Both events; the one of a run is the `summary` of --json besides."""
    async with receiving() as receiver:
        run = Run(tmp_path, receiver, "failure", "new", "login", "digest")
        near = [login(timedelta(days=3))]
        got = await run(3, *saved(1), failed(2), summed(3, files=1, failed=1), logins=near)
    schemas = {name: json.loads(resources.files("dyvine_cli").joinpath("schemas", f"{name}.schema.json").read_text())
               for name in ("notice", "event")}  # fmt: skip

    assert sorted(each["event"] for each in got) == ["digest", "summary"]
    for each in got:
        Draft202012Validator(schemas["notice"]).validate(each)
    (summary,) = (each for each in got if each["event"] == "summary")
    Draft202012Validator(schemas["event"]).validate(summary)
    for each in summary["failures"]:
        Draft202012Validator(schemas["event"]).validate(each)


# --- messages through apprise -------------------------------------------------------------------------------------


async def test_the_library_sends_plain_text_and_failures_name_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes it, one that refuses, one nobody knows, one where nobody is: each told by its number.

    What lies in the working folder under the name of the library is not run.
    """
    for name in ("apprise.py", "json.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    async with receiving("200 OK", "401 no") as receiver:
        first = f"json://127.0.0.1:{receiver.port}/planted"
        done = await Messages(addresses=(first,)).send("title", "<b>a</b> *b*\nsecond")
        others = (
            f"json://127.0.0.1:{receiver.port}/planted",
            "planted://nobody",
            "json://127.0.0.1:9/planted",
        )
        reached, complaints = await Messages(addresses=others).send("title", "text")
    told = "\n".join(complaints)

    assert done == (1, ())
    assert receiver.got[0].json["message"] == "<b>a</b> *b*\nsecond"
    assert receiver.got[0].json["title"] == "title"
    assert reached == 0
    assert "JSON, number 1 of [notify] urls, did not take it" in told
    assert "number 2 of [notify] urls is no address that apprise knows" in told
    assert "number 3 of [notify] urls, did not take it" in told
    assert "planted" not in told
    assert not (tmp_path / "ran").exists()


async def test_a_silent_service_does_not_hold_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time it is left, and a run that is stopped leaves it at once; no process stays.

    The time is less than the library takes to load, which is not held against the service.
    """
    monkeypatch.setattr(messages, "PATIENCE", 0.1)
    async with receiving("", "") as receiver:
        address = f"json://127.0.0.1:{receiver.port}/?rto=60"
        reached, complaints = await Messages(addresses=(address,)).send("title", "text")
        task = asyncio.ensure_future(Messages(addresses=(address,)).send("title", "text"))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert (reached, complaints) == (
        0,
        ("no message was sent: JSON, number 1 of [notify] urls, did not answer in time",),
    )
    assert time.monotonic() - began < 2


def test_the_extra_is_missed_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pip line is in the hint, and nothing is imported to find out."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as raised:
        Messages(addresses=("ntfy://planted",)).check()

    assert raised.value.hint == "pip install 'dyvine-cli[notify]'"
    assert "planted" not in repr(Messages(addresses=("ntfy://planted",)))


PROXIES = {
    "of the environment": (None, {"https_proxy": "http://env:1", "NO_PROXY": "a"}),
    "of the settings": ("http://own:2", {"https_proxy": "http://own:2", "all_proxy": "http://own:2"}),
    "none": ("", {"no_proxy": "*"}),
}


@pytest.mark.parametrize(("proxy", "found"), PROXIES.values(), ids=list(PROXIES))
def test_services_are_reached_by_the_proxy_of_the_settings(
    proxy: str | None, found: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library reads variables; ours take the place of the environment's."""
    monkeypatch.setattr(os, "environ", {"https_proxy": "http://env:1", "NO_PROXY": "a"})
    env = Messages(addresses=(), proxy=proxy)._environment()

    assert found.items() <= env.items()
    assert proxy is None or "NO_PROXY" not in env


# --- what is remembered -------------------------------------------------------------------------------------------


def _claim(state: Path, count: int) -> int:
    """Claim the same failures as another process, and count a run each time; how many were ours."""
    ours = 0
    for number in range(count):
        with Told(state).open() as sheet:
            ours += sheet.claim_failure(str(number), NOON)
            sheet.counts.add(Counts(runs=1))
    return ours


def test_processes_share_what_was_told(tmp_path: Path) -> None:
    """Each failure is one process's to tell, and no run is counted twice or lost."""
    with ThreadPoolExecutor(4) as pool:  # the lock is one on open files, so threads are as apart as processes
        ours = list(pool.map(_claim, [tmp_path] * 4, [20] * 4))
    with Told(tmp_path).open() as sheet:
        runs = sheet.counts.runs

    assert sum(ours) == 20
    assert runs == 80
    assert os.name == "nt" or {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}
    assert not list(tmp_path.glob("*.new"))


def test_what_is_remembered_is_bounded() -> None:
    """Failures, accounts, names; the oldest failures go first, and one from the future does not silence for ever."""
    sheet = Sheet(failures={"future": NOON.timestamp() + 10**6})
    for number in range(MOST + 50):
        sheet.claim_failure(str(number), NOON + timedelta(seconds=number))
    for number in range(200):
        sheet.counts.add_posts(str(number), "n" * 5000, 1)

    assert len(sheet.failures) == MOST
    assert "0" not in sheet.failures
    assert "future" not in sheet.failures
    assert (len(sheet.counts.accounts), sheet.counts.others) == (50, 150)
    assert max(len(name) for name, _ in sheet.counts.accounts.values()) == 200


DAMAGE = [
    b"",
    b"[1]",
    b"\xff",
    b"{" * 70_000,
    b'{"failures": {"a": "b"}}',
    b'{"failures": {"a": 1e999}, "logins": {}}',
    *(
        json.dumps(
            {"failures": {}, "logins": {}, "digest": digest, "counts": asdict(Counts(since=since))}
        ).encode()
        for digest, since in (("", -1e15), ("", 1e15), ("\ud800", 0))
    ),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_memory_begins_anew(damage: bytes, tmp_path: Path) -> None:
    """What it held is told again, and then not."""
    (tmp_path / "notify.json").write_bytes(damage)

    assert (_claim(tmp_path, 1), _claim(tmp_path, 1)) == (1, 0)


async def test_without_a_state_folder_a_failure_is_told_each_time(tmp_path: Path) -> None:
    """Rather too often than never; a digest is left out, because it would come with every run."""
    (tmp_path / "state").write_text("a file")
    async with receiving() as receiver:
        run = Run(tmp_path / "state", receiver, "failure", "digest")
        got = [await run(3, failed(1), summed(3)) for _ in range(2)]

    assert [[each["event"] for each in one] for one in got] == [["summary"], ["summary"]]
