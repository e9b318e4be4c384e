"""Everything a run works with, opened from the settings and closed again; below it nobody knows our settings."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from dyvine_cli import cookies, identity
from dyvine_cli.archive.base import Archive
from dyvine_cli.archive.batch import Batch
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.budget import Budget
from dyvine_cli.client import Client
from dyvine_cli.config import Settings, Source
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import ConfigError, InputError
from dyvine_cli.events import Report, Warned
from dyvine_cli.http.addresses import within
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.exchange import Trace
from dyvine_cli.http.imitation import Imitation
from dyvine_cli.http.media import MediaAnswer, MediaReader
from dyvine_cli.http.network import CONNECTIONS, Network
from dyvine_cli.http.reader import HttpMediaReader
from dyvine_cli.http.tls import context
from dyvine_cli.identity import Profile, Profiles
from dyvine_cli.models import Listing
from dyvine_cli.naming import STANDARD, PathLimit, Template
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.traffic import Traffic, both
from dyvine_cli.rests import Rests
from dyvine_cli.sites import HOSTS, SITES
from dyvine_cli.transfer.folder import writing
from dyvine_cli.transfer.turns import Turns

if TYPE_CHECKING:
    from dyvine_cli.operations.doctor import Subject
    from dyvine_cli.transfer.engine import Engine

ENGINE = "dyvine_cli.transfer.engine"
"""The module that fetches files."""
_HEAD_START = 0.01  # seconds in which the question goes out that is to be answered

ArchiveUse = Literal["optional", "needed", "read"]
"""What a run wants of the archive: it could do without, it is about it, or only looks into it."""


@dataclass(slots=True, kw_only=True)
class Workspace:
    """One run's client, engine and archive, and where its files go.

    `make_engine` always gives the same one. `rows` collects rows of saved files. `profiles` is the store of identities,
    `parallel` the number of posts on their way at once. `posts` keeps two sources from saving one post at once.
    """

    client: Client
    make_engine: Callable[[], Engine]
    archive: Archive
    rows: Batch
    profiles: Profiles
    root: Path
    template: Template
    limit: PathLimit
    parallel: int
    fail_if_nothing_new: bool = False
    posts: Turns = field(default_factory=Turns)
    _folders: dict[PurePosixPath, tuple[int, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """What fetches files; it is made with the first one."""
        return self.make_engine()

    async def load_engine(self) -> None:
        """Load what fetches files, aside from the loop: there is time while a platform's answer is on its way."""
        await asyncio.sleep(_HEAD_START)
        await asyncio.to_thread(import_module, ENGINE)

    def folder(self, parent: PurePosixPath, suffix: str) -> str | None:
        """The folder below `parent` whose name ends in `suffix`, so that an account keeps its folder; None if none."""
        return next((name for name in self._names(parent) if name.endswith(suffix)), None)

    def _names(self, parent: PurePosixPath) -> tuple[str, ...]:
        """The folders below `parent`, read anew when one came or went. Raises NotWritable, DiskError."""
        place = self.root / parent
        with writing(place):
            try:
                changed = place.stat().st_mtime_ns
            except (FileNotFoundError, NotADirectoryError):
                return ()
            read, names = self._folders.get(parent, (None, ()))
            if read != changed:
                names = tuple(sorted(each.name for each in place.iterdir() if each.is_dir()))
                self._folders[parent] = changed, names
        return names


@asynccontextmanager
async def open_workspace(
    settings: Settings,
    report: Report,
    *,
    archive: ArchiveUse = "optional",
    budget: Budget | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Workspace]:
    """Open what a run needs. `budget` None is the one of this machine; `sleep` waits between tries.

    Raises ConfigError, MissingExtra, ArchiveError, DiskError.
    """
    async with _opened(settings, report, archive, budget, sleep) as (workspace, _):
        yield workspace


