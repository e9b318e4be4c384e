"""Objects and events as JSON, held to the published schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dyvine_cli.encode import encode, encode_event, moment, stamp
from dyvine_cli.errors import LoginNeeded, NotFound
from dyvine_cli.events import (
    Advanced,
    Balance,
    Cut,
    Event,
    Failed,
    Finished,
    Listed,
    Saved,
    Skipped,
    SourceBegun,
    Started,
    Summarized,
    Waiting,
    Warned,
)
from dyvine_cli.models import (
    Asset,
    Author,
    Mention,
    Mix,
    Post,
    Ref,
    Rendition,
    Sound,
    Statistics,
    Tag,
    User,
)

TIME = datetime(2026, 1, 31, 8, 0, 0, 123456, tzinfo=UTC)
ANNA = Author(id="MS4wAnna", uid="9007199254740993", handle="anna", nickname="Анна")
REF = Ref("douyin", "post", "9007199254740993")
USER = Ref("douyin", "user", "MS4wAnna", "likes")
SIGNED = "https://v3-web.douyinvod.com/secret/video.mp4?sign=token"
RENDITION = Rendition(
    mirrors=(SIGNED,),
    ext="mp4",
    width=1080,
    height=1920,
    fps=30.0,
    codec="h264",
    size=5,
    size_is_exact=True,
    md5="0" * 32,
    headers={"Referer": "https://www.douyin.com/"},
    mirror_headers={SIGNED: {}},
    expires=TIME,
)
MIX = Mix(
    ref=Ref("douyin", "mix", "7"),
    title="M",
    author=ANNA,
    declared=3,
    created=TIME,
    updated=TIME,
    cover=RENDITION,
)
SOUND = Sound(
    ref=Ref("douyin", "sound", "8"), title="S", author="A", duration=3.5, original=True, rendition=RENDITION
)
POST = Post(
    ref=REF,
    kind="video",
    url="https://www.douyin.com/video/9007199254740993",
    author=ANNA,
    created=TIME,
    title="T",
    text="river\u2028\n\u001b[31m",
    duration=12.345,
    assets=(
        Asset(id="video", kind="video", renditions=(RENDITION,)),
        Asset(id="subtitle.zh", kind="subtitle", language="zh"),
        Asset(id="text", kind="text", text="# T\n"),
    ),
    statistics=Statistics(likes=1),
    tags=(Tag(name="t", id="1"), Tag(name="u")),
    mentions=(Mention(user_id="MS4wB", name="B"),),
    co_authors=(ANNA,),
    sound=SOUND,
    mix=MIX,
    episode=2,
    region="CN",
    raw={"token": "secret"},
)
PERSON = User(
    ref=Ref("douyin", "user", "MS4wAnna"),
    url="https://www.douyin.com/user/MS4wAnna",
    uid="1",
    handle="anna",
    nickname="Anna",
    declared=63,
    likes_are_public=True,
    live_room=Ref("douyin", "room", "600"),
    avatar=RENDITION,
)
BALANCE = Balance(
    ref=USER, title="Anna", listed=20, declared=63, hidden=1, saved=18, known=0, filtered=0, failed=1,
    complete=False, stopped="guest", reasons={"NotFound": 1},
)  # fmt: skip
FAILURE = NotFound("it is gone", hint="look again")
EVENTS: dict[str, list[Event]] = {
    "source": [SourceBegun(ref=USER), SourceBegun(ref=USER, title="Anna", declared=63, calls=4, estimate=8.0)],
    "listed": [Listed(ref=USER, count=18, total=36)],
    "skipped": [
        Skipped(ref=REF, asset=None, reason="filtered"),
        Skipped(ref=REF, asset="video", reason="known", path=Path("/tmp/a.mp4"), source=USER),
    ],
    "started": [Started(ref=REF, asset="video", path=Path("a.mp4"), size=None)],
    "progress": [Advanced(ref=REF, asset="video", count=-5), Finished(ref=REF, state="saved")],
    "waiting": [Waiting(seconds=2.5, reason="budget"), Waiting(seconds=60, reason="refused", site="douyin")],
    "warning": [Warned(message="careful"), Warned(message="careful", hint="do", ref=REF)],
    "saved": [Saved(ref=REF, asset="video", path=Path("a.mp4"), size=5, sha256="0" * 64, post=POST, source=USER)],
    "failed": [
        Failed(ref=None, error=FAILURE, text="nonsense"),
        Failed(ref=REF, error=FAILURE, asset="video", source=USER),
    ],
    "cut": [Cut(ref=USER, error=LoginNeeded("guests see 20"), listed=20, declared=63, resumable=True)],
    "summary": [
        Summarized(files=1, size=5, posts=1, known=0, failed=0, seconds=1.23456, exit_code=0),
        Summarized(
            files=1, size=5, posts=1, known=0, failed=1, seconds=1.0, exit_code=7,
            balances=(BALANCE,), reasons={"NotFound": 1}, next_try=TIME,
        ),
    ],
}  # fmt: skip


def schema(name: str) -> dict[str, Any]:
    """A published schema by its name."""
    file = resources.files("dyvine_cli").joinpath("schemas", f"{name}.schema.json")
    loaded: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return loaded


def strict(node: Any) -> Any:
    """The schema with nothing allowed that it does not name."""
    if isinstance(node, list):
        return [strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {key: strict(value) for key, value in node.items()}
    named = "properties" in closed and closed.get("type") == "object" and "oneOf" not in closed
    return {"additionalProperties": False, **closed} if named else closed


def check(value: object, name: str) -> None:
    """Raise unless the value, written and read again, is of the schema and says nothing beside it."""
    written = json.loads(json.dumps(value, allow_nan=False))
    Draft202012Validator(strict(schema(name)), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        written
    )


@pytest.mark.parametrize("name", ["post", "user", "mix", "source", "event", "archive", "doctor", "login"])
def test_the_schemas_are_schemas(name: str) -> None:
    """Each published file is valid by its own meta-schema."""
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("urls", [False, True], ids=["without urls", "with urls"])
@pytest.mark.parametrize("name", ["post", "user", "mix"])
def test_objects_are_of_their_schema(name: str, urls: bool) -> None:
    """Every field that is written stands in the schema, and every field that it requires is written."""
    check(encode({"post": POST, "user": PERSON, "mix": MIX}[name], urls=urls), name)


def test_an_object_with_nothing_said_is_of_its_schema() -> None:
    """Unknown is null or empty, never left out."""
    bare = Post(ref=REF, kind="images", url="https://www.douyin.com/note/1", author=ANNA, created=TIME)

    check(encode(bare), "post")
    assert encode(bare)["statistics"]["likes"] is None


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_of_their_schema(name: str) -> None:
    """Each event has version, name, time and ref, and the fields of its name."""
    for event in EVENTS[name]:
        encoded = encode_event(event, time=TIME)

        check(encoded, "event")
        assert (encoded["event"], encoded["time"]) == (name, "2026-01-31T08:00:00.123Z")
        assert "ref" in encoded


def test_every_event_has_a_row_and_every_name_a_schema() -> None:
    """A new event cannot be forgotten here."""
    tested = {type(event) for events in EVENTS.values() for event in events}

    assert tested == set(Event.__args__)  # type: ignore[attr-defined]
    assert schema("event")["properties"]["event"]["enum"] == list(EVENTS)


def test_addresses_of_media_are_written_only_when_asked_for() -> None:
    """Mirrors, headers and expiry come with `urls`; the platform's raw answer never."""
    plain, full = json.dumps(encode(POST)), json.dumps(encode(POST, urls=True))

    assert SIGNED not in plain
    assert "Referer" not in plain
    assert SIGNED in full
    assert encode(POST, urls=True)["assets"][0]["renditions"][0]["expires"] == "2026-01-31T08:00:00Z"
    assert "secret" not in plain


