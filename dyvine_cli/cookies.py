"""Cookies: what a person hands over (header string, Netscape file, JSON export) and what a host may be sent (pure).

Scoping follows RFC 6265 and the name prefixes of RFC 6265bis. No function here ever shows a value: not in `repr`, not
in an error.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dyvine_cli.errors import InputError

log = logging.getLogger(__name__)

_LARGEST_JAR = 8 * 1024 * 1024
_LARGEST_COOKIE = 4096  # RFC 6265bis 5.6: name and value together, in bytes
_MOST_COOKIES = 600  # a jar that a server fills beyond this loses its oldest
_LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True, repr=False)
class Cookie:
    """One cookie and where it may go.

    `domain` is lower case without a leading dot; `host_only` limits the cookie to exactly that host, else every
    subdomain gets it too. `expires` None is a session cookie, which we keep until the platform replaces it.
    """

    name: str
    value: str
    domain: str
    _: KW_ONLY
    path: str = "/"
    secure: bool = False
    expires: datetime | None = None
    host_only: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "domain", self.domain.removeprefix(".").lower())

    def __repr__(self) -> str:
        return f"<Cookie {self.name} for {'' if self.host_only else '.'}{self.domain}{self.path}>"

    def goes_to(self, url: str, now: datetime) -> bool:
        """Whether a request for `url` carries this cookie at `now`."""
        parts = urlsplit(url)
        if self.secure and parts.scheme not in ("https", "wss"):
            return False
        if self.expires is not None and self.expires <= now:
            return False
        return self.covers(_host(parts.hostname or "")) and _path_matches(parts.path or "/", self.path)

    def covers(self, host: str) -> bool:
        """Whether the cookie's domain takes in this host (lower case, no trailing dot)."""
        if host == self.domain:
            return True
        return not self.host_only and not _is_address(host) and host.endswith("." + self.domain)

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """What makes two cookies the same one: the later replaces the earlier."""
        return self.name, self.domain, self.host_only, self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCookies:
    """What a site's cookies are called and where they belong; each needed entry lists names of which one is enough.

    A cookie header string has no domains, so its cookies get the first of `domains`. `telling` are names that only
    this site uses. `session` are the names of the login itself.
    """

    domains: tuple[str, ...]
    session: tuple[str, ...]
    guest: tuple[tuple[str, ...], ...]
    login: tuple[tuple[str, ...], ...]
    telling: tuple[str, ...] = ()


