"""What may be shown of a request and its answer: secrets replaced, the shape kept, so that parsers still read it (pure).

A value is kept only where its place or its form is known to be harmless; everything that looks like a token goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MARK = "REDACTED"
"""What stands in a secret's place."""

_SHORTEST = 6  # characters of a value that is replaced wherever it stands; shorter ones are words
_PAGE = 20_000  # characters kept of a page between the scripts that hold its data
_DEEPEST = 200
_UNCODED = "!#$&'()*+,/:;=?@[]~"  # what may stand in an address as it is

_TOKEN = re.compile(r"[A-Za-z0-9+/=_%.~|!*-]{20,}")
_PATH_TOKEN = re.compile(r"[A-Za-z0-9+=_%!*-]{20,}")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_PUBLIC = re.compile(
    r"[0-9]{1,20}"  # ids of posts, accounts, mixes; times
    r"|MS4wLjABAAAA[\w-]{1,80}"  # an account's lasting id
    r"|v0[0-9a-f]{3,5}[a-z0-9]{2,40}"  # a video's id at its host
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?"
    r"|[a-z0-9-]{1,30}(?:\.[a-z0-9-]{1,30}){1,4}\.(?:com|cn|net|tv)"  # a host
    r"|(?:com(?:\.[a-z]{2,12}){1,5}|[A-Z][A-Za-z]{2,16})/[0-9.]{1,16}"  # a browser's or app's version
)
_URL = re.compile(r"(?:https?|wss?|socks5h?)://[^\s\"'<>\\^`{|}]+", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"token|session|sid_|secret|passw|passport|csrf|cookie|ticket|sign(?!al)|bogus|odin|ttwid|uifid|verify|^fp$|"
    r"web_?id|device_?id|install_?id|^iid$|fingerprint|auth(?!or)|credential|phone|mobile|email|(?:^|_)ip$|usercip|"
    r"api_?key|access_?key|log_?id|impr_id|request_?id|trace",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?<![\w-])([\w-]{0,40}?(?:token|session|sid_|secret|passw|csrf|ticket|signature|bogus|odin_|ttwid|uifid|verifyfp|authorization)"
    r"[\w-]{0,40})(\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?)([^\s\"'&;,<>\\{}\[\]]{4,})",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(\b\w+://)[^\s/@\"']+@")
_DATA = ("RENDER_DATA", "__UNIVERSAL_DATA_FOR_REHYDRATION__", "SIGI_STATE", "_ROUTER_DATA", "__pace_f")
"""What the scripts of a page say that hold its data: in their tag, or in front of the data."""
_ASSIGNED = re.compile(r"[^{<]{0,200}?_ROUTER_DATA\s*=\s*")
_FORM = re.compile(r"[\w.\[\]-]+=[^\s{}<>&]*(?:&[\w.\[\]-]+=[^\s{}<>&]*)*")

_HARMLESS_QUERY = (
    "aweme_id aweme_ids sec_user_id sec_uid user_id mix_id series_id music_id ch_id modal_id unique_id room_id web_rid "
    "max_cursor min_cursor cursor offset count aid channel device_platform version_code version_name "
    "update_version_code request_source origin_type need_time_list time_list_query locate_query cut_version "
    "publish_video_strategy_type from_user_page show_live_replay_strategy req_from source personal_center_strategy "
    "support_h265 support_dash cookie_enabled screen_width screen_height browser_language browser_platform "
    "browser_name browser_version browser_online engine_name engine_version os_name os_version cpu_core_num "
    "device_memory platform downlink effective_type round_trip_time pc_client_type pc_libra_divert timestamp "
    "from_nav showTab x-expires expire ratio line watermark video_id is_play_url media_type file_id l "
    "itemId secUid itemID region app_language browser_timezone"
)
KEPT_QUERY = frozenset(_HARMLESS_QUERY.split())
"""Parameters whose values say what was asked for, and by what kind of browser."""

_HARMLESS_HEADERS = (
    "accept accept-encoding accept-language accept-ranges age cache-control connection content-encoding content-length "
    "content-range content-type date expires host if-range last-modified origin range retry-after server "
    "transfer-encoding upgrade-insecure-requests user-agent vary x-ccdn-forbid-code argus_security_code "
    "access-control-allow-origin access-control-allow-credentials"
)
KEPT_HEADERS = frozenset(_HARMLESS_HEADERS.split())
"""Headers, besides `sec-…`, whose values say how the answer was made."""

_LINKS = frozenset({"location", "referer", "content-location"})
_ATTRIBUTES = frozenset({"domain", "path", "expires", "max-age", "secure", "httponly", "samesite"})


def link(text: str) -> str:
    """A pasted link as it may be shown: what says who shared it, and to whom, is left out of its query."""
    if "://" not in text:
        return text
    redactor = Redactor()
    url, _, query = redactor.url(text).partition("?")
    kept, _ = redactor.allowed(query)
    return f"{url}?{kept}" if kept else url


class Redactor:
    """Replaces secrets: those that it was told (`learn`) wherever they stand, all others by their place or form."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._stand_ins: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Replace these texts from now on, however they are encoded; what is too short to be a secret is left out."""
        self._keep({each: MARK for each in secrets if len(each) >= _SHORTEST and not each.isspace()})

    def learn_account(self, *ids: str) -> None:
        """Replace the ids and names of the person's own account by others of the same form."""
        self._keep({each: _stand_in(each) for each in ids if len(each) >= 2})

    def learn_cookies(self, header: str) -> None:
        """Replace the values of a `Cookie` header, or of the first pair of a `Set-Cookie`."""
        pairs = (pair.partition("=")[2].strip() for pair in header.split(";"))
        self.learn(*pairs)

    # --- texts and addresses --------------------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """Free text: what was learned, addresses, named secrets and everything that looks like a token."""
        return _TOKEN.sub(lambda found: _masked(found[0]), self.told(text))

    def told(self, text: str) -> str:
        """Free text with names of files or people in it, which look like tokens and stay: all but those."""
        text = _URL.sub(lambda found: self.url(found[0]), self._known(text))
        text = _LOGIN.sub(rf"\1{MARK}@", text)
        return _NAMED.sub(lambda found: f"{found[1]}{found[2]}{MARK}", text)

    def url(self, url: str) -> str:
        """An address that stays one: no login, no signed query values, no tokens in the path."""
        try:
            parts = urlsplit(self._known(url))
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return MARK
        place = host if port is None else f"{host}:{port}"
        query = f"?{self.query(parts.query)}" if parts.query else ""
        return f"{parts.scheme}://{place}{_path(parts.path)}{query}"

    def query(self, query: str) -> str:
        """A query (or form) with every name, and with the values of harmless names."""
        return "&".join(self._pair(pair) for pair in query.split("&"))

    def allowed(self, query: str) -> tuple[str, int]:
        """The harmless pairs of a query, and how many others there are."""
        pairs = query.split("&") if query else []
        kept = [pair for pair in pairs if pair.partition("=")[0] in KEPT_QUERY]
        return self.query("&".join(kept)), len(pairs) - len(kept)

    def _pair(self, pair: str) -> str:
        name, is_set, value = pair.partition("=")
        if _is_token(name):
            return MARK
        if not is_set or not value:
            return self._known(name) + is_set
        shown = self._known(value)
        harmless = name in KEPT_QUERY and not any(map(_is_token, _TOKEN.findall(unquote(shown))))
        return f"{self._known(name)}={shown if harmless else MARK}"

    # --- heads ----------------------------------------------------------------------------------------------------

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers with every name, and with the values of harmless ones; cookies with their names."""
        return {_masked(name): self._header(name.lower(), value) for name, value in headers.items()}

    def _header(self, name: str, value: str) -> str:
        if name == "cookie":
            return "; ".join(self._cookie(pair) for pair in value.split(";"))
        if name in _LINKS:
            return self.url(value) if "://" in value else _path(urlsplit(value).path)
        if name in KEPT_HEADERS or name.startswith("sec-"):
            return _TOKEN.sub(lambda found: _masked(found[0]), self._known(value))
        return MARK

    def set_cookie(self, header: str) -> str:
        """A `Set-Cookie` header without its value."""
        first, *attributes = header.split(";")
        kept = [each.strip() for each in attributes if each.partition("=")[0].strip().lower() in _ATTRIBUTES]
        return "; ".join([self._cookie(first), *map(self._known, kept)])

    def _cookie(self, pair: str) -> str:
        name = pair.partition("=")[0].strip()
        return f"{_masked(self._known(name))}={MARK}"

    # --- bodies ---------------------------------------------------------------------------------------------------

    def body(self, body: bytes) -> str:
        """A body as text: JSON stays JSON of the same shape, a page keeps the scripts that hold its data."""
        text = body.decode("utf-8-sig", errors="replace")
        start = text.lstrip()[:1]
        if start in ("{", "["):
            return self._json_text(text)
        if start == "<":
            return self._page(text)
        return self.query(text) if _FORM.fullmatch(text) else self.text(text)

    def json(self, value: Any) -> Any:
        """A decoded JSON value of the same shape."""
        return self._value(value, secret=False, depth=0)

    def _json_text(self, text: str) -> str:
        try:
            found = self.json(json.loads(text))
        except (ValueError, RecursionError):
            return self.text(text)
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    def _value(self, value: Any, *, secret: bool, depth: int) -> Any:
        if depth > _DEEPEST:
            return MARK
        match value:
            case dict():
                return {
                    self._key(key): self._value(
                        each, secret=secret or bool(_SECRET_NAME.search(key)), depth=depth + 1
                    )
                    for key, each in value.items()
                }
            case list():
                return [self._value(each, secret=secret, depth=depth + 1) for each in value]
            case str():
                return self._string(value, secret=secret)
            case bool() | None:
                return value
        return self._number(value, secret=secret)

    def _key(self, key: str) -> str:
        return _masked(self._known(key))

    def _string(self, value: str, *, secret: bool) -> str:
        if not value or value.startswith(("{", "[")):
            return self._json_text(value) if value and not secret else value and MARK
        if secret:
            return MARK
        if _URL.fullmatch(value):
            return self.url(value)
        return self.text(value)

    def _number(self, value: Any, *, secret: bool) -> Any:
        written = str(value)
        if written in self._stand_ins:
            stand_in = self._stand_ins[written]
            return int(stand_in) if stand_in.isdigit() else 0
        return 0 if secret and len(written) >= _SHORTEST else value

    def _page(self, html: str) -> str:
        return "".join(self._pieces(html))

    def _pieces(self, html: str) -> Iterator[str]:
        at = 0
        for start, inside, end in _scripts(html):
            if any(name in html[start:end] for name in _DATA):
                yield self.text(html[at:start][:_PAGE])
                yield self.text(html[start:inside]) + self._script(html[inside:end])
                at = end
        yield self.text(html[at:][:_PAGE])

    def _script(self, data: str) -> str:
        """The data of a page: JSON, percent-encoded or not, perhaps assigned to a name, or the calls that stream it."""
        assigned = _ASSIGNED.match(data)
        before = assigned[0] if assigned else ""
        rest = data[len(before) :].lstrip()
        decoded = unquote(rest) if rest.startswith("%") else rest
        try:
            value, end = json.JSONDecoder().raw_decode(decoded)
        except (ValueError, RecursionError):
            return self.text(data)
        shown = json.dumps(self.json(value), ensure_ascii=False, separators=(",", ":"))
        return before + (quote(shown) if decoded is not rest else shown + self.text(decoded[end:]))

    # --- what was learned -----------------------------------------------------------------------------------------

    def _keep(self, secrets: Mapping[str, str]) -> None:
        for secret, stand_in in secrets.items():
            for form in _forms(secret):
                self._stand_ins.setdefault(form, stand_in)
        longest = sorted(self._stand_ins, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest))) if longest else None

    def _known(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._stand_ins[found[0]], text)


def _scripts(html: str) -> Iterator[tuple[int, int, int]]:
    """Where each script of a page starts, where its content does, and where that ends."""
    at = 0
    while (start := html.find("<script", at)) >= 0:
        inside = html.find(">", start) + 1
        end = html.find("</script>", inside) if inside else -1
        if end < 0:
            return
        yield start, inside, end
        at = end


def _forms(secret: str) -> set[str]:
    """A secret as it may be written: as it is, percent-encoded in the usual ways, decoded, inside JSON."""
    encoded = {quote(secret, safe=safe) for safe in ("", "/", _UNCODED)}
    return {secret, *encoded, quote_plus(secret), unquote(secret), json.dumps(secret)[1:-1]}


def _stand_in(id: str) -> str:
    if id.isascii() and id.isdigit():
        return "1" + "0" * (len(id) - 1)
    return "MS4wLjABAAAAredacted-account" if id.startswith("MS4wLjABAAAA") else "someone"


def _is_token(word: str) -> bool:
    """Whether a word has the form of a secret: long, with letters and digits, and no public id."""
    if len(word) < 20 or _PUBLIC.fullmatch(word):
        return False
    return any(char.isdigit() for char in word) and any(char.isalpha() for char in word)


def _masked(word: str) -> str:
    return MARK if _is_token(word) else word


def _path(path: str) -> str:
    """A path without tokens; long hexadecimal ones become zeros, so that what stands around them keeps its place."""
    zeros = _HEX.sub(lambda found: "0" * len(found[0]), path)
    return _PATH_TOKEN.sub(lambda found: _masked(found[0]), zeros)