@asynccontextmanager
async def _opened(
    settings: Settings,
    report: Report,
    use: ArchiveUse,
    budget: Budget | None,
    sleep: Callable[[float], Awaitable[None]],
) -> AsyncIterator[tuple[Workspace, Callable[[Settings], Client]]]:
    """A workspace, and what makes another client for it, of settings that name another identity."""
    folders = settings.folders
    for warning in settings.warnings:
        report(Warned(message=warning))
    profiles = Profiles(folders.state)
    _need_reach(settings, profiles)
    root = (settings.path or Path.cwd()).absolute()
    template = Template.parse(settings.output or STANDARD)
    trace = Traffic() if settings.print_traffic else None
    networks = _Networks(settings, report, trace)

    def client(of: Settings) -> Client:
        return Client(
            network=networks.of,
            who=lambda site: who(of, profiles, site),
            state=folders.state,
            pace={site.name: of.pace_of(site.name) for site in SITES},
            retries=of.limits.retries,
            default_site=of.named_site,
            budget=budget,
            report=report,
            sleep=sleep,
            constants=_constants(of),
            trace=trace,
        )

    try:
        archive = _archive(settings, folders.state, report, use)
        try:
            engine = cache(partial(_engine, settings, networks, sleep))
            async with Batch(archive, before=lambda: engine().settle()) as rows:
                workspace = Workspace(
                    client=client(settings),
                    make_engine=engine,
                    archive=archive,
                    rows=rows,
                    profiles=profiles,
                    root=root,
                    template=template,
                    limit=PathLimit.below(str(root)),
                    parallel=settings.limits.parallel,
                    fail_if_nothing_new=settings.fail_if_nothing_new,
                )
                yield workspace, client
        finally:
            await archive.aclose()
    finally:
        await networks.aclose()


def _need_reach(settings: Settings, profiles: Profiles) -> None:
    """Whom and what the person named to reach the sites with has to be there, so that nothing begins without it.

    Raises ConfigError, InputError, MissingExtra.
    """
    if settings.named_site or settings.identity(settings.site).browser is None:
        cookies_given(settings, settings.site)
    if settings.origin("profile").startswith("flag"):
        _need_profiles(settings.profile, profiles)
    authorities = settings.network.ca_file
    if authorities is not None and settings.origin("ca_file").startswith(("flag", "file")):
        with _named(settings, "ca_file"):
            context(authorities, verify=True)


def _need_profiles(names: Sequence[str], profiles: Profiles) -> None:
    """Raise ConfigError for a name that is stored for no site."""
    stored = {name for site in SITES for name in profiles.names(site.name)}
    for name in names:
        if name not in stored | {identity.GUEST, identity.ENV}:
            raise ConfigError(
                f"--profile: there is no profile '{name}'",
                hint=f"stored are: {', '.join(sorted(stored)) or 'none but guest'};"
                f" `dyvine login add --profile {name} FILE` makes it",
            )


@contextmanager
def _named(settings: Settings, key: str) -> Iterator[None]:
    """Put before an InputError where the setting that it is about stands."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{settings.place(key)}: {error.message}", hint=error.hint) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A source of the settings, as `sync` goes about it.

    `link` and `what` are as they are written there, `title` is what people call it. `newest` wants nothing that is older
    than its first run found. `every` is seconds between two checks, None for each run. `named` says that the person
    asked for it by name. `apart` is the name that tells it from other sources of its link and listing, empty for none.
    """

    link: str
    title: str
    what: Listing | None
    newest: bool
    every: float | None
    enabled: bool
    named: bool
    source: Source = field(repr=False)
    apart: str = ""


class Workspaces:
    """What the sources of a run share (archive, engine, connections), and the workspace that each of them works in.

    `wish_of` turns settings into wishes for posts. A client is opened for each identity once, when it is needed.
    """

    def __init__(
        self,
        settings: Settings,
        shared: Workspace,
        client: Callable[[Settings], Client],
        wish_of: Callable[[Settings], Selection],
    ) -> None:
        self._settings = settings
        self._wish_of = wish_of
        self._make = client
        self._clients: dict[tuple[str, ...] | None, Client] = {None: shared.client}
        self._rooms: dict[tuple[object, ...], Workspace] = {}
        self.shared = shared
        self.state = settings.folders.state
        self.jobs = settings.sync.jobs
        self.full_every = settings.sync.full_every

    def entries(self, sources: Sequence[Source], *, named: Sequence[Source] = ()) -> list[Entry]:
        """The sources in their order; `named` are those that the person chose by name."""
        chosen = {id(each) for each in named}
        links = Counter((each.url, each.listing or "posts") for each in self._settings.sources)
        return [
            Entry(
                link=each.url,
                title=each.title,
                what=each.listing,
                newest=each.depth == "newest",
                every=each.every,
                enabled=each.enabled,
                named=id(each) in chosen,
                source=each,
                apart=each.name or "" if links[each.url, each.listing or "posts"] > 1 else "",
            )
            for each in sources
        ]

    def root_of(self, entry: Entry) -> Path:
        """The folder that a source's files go to. Raises ConfigError for what cannot be."""
        return (self._settings.for_source(entry.source).path or Path.cwd()).absolute()

    def of(self, entry: Entry) -> tuple[Workspace, Selection]:
        """Where a source is worked on, and what is wanted of it. Raises ConfigError, InputError for what cannot be."""
        source = entry.source
        settings = self._settings.for_source(source)
        key = (source.profile, settings.path, settings.output)
        if key not in self._rooms:
            root = settings.path.absolute()
            self._rooms[key] = replace(
                self.shared,
                client=self._client(source.profile, settings),
                root=root,
                template=Template.parse(settings.output),
                limit=PathLimit.below(str(root)),
                _folders={},
            )
        return self._rooms[key], self._wish_of(settings)

    def wish_of(self, entry: Entry) -> Selection:
        """What is wanted of a source. Raises ConfigError, InputError for what cannot be."""
        return self._wish_of(self._settings.for_source(entry.source))

    def _client(self, profile: tuple[str, ...] | None, settings: Settings) -> Client:
        if profile not in self._clients:
            self._clients[profile] = self._make(settings)
        return self._clients[profile]

    @property
    def clients(self) -> tuple[Client, ...]:
        """The clients in use."""
        return tuple(self._clients.values())


