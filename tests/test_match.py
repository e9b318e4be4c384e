"""The selection language of --match: what it means, how its mistakes are told, and that nothing breaks it."""

from __future__ import annotations

import subprocess
import sys
import time
import timeit
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyvine_cli.errors import InputError
from dyvine_cli.match import FIELDS, LONGEST, parse
from dyvine_cli.models import Asset, Author, Mix, Post, Ref, Rendition, Sound, Statistics, Tag

NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
WRITER = Author(id="MS4wLjAB", uid="4711", handle="Bei.Ye", nickname="北野的院子")


def rendition(width: int | None, height: int | None, size: int | None = None, **facts: Any) -> Rendition:
    """One encoding."""
    return Rendition(
        mirrors=("https://v.example/x",), ext="mp4", width=width, height=height, size=size, **facts
    )


POST = Post(
    ref=Ref("douyin", "post", "7691173170486214656"),
    kind="video",
    url="https://www.douyin.com/video/7691173170486214656",
    author=WRITER,
    created=datetime(2026, 9, 1, 12, 30, tzinfo=UTC),
    text='清晨 "在" 外婆家\n第二行 EPISODE 3 #美食 #Cats',
    duration=95.5,
    assets=(
        Asset(
            id="video",
            kind="video",
            renditions=(
                rendition(720, 1280, 3_000_000, fps=30),
                rendition(1080, 1920, 9_000_000, fps=60),
                rendition(2160, 3840, 99_000_000, watermarked=True),
            ),
        ),
        Asset(id="cover", kind="cover", renditions=(rendition(100, 100, 5),)),
    ),
    statistics=Statistics(likes=12_000, comments=0, shares=15, plays=1_000_000),
    tags=(Tag(name="美食"), Tag(name="Cats")),
    sound=Sound(ref=Ref("douyin", "sound", "1"), title="晴天", author="周杰伦"),
    mix=Mix(ref=Ref("douyin", "mix", "2"), title="四季"),
    episode=3,
    pinned=True,
)
BARE = Post(
    ref=Ref("tiktok", "post", "1"),
    kind="images",
    url="https://www.tiktok.com/@a/photo/1",
    author=WRITER,
    created=POST.created,
)
"""A post of which nothing is said but what every post has."""

HOLDS = [
    "likes > 1000", "likes>=12000", "likes == 12K", "likes = 1.2万", "likes < 1.5w", "likes <= 12_000", "likes != 0",
    "plays == 1M", "plays < 1亿", "LIKES > 1k", "likes > -1", "likes > ' 5 '", "likes in (1, 12000)",
    "likes not in 1, 2", "comments == 0", "duration > 90", "duration > 1m30s", "duration < 96s", "duration<=1h",
    "duration == 95.5", "width < height", "shares > comments and likes < plays", "width == 1080", "height >= 1920",
    "fps == 60", "size < 50M", "size == 9000000", "size > 8MB", "kind == video", "kind in (video, images)",
    "kind in video", "kind not in (images, slides)", "kind != images", "KIND == Video", "title ~ '清晨.*外婆'",
    r'title == "清晨 \"在\" 外婆家"', "title == '清晨 \"在\" 外婆家'", "title !~ 第二行", "text ~ 第二行", r"text ~ 'episode \d+'",
    r'text ~ "EPISODE \\d"', r"text ~ \bepisode\b", "text !~ 'episode 4'", "text ~ '^第'  or text ~ '(?m)^第'",
    "hashtag == 美食", "hashtag == '#cats'", "hashtag in ('a', 'Cats')", "hashtags ~ ^ca", "tags not in (dogs)",
    "hashtag != dogs", "author == 北野的院子", "author == bei.ye", "user == 4711", "author ~ 院子", "nickname ~ 北野",
    "handle in (x, BEI.YE)", "uid == 4711", "id == 7691173170486214656", "site == douyin", "site in (douyin,tiktok)",
    "mix == 四季", "episode <= 3", "sound ~ 周杰伦", "sound == 晴天", "pinned", "pinned == yes", "not pinned == false",
    "date == 2026-09-01", "date > 2026-08-31", "date >= 20260901", "date <= 2026-09-01", "date < 2026-09-02",
    "date != 2026-09-02", "date in (2026-09-01, today)", "date not in (yesterday, today)", "date > today-1month",
    "date > today-2weeks and date < today or date == today-2weeks", "date > 2026-09-01T12:00:00+00:00",
    "date < now-2days", "date == '2026-09-01 12:30:00+00:00'",
    "likes", "duration and text and kind and date and hashtag", "not comments", "!comments", "not not likes",
    "likes > 1 and shares > 1", "likes > 1 && shares > 1", "likes < 1 or shares > 1", "likes < 1 || shares > 1",
    "LIKES > 1 AND NOT (shares < 1 OR comments)", "likes or comments and comments", "!(likes < 1)&&pinned",
    # as a Chinese keyboard writes it
    "likes＞1000", "likes ≥ 12000", "likes ＝ 12000", "likes ！= 1", "likes ≠ 1", "likes ＞ １０００", "（likes＞1）＆＆（shares＞1）",
    "kind in （video，images）", "kind in (video、images)", "title ～ 外婆", "hashtag == “美食”", "author == 「北野的院子」", "！comments",
    "mix == ‘四季’ ｜｜ likes < 1",
]  # fmt: skip

