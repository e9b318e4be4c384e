"""What happens to people who keep accounts in sync, at random; and what has to be true after each of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from dyvine_cli.cli.upkeep import entries_of
from dyvine_cli.errors import NetworkError, UnexpectedResponse
from dyvine_cli.events import SyncedSource
from dyvine_cli.models import Ref
from dyvine_cli.operations.sync.check import owner_of

from .years import EVE, LINKS, OWNERS, Item, Life, Told


class Wrong(AssertionError):
    """Something is missing unseen."""


class Years(Life):
    """Random things, one after the other."""

    async def live(self, steps: int) -> None:
        """So many of them, then everything gets well; what goes wrong says how to see it again."""
        try:
            for _ in range(steps):
                self.steps += 1
                act = self.draw.choice(ACTS)
                self.log(f"{self.steps} {act.__name__} {self.world.now:%m-%d %H:%M:%S}")
                await act(self)
            await self.heal()
        except Exception as error:
            again = f"python tests/bench/years.py --seed {self.seed} --steps {steps} -v"
            error.add_note(f"{again}; step {self.steps}")
            raise

    # --- the checks -----------------------------------------------------------------------------------------------

    def shown_in(self, source: dict[str, Any]) -> list[tuple[Item, datetime]]:
        """What a source's list shows, and since when."""
        world = self.world
        if "listing" in source:
            return [(each, cast(datetime, each.liked)) for each in world.liked()]
        if ":mix:" in source["url"]:
            return [(each, each.created) for each in world.episodes()]
        owner = OWNERS[OWNERS[1] in source["url"]]
        return [(each, each.created) for each in world.of(owner)]

    def wanted(self, source: dict[str, Any], item: Item) -> bool:
        """Whether the source's filters let a post through."""
        if item.kind not in source.get("kind", [item.kind]) or item.ignored:
            return False
        since = source.get("since")
        if since and item.created < datetime.fromisoformat(since).astimezone():
            return False
        return not source.get("match") or item.likes > 4

    async def missing(
        self, source: dict[str, Any], before: datetime, *, all_of_them: bool = False
    ) -> list[str]:
        """Posts that a source should have brought by now, and that are neither saved nor on record as failed."""
        found = []
        for item, since in self.shown_in(source):
            if since >= before or not self.wanted(source, item) or (item.back and not all_of_them):
                continue
            if await self.archive.knows(item.ref):
                continue
            if all_of_them or not await self._waits(source, item):
                found.append(item.id[-3:])
        return found

    async def _waits(self, source: dict[str, Any], item: Item) -> bool:
        """Whether a post is on record as failed for this very source."""
        with self.workspaces(lambda event: None, self.archive) as places:
            (entry,) = entries_of(self.settings(), places, [source["name"]])
            ref = Ref.parse(source["url"].removesuffix(":posts"))
            assert ref is not None
            listing, scope = owner_of(places, entry, ref)
        return bool(await self.archive.failed(item.ref, source=listing, scope=scope))

    async def check_run(self, told: Told, began: datetime) -> None:
        """What a run said of its sources is true."""
        {row.name: row for row in told.rows}
        self.log(
            f"   -> {told.code} " + " ".join(f"{r.name}:{r.state}+{r.new}-{r.failed}" for r in told.rows)
        )
        for source in self.sources:
            row = next((row for row in told.rows if self._is_of(row, source)), None)
            if row is None or row.state != "complete" or source.get("limit") or source.get("depth"):
                continue
            missing = await self.missing(source, began)
            if missing:
                raise Wrong(f"{source['name']} is called complete without {missing}")
        if told.code is not None:
            self._check_code(told)
        for id, count in self.saves.items():
            if count > 1 and id not in self.may_again:
                raise Wrong(f"{id} came {count} times")

    def _is_of(self, row: SyncedSource, source: dict[str, Any]) -> bool:
        return row.name == source["name"]

    def _check_code(self, told: Told) -> None:
        states = [row.state for row in told.rows]
        trouble = any(row.failed for row in told.rows)
        code = told.code
        if "stopped" in states:
            expected = code not in (0, 3, 7)
        elif "cut" in states:
            expected = code == 7
        elif "not tried" in states:
            expected = code in (4, 6)
        elif "failed" in states or trouble:
            expected = code not in (0, 7, None)
        else:
            expected = code == 0
        if not expected:
            raise Wrong(f"status {code} for {states}, failed: {trouble}")

    async def check_status(self) -> None:
        """Nothing is missing that the status does not show."""
        for source, standing in zip(self.sources, await self.status(), strict=True):
            if source.get("limit") or source.get("depth") or standing.checked is None:
                continue
            well = standing.state == "complete" and not (standing.cut or standing.failed or standing.lasting)
            if (
                well
                and source["name"] not in self.changed
                and (missing := await self.missing(source, standing.checked))
            ):
                raise Wrong(f"status of {source['name']} is well without {missing}: {standing}")

    # --- the end --------------------------------------------------------------------------------------------------

    async def heal(self) -> None:
        """All troubles end; a few runs later everything is there."""
        world = self.world
        self.log("heal")
        world.trouble, world.dead, world.walls, world.login, world.before_call = 0.0, False, False, True, None
        for owner in world.owners.values():
            owner.state = "public"
        for item in world.items.values():
            item.failing = None
        await self._until_quiet(timedelta(days=8))
        for source in self.sources:
            if source.get("limit") or source.get("depth"):
                continue
            if missing := await self.missing(source, world.now):
                raise Wrong(f"never saved by {source['name']}: {missing}")
        self.full_every = "30d"
        world.now += timedelta(days=31)
        self.log("full")
        await self._until_quiet(timedelta(days=8))
        for source in self.sources:
            if source.get("limit") or source.get("depth"):
                continue
            if missing := await self.missing(source, world.now, all_of_them=True):
                raise Wrong(f"never saved by {source['name']}, not even by a full listing: {missing}")
        for standing in await self.status():
            if standing.cut or standing.state != "complete":
                raise Wrong(f"not well at the end: {standing}")

    async def _until_quiet(self, pause: timedelta) -> None:
        for _ in range(6):
            self.world.now += pause
            began = self.world.now
            told = await self.sync()
            await self.check_run(told, began)
            await self.check_status()
            if (
                told.code == 0
                and not any(row.new for row in told.rows)
                and all(row.state == "complete" for row in told.rows)
            ):
                return
        raise Wrong(f"no rest: {told.code} {told.rows}")