SITES: Mapping[str, SiteCookies] = {
    # What projects report as the least a login needs, public notes of 2026-09 and before; uifid, verifyFp and ttwid
    # have to come from the same jar as the login.
    "douyin": SiteCookies(
        domains=("douyin.com", "iesdouyin.com"),
        session=("sessionid", "sessionid_ss", "sid_tt"),
        guest=(("ttwid",), ("UIFID", "UIFID_TEMP")),
        login=(
            ("sessionid", "sessionid_ss"),
            ("sid_guard",),
            ("uid_tt", "uid_tt_ss"),
            ("ttwid",),
            ("odin_tt",),
            ("s_v_web_id",),
            ("UIFID",),
            ("passport_csrf_token",),
            ("msToken",),
        ),
        telling=("UIFID", "UIFID_TEMP", "__ac_nonce", "__ac_signature", "bd_ticket_guard_client_data"),
    ),
    # Public notes of 2026-10: visitors need what any page sets, logins the session on top.
    "tiktok": SiteCookies(
        domains=("tiktok.com",),
        session=("sessionid", "sessionid_ss", "sid_tt"),
        guest=(("ttwid",),),
        login=(
            ("sessionid", "sessionid_ss"),
            ("sid_guard",),
            ("uid_tt",),
            ("sid_ucp_v1",),
            ("tt-target-idc",),
            ("ttwid",),
        ),
        telling=("tt_chain_token", "tt_csrf_token", "tt-target-idc", "_wafchallengeid"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieReport:
    """What a jar is good for at one site.

    `found` counts its cookies for the site. `login` says whether a session is among them; `missing_needed` are the
    names a login (or, without a session, a guest) needs and the jar has not. `ends` is when the session stops being
    accepted as far as the cookies tell, None if they do not.
    """

    found: int
    login: bool
    missing_needed: tuple[str, ...] = ()
    ends: datetime | None = None

    def has_ended(self, now: datetime) -> bool:
        """Whether the cookies themselves say that they are no longer accepted."""
        return self.ends is not None and self.ends <= now


# -- sending and receiving ---------------------------------------------------------------------------------------


def header(cookies: Iterable[Cookie], url: str, now: datetime) -> str:
    """The value of the `Cookie` header for `url`, empty if none of the cookies goes there; longest paths first."""
    going = [cookie for cookie in cookies if cookie.goes_to(url, now)]
    going.sort(key=lambda cookie: -len(cookie.path))
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in going)


def merge(
    cookies: Iterable[Cookie], set_cookie_headers: Iterable[str], url: str, now: datetime
) -> tuple[Cookie, ...]:
    """The cookies after an answer from `url` with these `Set-Cookie` headers.

    What the host may not set (another domain, a public suffix, a secure cookie over plain HTTP, a name prefix whose
    promise is broken) is ignored as browsers do; a cookie with an end in the past removes its namesake.
    """
    jar = {cookie.key: cookie for cookie in cookies}
    for text in set_cookie_headers:
        cookie = _received(text, url, now)
        if cookie is None or _shadows_secure(cookie, jar.values(), url):
            continue
        if cookie.expires is not None and cookie.expires <= now:
            jar.pop(cookie.key, None)
        else:
            jar[cookie.key] = cookie
    return tuple(jar.values())[-_MOST_COOKIES:]


def value(cookies: Iterable[Cookie], name: str, *, domain: str | None = None) -> str | None:
    """The value of the first cookie of that name (that covers `domain`, if given), None if there is none."""
    for cookie in cookies:
        if cookie.name == name and (domain is None or cookie.covers(_host(domain))):
            return cookie.value
    return None


def _received(text: str, url: str, now: datetime) -> Cookie | None:
    """The cookie that one `Set-Cookie` header sets, None if the host may not set it (RFC 6265 5.2 and 5.3)."""
    pair, _, rest = text.partition(";")
    name, equals, content = (part.strip() for part in pair.partition("="))
    if not equals or not _is_sendable(name, content):
        return None
    attributes = _attributes(rest)
    parts = urlsplit(url)
    host = _host(parts.hostname or "")
    domain = _settable(attributes.get("domain", ""), host)
    if domain is None:
        return None
    secure = "secure" in attributes
    path = attributes.get("path", "")
    cookie = Cookie(
        name,
        content,
        domain or host,
        path=path if path.startswith("/") else _default_path(parts.path),
        secure=secure,
        expires=_end(attributes, now),
        host_only=not domain,
    )
    if secure and parts.scheme not in ("https", "wss"):
        return None
    return cookie if _keeps_its_prefix(cookie, path) else None


def _attributes(rest: str) -> dict[str, str]:
    """The attributes of a `Set-Cookie` header by lower-case name; the last of equal ones counts."""
    found = {}
    for part in rest.split(";"):
        name, _, content = part.partition("=")
        found[name.strip().lower()] = content.strip()
    return found


def _settable(attribute: str, host: str) -> str | None:
    """The domain a host's cookie gets: empty for the host alone, None if the host may not set it."""
    domain = _host(attribute.strip().removeprefix("."))
    if not domain or domain == host:
        return "" if not domain or _is_address(host) or _is_public_suffix(domain) else domain
    if _is_address(host) or _is_public_suffix(domain) or not host.endswith("." + domain):
        return None
    return domain


def _keeps_its_prefix(cookie: Cookie, path_attribute: str) -> bool:
    name = cookie.name.lower()
    if name.startswith("__host-"):
        return cookie.secure and cookie.host_only and path_attribute == "/"
    return cookie.secure or not name.startswith("__secure-")


def _shadows_secure(cookie: Cookie, jar: Iterable[Cookie], url: str) -> bool:
    """Whether an answer over plain HTTP tries to replace or hide a secure cookie (RFC 6265bis 5.7)."""
    if urlsplit(url).scheme in ("https", "wss"):
        return False
    return any(
        other.secure
        and other.name == cookie.name
        and (other.covers(cookie.domain) or cookie.covers(other.domain))
        and _path_matches(cookie.path, other.path)
        for other in jar
    )


def _end(attributes: Mapping[str, str], now: datetime) -> datetime | None:
    """When a received cookie ends: `Max-Age` before `Expires`, None for a session cookie."""
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?[0-9]+", age):
        if len(age) > 12:
            return now if age.startswith("-") else _LAST_MOMENT
        try:
            return now + timedelta(seconds=max(0, int(age)))
        except OverflowError:
            return _LAST_MOMENT
    return _cookie_date(attributes.get("expires", ""))


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _cookie_date(text: str) -> datetime | None:
    """The date in an `Expires` attribute by the tolerant rules of RFC 6265 5.1.1, None if it is not one."""
    clock = day = month = year = None
    for token in re.split(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+", text):
        if clock is None and (found := re.match(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])", token)):
            clock = int(found[1]), int(found[2]), int(found[3])
        elif day is None and (found := re.match(r"[0-9]{1,2}(?![0-9])", token)):
            day = int(found[0])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := re.match(r"[0-9]{2,4}(?![0-9])", token)):
            year = _full_year(int(found[0]))
    if clock is None or day is None or month is None or year is None or year < 1601:
        return None
    try:
        return datetime(year, month, day, clock[0], clock[1], clock[2], tzinfo=UTC)
    except ValueError:
        return None


def _full_year(year: int) -> int:
    if 70 <= year <= 99:
        return year + 1900
    return year + 2000 if year <= 69 else year


def _host(text: str) -> str:
    """A host name in the one form that is compared: lower case, punycode, no trailing dot."""
    host = text.strip().rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


_SECOND_LEVELS = frozenset(
    {"ac", "co", "com", "edu", "gob", "gov", "gv", "ltd", "me", "mil", "ne", "net", "nom", "or", "org"}
)


def _is_public_suffix(domain: str) -> bool:
    """Whether strangers share this domain: one label, or a country's usual second level such as `com.cn`.

    The public suffix list is longer, but only the platforms' own hosts ever answer us.
    """
    labels = domain.split(".")
    return len(labels) == 1 or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVELS)


def _path_matches(path: str, cookie_path: str) -> bool:
    if path == cookie_path:
        return True
    return path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")


def _default_path(path: str) -> str:
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def _is_sendable(name: str, content: str) -> bool:
    """Whether a `Cookie` header can carry the pair without becoming another one."""
    if not re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z\[\]:/@]+", name):
        return False
    return (
        len(name) + len(content) <= _LARGEST_COOKIE
        and re.fullmatch(r"[\x20-\x3a\x3c-\x7e]*", content) is not None
    )