FAILS = [
    "likes > 12000", "likes < 12K", "likes != 12000", "likes in (1, 2)", "likes not in (12000, 1)", "comments",
    "duration < 95", "width > height", "size > 50M", "kind == images", "kind not in (video)", "title == 清晨",
    "title ~ 第二行", "hashtag != cats", "hashtag not in (cats, dogs)", "hashtag !~ cat", "author != bei.ye",
    "site == tiktok", "not pinned", "pinned == no", "date == 2026-08-31", "date > 2026-09-01", "date < 2026-09-01",
    "date >= today", "date in (today, 2026-08-01)", "date not in 2026-09-01", "likes and comments", "not (likes or comments)",
    "likes < 1 or comments", "text ~ '^第'", "text !~ EPISODE",
]  # fmt: skip


@pytest.mark.parametrize("text", HOLDS)
def test_it_holds(text: str) -> None:
    """The expression lets the post through."""
    assert parse(text, now=NOW)(POST) is True


@pytest.mark.parametrize("text", FAILS)
def test_it_fails(text: str) -> None:
    """The expression keeps the post out."""
    assert parse(text, now=NOW)(POST) is False


SOMETIMES_UNKNOWN = [
    "likes", "comments", "shares", "favorites", "plays", "duration", "width", "height", "fps", "size", "mix", "episode",
    "sound", "region",
]  # fmt: skip


@pytest.mark.parametrize("name", SOMETIMES_UNKNOWN)
def test_what_is_unknown_compares_with_nothing(name: str) -> None:
    """A field that the platform did not say fails every comparison, both ways, and its bare name."""
    value, signs = ("x", ["~", "!~"]) if FIELDS[name].kind == "text" else ("1", ["<", ">", "<=", ">="])
    tests = [f"{name} {sign} {value}" for sign in (*signs, "==", "!=", "in", "not in")]

    assert [text for text in (name, f"{name} == {name}", *tests) if parse(text)(BARE)] == []
    assert parse(f"not {name}")(BARE)


def test_unknown_is_a_word_for_none_of_the_post_itself() -> None:
    """What every post has is always known; texts that nobody wrote are empty, and lists of tags, too."""
    holds = "kind == images and title == '' and not text and hashtag != x and date and not pinned and author"

    assert parse(holds)(BARE)
    assert {name for name, each in FIELDS.items() if each.read(BARE) is None} == set(SOMETIMES_UNKNOWN)


