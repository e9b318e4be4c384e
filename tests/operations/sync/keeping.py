"""A person whose configuration has sources, and an archive that knows what earlier years brought."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dyvine_cli import config
from dyvine_cli.archive.base import CompletePost, SavedAsset
from dyvine_cli.cli.settings import selection_of
from dyvine_cli.cli.upkeep import entries_of
from dyvine_cli.events import Event, SyncedSource
from dyvine_cli.models import Ref
from dyvine_cli.operations.sync.run import Sync
from dyvine_cli.operations.sync.standing import Standing, standings
from dyvine_cli.operations.workspace import open_workspaces
from dyvine_cli.simulator.world import World

from ..conftest import Outcome, Person

WORLD = World()
VIDEOS = {"kind": ["video"]}
"""A wish that makes little work: one file a post, and no call beside the lists."""


def user(id: str) -> str:
    """An account's ref."""
    return f"douyin:user:{id}"


def videos(account: str, *indices: int) -> list[str]:
    """The ids of an account's videos among its posts at these places, all without any."""
    found = WORLD.account(account)
    assert found is not None
    posts = (WORLD.at(found, index) for index in indices or range(found.posts))
    return [post.id for post in posts if post.kind == "video" and not post.hidden]


class Keeper:
    """Runs `sync` as the command line does, `ahead` of the time of day."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.ahead = timedelta()
        self.sources: list[dict[str, Any]] = []
        self.full_every = "30d"
        self.file = person.home / "config.toml"

    def clock(self) -> datetime:
        """The time of day as the runs see it."""
        return datetime.now(UTC) + self.ahead

    def source(self, account: str, **more: Any) -> None:
        """Keep an account in sync; `more` are fields of the source."""
        self.sources.append({"url": user(account), **VIDEOS, **more})

    def settings(self, **flags: Any) -> config.Settings:
        """The settings of a run."""
        import tomli_w

        text = tomli_w.dumps({"sync": {"full_every": self.full_every}, "source": self.sources})
        assert tomllib.loads(text)
        self.file.write_text(text, encoding="utf-8")
        env = {"HOME": "state", "PATH": "downloads"}
        env = {f"DYVINE_{name}": str(self.person.home / place) for name, place in env.items()}
        flags = {"connect_to": self.person.platform.connect_to, **flags}
        return config.load(flags, {**env, "DYVINE_QUALITY": "worst", **self.person.env}, self.file)

    async def run(
        self,
        *words: str,
        retry: bool = False,
        simulate: bool = False,
        jobs: int = 1,
        lookups: int = 50,
        **flags: Any,
    ) -> Outcome:
        """`dyvine sync run`, or `retry`."""
        events: list[Event] = []
        settings = self.settings(**flags)
        time = self.person.time
        budget = time.budget(report=events.append)
        opened = open_workspaces(settings, events.append, selection_of, budget=budget, sleep=time.sleep)
        async with opened as places:
            places.jobs = jobs
            sync = Sync(places, events.append, simulate=simulate, clock=self.clock, lookups=lookups)
            entries = entries_of(settings, places, words)
            code = await (sync.retry(entries) if retry else sync.run(entries))
        return Outcome(code, events)

    async def standings(self) -> list[Standing]:
        """`dyvine sync status`."""
        settings = self.settings()
        async with open_workspaces(settings, lambda event: None, selection_of) as places:
            return await standings(places, entries_of(settings, places, ()), self.clock())

    async def knows(self, account: str, ids: Iterable[str], *, completed: datetime | None = None) -> None:
        """Put posts on record as if they had been saved years ago, or when `completed` says."""
        when = completed or datetime(2020, 1, 1, tzinfo=UTC)
        refs = [Ref("douyin", "post", id) for id in ids]
        posts = {ref: WORLD.post(ref.id) for ref in refs}
        async with self.person.at_work() as workspace:
            await workspace.archive.add_saved([_row(ref, account, when) for ref in refs])
            await workspace.archive.add_posts(
                [
                    CompletePost(
                        ref=ref,
                        user=account,
                        created=datetime.fromtimestamp(post.created_s, UTC),
                        completed=when,
                    )
                    for ref, post in posts.items()
                    if post is not None
                ]
            )

    async def publishes(self, account: str, count: int) -> list[str]:
        """Let the newest posts of an account be ones that nobody has listed yet; the ids of the videos among them."""
        found = WORLD.account(account)
        assert found is not None
        before = datetime.fromtimestamp(found.created_ms(count) / 1000, UTC)
        source = Ref("douyin", "user", account)
        ids = videos(account, *range(count))
        await self.forgets(ids)
        async with self.person.at_work() as workspace:
            archive = workspace.archive
            for row in await archive.listings(source, None):
                await archive.add_listed(replace(row, time=min(row.time, before)))
                for place in await archive.cursors(source, None, row.scope):
                    await archive.keep_cursor(replace(place, kept=min(place.kept, before)))
        return ids

    async def forgets(self, ids: Iterable[str]) -> None:
        """Take posts off the archive."""
        async with self.person.at_work() as workspace:
            for id in ids:
                await workspace.archive.forget(Ref("douyin", "post", id))

    def calls(self) -> list[str]:
        """What was asked of the platform so far, media aside."""
        return self.person.calls()


def _row(ref: Ref, account: str, when: datetime) -> SavedAsset:
    path = Path("/elsewhere") / f"{ref.id}.mp4"
    return SavedAsset(ref=ref, asset="video", user=account, path=path, size=1, sha256="ab" * 32, saved=when)


def rows(outcome: Outcome) -> dict[str, SyncedSource]:
    """The rows of a run by the source's name."""
    return {row.name: row for row in outcome.summary.sources or ()}


def states(outcome: Outcome) -> list[tuple[str, int, int]]:
    """State, new and failed of each source, in the order in which they were done."""
    return [(row.state, row.new, row.failed) for row in outcome.summary.sources or ()]


def order(outcome: Outcome) -> Sequence[str]:
    """The names of the sources in the order in which they were done."""
    return [row.name for row in outcome.summary.sources or ()]
