"""Walking a listing: what is new, what is an end, where a later walk goes on (pages of our own making)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from dyvine_cli.errors import (
    Banned,
    DiskFull,
    DyvineError,
    InputError,
    ListingIncomplete,
    LoginNeeded,
    NetworkError,
    Private,
    RiskControl,
    UnexpectedResponse,
)
from dyvine_cli.listing import Walk, check_likes, check_listable
from dyvine_cli.models import Author, Cursor, Page, Post, Ref, User

pytestmark = pytest.mark.anyio

ACCOUNT = Ref("douyin", "user", "someone")


def post(number: int) -> Post:
    """A post with this number as id."""
    return Post(
        ref=Ref("douyin", "post", str(number)),
        kind="video",
        url="",
        author=Author(id="a", uid="1", handle="h", nickname="n"),
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )


def page(numbers: range | list[int] = range(0), next: str | None = None, **more: object) -> Page:
    """A page of posts with these numbers."""
    return Page(items=tuple(map(post, numbers)), next=Cursor(next) if next else None, **more)  # type: ignore[arg-type]


@dataclass
class Platform:
    """Gives the pages of a table; the same place again gives its next answer, the last one for ever."""

    pages: dict[str | None, list[Page | DyvineError]]
    asked: list[str | None] = field(default_factory=list)

    async def fetch(self, cursor: Cursor | None) -> Page:
        """The page at this cursor."""
        self.asked.append(cursor)
        answers = self.pages[cursor]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, DyvineError):
            raise found
        return found


def platform(**pages: Page | DyvineError | list[Page | DyvineError]) -> Platform:
    """A platform with a `top` page and pages at other cursors."""
    return Platform(
        {
            None if name == "top" else name: given if isinstance(given, list) else [given]
            for name, given in pages.items()
        }
    )


async def walked(walk: Walk) -> tuple[list[int], ListingIncomplete | None]:
    """The numbers of what came, and the cut if there was one."""
    numbers: list[int] = []
    try:
        async for batch in walk.batches():
            numbers += [int(entry.ref.id) for entry in batch]
    except ListingIncomplete as cut:
        return numbers, cut
    return numbers, None


async def test_pages_come_one_after_the_other() -> None:
    """All entries in order; a page is asked for when the one before is used up."""
    source = platform(top=page(range(3), "b"), b=page(range(3, 5), "c"), c=page([5]))
    entries = aiter(Walk(source.fetch, ACCOUNT, declared=6))
    first = [int((await anext(entries)).ref.id) for _ in range(3)]
    asked = list(source.asked)
    rest = [int(entry.ref.id) async for entry in entries]

    assert (first, asked) == ([0, 1, 2], [None])
    assert rest == [3, 4, 5]
    assert source.asked == [None, "b", "c"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Pages, and what a walk through them gives: numbers, calls, and where a cut goes on (`...`: no cut)."""

    source: Callable[[], Platform]
    declared: int | None = None
    got: list[int]
    calls: int
    on: object = ...
    cause: type[DyvineError] | None = None