def test_days_are_those_of_the_local_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half past midnight in Shanghai is the next day there, whatever day it is at Greenwich."""
    late = replace(POST, created=datetime(2026, 9, 1, 16, 30, tzinfo=UTC))
    days = []
    for zone in ("Asia/Shanghai", "UTC"):
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            days.append([day for day in (1, 2) if parse(f"date == 2026-09-0{day}")(late)])
    time.tzset()

    assert days == [[2], [1]]


MISTAKES = [
    ("", 0, "the expression is empty", "likes > 1000"),
    ("  ", 0, "the expression is empty", "likes > 1000"),
    ("likes > 10 and lieks < 3", 16, "there is no field 'lieks'", "did you mean likes? fields are: likes, comments,"),
    ("xyz == 3", 1, "there is no field 'xyz'", "fields are: likes, comments,"),
    ("1000 < likes", 1, "a field stands first, not '1000'", "such as: likes > 1000"),
    ("'likes' > 1", 1, "a field stands first, not 'likes'", "such as: likes > 1000"),
    ("likes >", 8, "expected a number after >", None),
    ("likes > and", 9, "expected a number after >, found 'and'", None),
    ("title == (", 10, "expected a text after ==, found '('", "put it in quotation marks"),
    ("likes > many", 9, "'many' is no number", "write 1000, 1_000, 10K, 1.5M or 2万"),
    ("likes > 1,000", 10, "expected and, or, or the end, found ','", "thousands are separated by _: 1_000"),
    ("likes > 1e5", 9, "'1e5' is no number", None),
    ("likes > 9999999999999999999999", 9, "is too large", None),
    ("likes 1000", 7, "expected a comparison after likes, found '1000'", None),
    ("likes > 1 shares", 11, "expected and, or, or the end, found 'shares'", None),
    ("likes > 1 & shares", 11, "expected and, or, or the end, found '&'", None),
    ("likes ~ 5", 7, "~ cannot compare likes, which is a number", "use ==, !=, <, <=, >, >=, in, not in"),
    ("title < b", 7, "< cannot compare title, which is a text", "use ==, !=, in, not in, ~, !~"),
    ("pinned in (yes)", 8, "in cannot compare pinned, which is true or false", "use ==, !="),
    ("pinned == maybe", 11, "'maybe' is neither true nor false", None),
    ("kind == vidoe", 9, "'vidoe' is none of video, images,", "did you mean video?"),
    ("kind in (video, gif)", 17, "'gif' is none of video, images,", None),
    ("kind in (video", 15, "expected , or ) for the ( at column 9", None),
    ("kind in ()", 10, "expected a text after in, found ')'", "there are: video, "),
    ("hashtag in ()", 13, "expected a text after in, found ')'", "write one value or several"),
    ("likes in (1,,2)", 13, "expected a number after ,, found ','", "write one value or several"),
    ("(likes > 1", 11, "expected ) for the ( at column 1", None),
    ("likes > 1)", 10, "expected and, or, or the end, found ')'", None),
    ("likes > 1 and", 14, "expected a field", "such as: likes > 1000"),
    ("not", 4, "expected a field", "such as: likes > 1000"),
    ("or likes", 1, "expected a field, found 'or'", "such as: likes > 1000"),
    ("title == 'abc", 10, "this text has no closing '", None),
    ("title == “abc", 10, "this text has no closing ”", None),
    ("duration > soon", 12, "'soon' is no duration", "write 90s, 15m, 6h, 1h30m or 2d"),
    ("duration > likes", 12, "'likes' is no duration", None),
    ("size < 50X", 8, "'50X' is no size", "500K, 2M, 1.5G"),
    ("date > 2026-02-30", 8, "'2026-02-30' is no date of the calendar", "write a day that there is"),
    ("date > soon", 8, "'soon' is no date", "write 2026-01-31,"),
    ("title ~ '(ab'", 9, "'(ab' is no regular expression: missing )", None),
    ("title ~ '[a'", 9, "'[a' is no regular expression: unterminated character set", None),
    ("hashtag == 美食 with likes", 15, "expected and, or, or the end, found 'with'", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "column", "cause", "cure"), MISTAKES, ids=[row[0] or "nothing" for row in MISTAKES]
)
def test_a_mistake_is_told_with_its_column(text: str, column: int, cause: str, cure: str | None) -> None:
    """What cannot be read is an InputError that names the place, shows it, and says what would do."""
    with pytest.raises(InputError) as caught:
        parse(text)

    assert cause in caught.value.message
    assert caught.value.hint
    assert (cure or "") in caught.value.hint
    if column:
        shown = f"{text[: column - 1]}▸{text[column - 1 :]}"
        assert caught.value.message.startswith(f"column {column} ({shown}): ")


def test_the_place_of_a_mistake_in_a_long_expression_is_shown_on_one_line() -> None:
    """Only what stands around it is repeated, without control characters."""
    with pytest.raises(InputError) as caught:
        parse(f"{'likes > 1 and ' * 50}\x1b[31m\n {'or likes ' * 50}")

    assert len(caught.value.message) < 150
    assert caught.value.message.isprintable()
    assert "…s > 1 and likes > 1 and likes >" not in caught.value.message
    assert "▸?[31m? or likes" in caught.value.message


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("likes or " * 2000 + "likes", "the expression has 18,005 characters; it may have 10,000"),
        ("(" * 60 + "likes" + ")" * 60, "more than 50 brackets stand inside each other"),
        ("not (" * 51 + "likes" + ")" * 51, "more than 50 brackets stand inside each other"),
        ("title ~ a or " * 25 + "likes", "more than 20 regular expressions"),
        (f"title ~ {'a' * 1001}", "a regular expression may have 1,000 characters"),
        (f"title ~ '{'(' * 60}'", "more than 50 brackets"),
    ],
    ids=["length", "brackets", "nots", "patterns", "long-pattern", "deep-pattern"],
)
def test_an_expression_has_bounds(text: str, cause: str) -> None:
    """What nobody writes by hand is refused before it costs anything."""
    with pytest.raises(InputError, match=cause):
        parse(text)


def test_the_largest_that_is_allowed_works() -> None:
    """Up to the bounds nothing is too deep or too much."""
    deep = "(likes and not " * 50 + "comments" + ")" * 50
    wide = parse("likes or " * 1100 + "likes")

    assert len(wide.text) < LONGEST
    assert wide(POST)
    assert parse(deep)(POST) in (True, False)
    assert parse(str(parse(deep))) == parse(deep)
    assert not parse("!" * 9_001 + "likes")(POST)


# --- threats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('echo x')", "().__class__.__bases__", "likes.__class__ == 1", "post.author.nickname == x",
        "likes > __import__", "[x for x in likes]", "lambda: likes", "likes if likes else likes", "likes; import os",
        "{likes}", "f'{likes}'", "likes > 1 # x", "exec('x')", "date == datetime.now()", "likes[0]", "raw == 1",
    ],
)  # fmt: skip
def test_code_in_an_expression_is_a_mistake(text: str) -> None:
    """There are no calls, no attributes, no indexes, no names but the fields'."""
    with pytest.raises(InputError, match=r"^column \d"):
        parse(text)


