"""Years of `sync` in a moment: an invented platform that lies, refuses and changes, and a person who lives with it.

Only the platform and the clock are stood in for: everything from the client's walk to the archive is the real thing. A
`Life` does random things to both, checks after each that nothing is missing unseen, and lets all get well at the end.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

from dyvine_cli import config
from dyvine_cli.archive.base import Archive, CompletePost, SavedAsset
from dyvine_cli.archive.batch import Batch
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.cli.settings import selection_of
from dyvine_cli.cli.upkeep import entries_of
from dyvine_cli.client import Client
from dyvine_cli.errors import (
    Deleted,
    DiskFull,
    DyvineError,
    LoginExpired,
    LoginNeeded,
    NetworkError,
    NotFound,
    Private,
    RateLimited,
    RiskControl,
    UnexpectedResponse,
)
from dyvine_cli.events import Event, Saved, Summarized, SyncedSource
from dyvine_cli.identity import Profile
from dyvine_cli.models import Asset, Author, Cursor, Listing, Mix, Page, Post, Ref, Statistics, User
from dyvine_cli.naming import PathLimit, Template
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.download import Errand
from dyvine_cli.operations.get import Getting
from dyvine_cli.operations.sync.run import Sync
from dyvine_cli.operations.sync.standing import Standing, standings
from dyvine_cli.operations.workspace import Workspace, Workspaces

from ...waiting import Time

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWNERS = ("MS4wLjABAAAAann", "MS4wLjABAAAAbob")
EVE = "MS4wLjABAAAAeve"
FAN = "MS4wLjABAAAAfan"
LINKS = (f"douyin:user:{OWNERS[0]}", f"douyin:user:{OWNERS[0]}:posts")
"""Two links of one listing."""
MIX = "7000000000000000001"
PAGE = 4
GUESTS_SEE = 6


class Killed(BaseException):
    """The process is no more."""


@dataclass(kw_only=True)
class Item:
    """A post of the invented platform. `back` says that it was away for a time, or that nobody need know it any more."""

    id: str
    owner: str
    created: datetime
    kind: Literal["article", "note"]
    likes: int
    number: int
    in_mix: bool = False
    liked: datetime | None = None
    pinned: bool = False
    shown: bool = True
    away: Literal["deleted", "private", "unlisted"] = "deleted"
    login_only: bool = False
    failing: type[DyvineError] | None = None
    back: bool = False
    ignored: bool = False

    @property
    def ref(self) -> Ref:
        """Its ref."""
        return Ref("douyin", "post", self.id)


@dataclass(kw_only=True)
class Owner:
    """An account."""

    id: str
    name: str
    state: Literal["public", "private", "banned"] = "public"


@dataclass
class World:
    """Everything that is published, and how the platform behaves just now."""

    draw: random.Random
    now: datetime = BEGIN
    items: dict[str, Item] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    login: bool = True
    dead: bool = False
    walls: bool = False
    trouble: float = 0.0
    calls: int = 0
    before_call: Callable[[], Awaitable[None]] | None = None
    log: Callable[[str], None] = lambda text: None

    def publish(self, owner: str) -> Item:
        """A new post of an account, seconds after the last thing that happened."""
        self.now += timedelta(seconds=self.draw.choice((2, 2, 60, 4000)))
        number = len(self.items)
        draw = self.draw
        item = Item(
            id=str(7_100_000_000_000_000_000 + number),
            owner=owner,
            created=self.now,
            kind=draw.choice(("article", "article", "note")),
            likes=draw.randrange(10),
            number=number,
            in_mix=owner == OWNERS[0] and draw.random() < 0.5,
            login_only=draw.random() < 0.04,
            failing=draw.choice((NetworkError, UnexpectedResponse, Deleted))
            if draw.random() < 0.12
            else None,
        )
        self.items[item.id] = item
        return item

    def of(self, owner: str) -> list[Item]:
        """What an account shows, newest first."""
        if self.owners[owner].state != "public":
            return []
        return sorted(
            (each for each in self.items.values() if each.owner == owner and each.shown),
            key=lambda each: each.created,
            reverse=True,
        )

    def liked(self) -> list[Item]:
        """What the fan likes, the newest like first."""
        found = [each for each in self.items.values() if each.liked and self._is_there(each)]
        return sorted(found, key=lambda each: cast(datetime, each.liked), reverse=True)

    def episodes(self) -> list[Item]:
        """The mix, first episode first."""
        return [each for each in self.items.values() if each.in_mix and self._is_there(each)]

    def _is_there(self, item: Item) -> bool:
        return item.shown and self.owners[item.owner].state == "public"


class Platform:
    """The Site of that world; see `dyvine_cli.sites.base.Site`. One viewer, and each call may go wrong."""

    name = "douyin"
    page_size = PAGE

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def profile(self) -> Profile:
        return Profile(site="douyin", name="main" if self.world.login else "guest")

    async def follow(self, ref: Ref) -> Ref:
        return ref

    async def _call(self, *, ref: Ref, quiet: bool = False) -> None:
        world = self.world
        world.calls += 1
        world.now += timedelta(seconds=1)
        if world.before_call is not None and not quiet:
            await world.before_call()
        if world.dead:
            raise LoginExpired("the login is dead", ref=ref)
        if world.draw.random() < world.trouble / 3:
            raise world.draw.choice(
                (
                    NetworkError("no route"),
                    RiskControl("a robot", ref=ref, endpoint="x"),
                    RateLimited("slowly", ref=ref, endpoint="x"),
                    RateLimited("the budget has ended"),
                    UnexpectedResponse("a field is missing", ref=ref, endpoint="x"),
                )
            )

    async def user(self, ref: Ref) -> User:
        await self._call(ref=ref)
        owner = self.world.owners[ref.id]
        return User(
            ref=replace_listing(ref),
            url="",
            uid="1",
            handle="h",
            nickname=owner.name,
            state=owner.state,
            declared=len(self.world.of(ref.id)),
            likes_are_public=True,
            likes_given=len(self.world.liked()) if ref.id == FAN else 0,
        )

    async def mix(self, ref: Ref) -> Mix:
        await self._call(ref=ref)
        found = self.world.episodes()
        return Mix(
            ref=ref, title="mix", declared=len(found), updated=max((e.created for e in found), default=None)
        )

    async def post(self, ref: Ref) -> Post:
        await self._call(ref=ref)
        item = self.world.items.get(ref.id)
        if item is None:
            raise NotFound("never heard of it", ref=ref)
        if self.world.owners[item.owner].state != "public" or (not item.shown and item.away == "private"):
            raise Private("not for you", ref=ref)
        if not item.shown and item.away == "deleted":
            raise Deleted("it is gone", ref=ref)
        post = self._post(item)
        self.check(post)
        return post

    def check(self, post: Post) -> None:
        if post.login_only and not self.world.login:
            raise LoginNeeded("log in for it", ref=post.ref)
        failing = self.world.items[post.ref.id].failing
        if failing is not None:
            raise failing("that one does not work")

    def _post(self, item: Item) -> Post:
        owner = self.world.owners[item.owner]
        return Post(
            ref=item.ref,
            kind=item.kind,
            url="",
            author=Author(id=owner.id, uid="1", handle="h", nickname=owner.name),
            created=item.created,
            assets=(Asset(id="text", kind="text", text=item.id),),
            statistics=Statistics(likes=item.likes),
            pinned=item.pinned,
            login_only=item.login_only,
        )

    async def page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        """Honest most of the time."""
        await self._call(ref=ref, quiet=cursor is None)  # else the number of posts is older than its list
        page = self._honest(ref, what, cursor)
        lies = self.world.draw.random() < self.world.trouble
        told = self._lied(page, ref, what, cursor) if lies else page
        ids = " ".join(f"{each.ref.id[-3:]}{'p' * each.pinned}" for each in cast(Sequence[Post], told.items))
        self.world.log(
            f"      {ref.kind} {ref.id[-3:]} {what} {cursor}: {ids} > {told.next} {'lie' * (told != page)} {told.cut or ''}"
        )
        return told

    def _honest(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        world = self.world
        if ref.kind == "mix":
            return _sheet([(each.number, each) for each in world.episodes()], cursor, self._post, rising=True)
        if what == "likes":
            return _sheet(
                [(_ms(cast(datetime, each.liked)), each) for each in world.liked()], cursor, self._post
            )
        if world.owners[ref.id].state != "public":
            return Page(items=(), next=None)
        own = world.of(ref.id)
        pinned = [each for each in own if each.pinned]
        others = [(_ms(each.created), each) for each in own if not each.pinned]
        top = [] if cursor else pinned
        page = _sheet(others, cursor, self._post, top=top)
        if not world.walls or world.login:
            return page
        seen = [each for _, each in others][: max(0, GUESTS_SEE - len(pinned))]
        first = Page(items=(), next=None)
        shown = tuple(each for each in page.items if any(each.ref == item.ref for item in (*seen, *pinned)))
        if len(shown) == len(page.items):
            return page
        return Page(items=shown, next=first.next, cut="log in to see more")

    def _lied(self, page: Page, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        draw = self.world.draw
        lie = draw.choice(("empty", "skip", "same", "back", "early", "cut", "unreadable", "lost", "hidden"))
        here = cursor or page.next
        left = self._left(ref, what, page.next)
        if page.cut is not None:
            return page
        if lie == "empty" and here is not None:
            return Page(items=(), next=here)
        if lie == "same" and here is not None:
            return _with(page, next=here)
        if lie == "back":
            return _with(page, next=self._honest(ref, what, None).next or page.next)
        if lie == "early" and left > 3:
            return _with(page, next=None)
        if lie == "cut" and cursor is not None and left + len(page.items) > 3:
            return Page(items=(), next=None)
        if lie == "unreadable" and page.items:
            last = page.items[-1].ref
            odd = UnexpectedResponse("no author", ref=last)
            return _with(page, items=page.items[:-1], unreadable=(odd,))
        if lie == "lost" and page.next is not None:
            return _with(page, next=None, lost=UnexpectedResponse("no cursor", ref=ref, endpoint="x"))
        return page

    def _left(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> int:
        count = 0
        while cursor is not None:
            page = self._honest(ref, what, cursor)
            count, cursor = count + len(page.items), page.next
        return count


def replace_listing(ref: Ref) -> Ref:
    """The ref without its listing."""
    return Ref(ref.site, ref.kind, ref.id)


def _with(page: Page, **changes: Any) -> Page:
    return replace(page, **changes)


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _sheet(
    entries: Sequence[tuple[int, Item]],
    cursor: Cursor | None,
    post: Callable[[Item], Post],
    *,
    top: Sequence[Item] = (),
    rising: bool = False,
) -> Page:
    """A page of a list in which each entry has a number, falling unless it is `rising`."""
    at = int(cursor) if cursor else None
    left = [each for each in entries if at is None or (each[0] > at if rising else each[0] < at)]
    room = max(1, PAGE - len(top))
    shown = left[:room]
    after = Cursor(str(shown[-1][0])) if len(left) > room else None
    return Page(items=tuple(post(each) for each in (*top, *(item for _, item in shown))), next=after)


class Visitor(Client):
    """The real client, at that platform."""

    def __init__(self, platform: Platform, time: Time) -> None:
        super().__init__(who=lambda site: platform.profile, budget=time.budget())
        self._sites["douyin"] = platform  # type: ignore[assignment]
        self._callers["douyin"] = _Caller()  # type: ignore[assignment]


class _Caller:
    def found_dead(self) -> None:
        """Nothing is kept."""


class Mortal:
    """An archive whose process may be killed before or after any of its writes."""

    def __init__(self, archive: SqliteArchive) -> None:
        self._archive = archive
        self.left: int | None = None
        self.dead = False
        self.full = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._archive, name)

        async def call(*args: Any, **named: Any) -> Any:
            if self.dead:
                raise Killed
            writes = name.startswith(("add_", "keep_", "drop_"))
            if writes and self.full:
                raise DiskFull("no space left")
            if writes and self.left is not None:
                self.left -= 1
                if self.left < 0:
                    self.dead = True
                    raise Killed
            return await method(*args, **named)

        return call


@dataclass
class Told:
    """What one call of the program said."""

    code: int | None
    events: list[Event]

    @property
    def rows(self) -> tuple[SyncedSource, ...]:
        """The sources of the summary."""
        found = [each for each in self.events if isinstance(each, Summarized)]
        return (found[-1].sources or ()) if found else ()


class Life:
    """A person, their configuration and archive, and the world; `seed` decides everything that happens."""

    def __init__(self, seed: int, home: Path, *, log: Callable[[str], None] = lambda text: None) -> None:
        self.seed = seed
        self.home = home
        self.draw = random.Random(seed)
        self.world = World(self.draw)
        self.platform = Platform(self.world)
        self.log = self.world.log = log
        self.time = Time()
        self.archive = SqliteArchive.in_memory(clock=lambda: self.world.now)
        self.full_every: str = "never"
        self.sources: list[dict[str, Any]] = []
        self.since: dict[str, datetime] = {}
        self.saves: Counter[str] = Counter()
        self.may_again: set[str] = set()
        self.steps = 0
        self.changed: set[str] = set()
        self.removed: list[dict[str, Any]] = []
        for id in (*OWNERS, EVE, FAN):
            self.world.owners[id] = Owner(id=id, name=id[12:])
        for _ in range(self.draw.randrange(0, 14)):
            self.world.publish(self.draw.choice(OWNERS))
        for _ in range(20):
            self.world.publish(EVE)
        self._configure()

    def _configure(self) -> None:
        draw = self.draw
        self.add_source("ann", f"douyin:user:{OWNERS[0]}")
        few: tuple[dict[str, Any], ...] = ({}, {}, {}, {"depth": "newest"}, {"limit": 2})
        if draw.random() < 0.5:
            self.add_source("bob", f"douyin:user:{OWNERS[1]}", **self.filters(), **draw.choice(few))
        if draw.random() < 0.4:
            self.add_source("mix", f"douyin:mix:{MIX}", **self.filters())
        if draw.random() < 0.5:
            self.add_source("fan", f"douyin:user:{FAN}", listing="likes", **self.filters())
        if draw.random() < 0.5:
            self.add_source("ann2", draw.choice(LINKS), **self.filters(), **draw.choice(few))
        self.draw.shuffle(self.sources)

    def add_source(self, name: str, url: str, **more: Any) -> None:
        """Keep something in sync."""
        self.sources.append({"name": name, "url": url, **more})

    def filters(self) -> dict[str, Any]:
        """What a source may leave out."""
        draw = self.draw
        return draw.choice(
            (
                {},
                {},
                {"kind": ["note"]},
                {"kind": ["article", "note"]},
                {"match": "likes > 4"},
                {"since": (self.world.now - timedelta(days=1)).strftime("%Y-%m-%d")},
            )
        )

    # --- the program ----------------------------------------------------------------------------------------------

    def settings(self) -> config.Settings:
        """The settings as they are now."""
        import tomli_w

        file = self.home / "config.toml"
        text = tomli_w.dumps({"sync": {"full_every": self.full_every}, "source": self.sources})
        file.write_text(text, encoding="utf-8")
        env = {"DYVINE_HOME": str(self.home / "state"), "DYVINE_PATH": str(self.home / "files")}
        return config.load({}, env, file)

    @contextmanager
    def workspaces(
        self, report: Callable[[Event], None], archive: Archive, **flags: Any
    ) -> Iterator[Workspaces]:
        """What open_workspaces gives, at this platform and with this archive."""
        settings = self.settings()
        root = self.home / "files"
        shared = Workspace(
            client=Visitor(self.platform, self.time),
            make_engine=None,  # type: ignore[arg-type]
            archive=archive,
            rows=Batch(archive),
            profiles=None,  # type: ignore[arg-type]
            root=root,
            template=Template.parse("{id}.{ext}"),
            limit=PathLimit.below(str(root)),
            parallel=2,
        )

        def wish(of: config.Settings) -> Any:
            return replace(selection_of(of), **flags)

        yield Workspaces(settings, shared, lambda of: shared.client, wish)

    async def sync(
        self,
        *,
        jobs: int = 1,
        retry: bool = False,
        kill: int | None = None,
        full: bool = False,
        disk: bool = False,
    ) -> Told:
        """`dyvine sync`, perhaps killed at one of its writes."""
        events: list[Event] = []
        mortal = Mortal(self.archive)
        mortal.left, mortal.full = kill, disk
        code: int | None = None
        began = self.world.now
        try:
            with self.workspaces(events.append, cast(Archive, mortal), full=full) as places:
                places.jobs = jobs
                sync = Sync(places, events.append, clock=lambda: self.world.now)
                entries = entries_of(self.settings(), places, ())
                code = await (sync.retry(entries) if retry else sync.run(entries))
        except (Killed, BaseExceptionGroup) as error:
            if not _is_kill(error):
                raise
            _bury(places.shared.rows)
        told = Told(code, events)
        self._note(told, began, killed=code is None or disk, parallel=jobs > 1)
        return told

    async def user(self, owner: str, **flags: Any) -> Told:
        """`dyvine user LINK`, once."""
        events: list[Event] = []
        began = self.world.now
        with self.workspaces(events.append, self.archive, **flags) as places:
            wish = places._wish_of(self.settings())
            getting = Once(places.shared, wish, events.append, kind="user")
            getting.clock = lambda: self.world.now
            code = await getting.run([Asked(f"douyin:user:{owner}")])
        told = Told(code, events)
        self._note(told, began, killed=False, parallel=False)
        return told

    async def fetch(self, item: Item) -> None:
        """`dyvine post LINK`, in another process."""
        if item.failing or not item.shown:
            return
        await self.archive.add_saved(
            [
                SavedAsset(
                    ref=item.ref,
                    asset="text",
                    user=item.owner,
                    path=self.home / item.id,
                    size=1,
                    sha256="ab" * 32,
                    saved=self.world.now,
                )
            ]
        )
        await self.archive.add_posts(
            [CompletePost(ref=item.ref, user=item.owner, created=item.created, completed=self.world.now)]
        )
        self.saves[item.id] = max(1, self.saves[item.id])

    async def status(self) -> list[Standing]:
        """`dyvine sync status`."""
        with self.workspaces(lambda event: None, self.archive) as places:
            entries = entries_of(self.settings(), places, ())
            return await standings(places, entries, self.world.now)

    def _note(self, told: Told, began: datetime, *, killed: bool, parallel: bool) -> None:
        for event in told.events:
            if isinstance(event, Saved):
                self.saves[event.ref.id] += 1
                if killed or parallel:
                    self.may_again.add(event.ref.id)
        if killed:
            self.may_again.update(self.world.items)


class Once(Getting):
    """`dyvine user` by the clock of that world."""

    clock: Callable[[], datetime]

    def _errand(self) -> Errand:
        return replace(super()._errand(), clock=self.clock)


def _bury(rows: Batch) -> None:
    """What a killed process would still have written is gone with it."""
    writer = rows._writer
    if writer is not None and not writer.cancel() and not writer.cancelled():
        writer.exception()


def _is_kill(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_kill(each) for each in error.exceptions)
    return isinstance(error, Killed)