def test_ids_are_text_and_times_utc() -> None:
    """2^53 + 1 survives every JSON reader; a time of another zone is turned to UTC."""
    elsewhere = replace(POST, created=TIME.astimezone(timezone(timedelta(hours=8))))

    assert encode(POST)["id"] == "9007199254740993"
    assert encode(POST)["ref"] == "douyin:post:9007199254740993"
    assert encode(elsewhere)["created"] == "2026-01-31T08:00:00Z"
    assert moment(TIME, precise=True) == "2026-01-31T08:00:00.123Z"


def test_text_with_line_ends_and_escapes_stays_on_one_line() -> None:
    """A title cannot add a line to a JSON Lines stream."""
    line = json.dumps(encode(POST), ensure_ascii=False)

    assert "\n" not in line
    assert "\u001b" not in line


def test_an_error_says_its_name_cause_cure_and_status() -> None:
    """The same words as at every other door."""
    encoded = encode_event(Failed(ref=REF, error=FAILURE), time=TIME)

    assert [encoded[name] for name in ("error", "message", "hint", "exit_code")] == [
        "NotFound", "it is gone", "look again", 5,
    ]  # fmt: skip


def test_a_path_that_is_no_text_can_be_written() -> None:
    """Bytes of a file name that are not UTF-8 do not break the stream."""
    path = Path("/tmp/\udcff.mp4")
    encoded = encode_event(Skipped(ref=REF, asset=None, reason="known", path=path), time=TIME)

    assert encoded["path"] == "/tmp/?.mp4"


def test_a_stamp_without_a_time_is_of_now() -> None:
    """Listeners stamp their own lines."""
    before = datetime.now(UTC).replace(microsecond=0)

    assert stamp("progress")["event"] == "progress"
    assert datetime.fromisoformat(stamp("progress")["time"]) >= before


def test_definitions_that_schemas_share_are_equal() -> None:
    """Each file stands alone; what they repeat is the same."""
    shared: dict[str, list[Callable[[], object] | object]] = {}
    for name in ("post", "user", "mix", "source", "event", "archive", "doctor", "login"):
        for key in ("time", "ref", "author", "rendition", "fault"):
            if key in schema(name)["$defs"]:
                shared.setdefault(key, []).append(schema(name)["$defs"][key])

    assert all(all(each == same[0] for each in same) for same in shared.values())