async def publish(life: Years) -> None:
    """New posts."""
    for _ in range(life.draw.choice((1, 1, 2, 5, 9))):
        life.world.publish(life.draw.choice(OWNERS))


async def like(life: Years) -> None:
    """The fan likes something: posts of nobody's, or many of an account that is kept in sync, too."""
    owners = life.draw.choice(((EVE,), OWNERS, OWNERS, (EVE, *OWNERS)))
    others = [each for owner in owners for each in life.world.of(owner)]
    for item in life.draw.sample(others, min(life.draw.choice((1, 3, 9)), len(others))):
        if item.liked is None:
            life.world.now += timedelta(seconds=2)
            item.liked = life.world.now


async def unlike(life: Years) -> None:
    """The fan does not like something any more."""
    liked = life.world.liked()
    for item in life.draw.sample(liked, min(2, len(liked))):
        item.liked = None


async def withdraw(life: Years) -> None:
    """Posts go away."""
    shown = [each for each in life.world.items.values() if each.shown]
    for item in life.draw.sample(shown, min(2, len(shown))):
        item.shown, item.away, item.back = False, life.draw.choice(("deleted", "private", "unlisted")), True


async def bring_back(life: Years) -> None:
    """Some of them come back."""
    for item in life.world.items.values():
        if not item.shown and life.draw.random() < 0.5:
            item.shown = True


async def pin(life: Years) -> None:
    """Posts are pinned, or not any more."""
    for item in life.draw.sample(list(life.world.items.values()), min(2, len(life.world.items))):
        item.pinned = not item.pinned


async def turn(life: Years) -> None:
    """An account closes or opens."""
    owner = life.world.owners[life.draw.choice(OWNERS)]
    if owner.state == "public" and not any(
        [await life.archive.knows(each.ref) for each in life.world.of(owner.id)]
    ):
        return  # an account that had nothing is not asked why it shows nothing
    owner.state = "public" if owner.state != "public" else life.draw.choice(("private", "banned"))
    for item in life.world.items.values():  # in lists of other people's posts they were away
        item.back = item.back or (item.owner == owner.id and (item.in_mix or item.liked is not None))


async def rename(life: Years) -> None:
    """An account takes another name."""
    life.world.owners[OWNERS[0]].name += "x"


async def trouble(life: Years) -> None:
    """The platform lies and refuses more, or less."""
    life.world.trouble = life.draw.choice((0.0, 0.0, 0.1, 0.3, 0.6))


async def login(life: Years) -> None:
    """The login comes, goes or dies; guests meet a wall or none."""
    life.world.login = not life.world.login
    life.world.dead = life.world.login and life.draw.random() < 0.2
    life.world.walls = life.draw.random() < 0.7