def test_code_in_a_text_stays_a_text() -> None:
    """Quoted, the same words are only compared, and nothing of a post is read as an expression or a pattern."""
    code = "__import__('os').system('echo x')"
    nested = replace(POST, title="likes > 0 or (a+)+$")

    assert parse(f'title == "{code}"')(replace(POST, title=code))
    assert parse("title == 'likes > 0 or (a+)+$'")(nested)
    assert not parse("title ~ 'A{5}'")(nested)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*$", r"(\w+\s?)+$", "(x+x+)+y", "(?>a+)+b", "(?:aa){e<=9}b"]
)
def test_a_catastrophic_regular_expression_ends_the_run_and_not_its_patience(pattern: str) -> None:
    """A search that would take ages on a hundred thousand letters is an error in a fraction of a second."""
    long = replace(POST, title=("x" if "x+" in pattern else "a") * 100_000 + "!")
    begun = time.thread_time()
    with suppress(InputError):
        assert not parse(f"title ~ '{pattern}'")(long)

    assert time.thread_time() - begun < 1


def test_a_search_that_takes_too_long_names_the_post_and_the_pattern() -> None:
    """The person learns which expression to change; the post is not taken for one that does not fit."""
    with pytest.raises(InputError, match="takes too long on its text") as caught:
        parse("text ~ '(a+)+$'")(replace(POST, text="a" * 100_000 + "!"))

    assert str(POST.ref) in caught.value.message
    assert "'(a+)+$'" in caught.value.message
    assert "write it simpler" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "pattern",
    ["(?:a{1000}){1000}", "((((a{100}){100}){100}){100}){100}", "(?:(?:ab?){1000,1000}){1000}", "(?x)a{10 00}", "(?ix:a)",
     "a{1000000000}", "[ab]{99999999,}", "((a{500,600}){500,600}){500,}", "a{" + "9" * 900 + "}"],
)  # fmt: skip
def test_a_regular_expression_that_eats_memory_is_not_compiled(pattern: str) -> None:
    """Repeats of repeats, which are written out in memory, are refused; so is what would hide them."""
    with pytest.raises(InputError, match=r"repeats too much|the flag x"):
        parse(f"title ~ '{pattern}'")