# -- what a jar is good for --------------------------------------------------------------------------------------


def site_of(cookie: Cookie) -> str | None:
    """The site to whose domains a cookie belongs, None for a stranger's."""
    for site, rules in SITES.items():
        if any(cookie.domain == domain or cookie.domain.endswith("." + domain) for domain in rules.domains):
            return site
    return None


def has_session(cookies: Iterable[Cookie], site: str) -> bool:
    """Whether a login of this site is among the cookies, ended or not."""
    return any(
        cookie.name in SITES[site].session and site_of(cookie) == site and cookie.value for cookie in cookies
    )


def report(cookies: Iterable[Cookie], site: str) -> CookieReport:
    """What these cookies are good for at `site`."""
    ours = tuple(cookie for cookie in cookies if site_of(cookie) == site)
    rules = SITES[site]
    login = has_session(ours, site)
    names = {cookie.name for cookie in ours if cookie.value}
    needed = rules.login if login else rules.guest
    missing = tuple(choice[0] for choice in needed if names.isdisjoint(choice))
    return CookieReport(
        found=len(ours), login=login, missing_needed=missing, ends=_jar_end(ours, rules, login)
    )


def _jar_end(cookies: Sequence[Cookie], rules: SiteCookies, login: bool) -> datetime | None:
    names = rules.session if login else rules.guest[0]
    ends = [cookie.expires for cookie in cookies if cookie.name in names and cookie.expires is not None]
    guarded = _sid_guard_end(value(cookies, "sid_guard")) if login else None
    return min([*ends, guarded] if guarded else ends, default=None)