async def media(life: Years) -> None:
    """Posts that could not be had can be had, and the other way round."""
    for item in life.world.items.values():
        if item.failing and life.draw.random() < 0.5:
            item.failing = None
        elif not item.failing and not await life.archive.knows(item.ref) and life.draw.random() < 0.05:
            item.failing = life.draw.choice((NetworkError, UnexpectedResponse))


async def wait(life: Years) -> None:
    """Time passes."""
    life.world.now += life.draw.choice(
        (timedelta(seconds=5), timedelta(hours=2), timedelta(days=1), timedelta(days=9))
    )


async def filters(life: Years) -> None:
    """A source wants other posts."""
    source = life.draw.choice(life.sources)
    for key in ("kind", "match", "since"):
        source.pop(key, None)
    source |= life.filters()
    life.changed.add(source["name"])


async def rearrange(life: Years) -> None:
    """Sources are called otherwise, change their order or links, are taken out or come back."""
    draw, sources = life.draw, life.sources
    draw.shuffle(sources)
    one, other = sources[0], sources[-1]
    match draw.choice(("name", "link", "out", "back")):
        case "name":
            one["name"] += "x"
        case "link" if one is not other and {one["url"], other["url"]} == set(LINKS):
            one["url"], other["url"] = other["url"], one["url"]
        case "out" if len(sources) > 1:
            life.removed.append(sources.pop())
        case "back":
            sources.extend(life.removed)
            life.removed.clear()
    life.changed.update(each["name"] for each in sources)


async def forget(life: Years) -> None:
    """`dyvine archive forget`."""
    if life.world.items:
        item = life.draw.choice(list(life.world.items.values()))
        await life.archive.forget(item.ref)
        item.back, item.ignored = True, False
        life.may_again.add(item.id)


async def ignore(life: Years) -> None:
    """`dyvine archive ignore`."""
    if life.world.items:
        item = life.draw.choice(list(life.world.items.values()))
        await life.archive.ignore([item.ref])
        item.ignored = True


async def fetch(life: Years) -> None:
    """`dyvine post LINK` for one of the newest posts."""
    if life.world.items:
        newest = sorted(life.world.items.values(), key=lambda each: each.created)[-6:]
        await life.fetch(life.draw.choice(newest))


async def user(life: Years) -> None:
    """`dyvine user LINK`, in one of its ways."""
    flags = life.draw.choice(
        (
            {},
            {"stop_at_known": True},
            {"limit": 2},
            {"limit": 2, "stop_at_known": True},
            {"full": True},
            {"kinds": frozenset(["note"])},
            {"kinds": frozenset(["note"]), "stop_at_known": True},
        )
    )
    told = await life.user(life.draw.choice(OWNERS), **flags)
    life.log(f"   {flags} -> {told.code}")
    await life.check_status()


async def sync(life: Years) -> None:
    """`dyvine sync`, perhaps killed, on a full disk, or while more is published and fetched."""
    draw = life.draw
    kill = draw.randrange(0, 30) if draw.random() < 0.25 else None
    jobs = draw.choice((1, 1, 2, 4))
    full = draw.random() < 0.1
    disk = draw.random() < 0.05
    busy = jobs == 1 and draw.random() < 0.4

    async def meanwhile() -> None:
        if draw.random() < 0.5:
            for _ in range(draw.choice((1, 6))):
                item = life.world.publish(draw.choice(OWNERS))
            if draw.random() < 0.6:
                await life.fetch(item)

    life.world.before_call = meanwhile if busy else None
    began = life.world.now
    life.log(
        f"   kill={kill} jobs={jobs} full={full} disk={disk} busy={busy} trouble={life.world.trouble} login={life.world.login} dead={life.world.dead} walls={life.world.walls}"
    )
    told = await life.sync(jobs=jobs, kill=kill, full=full, disk=disk)
    life.world.before_call = None
    life.world.now += timedelta(seconds=2)
    if kill is None:
        life.changed -= {row.name for row in told.rows if row.state == "complete"}
    await life.check_run(told, began)
    await life.check_status()


async def retry(life: Years) -> None:
    """`dyvine sync retry`."""
    began = life.world.now
    told = await life.sync(retry=True)
    await life.check_run(told, began)
    await life.check_status()


ACTS = (
    *[sync] * 9,
    *[publish] * 4,
    like,
    like,
    unlike,
    withdraw,
    bring_back,
    pin,
    turn,
    rename,
    trouble,
    trouble,
    login,
    media,
    wait,
    wait,
    filters,
    rearrange,
    forget,
    ignore,
    fetch,
    user,
    retry,
)
