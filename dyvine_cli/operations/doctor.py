"""Every stage between a link and a file tried alone, so that the one that broke has a name, a cause and a cure."""

from __future__ import annotations

import importlib.metadata
import os
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, Protocol

from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.client import Client
from dyvine_cli.errors import (
    DyvineError,
    InputError,
    NetworkError,
    NotFound,
    NotWritable,
    RateLimited,
    Refused,
    UnexpectedResponse,
)
from dyvine_cli.http.addresses import is_public
from dyvine_cli.http.api import CLOCK_HINT
from dyvine_cli.http.failures import is_broken_handshake
from dyvine_cli.http.media import MediaReader
from dyvine_cli.http.network import Network
from dyvine_cli.identity import Profile
from dyvine_cli.models import Asset, Cursor, Listing, Page, Post, Ref, Rendition, User
from dyvine_cli.rests import Rest
from dyvine_cli.transfer.answer import refusal
from dyvine_cli.transfer.check import HEAD, describe, sniff
from dyvine_cli.transfer.folder import writing

State = Literal["ok", "failed", "not tried"]

TOLERANCE = 120.0
"""Seconds that our clock may be off: a signature carries the time."""
_NAMED = 5  # proxies that rest
SCARCE = 500_000_000
"""Free bytes below which a disk is worth a word."""

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "s3": ("boto3",),
    "live": ("av", "websockets", "protobuf"),
    "serve": ("fastapi", "uvicorn"),
    "browser": ("yt-dlp",),
    "impersonate": ("curl_cffi",),
    "notify": ("apprise",),
}
"""Extra to the distributions that it brings, as pyproject.toml has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one stage went. `detail` is what was found, or why it was not tried; `error` the cause of a failed one.

    `needed` says whether downloads from this site depend on it.
    """

    stage: str
    state: State
    detail: str = ""
    error: DyvineError | None = None
    needed: bool = True
    seconds: float = 0.0


class Examined(Protocol):
    """What the doctor asks of a site, besides what every site can do."""

    name: str
    home: str
    """The address of its front page."""
    sample: Ref
    """A post that should be there for everyone."""
    signed_route: str
    """The way to a post that stands behind every gate."""

    @property
    def profile(self) -> Profile:
        """The identity in use."""
        ...

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the ways to a post."""
        ...

    async def identity(self) -> str:
        """Make the device's identity where it is missing, and have the site answer it."""
        ...

    async def post_by(self, route: str, ref: Ref) -> Post:
        """One post by one way alone."""
        ...

    async def follow(self, ref: Ref) -> Ref:
        """What a short link leads to."""
        ...

    async def login(self) -> User:
        """The account of the login in use."""
        ...

    async def page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        """One page of a listing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is examined. `ref` is the link that was named, None for the site's own sample; `archive` None is none.

    `proxy` is the address of the one in use, with its login; `next_try` says until when the site wants no calls, None for now.
    """

    site: Examined
    network: Network
    media: MediaReader
    ref: Ref | None
    proxy: str | None = field(repr=False)
    next_try: Callable[[], datetime | None]
    root: Path
    state: Path
    archive: Path | None


@dataclass(frozen=True, slots=True)
class _Stage:
    """One thing to try: `after` are the stages without which it makes no sense. It returns what it found."""

    name: str
    after: tuple[str, ...]
    attempt: Callable[[], Awaitable[str]]
    needed: bool = True


class _NotTried(Exception):
    """There is nothing to try here; the text says why."""


def exit_code(findings: Sequence[Finding]) -> int:
    """0 when every needed stage is ok, else the status of the first failure.

    Of the ways to a post one is enough; if none leads there, the first of them counts.
    """
    ways = [each for each in findings if each.stage.startswith("post ")]
    lost = ways and not any(each.state == "ok" for each in ways)
    for each in findings:
        counts = each.needed or (lost and each in ways)
        if each.error is not None and counts:
            return each.error.exit_code
    return 0