def _sid_guard_end(guard: str | None) -> datetime | None:
    """The end of a login by its `sid_guard`: `<sessionid>|<unix s>|<ttl s>|<http date>`, percent-encoded."""
    parts = unquote(guard or "").strip('"').split("|")
    if len(parts) < 3 or not all(re.fullmatch(r"[0-9]{1,12}", part) for part in parts[1:3]):
        return None
    return _moment(int(parts[1]) + int(parts[2]))


def _moment(seconds: float) -> datetime | None:
    """A unix time as a moment, None for zero and below (how exports mark session cookies)."""
    if seconds > 1e11:  # some exports count milliseconds
        seconds /= 1000
    if not 0 < seconds < float("inf"):
        return None
    return datetime.fromtimestamp(min(seconds, _LAST_MOMENT.timestamp()), UTC)


# -- reading what a person hands over ----------------------------------------------------------------------------

_HOW = "`dyvine login add --help` shows how to export them"


@dataclass(frozen=True, slots=True)
class _Source:
    """What is being read, as errors call it."""

    name: str
    kind: str = field(default="")

    def wrong(self, what: str, *, line: int | None = None, hint: str = _HOW) -> InputError:
        return InputError(f"{self.name}{f':{line}' if line else ''}: {what}", hint=hint)


def read_file(path: Path, *, site: str | None) -> tuple[Cookie, ...]:
    """The cookies in a file; see `read`. Raises InputError for a folder, a missing or an unreadable file, too."""
    source = _Source(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_JAR + 1)
    except IsADirectoryError:
        raise source.wrong("this is a folder; give the cookie file in it") from None
    except FileNotFoundError:
        raise source.wrong("there is no such file") from None
    except OSError as exc:
        if path.is_dir():
            raise source.wrong("this is a folder; give the cookie file in it") from None
        raise source.wrong(f"cannot be read: {exc.strerror}", hint="check its permissions") from exc
    return read_bytes(data, site=site, filename=str(path))


def read_bytes(data: bytes, *, site: str | None, filename: str | None = None) -> tuple[Cookie, ...]:
    """The cookies in undecoded text, for instance from stdin; see `read`. UTF-8 and UTF-16 with a mark are known."""
    source = _Source(filename or "the cookies")
    if len(data) > _LARGEST_JAR:
        raise source.wrong(f"larger than {_LARGEST_JAR // 1024 // 1024} MiB: this is not a cookie export")
    if data.startswith(b"SQLite format 3"):
        raise source.wrong(
            "this is a browser's own database, not an export",
            hint="use --cookies-from-browser, or export the cookies",
        )
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise source.wrong("this is not text") from None
    return read(text, site=site, filename=filename)


