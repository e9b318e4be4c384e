"""Everything a run works with, opened from the settings and closed again; below it nobody knows our settings."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dyvine_cli import cookies, identity
from dyvine_cli.archive.base import Archive
from dyvine_cli.archive.batch import Batch
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.client import Client
from dyvine_cli.config import Settings, locate
from dyvine_cli.cookies import Cookie
from dyvine_cli.events import Report, Warned
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import CONNECTIONS, Network
from dyvine_cli.http.reader import HttpMediaReader
from dyvine_cli.identity import Profile, Profiles
from dyvine_cli.naming import STANDARD, PathLimit, Template
from dyvine_cli.sites import HOSTS
from dyvine_cli.transfer.engine import Engine


@dataclass(slots=True, kw_only=True)
class Workspace:
    """One run's client, engine and archive, and where its files go.

    `rows` collects rows of saved files. `profiles` is the store of identities, `parallel` the number of posts on their
    way at once.
    """

    client: Client
    engine: Engine
    archive: Archive
    rows: Batch
    profiles: Profiles
    root: Path
    template: Template
    limit: PathLimit
    parallel: int
    fail_if_nothing_new: bool = False
    _folders: dict[PurePosixPath, tuple[str, ...]] = field(default_factory=dict)

    def folder(self, parent: PurePosixPath, suffix: str) -> str | None:
        """The folder below `parent` whose name ends in `suffix`, so that an account keeps its folder; None if none."""
        if parent not in self._folders:
            place = self.root / parent
            names = sorted(each.name for each in place.iterdir() if each.is_dir()) if place.is_dir() else []
            self._folders[parent] = tuple(names)
        return next((name for name in self._folders[parent] if name.endswith(suffix)), None)


@asynccontextmanager
async def open_workspace(settings: Settings, report: Report) -> AsyncIterator[Workspace]:
    """Open what a run needs. Raises ConfigError, ArchiveError, DiskError."""
    folders = locate(os.environ)
    for warning in settings.warnings:
        report(Warned(message=warning))
    profiles = Profiles(folders.state)
    root = (settings.path or Path.cwd()).absolute()
    template = Template.parse(settings.output or STANDARD)
    network = _network(settings, report)
    client = Client(
        network=network,
        who=lambda site: who(settings, profiles, site),
        state=folders.state,
        pace=settings.pace_of(settings.site),
        retries=settings.limits.retries,
        default_site=settings.site,
        report=report,
    )
    archive = _archive(settings, folders.state, report)
    try:
        async with Batch(archive) as rows:
            yield Workspace(
                client=client,
                engine=_engine(settings, network),
                archive=archive,
                rows=rows,
                profiles=profiles,
                root=root,
                template=template,
                limit=PathLimit.below(str(root)),
                parallel=settings.limits.parallel,
                fail_if_nothing_new=settings.fail_if_nothing_new,
            )
    finally:
        await network.aclose()
        await archive.aclose()


def _network(settings: Settings, report: Report) -> Network:
    reach = settings.network
    if not reach.check_certificates:
        report(
            Warned(message="certificates are not checked: anyone on the way can read and change what is sent")
        )
    return Network(
        connect_to=ConnectTo.parse(reach.connect_to or ""),
        proxy=settings.proxy_of(settings.site),
        ca_file=reach.ca_file,
        verify=reach.check_certificates,
        allow=reach.allow,
        listed=HOSTS,
    )


def _engine(settings: Settings, network: Network) -> Engine:
    return Engine(
        HttpMediaReader(network),
        parallel=settings.limits.parallel,
        per_host=min(CONNECTIONS, settings.limits.parallel),
        rate=settings.limits.rate,
        retries=settings.limits.retries,
    )


def _archive(settings: Settings, state: Path, report: Report) -> Archive:
    """The archive on disk, or one that is forgotten at the end when none is wanted."""
    if not settings.archive.enabled:
        return SqliteArchive.in_memory()
    return SqliteArchive.open(settings.archive.path or state / "archive.sqlite3", report=report)


def who(settings: Settings, profiles: Profiles, site: str) -> Profile:
    """The identity that the settings choose for a site. Raises ConfigError, InputError for cookies that are none."""
    wanted = settings.identity(site)
    jar: tuple[Cookie, ...] = ()
    if wanted.cookies is not None:
        jar = cookies.read_file(wanted.cookies, site=site)
    elif wanted.cookie:
        jar = cookies.read(wanted.cookie, site=site)
    agent = (settings.douyin if site == "douyin" else settings.tiktok).user_agent
    return identity.choose(profiles, site, next(iter(wanted.profiles), None), jar, user_agent=agent)
