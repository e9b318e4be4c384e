# ruff: noqa: RUF009 - the calls in these defaults make dataclass fields
"""Every setting as one field with its reader, and the resolved settings of a run.

The file's checks, the names of flags and variables and `config show` follow from these fields.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from dyvine_cli.config import readers as read
from dyvine_cli.config.folders import Folders, locate
from dyvine_cli.config.proxies import is_exempt
from dyvine_cli.errors import ConfigError
from dyvine_cli.models import Listing, PostKind
from dyvine_cli.quantities import parse_date, parse_duration, parse_rate, parse_size, quoted, spelt

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

SiteName = Literal["douyin", "tiktok"]
Codec = Literal["any", "h264", "h265"]
ConvertSubs = Literal["none", "srt"]
Pace = Literal["slow", "normal", "fast", "off"]
ProxyOrder = Literal["round-robin", "random", "first"]
Impersonate = Literal["auto", "off", "always"]
TargetKind = Literal["folder", "s3", "r2", "drive"]
Occasion = Literal["failure", "new", "login", "digest"]
Depth = Literal["all", "newest"]
Browser = Literal["firefox", "chromium", "chrome", "edge", "brave", "safari"]

STANDARD_OUTPUT = "{site}/{user}/{date:%Y-%m-%d}_{id}_{title:.80}{part}.{ext}"

_SITE_HOSTS: Mapping[str, str] = {"douyin": "www.douyin.com", "tiktok": "www.tiktok.com"}


@dataclass(frozen=True, slots=True)
class Option:
    """How one setting is given besides its place in the file.

    `variables` are read after its own `DYVINE_…` and before the file, `common` ones (shared with other programs)
    after the file. `not_in_file` is the reason why the file may not hold it.
    """

    read: Callable[[Any], Any]
    flag: str | None
    variables: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    secret: bool = False
    not_in_file: str | None = None


_LINK = read.link  # a link may hold a login or a token


def _setting(
    default: Any,
    read: Callable[[Any], Any],
    *,
    flag: str | None = None,
    variables: tuple[str, ...] = (),
    common: tuple[str, ...] = (),
    secret: bool = False,
    not_in_file: str | None = None,
) -> Any:
    option = Option(read, flag, variables, common, secret, not_in_file)
    return field(default=default, repr=not secret and read is not _LINK, metadata={"option": option})


def _flagged(flag: str, default: Any, read: Callable[[Any], Any], **more: Any) -> Any:
    """A setting that has a command-line flag; `flag` is the long name with `_` for `-`."""
    return _setting(default, read, flag=flag, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How sockets are opened. `no_proxy` counts only for a `proxy` that the environment gave.

    `proxy_order` says which proxy of a list a new connection takes, `impersonate` when a browser's TLS is imitated.
    """

    proxy: str | None = _flagged("proxy", None, read.proxy, secret=True)
    proxy_order: ProxyOrder = _setting("round-robin", partial(read.one_of, get_args(ProxyOrder)))
    no_proxy: tuple[str, ...] = ()
    ca_file: Path | None = _flagged("ca_file", None, read.path, common=("SSL_CERT_FILE",))
    check_certificates: bool = _flagged("check_certificates", True, read.switch)
    impersonate: Impersonate = _setting("auto", partial(read.one_of, get_args(Impersonate)))
    allow: tuple[IPv4Network | IPv6Network, ...] = _setting((), partial(read.items, read.network))
    connect_to: str | None = _flagged(
        "connect_to",
        None,
        read.text,
        not_in_file="a stand-in for the platforms is named with --connect-to, for one run",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """How much at once; `rate` is bytes per second for the whole run, None for no limit.

    `segments` are the connections that a large file may take, 1 for never more than one.
    """

    parallel: int = _flagged("parallel", 8, partial(read.whole, 1, 64))
    segments: int = _flagged("segments", 16, partial(read.whole, 1, 16))
    rate: int | None = _flagged("limit_rate", None, parse_rate)
    retries: int = _flagged("retries", 3, partial(read.whole, 0, 100))
    pace: Pace = _flagged("pace", "normal", partial(read.one_of, get_args(Pace)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What holds for one site; None is the general setting. `cookie` is a header string and a secret."""

    profile: tuple[str, ...] = _setting((), read.names)
    proxy: str | None = _setting(None, read.proxy, secret=True)
    user_agent: str | None = _setting(None, read.text)
    pace: Pace | None = _setting(None, partial(read.one_of, get_args(Pace)))
    cookie: str | None = _setting(
        None,
        read.secret,
        secret=True,
        not_in_file="logins are stored apart from the settings: `dyvine login add FILE`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DouyinSettings(SiteSettings):
    """Douyin's; it has the variables that other tools of its kind use. `sign` is a file over the signing constants."""

    sign: Path | None = _setting(None, read.path)
    user_agent: str | None = _setting(None, read.text, variables=("DOUYIN_USER_AGENT",))
    cookie: str | None = _setting(
        None,
        read.secret,
        variables=("DOUYIN_COOKIE",),
        secret=True,
        not_in_file="logins are stored apart from the settings: `dyvine login add FILE`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TiktokSettings(SiteSettings):
    """TikTok's. `sign` is a file over the signing constants."""

    sign: Path | None = _setting(None, read.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings:
    """The memory of what was saved; `path` None is the state folder."""

    enabled: bool = _flagged("archive", True, read.switch)
    path: Path | None = _setting(None, read.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Where copies go: names of targets, and whether the local file is deleted once the copy is verified."""

    to: tuple[str, ...] = _flagged("to", (), partial(read.items, read.text))
    move: bool = _flagged("move", False, read.switch)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Who is told what: apprise addresses, a webhook whose events `secret` signs, a command (no shell).

    `on` are the occasions of messages, `digest_at` the local time (`08:00`) of the daily one. A command that takes
    longer than `exec_timeout` seconds is ended.
    """

    urls: tuple[str, ...] = _setting((), read.addresses, secret=True)
    webhook: str | None = _setting(None, read.webhook, secret=True)
    secret: str | None = _setting(None, read.secret, secret=True)
    on: tuple[Occasion, ...] = _setting(
        ("failure", "login"), partial(read.items, partial(read.one_of, get_args(Occasion)))
    )
    digest_at: str = _setting("08:00", read.time_of_day)
    exec: str | None = _flagged("exec", None, read.command)
    exec_timeout: float = _setting(600.0, parse_duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """How `sync` works: sources at once, and the seconds after which a source is listed to its end again.

    `full_every` None never does that by itself.
    """

    jobs: int = _flagged("jobs", 1, partial(read.whole, 1, 64))
    full_every: float | None = _setting(30 * 86400.0, read.full_every)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """The HTTP interface; `database` None is the embedded one."""

    host: str = _setting("127.0.0.1", read.text)
    port: int = _setting(8080, partial(read.whole, 0, 65535))
    key: str | None = _setting(None, read.secret, secret=True)
    database: str | None = _setting(None, read.secret, secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place for copies; which of the fields it needs depends on its kind."""

    name: str = _setting(MISSING, read.text)
    kind: TargetKind = _setting(MISSING, partial(read.one_of, get_args(TargetKind)))
    path: Path | None = _setting(None, read.path)
    bucket: str | None = _setting(None, read.text, variables=("R2_BUCKET_NAME",))
    prefix: str = _setting("", read.text)
    region: str | None = _setting(None, read.text)
    endpoint: str | None = _setting(None, read.link, variables=("R2_ENDPOINT",))
    account_id: str | None = _setting(None, read.text, variables=("R2_ACCOUNT_ID",))
    access_key_id: str | None = _setting(None, read.secret, variables=("R2_ACCESS_KEY_ID",), secret=True)
    secret_access_key: str | None = _setting(
        None, read.secret, variables=("R2_SECRET_ACCESS_KEY",), secret=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry to keep in sync: what it is, and what holds for it alone; None is the general setting.

    `url` is a link, a ref or a handle as the person wrote it, `listing` None the posts. `depth` "newest" says that
    posts older than the first run found are not wanted. `every` is seconds between two runs, None each run.
    """

    url: str = _setting(MISSING, read.link)
    name: str | None = _setting(None, read.text)
    listing: Listing | None = _setting(None, partial(read.one_of, get_args(Listing)))
    tags: tuple[str, ...] = _setting((), partial(read.items, read.tag))
    depth: Depth = _setting("all", partial(read.one_of, get_args(Depth)))
    kind: frozenset[PostKind] | None = _setting(None, read.kinds)
    match: str | None = _setting(None, read.expression)
    since: datetime | None = _setting(None, parse_date)
    until: datetime | None = _setting(None, partial(parse_date, end=True))
    limit: int | None = _setting(None, partial(read.whole, 1, 10**9))
    quality: str | None = _setting(None, read.quality)
    codec: Codec | None = _setting(None, partial(read.one_of, get_args(Codec)))
    max_height: int | None = _setting(None, partial(read.whole, 1, 100_000))
    max_filesize: int | None = _setting(None, parse_size)
    output: str | None = _setting(None, read.template)
    path: Path | None = _setting(None, read.path)
    sound: bool | None = _setting(None, read.switch)
    write_sound: bool | None = _setting(None, read.switch)
    write_thumbnail: bool | None = _setting(None, read.switch)
    write_subs: bool | None = _setting(None, read.switch)
    convert_subs: ConvertSubs | None = _setting(None, partial(read.one_of, get_args(ConvertSubs)))
    write_comments: bool | None = _setting(None, read.switch)
    write_info_json: bool | None = _setting(None, read.switch)
    profile: tuple[str, ...] | None = _setting(None, read.names)
    to: tuple[str, ...] | None = _setting(None, partial(read.items, read.text))
    every: float | None = _setting(None, parse_duration)
    enabled: bool = _setting(True, read.switch)

    @property
    def title(self) -> str:
        """What people call it: its name, else its link."""
        return self.name or self.shown_url

    @property
    def shown_url(self) -> str:
        """Its link without logins and tokens."""
        return read.mask_link(self.url)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from; a higher `level` wins over a lower one. `name` is anything that is a place as text."""

    kind: Literal["flag", "environment", "file", "default"] = "default"
    name: object = ""
    common: bool = False

    @property
    def level(self) -> int:
        """3 flag, 2 our environment, 1 file, 0 default or an environment shared with other programs."""
        return 0 if self.common else ("default", "file", "environment", "flag").index(self.kind)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedIdentity:
    """Who the person wants to be at a site: at most one of the four is given, none is the usual choice."""

    profiles: tuple[str, ...] = ()
    cookie: str | None = field(default=None, repr=False)
    cookies: Path | None = None
    browser: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line of `config show`; secrets and passwords are masked in `value`."""

    key: str
    value: str
    origin: str


_BY_SITE = "it belongs to a site: write it in [douyin] or [tiktok]"
_NO_PATH = '`dyvine config init` writes a configuration with one; in yours, add above the first [table]: path = "/srv/videos"'
_IDENTITY = ("profile", "cookies", "cookies_from_browser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a person can set to last, resolved.

    `path` is relative only by a flag or variable, and by default, when it is the current folder. `max_height` is
    pixels, `max_filesize` bytes; `since` and `until` are both included. `warnings` are sentences for the person.
    """

    path: Path = _flagged("path", Path(), read.path)
    output: str = _flagged("output", STANDARD_OUTPUT, read.template)
    site: SiteName = _flagged("site", "douyin", partial(read.one_of, get_args(SiteName)))
    profile: tuple[str, ...] = _flagged("profile", (), read.names, not_in_file=_BY_SITE)
    cookies: Path | None = _flagged("cookies", None, read.cookie_file)
    cookies_from_browser: str | None = _flagged(
        "cookies_from_browser", None, partial(read.browser, get_args(Browser))
    )
    quality: str = _flagged("quality", "best", read.quality)
    codec: Codec = _flagged("codec", "any", partial(read.one_of, get_args(Codec)))
    max_height: int | None = _flagged("max_height", None, partial(read.whole, 1, 100_000))
    max_filesize: int | None = _flagged("max_filesize", None, parse_size)
    kind: frozenset[PostKind] = _flagged("kind", frozenset(), read.kinds)
    match: str | None = _flagged("match", None, read.expression)
    since: datetime | None = _flagged("since", None, parse_date)
    until: datetime | None = _flagged("until", None, partial(parse_date, end=True))
    limit: int | None = _flagged("limit", None, partial(read.whole, 1, 10**9))
    stop_at_known: bool = _flagged("stop_at_known", False, read.switch)
    full: bool = _flagged("full", False, read.switch)
    sound: bool = _flagged("sound", True, read.switch)
    write_sound: bool = _flagged("write_sound", False, read.switch)
    write_thumbnail: bool = _flagged("write_thumbnail", False, read.switch)
    write_subs: bool = _flagged("write_subs", False, read.switch)
    convert_subs: ConvertSubs = _flagged("convert_subs", "none", partial(read.one_of, get_args(ConvertSubs)))
    write_comments: bool = _flagged("write_comments", False, read.switch)
    write_info_json: bool = _flagged("write_info_json", False, read.switch)
    mtime: bool = _flagged("mtime", True, read.switch)
    overwrite: bool = _flagged("overwrite", False, read.switch)
    fail_if_nothing_new: bool = _flagged("fail_if_nothing_new", False, read.switch)
    quiet: bool = _flagged("quiet", False, read.switch)
    verbose: int = _flagged("verbose", 0, partial(read.level, 2))
    progress: bool = _flagged("progress", True, read.switch)
    print_traffic: bool = _flagged("print_traffic", False, read.switch)

    network: NetworkSettings = field(default=NetworkSettings(), metadata={"table": NetworkSettings})
    limits: LimitSettings = field(default=LimitSettings(), metadata={"table": LimitSettings})
    douyin: DouyinSettings = field(default=DouyinSettings(), metadata={"table": DouyinSettings})
    tiktok: TiktokSettings = field(default=TiktokSettings(), metadata={"table": TiktokSettings})
    archive: ArchiveSettings = field(default=ArchiveSettings(), metadata={"table": ArchiveSettings})
    storage: StorageSettings = field(default=StorageSettings(), metadata={"table": StorageSettings})
    notify: NotifySettings = field(default=NotifySettings(), metadata={"table": NotifySettings})
    sync: SyncSettings = field(default=SyncSettings(), metadata={"table": SyncSettings})
    serve: ServeSettings = field(default=ServeSettings(), metadata={"table": ServeSettings})
    targets: tuple[Target, ...] = ()
    sources: tuple[Source, ...] = ()

    folders: Folders = field(default_factory=partial(locate, {}))
    warnings: tuple[str, ...] = field(default=(), compare=False)
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False, compare=False)

    def origin(self, key: str) -> str:
        """Where a value comes from: `environment DYVINE_PARALLEL`, `flag --parallel`, `file …:12` or `default`.

        `key` is a name at the top level, `table.name`, or a name that only one table has.
        """
        return str(self._origin(place_of(key)))

    def place(self, key: str) -> str:
        """What a person gave a setting with, for errors: `--since`, a variable, or `…/config.toml:12: since`."""
        place = place_of(key)
        origin = self._origin(place)
        return (
            f"{origin.name}: {place.in_words}"
            if origin.kind == "file"
            else str(origin.name or place.in_words)
        )

    def _origin(self, place: Place) -> Origin:
        return self.origins.get(place.key, Origin())

    def _value(self, place: Place) -> Any:
        return getattr(getattr(self, place.table) if place.table else self, place.field)

    @property
    def named_site(self) -> SiteName | None:
        """The site of bare ids and handles if the person named one, None for the usual ones."""
        return self.site if self._origin(place_of("site")).level else None

    def proxy_of(self, site: str, own: str | None = None) -> str | None:
        """The proxy for a site's requests: its own or the general one, whichever was given nearer to the run.

        `own` is that of the profile in use, None if it has none; only the command line is nearer.
        """
        place = self._nearer(f"{site}.proxy", "network.proxy")
        if own is not None and self._origin(place).kind != "flag":
            return own
        if self._origin(place).common and is_exempt(_SITE_HOSTS[site], self.network.no_proxy):
            return None
        proxy: str | None = self._value(place)
        return proxy

    def pace_of(self, site: str) -> Pace:
        """The pace of a site's requests: its own or the general one, whichever was given nearer to the run."""
        pace: Pace = self._value(self._nearer(f"{site}.pace", "limits.pace"))
        return pace

    def _nearer(self, own: str, general: str) -> Place:
        """Whichever place has the higher origin; the site's own when both are equal and it was set at all."""
        first, second = place_of(own), place_of(general)
        level = self._origin(first).level
        return first if level and level >= self._origin(second).level else second

    def identity(self, site: str) -> WantedIdentity:
        """Who to be at a site. Raises ConfigError when two ways of saying it are given equally near to the run."""
        keys = {f"{site}.profile": "profiles", "profile": "profiles", f"{site}.cookie": "cookie"}
        keys |= {"cookies": "cookies", "cookies_from_browser": "browser"}
        given = [place for place in map(place_of, keys) if self._origin(place).level and self._value(place)]
        if not given:
            return WantedIdentity()
        nearest = max(self._origin(place).level for place in given)
        given = [place for place in given if self._origin(place).level == nearest]
        names = {keys[place.key] for place in given}
        if len(names) > 1:
            first, second = (str(self._origin(place)) for place in (given[0], given[-1]))
            raise ConfigError(f"{first} and {second} exclude each other", hint="give only one of them")
        return WantedIdentity(**{names.pop(): self._value(given[0])})

    def for_source(self, source: Source) -> Settings:
        """The settings of one source's run: what it says itself wins over everything but the command line.

        Its `profile` is whom it is fetched as, whatever cookies and profiles the file and the environment name.
        """
        origin = Origin("file", f"[[source]] {source.title}")
        changed: dict[str, Any] = {
            name: value
            for name in _OF_SOURCE
            if (value := getattr(source, name)) is not None and not self._is_flag(name)
        }
        origins = dict.fromkeys(changed, origin)
        if source.to is not None and not self._is_flag("storage.to"):
            changed["storage"], origins["storage.to"] = replace(self.storage, to=source.to), origin
        if source.profile is not None and not any(map(self._is_flag, _IDENTITY)):
            changed |= {name: None for name in _IDENTITY if name != "profile"}
            changed["profile"] = ()
            for site, own in (("douyin", self.douyin), ("tiktok", self.tiktok)):
                changed[site] = replace(own, profile=source.profile, cookie=None)
                origins |= {f"{site}.profile": origin, f"{site}.cookie": Origin()}
            origins |= dict.fromkeys(_IDENTITY, Origin())
        general = cast("dict[str, Origin]", self.origins)  # a copy for each of thousands would cost seconds
        return replace(self, **changed, origins=ChainMap(origins, general))

    def _is_flag(self, key: str) -> bool:
        return self.origins.get(key, Origin()).kind == "flag"

    def lasting_path(self, what: str) -> Path:
        """The absolute folder for downloads, which `what` (`sync`, `serve`) needs because it may start in any folder.

        Raises ConfigError when none is named or it depends on the current folder.
        """
        origin = self._origin(place_of("path"))
        if not origin.level:
            raise ConfigError(
                f"`dyvine {what}` needs a folder for its files, and no setting names one", hint=_NO_PATH
            )
        if not self.path.is_absolute():
            raise ConfigError(
                f"{origin.name}: {quoted(self.path)} is not absolute; `dyvine {what}` may start in any folder",
                hint="name the folder from / or ~ on",
            )
        return self.path

    def shown(self) -> tuple[Shown, ...]:
        """Every setting with its value and origin, secrets masked: what `config show` prints."""
        lines = [self._shown_setting(place) for place in places()]
        for number, target in enumerate(self.targets):
            lines += self._shown_entry(f"target.{number}", target)
        for number, source in enumerate(self.sources):
            lines += self._shown_entry(f"source.{number}", source)
        return tuple(lines)

    def _shown_setting(self, place: Place) -> Shown:
        value, origin = self._value(place), self._origin(place)
        text = '"none"' if value is None and origin.kind != "default" else _shown(value, place.option)
        return Shown(key=place.key, value=text, origin=str(origin))

    def _shown_entry(self, prefix: str, entry: Target | Source) -> Iterator[Shown]:
        for each in fields(entry):
            key, value = f"{prefix}.{each.name}", getattr(entry, each.name)
            if value != each.default:
                origin = str(self.origins.get(key, Origin()))
                yield Shown(key=key, value=_shown(value, each.metadata["option"]), origin=origin)


def _shown(value: Any, option: Option) -> str:
    """A value as TOML would hold it, secrets masked, empty for None."""
    if value is None:
        return ""
    if option.read is read.proxy:
        return f'"{read.mask_proxy(value)}"'
    if option.secret and value:
        return '"***"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, frozenset)):
        ordered = sorted(value) if isinstance(value, frozenset) else value
        return f"[{', '.join(_shown(each, option) for each in ordered)}]"
    if option.read in (parse_duration, read.full_every):
        return f'"{spelt(value)}"'
    if isinstance(value, (int, float)):
        return str(value)
    if option.read is read.link:
        value = read.mask_link(value)
    if option.read is read.command:
        value = read.mask_command(value)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setting stands: its table (empty for the top level), its name there, how it is read."""

    table: str
    field: str
    option: Option
    default: Any

    @property
    def key(self) -> str:
        """`table.name`, or the name alone at the top level."""
        return f"{self.table}.{self.field}" if self.table else self.field

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "DYVINE_" + (self.option.flag or self.key.replace(".", "_")).upper()

    @property
    def in_words(self) -> str:
        """As an error calls it."""
        if self.table in LISTS:
            return f"[[{self.table}]] {self.field}"
        return f"[{self.table}] {self.field}" if self.table else self.field


LISTS: Mapping[str, type[Target | Source]] = {"target": Target, "source": Source}

_OF_SOURCE = tuple(
    each.name
    for each in fields(Source)
    if each.name != "profile" and each.name in {own.name for own in fields(Settings)}
)
"""What a source may say in place of the general setting of the same name."""


@cache
def tables() -> Mapping[str, type]:
    """The tables of the file and the shape of each."""
    return {each.name: each.metadata["table"] for each in fields(Settings) if "table" in each.metadata}


@cache
def places() -> tuple[Place, ...]:
    """Every setting outside lists of tables."""
    found = list(places_of(Settings, ""))
    for table, shape in tables().items():
        found += places_of(shape, table)
    return tuple(found)


def places_of(shape: type, table: str) -> Iterator[Place]:
    """The settings that one shape has."""
    for each in fields(shape):
        if "option" in each.metadata:
            yield Place(table, each.name, each.metadata["option"], each.default)


def place_of(key: str) -> Place:
    """The place called `key`. Raises KeyError if there is none."""
    exact = [place for place in places() if place.key == key]
    found = exact or [place for place in places() if key in (place.field, place.option.flag)]
    if len(found) != 1:
        raise KeyError(key)
    return found[0]