def read(text: str, *, site: str | None, filename: str | None = None) -> tuple[Cookie, ...]:
    """The cookies of our sites in a header string, a Netscape file or a JSON export.

    The form is recognised by itself. With `site`, only that site's cookies are returned; None takes every site of
    ours, and a header string is told apart by names that only one site uses. Strangers' cookies are left out.
    Raises InputError that names the cause and never a value.
    """
    source = _Source(filename or "the cookies")
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise source.wrong("this is binary data, not text")
    stripped = text.strip()
    if not stripped:
        raise source.wrong("empty: there is no cookie in it")
    if stripped.startswith("<"):
        raise source.wrong("this is a web page, not cookies")
    if stripped.startswith(("[", "{")):
        return _of_site(_read_json(text, source), site, source)
    if _looks_like_netscape(text):
        return _of_site(_read_netscape(text, source), site, source)
    return _read_header(stripped, site, source)


def _of_site(cookies: Iterable[Cookie], site: str | None, source: _Source) -> tuple[Cookie, ...]:
    """What belongs to the site; InputError if nothing does or a cookie that is needed cannot be sent."""
    known = [cookie for cookie in cookies if site_of(cookie) is not None]
    ours = [cookie for cookie in known if site in (None, site_of(cookie))]
    if not ours and known:
        other = site_of(known[0])
        raise source.wrong(
            f"these are cookies of {other}, none is of {site}", hint=f"say --site {other} if that is meant"
        )
    if not ours:
        raise source.wrong(f"no cookie in it is of {site or ' or '.join(SITES)}")
    sendable = {cookie.key: cookie for cookie in ours if _check(cookie, source)}
    if not sendable:
        raise source.wrong("none of its cookies can be sent: their names or values have odd characters")
    return tuple(sendable.values())


def _check(cookie: Cookie, source: _Source) -> bool:
    """Whether the cookie can be sent; one that matters and cannot be is an error, others are left out."""
    if _is_sendable(cookie.name, cookie.value):
        return True
    rules = SITES[site_of(cookie) or "douyin"]
    if any(cookie.name in choice for choice in (rules.session, *rules.guest, *rules.login)):
        cause = (
            "was shortened by the program it was copied from"
            if "…" in cookie.value
            else "has characters no cookie has"
        )
        raise source.wrong(f"the value of {cookie.name} {cause}", hint="copy or export the cookies again")
    log.debug("left out cookie %s: it cannot be sent", cookie.name.encode("ascii", "replace").decode())
    return False


def _read_header(text: str, site: str | None, source: _Source) -> tuple[Cookie, ...]:
    """The pairs of a `Cookie` header, with or without its name; of equal names the first counts, as for servers."""
    pairs: dict[str, str] = {}
    for part in _header_line(text, source).split(";"):
        name, equals, content = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            continue
        if re.search(r"[\s\"{}<>(),]", name):
            raise source.wrong("neither a cookie header, a Netscape cookie file nor a JSON export")
        pairs.setdefault(name, content)
    if not pairs:
        raise source.wrong("no name=value pair in it: a value alone is not enough")
    site = site or _told_by(pairs, source)
    other = next(
        (each for each in SITES if each != site and _tells(pairs, each) and not _tells(pairs, site)), None
    )
    if other:
        raise source.wrong(
            f"these are cookies of {other}, not of {site}", hint=f"say --site {other} if that is meant"
        )
    domain = SITES[site].domains[0]
    return _of_site(
        (Cookie(name, content, domain, secure=True) for name, content in pairs.items()), site, source
    )