CASES = {
    "an empty account": Case(source=lambda: platform(top=page()), declared=0, got=[], calls=1),
    "the same entry on two pages": Case(
        source=lambda: platform(top=page(range(3), "b"), b=page([2, 3])),
        declared=4,
        got=[0, 1, 2, 3],
        calls=2,
    ),
    "the same entry twice on one page": Case(
        source=lambda: platform(top=page([1, 1, 2])), declared=2, got=[1, 2], calls=1
    ),
    "hidden entries fill up": Case(
        source=lambda: platform(top=page(range(3), hidden=7)), declared=10, got=[0, 1, 2], calls=1
    ),
    "a few are missing": Case(
        source=lambda: platform(top=page(range(98))), declared=100, got=[*range(98)], calls=1
    ),
    "many are missing": Case(
        source=lambda: platform(top=page(range(3), "b"), b=page([3])),
        declared=10,
        got=[0, 1, 2, 3],
        calls=3,
        on=None,
    ),
    "an end that was a slip": Case(
        source=lambda: platform(top=page(range(3), "b"), b=[page([3]), page([3], "c")], c=page(range(4, 10))),
        declared=10,
        got=[*range(10)],
        calls=4,
    ),
    "an end that was short of some": Case(
        source=lambda: platform(top=[page([0], hidden=4), page([0, 1], hidden=5)]),
        declared=10,
        got=[0, 1],
        calls=2,
        on=None,
    ),
    "nobody says how many there are": Case(
        source=lambda: platform(top=page(range(3))), got=[0, 1, 2], calls=1
    ),
    "pages of hidden entries only": Case(
        source=lambda: platform(
            top=page([0], "b"),
            b=page(next="c", hidden=3),
            c=page(next="d", hidden=3),
            d=page(next="e", skipped=1),
            e=page([1]),
        ),
        declared=8,
        got=[0, 1],
        calls=5,
    ),
    "two empty pages": Case(
        source=lambda: platform(top=page([0], "b"), b=page(next="c"), c=page(next="d"), d=page([1])),
        declared=2,
        got=[0, 1],
        calls=4,
    ),
    "three empty pages": Case(
        source=lambda: platform(top=page([0], "b"), b=page(next="c"), c=page(next="d"), d=page(next="e")),
        declared=9,
        got=[0],
        calls=4,
        on="b",
    ),
    "more is promised behind everything": Case(
        source=lambda: platform(top=page([0], "b"), b=page([1], "c"), c=page(next="c")),
        declared=2,
        got=[0, 1],
        calls=4,
    ),
    "a place that sticks": Case(
        source=lambda: platform(top=page([0], "b"), b=[page([1], "b"), page([2], "b"), page([3])]),
        declared=4,
        got=[0, 1, 2, 3],
        calls=4,
    ),
    "a place that comes back for ever": Case(
        source=lambda: platform(top=page([0], "b"), b=page([1], "b")), declared=9, got=[0, 1], calls=4, on="b"
    ),
    "a circle": Case(
        source=lambda: platform(top=page([0], "b"), b=page([1], "c"), c=page([2], "b")),
        declared=9,
        got=[0, 1, 2],
        calls=5,
        on="b",
    ),
    "a page that another took the place of": Case(
        source=lambda: platform(top=page([0], "b"), b=page([0], "c"), c=page([9])),
        declared=9,
        got=[0, 9],
        calls=3,
        on="b",
    ),
    "a wall with a place behind it": Case(
        source=lambda: platform(top=page([0], "b", cut="guests see no more")),
        declared=9,
        got=[0],
        calls=1,
        on="b",
        cause=LoginNeeded,
    ),
    "a wall at the end": Case(
        source=lambda: platform(top=page([0], "b"), b=page([1], cut="guests see no more")),
        got=[0, 1],
        calls=2,
        on="b",
        cause=LoginNeeded,
    ),
    "a wall behind everything": Case(
        source=lambda: platform(top=page([0, 1], cut="guests see no more")), declared=2, got=[0, 1], calls=1
    ),
    "a page that does not say where it goes on": Case(
        source=lambda: platform(top=page([0], "b"), b=page([1], lost=UnexpectedResponse("no cursor"))),
        declared=9,
        got=[0, 1],
        calls=2,
        on="b",
        cause=UnexpectedResponse,
    ),
    "refused midway": Case(
        source=lambda: platform(top=page([0], "b"), b=RiskControl("captcha", hint="solve it")),
        got=[0],
        calls=2,
        on="b",
        cause=RiskControl,
    ),
    "the line breaks midway": Case(
        source=lambda: platform(top=page([0], "b"), b=NetworkError("gone")),
        got=[0],
        calls=2,
        on="b",
        cause=NetworkError,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_walk(case: Case) -> None:
    """It gives everything once, and ends either well or with the place to go on from."""
    source = case.source()
    walk = Walk(source.fetch, ACCOUNT, declared=case.declared)
    got, cut = await walked(walk)

    assert got == case.got
    assert len(source.asked) == case.calls
    assert walk.listed == len(got)
    assert (cut.cursor if cut else ...) == case.on
    assert (type(cut.cause) if cut and cut.cause else None) is case.cause
    if cut:
        assert cut.ref == ACCOUNT
        assert str(cut).startswith(f"listed {len(got)}")


async def test_a_walk_that_gave_nothing_raises_the_cause() -> None:
    """Before the first page there is nothing to go on from."""
    with pytest.raises(RiskControl):
        await walked(Walk(platform(top=RiskControl("captcha")).fetch, ACCOUNT))
    with pytest.raises(NetworkError):
        await walked(Walk(platform(b=NetworkError("gone")).fetch, ACCOUNT, cursor=Cursor("b")))


EMPTY = {
    "an end": (platform(top=page()), RiskControl),
    "more": (platform(top=page(next="b"), b=page(next="c"), c=page(next="d")), RiskControl),
    "a wall": (platform(top=page(cut="guests see nothing")), LoginNeeded),
    "a broken line": (platform(top=page(next="b"), b=NetworkError("gone")), NetworkError),
}


@pytest.mark.parametrize(("source", "cause"), EMPTY.values(), ids=EMPTY.keys())
async def test_pages_that_gave_nothing_are_no_cut_list(source: Platform, cause: type[DyvineError]) -> None:
    """A list that promised posts and gave none ends with its cause."""
    with pytest.raises(cause):
        await walked(Walk(source.fetch, ACCOUNT, declared=9))


async def test_a_walk_that_goes_on_is_cut_from_its_first_page_on() -> None:
    """Pages that another walk had count as pages."""
    walk = Walk(platform(b=NetworkError("gone")).fetch, ACCOUNT, cursor=Cursor("b"), declared=9, counted=4)
    got, cut = await walked(walk)

    assert got == []
    assert cut is not None
    assert cut.cursor == "b"
    assert str(cut) == "listed 4 of 9: gone"


async def test_counted_entries_count_for_the_end() -> None:
    """A walk that goes on knows from the count whether its end is the end."""
    whole = Walk(platform(b=page(range(5))).fetch, ACCOUNT, cursor=Cursor("b"), declared=9, counted=4)
    short = Walk(platform(b=page(range(2))).fetch, ACCOUNT, cursor=Cursor("b"), declared=9, counted=4)
    unknown = Walk(platform(b=page(range(2))).fetch, ACCOUNT, cursor=Cursor("b"), declared=9)

    assert await walked(whole) == ([0, 1, 2, 3, 4], None)
    _, cut = await walked(short)
    assert cut is not None
    assert cut.cursor is None, "it ended here before: the missing ones may be anywhere"
    assert await walked(unknown) == ([0, 1], None)


@pytest.mark.parametrize("error", [InputError("no"), DiskFull("full")], ids=["input", "disk"])
async def test_what_is_not_the_platforms_fault_is_no_cut(error: DyvineError) -> None:
    """Mistakes of ours and of the disk go through as they are."""
    with pytest.raises(type(error)):
        await walked(Walk(platform(top=page([0], "b"), b=error).fetch, ACCOUNT))


async def test_what_cannot_be_read_is_kept_beside() -> None:
    """Errors of single entries belong to the page in hand and count for the end."""
    odd = UnexpectedResponse("odd")
    walk = Walk(platform(top=page([0], "b", unreadable=(odd,)), b=page([1])).fetch, ACCOUNT, declared=3)
    errors = [walk.errors async for _ in walk.batches()]

    assert errors == [(odd,), ()]
    assert (walk.listed, walk.unreadable) == (2, 1)


async def test_repeated_pages_hide_nothing_twice() -> None:
    """Hidden entries of a page that came before are not counted again."""
    source = platform(top=page([0], "b", hidden=2), b=[page([0], "c", hidden=2)], c=page([1]))
    walk = Walk(source.fetch, ACCOUNT)
    await walked(walk)

    assert (walk.listed, walk.hidden) == (2, 2)


STATES = {
    "public": ({}, None),
    "private": ({"state": "private", "state_reason": "私密账号"}, Private),
    "banned": ({"state": "banned"}, Banned),
    "cancelled": ({"state": "cancelled", "state_reason": "账号已注销"}, Banned),
}


@pytest.mark.parametrize(("state", "kind"), STATES.values(), ids=STATES.keys())
def test_who_can_be_listed(state: dict[str, str], kind: type[DyvineError] | None) -> None:
    """A state that hides the posts is an error with the platform's own sentence."""
    user = User(ref=ACCOUNT, url="", uid="1", handle="h", nickname="山野", **state)  # type: ignore[arg-type]

    if kind is None:
        check_listable(user)
    else:
        with pytest.raises(kind, match=state.get("state_reason", "山野")):
            check_listable(user)


@pytest.mark.parametrize(("public", "hidden"), [(True, False), (None, False), (False, True)])
def test_whose_likes_can_be_listed(public: bool | None, hidden: bool) -> None:
    """Only a clear no is a no."""
    user = User(ref=ACCOUNT, url="", uid="1", handle="h", nickname="n", likes_are_public=public)

    if hidden:
        with pytest.raises(Private):
            check_likes(user)
    else:
        check_likes(user)


# --- samples ------------------------------------------------------------------------------------------------------------


def sampled(listed: Page | DyvineError, **more: object) -> Platform:
    """A platform that shows the newest three of its posts before the list itself, in part."""
    shown = page(range(3), "0", sample=True, **more)
    items = tuple(replace(each, partial=True) for each in shown.items)  # type: ignore[type-var]
    return platform(top=replace(shown, items=items), **{"0": listed, "b": page(range(5, 8))})


async def kinds(walk: Walk) -> list[tuple[int, bool]]:
    """The number of each entry, and whether it came in part."""
    return [(int(entry.ref.id), entry.partial) async for entry in walk]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("enough", "in_part"),
    [(None, []), (4, []), (3, [0, 1, 2]), (0, [0, 1, 2])],
    ids=["all", "more than the sample", "the sample", "perhaps nothing"],
)
async def test_a_sample_is_given_out_where_it_may_be_enough(enough: int | None, in_part: list[int]) -> None:
    """Everyone else gets the entries of the list itself, which are whole; either way each comes once, in its order."""
    source = sampled(page(range(5), "b"))
    found = await kinds(Walk(source.fetch, ACCOUNT, declared=8, enough=enough))

    assert [number for number, _ in found] == list(range(8))
    assert [number for number, partial in found if partial] == in_part
    assert source.asked == [None, "0", "b"]


async def test_a_sample_of_all_needs_no_list() -> None:
    """What is declared is there."""
    source = sampled(page(range(3)))

    assert await kinds(Walk(source.fetch, ACCOUNT, declared=3)) == [(0, True), (1, True), (2, True)]
    assert source.asked == [None]


async def test_a_refused_list_leaves_its_sample() -> None:
    """The refusal is told after it, without asking a second time, with the place where the list begins."""
    source = sampled(RiskControl("no list", hint="wait"))
    numbers, cut = await walked(Walk(source.fetch, ACCOUNT, declared=8))

    assert numbers == [0, 1, 2]
    assert cut is not None
    assert (str(cut), cut.cursor) == ("listed 3 of 8: no list", "0")
    assert source.asked == [None, "0"]


async def test_a_list_without_its_sample_loses_nothing() -> None:
    """What only the sample has comes before the page."""
    source = sampled(page(range(2, 5), "b"))

    assert [number for number, _ in await kinds(Walk(source.fetch, ACCOUNT))] == list(range(8))


async def test_a_last_page_that_cannot_be_read_is_told() -> None:
    """Its only entry is an error like any other, also where the list ends with it."""
    odd = UnexpectedResponse("no author", ref=Ref("douyin", "post", "3"))
    given = platform(top=page(range(2), "b"), b=page(unreadable=(odd,), hidden=1))
    walk = Walk(given.fetch, ACCOUNT, declared=4)
    told: list[DyvineError] = []
    async for _ in walk.batches():
        told += walk.errors

    assert told == [odd]
    assert (walk.unreadable, walk.hidden) == (1, 1)