# --- properties -------------------------------------------------------------------------------------------------------

QUICK = settings(max_examples=200, deadline=None)

counts = st.none() | st.integers(0, 3)
short = st.text("ab #'\"\\美", max_size=4)
posts = st.builds(
    replace,
    st.sampled_from([POST, BARE]),
    statistics=st.builds(Statistics, likes=counts, comments=counts),
    duration=st.none() | st.floats(0, 100),
    title=short,
    tags=st.lists(st.builds(Tag, name=short), max_size=2).map(tuple),
    created=st.integers(-40, 40).map(lambda days: NOW + timedelta(days=days)),
)


def quoted(text: str) -> str:
    """A text as the language reads it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def comparisons() -> st.SearchStrategy[str]:
    """Single comparisons, of every kind."""
    order = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    equal = st.sampled_from(["==", "!="])
    number = st.sampled_from(["0", "1", "2", "1.5", "1_0", "3万", "comments", "shares"])
    days = st.sampled_from(["2026-09-15", "today", "today-2weeks", "now-6hours", "20260801"])
    texts = short.map(quoted)
    several = st.lists(texts, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        st.sampled_from(sorted(FIELDS)),
        st.builds("likes {} {}".format, order, number),
        st.builds("duration {} {}".format, order, st.sampled_from(["10", "1m30s", "0.1s", "1w", "33.3"])),
        st.builds("size {} {}".format, order, st.sampled_from(["1M", "1.5GiB", "0"])),
        st.builds("date {} {}".format, order, days),
        st.builds("date in ({}, {})".format, days, days),
        st.builds("kind {} {}".format, equal, st.sampled_from(["video", "images"])),
        st.builds("{} {} {}".format, st.sampled_from(["title", "hashtag", "author"]), equal, texts),
        st.builds("{} {} ({})".format, st.sampled_from(["title", "tags"]), st.sampled_from(["in", "not in"]), several),
        st.builds("title {} {}".format, st.sampled_from(["~", "!~"]), st.sampled_from(["a", "'a|b'", "'^$'", r"'\\\\'"])),
        st.builds("pinned {} {}".format, equal, st.sampled_from(["yes", "false"])),
    )  # fmt: skip


expressions = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        inner.map("not {}".format),
        inner.map("not ({})".format),
        inner.map("({})".format),
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({}) && ({})".format, inner, inner),
    ),
    max_leaves=6,
)


def outcome(text: str, post: Post) -> bool | str:
    """What an expression says of a post, or the mistake in it."""
    try:
        return parse(text, now=NOW)(post)
    except InputError as error:
        return error.message


@settings(QUICK, max_examples=100)
@given(st.text(max_size=60), posts)
def test_no_text_breaks_it(text: str, post: Post) -> None:
    """Whatever is written is an expression or a mistake."""
    said = outcome(text, post)

    assert said in (True, False) or said.isprintable()


PIECES = [
    *sorted(FIELDS), "(", "(", ")", ")", "!", ",", "~", "!~", "==", "!=", "<", "<=", ">", ">=", "=", "&", "|", "&&", "||",
    "and", "or", "not", "in", "1", "1M", "90s", "2026-01-01", "today-2weeks", "'", '"', "'a'", "“a”", "\\", "video", "#a",
    "１０万", "，", "（", "）", "\0", "\ud800", "(?", "a*",
]  # fmt: skip


@QUICK
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join), posts)
def test_no_order_of_its_words_breaks_it(text: str, post: Post) -> None:
    """Words of the language in any order are an expression or a mistake."""
    said = outcome(text, post)

    assert said in (True, False) or said.isprintable()


@QUICK
@given(expressions, posts)
def test_what_is_written_out_is_read_as_the_same(text: str, post: Post) -> None:
    """The written-out form of an expression asks the same, and is written out as itself."""
    match = parse(text, now=NOW)
    again = parse(str(match), now=NOW + timedelta(days=99))

    assert again == match
    assert str(again) == str(match)
    assert again(post) is match(post)
    assert hash(again) == hash(match)


@QUICK
@given(expressions, expressions, posts)
def test_de_morgan(one: str, other: str, post: Post) -> None:
    """Not both is one of them not, and none of both is both not, also for what is unknown."""
    both, either, neither, missing = (
        parse(text, now=NOW)
        for text in (
            f"not (({one}) and ({other}))",
            f"not ({one}) or not ({other})",
            f"not ({one}) and not ({other})",
            f"not (({one}) or ({other}))",
        )
    )

    assert both(post) is either(post)
    assert neither(post) is missing(post)
    assert parse(f"not not ({one})", now=NOW)(post) is parse(one, now=NOW)(post)


# --- what others rely on ----------------------------------------------------------------------------------------------


def test_the_written_out_form_has_no_relative_date() -> None:
    """What is kept from one run to the next tells whether it asks the same, so it names days."""
    match = parse("date>=today-2weeks&&(likes>1万||hashtags in #美食,'a b') and title!~\"\\d\"", now=NOW)

    assert match.text.startswith("date>=today-2weeks&&")
    assert str(match) == (
        'date >= 2026-09-01 and (likes > 10000 or hashtag in ("美食", "a b")) and title !~ "\\\\d"'
    )


def lacking() -> Iterator[tuple[str, Post, bool]]:
    """Expressions, posts, and whether the post does not say enough."""
    cut, part = replace(POST, text_is_cut=True), replace(POST, partial=True)
    yield from (("likes > 1", POST, False), ("favorites > 1", POST, True), ("likes > favorites", POST, True))
    yield from (("text ~ a", POST, False), ("text ~ a", cut, True), ("title ~ a and likes", cut, False))
    yield from (
        ("date > today", POST, False),
        ("date > today", part, True),
        ("not (mix == a or likes)", BARE, True),
    )


@pytest.mark.parametrize(("text", "post", "lacks"), list(lacking()))
def test_what_a_list_did_not_say_is_noticed(text: str, post: Post, lacks: bool) -> None:
    """A post of which a list gave only a part is not judged before the rest is known."""
    assert parse(text).lacks(post) is lacks


def test_two_comparisons_take_less_than_five_microseconds() -> None:
    """An account of a hundred thousand posts is sifted in half a second."""
    match = parse("likes > 1万 and duration < 2m")
    best = min(timeit.repeat(lambda: match(POST), number=1000, repeat=20)) / 1000

    assert best < 5e-6


def test_regular_expressions_are_loaded_only_for_those_who_use_them() -> None:
    """An expression without ~ does not pay for the library."""
    asked = (
        "import sys; from dyvine_cli.match import parse; parse('likes > 1'); print('regex' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