def _header_line(text: str, source: _Source) -> str:
    """The header's own text among pasted lines, without its name and outer quotes."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"cookie\s*:", line, re.IGNORECASE)]
    if not named and len(lines) > 1:
        raise source.wrong(f"{len(lines)} lines, but a cookie header is one line", hint="copy it as one line")
    chosen = (re.sub(r"^cookie\s*:\s*", "", line, flags=re.IGNORECASE) for line in named or lines)
    joined = "; ".join(chosen)
    return joined[1:-1] if len(joined) > 1 and joined[0] == joined[-1] and joined[0] in "\"'" else joined


def _tells(names: Iterable[str], site: str) -> bool:
    return not set(SITES[site].telling).isdisjoint(names)


def _told_by(names: Iterable[str], source: _Source) -> str:
    told = [site for site in SITES if _tells(names, site)]
    if len(told) != 1:
        raise source.wrong(
            "a cookie header does not say which site it is of", hint="say --site douyin or --site tiktok"
        )
    return told[0]


_NETSCAPE_BY_SPACES = re.compile(
    r"(#HttpOnly_)?\S+ +(TRUE|FALSE) +/\S* +(TRUE|FALSE) +-?[0-9.]+ +\S+( .*)?", re.IGNORECASE
)


def _looks_like_netscape(text: str) -> bool:
    lines = text.splitlines()
    if re.match(r"#\s*(Netscape )?HTTP Cookie File", lines[0], re.IGNORECASE):
        return True
    return any(line.count("\t") >= 5 or _NETSCAPE_BY_SPACES.fullmatch(line.strip()) for line in lines)


def _read_netscape(text: str, source: _Source) -> list[Cookie]:
    cookies = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        content = line.removeprefix("#HttpOnly_")
        if content.strip() and (content is not line or not content.startswith("#")):
            cookies.append(_netscape_line(content, number, source))
    return cookies


def _netscape_line(line: str, number: int, source: _Source) -> Cookie:
    """One line: domain, subdomains too, path, secure, unix end, name, value; an empty value's tab may be missing."""
    fields = line.split("\t")
    if len(fields) == 6:
        fields.append("")
    if len(fields) != 7:
        if "\t" not in line and _NETSCAPE_BY_SPACES.fullmatch(line.strip()):
            raise source.wrong(
                "the tabs of this cookie file have become spaces",
                line=number,
                hint="export it again and do not paste it through an editor or chat that replaces tabs",
            )
        raise source.wrong(f"a line of a cookie file has 7 fields, this one {len(fields)}", line=number)
    domain, subdomains, path, secure, end, name, content = (part.strip() for part in fields)
    try:
        expires = _moment(float(end or 0))
    except ValueError:
        raise source.wrong("the fifth field is no unix time", line=number) from None
    return Cookie(
        name,
        content,
        _host(domain.removeprefix(".")),
        path=path if path.startswith("/") else "/",
        secure=secure.upper() == "TRUE",
        expires=expires,
        host_only=subdomains.upper() != "TRUE" and not domain.startswith("."),
    )


def _read_json(text: str, source: _Source) -> list[Cookie]:
    """EditThisCookie and Cookie-Editor write a list, Playwright an object with `cookies`."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as exc:
        raise source.wrong(f"no valid JSON: {exc.msg}", line=exc.lineno) from None
    except (RecursionError, ValueError):
        raise source.wrong("no cookie export: nested too deep or with numbers too long") from None
    entries = data.get("cookies") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise source.wrong(
            "JSON, but not a cookie export", hint="known are EditThisCookie, Cookie-Editor and Playwright"
        )
    return [_json_entry(entry, number, source) for number, entry in enumerate(entries, 1)]


def _json_entry(entry: Any, number: int, source: _Source) -> Cookie:
    try:
        name, content, domain = entry["name"], entry["value"], entry["domain"]
        path = entry.get("path") or "/"
        end = float(entry.get("expirationDate") or entry.get("expires") or 0)
        _need_texts(name, content, domain, path)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        raise source.wrong(
            f"cookie {number}: name, value, domain or end are missing or of another type",
            hint="known are the exports of EditThisCookie, Cookie-Editor and Playwright",
        ) from None
    return Cookie(
        name,
        content,
        _host(domain.removeprefix(".")),
        path=path,
        secure=entry.get("secure") is True,
        expires=_moment(end),
        host_only=bool(entry.get("hostOnly", not domain.startswith("."))),
    )


def _need_texts(*parts: Any) -> None:
    if not all(isinstance(part, str) for part in parts):
        raise TypeError