@dataclass(slots=True)
class Examination:
    """One run of the doctor; `show` receives each finding as it is made."""

    subject: Subject
    show: Callable[[Finding], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _findings: dict[str, Finding] = field(default_factory=dict)
    _blocked: set[str] = field(default_factory=set)
    _date: str = ""
    _post: Post | None = None
    _ref: Ref | None = None
    _signed: tuple[Ref, Post | DyvineError] | None = None

    async def run(self) -> tuple[Finding, ...]:
        """Try every stage. Raises nothing that a stage raises."""
        for stage in self._stages():
            found = await self._examined(stage)
            self._findings[stage.name] = found
            self.show(found)
        return tuple(self._findings.values())

    # --- one stage ------------------------------------------------------------------------------------------------

    async def _examined(self, stage: _Stage) -> Finding:
        broken = [name for name in stage.after if name in self._blocked]
        if broken:
            return self._skipped(stage, f"needs {broken[0]}", blocks=True)
        begun = time.perf_counter()
        try:
            detail = await stage.attempt()
        except _NotTried as reason:
            return self._skipped(stage, str(reason), blocks=False)
        except DyvineError as error:
            self._blocked.add(stage.name)
            spent = time.perf_counter() - begun
            return Finding(stage=stage.name, state="failed", error=error, needed=stage.needed, seconds=spent)
        spent = time.perf_counter() - begun
        return Finding(stage=stage.name, state="ok", detail=detail, needed=stage.needed, seconds=spent)

    def _skipped(self, stage: _Stage, reason: str, *, blocks: bool) -> Finding:
        if blocks:
            self._blocked.add(stage.name)
        return Finding(stage=stage.name, state="not tried", detail=reason, needed=stage.needed)

    def _stages(self) -> Iterator[_Stage]:
        """In the order of a download; a named account is listed first, because the post to try comes from it."""
        yield _Stage("dns", (), self._dns)
        yield _Stage("proxy", ("dns",), self._proxy)
        yield _Stage("tls", ("dns", "proxy"), self._tls)
        yield _Stage("clock", ("tls",), self._clock)
        yield _Stage("guest", ("tls",), self._guest)
        if self.subject.ref is not None and self.subject.ref.kind == "short":
            yield _Stage("link", ("tls",), self._link)
        yield _Stage("login", ("guest",), self._login)
        yield _Stage("signature", ("guest", "login", "link"), self._signature)
        if self._is_listing:
            yield self._listing_stage()
        yield from self._ways()
        if not self._is_listing:
            yield self._listing_stage()
        yield _Stage("media", ("tls",), self._media)
        yield _Stage("disk", (), self._disk)
        yield _Stage("archive", (), self._archive)
        yield _Stage("extras", (), self._extras, needed=False)

    def _listing_stage(self) -> _Stage:
        return _Stage("listing", ("signature",), self._listing)

    def _ways(self) -> Iterator[_Stage]:
        """Each way to a post alone; what it needs of the identity differs."""
        needs = {self._site.signed_route: ("signature",), "batch": ("guest", "login"), "page": ("guest",)}
        for route in self._site.routes:
            after = ("tls", "link", *needs.get(route, ()))
            yield _Stage(f"post {route}", after, self._by(route), needed=False)

    @property
    def _site(self) -> Examined:
        return self.subject.site

    @property
    def _named(self) -> Ref | None:
        """What the person named, a short link replaced by what it leads to."""
        return self._ref or self.subject.ref

    @property
    def _is_listing(self) -> bool:
        return self._named is not None and self._named.kind in ("user", "mix")

    def _ask(self) -> None:
        """Raise where the site must not be asked: the pause after a refusal holds for the doctor, too."""
        until = self.subject.next_try()
        if until is None:
            return
        told = f"{self._site.name} asks for a pause until {until:%H:%M}"
        if any(isinstance(each.error, Refused) for each in self._findings.values()):
            raise _NotTried(told)
        raise RateLimited(
            f"{told}, after a refusal in an earlier run", hint="it recovers by itself; use --pace slow"
        )

    # --- the way there --------------------------------------------------------------------------------------------

    async def _dns(self) -> str:
        way = self.subject.network.way(self._site.home)
        found = await self.subject.network.look_up(way.host, way.port)
        strange = [ip for ip in found if not is_public(ip)]
        if way.kind == "connect-to":
            return f"connect-to leads to {way.shown}"
        note = " (a fake-ip proxy or a hosts file answers)" if strange and way.kind == "direct" else ""
        return f"{way.host}: {', '.join(found[:3])}{' …' if len(found) > 3 else ''}{note}"

    async def _proxy(self) -> str:
        way = self.subject.network.way(self._site.home)
        if way.kind != "proxy":
            raise _NotTried("no proxy is set" if way.kind == "direct" else "connect-to goes before a proxy")
        await self.subject.network.try_proxy(self._site.home)
        return f"{way.shown} leads to {self._site.name}{_resting(self.subject.network.resting())}"

    async def _tls(self) -> str:
        try:
            return await self._greeted()
        except NetworkError as error:
            if not is_broken_handshake(error):
                raise
            imitation = self.subject.network.imitation
            if not imitation.begin(self._site.name, self._site.profile.user_agent or ""):
                imitation.explain(error)
                raise
        return await self._greeted()

    async def _greeted(self) -> str:
        """The first answer of the site, spoken to like every other call to it."""
        agent = self._site.profile.user_agent or "dyvine"
        like = self.subject.network.imitation.browser(self._site.name, agent)
        sending = self.subject.network.send("HEAD", self._site.home, {"User-Agent": agent}, like=like)
        async with sending as response:
            self._date = response.header("date") or ""
            manner = f", spoken to like {like.target}" if like else ""
            return f"{self._site.home} answers with status {response.status}{manner}"

    async def _clock(self) -> str:
        try:
            theirs = parsedate_to_datetime(self._date)
        except (ValueError, OverflowError):
            raise _NotTried("the platform did not say what time it is") from None
        off = (self.clock() - theirs.astimezone(UTC)).total_seconds()
        if abs(off) <= TOLERANCE:
            return f"{abs(off):.0f} s off at most"
        way = "ahead of" if off > 0 else "behind"
        raise DyvineError(
            f"the clock of this machine is {abs(off) / 60:.0f} min {way} that of the platform",
            hint=CLOCK_HINT,
        )

    # --- who we are -----------------------------------------------------------------------------------------------

    async def _guest(self) -> str:
        self._ask()
        made = await self._site.identity()
        return f"profile {self._site.profile.name!r}, device ids {made}"

    async def _link(self) -> str:
        self._ask()
        assert self.subject.ref is not None
        self._ref = await self._site.follow(self.subject.ref)
        return str(self._ref)

    async def _login(self) -> str:
        if self._site.profile.is_guest:
            raise _NotTried("nobody is logged in; guests see less: dyvine login add FILE")
        self._ask()
        account = await self._site.login()
        return f"profile {self._site.profile.name!r} is {account.nickname}"

    async def _signature(self) -> str:
        """A call behind every gate; what it says of the post does not matter here."""
        self._ask()
        wanted = self._wanted
        try:
            self._signed = wanted, await self._site.post_by(self._site.signed_route, wanted)
        except (Refused, NetworkError):
            raise
        except DyvineError as error:
            self._signed = wanted, error
        return "accepted"

    # --- posts ----------------------------------------------------------------------------------------------------

    @property
    def _wanted(self) -> Ref:
        """The post to try: the one named, the first of the account that was named, or the site's sample."""
        if self._named is not None and self._named.kind == "post":
            return self._named
        return self._post.ref if self._post else self._site.sample

    def _by(self, route: str) -> Callable[[], Awaitable[str]]:
        async def attempt() -> str:
            self._ask()
            wanted = self._wanted
            try:
                post = await self._of(route, wanted)
            except (NotFound, UnexpectedResponse) as error:
                if wanted != self._site.sample or not (self._gone or isinstance(error, NotFound)):
                    raise
                return "answers, but the sample post is not there: name one with dyvine doctor LINK"
            self._post = self._post or post
            return f"{post.ref}: {post.kind}"

        return attempt

    @property
    def _gone(self) -> bool:
        """Whether a way that can tell said that the sample is not there any more."""
        return self._signed is not None and isinstance(self._signed[1], NotFound)

    async def _of(self, route: str, ref: Ref) -> Post:
        """The post by a route; the signed one was asked already, if for this post."""
        if route != self._site.signed_route or self._signed is None or self._signed[0] != ref:
            return await self._site.post_by(route, ref)
        found = self._signed[1]
        if isinstance(found, DyvineError):
            raise found
        return found

    async def _listing(self) -> str:
        ref = self._named if self._is_listing else self._author
        if ref is None:
            raise _NotTried("no post answered, so no account is known: name one with dyvine doctor LINK")
        self._ask()
        page = await self._site.page(ref, ref.listing, None)
        if page.sample and page.next is not None:  # it came without a signature
            page = await self._site.page(ref, ref.listing, page.next)
        posts = [each for each in page.items if isinstance(each, Post)]
        if self._is_listing and posts:
            self._post = posts[0]
        rest = page.cut or ("more follow" if page.next else "that is all")
        return f"{ref}: {len(page.items)} entries, {rest}"

    @property
    def _author(self) -> Ref | None:
        return Ref(self._site.name, "user", self._post.author.id) if self._post else None

    async def _media(self) -> str:
        found = next(_files(self._post), None) if self._post else None
        if found is None:
            raise _NotTried("no post answered, so no file is known")
        asset, rendition = found
        failures: list[DyvineError] = []
        for url in rendition.mirrors:
            try:
                told = await self._head(url, rendition)
            except DyvineError as error:
                failures.append(error)
                continue
            spare = f"; {len(failures)} of its other hosts failed" if failures else ""
            return f"{asset.id}: {told}{spare}"
        raise failures[0]

    async def _head(self, url: str, rendition: Rendition) -> str:
        """The first bytes of a file, judged."""
        headers = rendition.mirror_headers.get(url, rendition.headers)
        async with self.subject.media.open(url, headers, (0, HEAD - 1)) as answer:
            host = answer.url.split("/")[2]
            if answer.status not in (200, 206):
                raise refusal(answer, host)
            head = b""
            async for chunk in answer.chunks:
                head += chunk
                if len(head) >= HEAD:
                    break
        kind = sniff(head[:HEAD])
        if kind is None:
            raise NetworkError(f"{host} sent {describe(head)} instead of the file")
        return f"{kind.name} from {host}"

    # --- this machine ---------------------------------------------------------------------------------------------

    async def _disk(self) -> str:
        for folder in (self.subject.root, self.subject.state):
            _try_writing(folder)
        free = shutil.disk_usage(_existing(self.subject.root)).free
        scarce = ", which is little" if free < SCARCE else ""
        return f"{self.subject.root}: {free / 1e9:.1f} GB free{scarce}"

    async def _archive(self) -> str:
        path = self.subject.archive
        if path is None:
            raise _NotTried("it is switched off")
        if not path.exists():
            raise _NotTried(f"{path} is not there yet; the first download makes it")
        archive = SqliteArchive.open(path)
        try:
            files = sum(each.files for each in await archive.stats())
        finally:
            await archive.aclose()
        return f"{path}: {files:,} files on record"

    async def _extras(self) -> str:
        have = {extra: _installed(names) for extra, names in EXTRAS.items()}
        missing = [extra for extra, there in have.items() if not there]
        shown = ", ".join(extra for extra, there in have.items() if there) or "none"
        cure = (
            f"; not installed: {', '.join(missing)} (pip install 'dyvine-cli[{missing[0]}]')"
            if missing
            else ""
        )
        return f"installed: {shown}{cure}"


def _times(count: int) -> str:
    return "1 time" if count == 1 else f"{count} times"


def _resting(rests: Sequence[Rest]) -> str:
    """Which proxies rest, the first few of them; empty if none does."""
    told = [
        f"{each.shown} until {each.ends.astimezone():%H:%M} (failed {_times(each.failures)})"
        for each in rests[:_NAMED]
    ]
    more = [f"{len(rests) - _NAMED} more"] if len(rests) > _NAMED else []
    return f"; resting: {', '.join([*told, *more])}" if told else ""


def _files(post: Post) -> Iterator[tuple[Asset, Rendition]]:
    """The best rendition of each file, the post's own media first."""
    order = {"video": 0, "picture": 1, "clip": 2, "sound": 3}
    for asset in sorted(post.assets, key=lambda each: order.get(each.kind, 9)):
        for rendition in asset.renditions[:1]:
            yield asset, rendition


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _try_writing(folder: Path) -> None:
    """Write, flush and remove a small file. Raises NotWritable, DiskFull, DiskError."""
    place = _existing(folder)
    if not place.is_dir():
        raise NotWritable(f"cannot write {folder}: {place} is a file", hint="choose another folder with -P")
    probe = place / f".dyvine-{secrets.token_hex(8)}"
    with writing(folder):
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(fd, b"dyvine doctor\n" * 300)
            os.fsync(fd)
        finally:
            os.close(fd)
            probe.unlink()


def _installed(distributions: Sequence[str]) -> bool:
    try:
        return all(importlib.metadata.version(name) for name in distributions)
    except importlib.metadata.PackageNotFoundError:
        return False


def target(client: Client, text: str | None) -> Ref | None:
    """What the words of a call name, without asking anyone. Raises UnsupportedURL, InputError for what has no posts."""
    if not text:
        return None
    ref = client.match(text)
    if ref.kind not in ("post", "user", "mix", "short"):
        raise InputError(f"the doctor tries posts, users and mixes, not a {ref.kind}")
    return ref
