"""Lies that listings tell, and what becomes of each: exit status, balance, the place that is kept, the next run."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dyvine_cli.archive.base import StoredCursor
from dyvine_cli.events import Cut, Failed, Warned
from dyvine_cli.models import Ref
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.world import World

from ..rows import some_fast
from .conftest import Outcome, Person

pytestmark = pytest.mark.anyio

ACCOUNT = Ref("douyin", "user", World.ACCOUNTS[63])
POSTS = 63
PAGE = 18
VIDEOS = sum(
    post.kind == "video" for post in (World().at(World().account(ACCOUNT.id), n) for n in range(POSTS))
)  # type: ignore[arg-type]
SMALL = {"quality": "worst", "kind": "video"}
"""Few files, and none that takes another call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """What the platform does from the third page on (`count` times, None always), and how the run comes out.

    `listed` posts are in the balance; `place` is how many entries came before the kept place, None if none is kept;
    `cause` is the name of what cut the list, empty when the platform gave none.
    """

    name: str
    value: str | None = None
    count: int | None = 1
    code: int = 0
    listed: int = POSTS
    place: int | None = None
    cause: str = ""
    skip: int = 2


LIES = {
    "an empty page promises more, once": Lie(name="list-empty-page"),
    "empty pages promise more": Lie(name="list-empty-page", count=None, code=7, listed=36, place=36),
    "an empty page takes the place of a full one": Lie(
        name="list-empty-page", value="skip", code=7, listed=45, place=36
    ),
    "empty pages promise more under new cursors": Lie(
        name="list-empty-page", value="skip", count=None, code=7, listed=36, place=36
    ),
    "a cursor comes back, once": Lie(name="list-repeated-cursor"),
    "a cursor comes back": Lie(name="list-repeated-cursor", count=None, code=7, listed=54, place=36),
    "a cursor goes back, once": Lie(name="list-cursor-back"),
    "a cursor goes back": Lie(name="list-cursor-back", count=None, code=7, listed=54, place=18),
    "no cursor for more": Lie(
        name="list-cursor-missing", count=None, code=7, listed=54, place=36, cause="UnexpectedResponse"
    ),
    "a cursor that stays while the list goes on": Lie(name="list-sticky-cursor", count=None, skip=0),
    "more is promised behind the end": Lie(name="list-has-more-forever", count=None, skip=0),
    "an early end, once": Lie(name="list-ends-early"),
    "an early end": Lie(name="list-ends-early", count=None, code=7, listed=54),
    "an early end without entries": Lie(name="list-cut", count=None, code=7, listed=36, place=36),
    "the first page in another's place": Lie(name="list-same-page", code=7, listed=45, place=36),
    "the first page for ever": Lie(name="list-same-page", count=None, code=7, listed=36, place=36),
    "entries that came before": Lie(name="list-duplicates", count=None),
    "the list is missing": Lie(
        name="list-key-missing", count=None, code=7, listed=36, place=36, cause="RiskControl"
    ),
    "the list is null": Lie(
        name="list-key-null", count=None, code=7, listed=36, place=36, cause="RiskControl"
    ),
    "the guests' wall": Lie(
        name="list-guest-cut", count=None, code=7, listed=54, place=36, cause="LoginNeeded"
    ),
    "nothing at all, once": Lie(name="api-empty"),
    "nothing at all": Lie(name="api-empty", count=None, code=7, listed=36, place=36, cause="RiskControl"),
    "a success without content": Lie(
        name="api-soft-block", count=None, code=7, listed=36, place=36, cause="RiskControl"
    ),
    "a captcha page": Lie(
        name="api-captcha-html", count=None, code=7, listed=36, place=36, cause="RiskControl"
    ),
    "a captcha in the answer": Lie(
        name="api-verify-ticket", count=None, code=7, listed=36, place=36, cause="RiskControl"
    ),
    "a wrong signature, once": Lie(name="argus-sign-invalid"),
    "a wrong signature": Lie(
        name="argus-sign-invalid", count=None, code=7, listed=36, place=36, cause="SignatureRejected"
    ),
    "the edge refuses, once": Lie(name="edge-403"),
    "the edge refuses": Lie(name="edge-403", count=None, code=7, listed=36, place=36, cause="RateLimited"),
    "half an answer": Lie(
        name="api-cut-json", count=None, code=7, listed=36, place=36, cause="UnexpectedResponse"
    ),
    "a broken server, once": Lie(name="500"),
    "a broken server": Lie(name="500", count=None, code=7, listed=36, place=36, cause="Refused"),
    "a broken line": Lie(
        name="reset", value="head", count=None, code=7, listed=36, place=36, cause="NetworkError"
    ),
}