@asynccontextmanager
async def open_workspaces(
    settings: Settings,
    report: Report,
    wish_of: Callable[[Settings], Selection],
    *,
    budget: Budget | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Workspaces]:
    """Open what a run over sources needs; see `open_workspace`. Raises InputError when the archive is switched off."""
    archive_place(settings)
    async with _opened(settings, report, "needed", budget, sleep) as (shared, client):
        yield Workspaces(settings, shared, client, wish_of)


class _Networks:
    """The networks of a run: one for each proxy in use, so that every site's calls and media take that site's way."""

    def __init__(self, settings: Settings, report: Report, trace: Trace | None = None) -> None:
        self._settings = settings
        self._trace = trace
        self._imitation = Imitation(settings.network.impersonate)
        self._rests = Rests(settings.folders.state)
        self._opened: dict[str | None, Network] = {}
        self._readers: dict[str | None, HttpMediaReader] = {}
        if not settings.network.check_certificates:
            report(
                Warned(
                    message="certificates are not checked: anyone on the way can read and change what is sent"
                )
            )
        for site in SITES:  # a proxy that cannot be used is told before anything is asked
            self.of(site.name)

    def of(self, site: str, own: str | None = None) -> Network:
        """The network of a site's calls; `own` is the proxy of the profile in use, None if it has none."""
        return self._by(self._settings.proxy_of(site, own))

    def open(
        self, url: str, headers: Mapping[str, str], range: tuple[int, int | None] | None = None
    ) -> AbstractAsyncContextManager[MediaAnswer]:
        """Read media by the way of the site whose host it is, else of the usual site; see `MediaReader`."""
        host = urlsplit(url).hostname or ""
        site = next((site.name for site in SITES if within(host, site.all_hosts)), self._settings.site)
        network = self.of(site)
        made = HttpMediaReader(network, trace=self._trace)
        reader = self._readers.setdefault(self._settings.proxy_of(site), made)
        return reader.open(url, headers, range)

    def _by(self, proxy: str | None) -> Network:
        if proxy not in self._opened:
            reach = self._settings.network
            self._opened[proxy] = Network(
                connect_to=ConnectTo.parse(reach.connect_to or ""),
                proxy=proxy,
                proxy_order=reach.proxy_order,
                rests=self._rests,
                ca_file=reach.ca_file,
                verify=reach.check_certificates,
                allow=reach.allow,
                listed=HOSTS,
                imitation=self._imitation,
            )
        return self._opened[proxy]

    async def aclose(self) -> None:
        """Close every connection."""
        for network in self._opened.values():
            await network.aclose()


def _engine(settings: Settings, reader: MediaReader, sleep: Callable[[float], Awaitable[None]]) -> Engine:
    from dyvine_cli.transfer.engine import Engine  # see `Workspace.load_engine`

    return Engine(
        reader,
        parallel=settings.limits.parallel,
        per_host=CONNECTIONS,
        segments=settings.limits.segments,
        rate=settings.limits.rate,
        retries=settings.limits.retries,
        sleep=sleep,
    )


def _archive(settings: Settings, state: Path, report: Report, use: ArchiveUse) -> Archive:
    """The archive on disk, or one that is forgotten at the end when none is wanted."""
    place = _archive_place(settings, state)
    if place is None:
        return SqliteArchive.in_memory()
    return SqliteArchive.open(place, optional=use == "optional", reading=use == "read", report=report)


def archive_place(settings: Settings) -> Path:
    """Where the archive is, there or not. Raises InputError when the person wants none."""
    place = _archive_place(settings, settings.folders.state)
    if place is None:
        raise no_archive()
    return place


def open_archive(settings: Settings, report: Report) -> Archive:
    """The archive alone, for work that needs nothing else. Raises InputError, ArchiveError, DiskFull."""
    return SqliteArchive.open(archive_place(settings), optional=False, report=report)