async def place_of(person: Person, source: Ref = ACCOUNT) -> StoredCursor | None:
    """Where the next run goes on."""
    async with person.at_work() as workspace:
        return await workspace.archive.cursor(source, None)


def says(outcome: Outcome) -> tuple[int, int, int, bool]:
    """Exit status, posts listed, posts failed, whether the listing is complete."""
    balance = outcome.balance
    return outcome.code, balance.listed, balance.failed, balance.complete


@pytest.mark.parametrize("lie", some_fast(LIES, *list(LIES)[::3]))
async def test_a_lie_is_seen_and_the_next_run_mends_it(person: Person, lie: Lie) -> None:
    """Either the listing is complete, or it ends with status 7, its cause and a place to go on from."""
    faults = person.platform.faults
    faults.set("guests-see-all")
    faults.set(lie.name, value=lie.value, count=lie.count, skip=lie.skip, where="/aweme/post/")

    first = await person.get(str(ACCOUNT), **SMALL)
    place = await place_of(person)
    faults.clear(lie.name)
    asked = len(person.calls("/aweme/post/"))
    person.time.now += 4_000  # whatever cools down
    second = await person.get(str(ACCOUNT), **SMALL)
    again = len(person.calls("/aweme/post/")) - asked

    assert says(first) == (lie.code, lie.listed, 0, lie.code == 0)
    assert first.balance.declared == POSTS
    assert (place.listed if place else None) == lie.place
    assert [type(cut.error.cause).__name__ for cut in first.of(Cut)] == (  # type: ignore[attr-defined]
        [lie.cause or "NoneType"] if lie.code else []
    )
    assert says(second) == (0, POSTS, 0, True)
    assert first.balance.saved + second.balance.saved == VIDEOS == len(person.files())
    if lie.place is not None:  # the first page, then on from the place: not the whole list
        assert again == 1 + -(-(POSTS - lie.place) // PAGE)
    assert await place_of(person) is None


GIVES_NOTHING = {
    "captcha": ("api-captcha-html", None, 6),
    "empty": ("api-empty", None, 6),
    "soft block": ("list-key-missing", None, 6),
    "edge": ("edge-429", None, 6),
    "signature": ("argus-sign-invalid", None, 6),
    "odd answer": ("api-array", None, 8),
    "login wanted": ("api-status", "2483", 4),
    "account gone": ("api-status", "2", 5),
    "broken line": ("reset", "head", 9),
    "an end at once": ("list-cut", None, 6),
    "more behind empty pages": ("list-empty-page", None, 6),
}


@pytest.mark.parametrize(("name", "value", "code"), GIVES_NOTHING.values(), ids=GIVES_NOTHING.keys())
async def test_a_list_that_gave_not_even_one_page_ends_with_its_cause(
    person: Person, name: str, value: str | None, code: int
) -> None:
    """Status 7 is for lists that began; the others have the status of their cause."""
    person.platform.faults.set(name, value=value, where="/aweme/post/")

    outcome = await person.get(str(ACCOUNT), **SMALL)

    assert outcome.code == code
    assert len(outcome.of(Failed)) == 1
    assert await place_of(person) is None


async def test_a_first_page_that_does_not_say_where_it_goes_on_keeps_its_posts(person: Person) -> None:
    """What is there is downloaded, then the list counts as cut."""
    person.platform.faults.set("guests-see-all")
    person.platform.faults.set("list-cursor-missing", where="/aweme/post/")

    outcome = await person.get(str(ACCOUNT), **SMALL)

    assert says(outcome) == (7, 18, 0, False)
    assert outcome.balance.saved == len(person.files()) > 10


async def test_what_cannot_be_read_is_counted_and_named(person: Person) -> None:
    """An entry in a shape that nobody knows fails alone, with its id; the others come."""
    person.platform.faults.set("guests-see-all")
    person.platform.faults.set("list-entry-odd", count=1, where="/aweme/post/")

    outcome = await person.get(str(ACCOUNT), **SMALL)
    (failed,) = outcome.of(Failed)

    assert outcome.code == 3
    assert (outcome.balance.listed, outcome.balance.saved, outcome.balance.failed) == (63, VIDEOS - 1, 1)
    assert outcome.balance.complete
    assert outcome.balance.reasons == {"UnexpectedResponse": 1}
    assert failed.ref is not None
    assert failed.ref.kind == "post"


async def test_a_shortfall_that_stays_is_believed_the_second_time(person: Person) -> None:
    """A list that always ends early is an error once, then all that the platform shows; one that shrinks is an error again."""
    faults = person.platform.faults
    faults.set("guests-see-all")
    outcomes = []
    for pages in (3, 3, 3, 2, 2):
        faults.clear("list-ends-early")
        faults.set("list-ends-early", skip=pages - 1, where="/aweme/post/")
        outcomes.append(await person.get(str(ACCOUNT), **SMALL))

    assert [each.code for each in outcomes] == [7, 0, 0, 7, 0]
    assert [each.balance.listed for each in outcomes] == [54, 54, 54, 36, 36]
    told = [warned.message for each in outcomes for warned in each.of(Warned)]  # type: ignore[attr-defined]
    assert [text[text.index("counts") :] for text in told] == [
        *["counts 9 posts that its list does not show"] * 2,
        "counts 27 posts that its list does not show",
    ]
    assert await place_of(person) is None


async def test_less_than_half_of_a_list_is_never_believed(person: Person) -> None:
    """Whoever sees one page of four is being cut, however often."""
    person.platform.faults.set("guests-see-all")
    person.platform.faults.set("list-ends-early", where="/aweme/post/")

    codes = [(await person.get(str(ACCOUNT), **SMALL)).code for _ in range(3)]

    assert codes == [7, 7, 7]


async def test_hidden_entries_fill_the_balance(person: Person) -> None:
    """Entries that are listed without content count as hidden, and the listing is complete with them."""
    person.platform.faults.set("guests-see-all")
    account = f"douyin:user:{World.ACCOUNTS[200]}"

    outcome = await person.get(account, simulate=True)
    balance = outcome.balance

    assert outcome.code == 0
    assert (balance.declared, balance.listed, balance.hidden) == (200, 196, 4)
    assert balance.complete


async def test_a_guest_is_told_and_a_login_goes_on(person: Person) -> None:
    """A guest gets the newest 20 with status 7; the next run with a login takes the other 43."""
    guest = await person.get(str(ACCOUNT), **SMALL)
    person.env["DOUYIN_COOKIE"] = login_header(person.platform.clock())
    login = await person.get(str(ACCOUNT), **SMALL)

    assert says(guest) == (7, 20, 0, False)
    assert guest.balance.stopped == "Douyin shows guests only the newest posts"
    assert "login add" in str(guest.of(Cut)[0].error.hint)  # type: ignore[attr-defined]
    assert says(login) == (0, 63, 0, True)
    assert guest.balance.saved + login.balance.saved == VIDEOS