def no_archive() -> InputError:
    """The complaint about work on an archive that is switched off."""
    return InputError(
        "there is no archive to work on: it is switched off",
        hint="leave out --no-archive, or set `enabled = true` in [archive] of the configuration",
    )


def _archive_place(settings: Settings, state: Path) -> Path | None:
    return settings.archive.path or state / "archive.sqlite3" if settings.archive.enabled else None


def _constants(settings: Settings) -> Mapping[str, Path]:
    """The person's files over the signing constants, by site."""
    named = {"douyin": settings.douyin.sign, "tiktok": settings.tiktok.sign}
    return {site: path for site, path in named.items() if path}


@asynccontextmanager
async def open_subject(
    settings: Settings, report: Report, text: str | None, record: Trace
) -> AsyncIterator[Subject]:
    """Open what the doctor examines: everything a run has, each part without leaning on the others; nothing is retried.

    `text` is the link to try, None for the site's own sample; `record` receives every exchange.
    Raises UnsupportedURL, ConfigError, InputError.
    """
    from dyvine_cli.operations.doctor import Subject, target

    trace = both(record, Traffic()) if settings.print_traffic else record
    folders = settings.folders
    profiles = Profiles(folders.state)
    networks = _Networks(settings, report, trace)
    client = Client(
        network=networks.of,
        who=lambda site: who(settings, profiles, site),
        state=folders.state,
        pace={site.name: settings.pace_of(site.name) for site in SITES},
        retries=0,
        default_site=settings.named_site,
        report=report,
        constants=_constants(settings),
        trace=trace,
    )
    try:
        ref = target(client, text)
        site = client.site(ref.site if ref else settings.site)
        yield Subject(
            site=site,
            network=networks.of(site.name, site.profile.proxy),
            media=networks,
            ref=ref,
            proxy=settings.proxy_of(site.name, site.profile.proxy),
            next_try=client.next_try,
            root=(settings.path or Path.cwd()).absolute(),
            state=folders.state,
            archive=_archive_place(settings, folders.state),
        )
    finally:
        await networks.aclose()


def who(settings: Settings, profiles: Profiles, site: str) -> Sequence[Profile]:
    """The identities that the settings choose for a site, several to take turns.

    Raises ConfigError, InputError for cookies that are none, and for a file with another site's alone where nothing but a
    guest would be left.
    """
    names = settings.identity(site).profiles or (None,)
    agent = (settings.douyin if site == "douyin" else settings.tiktok).user_agent
    given = cookies_given(settings, site)
    chosen = [identity.choose(profiles, site, name, given, user_agent=agent) for name in names]
    path = settings.identity(site).cookies
    if path is not None and not given and chosen[0].is_guest:
        raise _of_others(settings, path, site)
    return chosen


def _of_others(settings: Settings, path: Path, site: str) -> InputError:
    """The error for cookies that were given and are not those of a site that is needed."""
    others = [each.name for each in SITES if each.name != site and _of_file(settings, path, each.name)]
    return InputError(
        f"{path}: these are cookies of {' and '.join(others)} only, and a link is of {site}",
        hint=f"add a login there, dyvine login add --site {site} FILE, or leave --cookies out to be a guest",
    )


def cookies_of_browser(spec: str, site: str) -> tuple[Cookie, ...]:
    """A site's cookies in a browser of this machine, `BROWSER[:PROFILE]`. Raises InputError, MissingExtra."""
    from dyvine_cli import browsers

    return browsers.read(spec, site=site)


def cookies_given(settings: Settings, site: str) -> tuple[Cookie, ...]:
    """The cookies of the file, browser or variable that the settings name, none if they name none. Raises InputError."""
    wanted = settings.identity(site)
    if wanted.cookies is not None:
        with _named(settings, "cookies"):
            return _of_file(settings, wanted.cookies, site)
    if wanted.browser is not None:
        return cookies_of_browser(wanted.browser, site)
    return cookies.read(wanted.cookie, site=site) if wanted.cookie else ()


def _of_file(settings: Settings, path: Path, site: str) -> tuple[Cookie, ...]:
    """A site's cookies in a file that may hold those of several, none if it holds another's.

    A file that does not say whose its cookies are is the usual site's. Raises InputError when that site's are not there,
    or not those of the site that the person named.
    """
    try:
        found = cookies.read_file(path, site=None)
    except InputError:
        return cookies.read_file(path, site=site) if site == settings.site else ()
    if site == settings.named_site:
        return cookies.read_file(path, site=site)
    return tuple(each for each in found if cookies.site_of(each) == site)
