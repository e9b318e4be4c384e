"""Douyin's listings: pages, cursors, what guests do not see, and every lie that a list has been reported to tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

from dyvine_cli.simulator.douyin_guest import Viewer
from dyvine_cli.simulator.douyin_posts import Posts, Raw
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Request
from dyvine_cli.simulator.world import Account, Published, World

MOST = 20
"""A page has at most this many entries, whatever `count` asks for (reported, 2026)."""

LIES: Mapping[str, str] = {
    "list-empty-page": "a page without entries that promises more under the same cursor; value skip: under the next one",
    "list-repeated-cursor": "the right entries, and the cursor that was just asked for",
    "list-cursor-back": "the right entries, and the cursor of the first page",
    "list-cursor-missing": "the right entries, more promised, and no cursor",
    "list-sticky-cursor": "the list goes on page by page, but its cursor stays that of the first page",
    "list-has-more-forever": "more is promised on every page, also behind the end",
    "list-ends-early": "this page claims to be the last one",
    "list-cut": "no entries and no more, in the middle of the list",
    "list-same-page": "the first page's entries again under the right cursor",
    "list-duplicates": "three entries of the first page again in front",
    "list-entry-odd": "the last entry of the page lacks the key of the value (default author)",
    "list-key-missing": "the key of the entries is missing",
    "list-key-null": "the entries are null, more is promised",
    "list-guest-cut": "the list ends here with the sign that asks guests to log in",
    "guests-see-all": "guests see whole lists",
}

NOT_LOGIN = {"guide_login_tip_exist": True, "not_login_text": "登录后查看更多作品"}

Parameters = Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Sheet:
    """One page before it becomes JSON: `key` and `cursor_key` are the platform's names for entries and cursor."""

    key: str
    cursor_key: str
    entries: list[Raw]
    cursor: int
    has_more: bool
    extra: Raw = field(default_factory=dict)
    asked: int = 0

    def raw(self) -> Raw:
        """The answer."""
        return {
            "status_code": 0,
            self.key: self.entries,
            self.cursor_key: self.cursor,
            "has_more": int(self.has_more),
            **self.extra,
        }


Again = Callable[[int], Sheet]


def number(parameters: Parameters, name: str, default: int = 0) -> int:
    """A parameter as a whole number, `default` when it is none."""
    try:
        return int(parameters.get(name, ""))
    except ValueError:
        return default


def page_length(parameters: Parameters, default: int = 18) -> int:
    """How many entries the page will have at most."""
    return max(1, min(number(parameters, "count", default), MOST))


class Lists:
    """Answers the listing endpoints; None stands for 200 without a body."""

    def __init__(self, world: World, posts: Posts, faults: Faults) -> None:
        self._world = world
        self._posts = posts
        self._faults = faults
        self._places: dict[str, int] = {}
        faults.register(LIES)

    def user_posts(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """`aweme/post`: pinned ones first, then newest to oldest; the cursor is the last post's time in ms."""
        account = self._world.account(parameters.get("sec_user_id", ""))
        if account is None:
            return {"status_code": 2, "status_msg": "invalid user id"}
        depth = (
            None if seen.is_logged_in or self._faults.take("guests-see-all", request) else account.guest_depth
        )
        length = page_length(parameters)
        sheet = self._told(
            request,
            lambda cursor: self._posts_sheet(account, cursor, length, depth, seen),
            number(parameters, "max_cursor"),
        )
        if parameters.get("need_time_list") == "1":
            sheet["time_list"] = _months(account)
        return sheet

    def likes(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """`aweme/favorite`: newest like first; a hidden list is no answer at all."""
        account = self._world.account(parameters.get("sec_user_id", ""))
        if account is None:
            return {"status_code": 2, "status_msg": "invalid user id"}
        if not account.likes_are_public:
            return None
        length = page_length(parameters)
        return self._told(
            request,
            lambda cursor: self._likes_sheet(account, cursor, length, seen),
            number(parameters, "max_cursor"),
        )

    def mixes(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """`mix/list`: the mixes of an account; the cursor is the place of the next one."""
        account = self._world.account(parameters.get("sec_user_id", ""))
        if account is None:
            return {"status_code": 2, "status_msg": "invalid user id"}
        length = page_length(parameters)
        return self._told(
            request, lambda cursor: self._mixes_sheet(account, cursor, length), number(parameters, "cursor")
        )

    def mix_posts(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """`mix/aweme`: first episode first; the cursor is the place of the next one."""
        length = page_length(parameters, 12)
        mix_id = parameters.get("mix_id", "")
        if self._world.mix(mix_id) is None:
            return {"status_code": 0, "aweme_list": None, "cursor": 0, "has_more": 0}
        return self._told(
            request,
            lambda cursor: self._episodes_sheet(mix_id, cursor, length, seen),
            number(parameters, "cursor"),
        )

    # -- honest pages --------------------------------------------------------------------------------------------------

    def _posts_sheet(
        self, account: Account, cursor: int, length: int, depth: int | None, seen: Viewer
    ) -> Sheet:
        if account.state != "public" or account.unlisted:
            return Sheet(key="aweme_list", cursor_key="max_cursor", entries=[], cursor=0, has_more=False)
        pinned = [] if cursor else self._world.pinned(account)
        before = _posts_before(account, cursor)
        room = length - len(pinned)
        if depth is not None:
            room = min(room, max(0, depth - before - len(pinned)))
        following = list(islice(self._world.posts(account, cursor), room + 1))
        shown = following[:room]
        entries = self._entries(account, [*pinned, *shown], seen)
        more = len(following) > room
        next_cursor = shown[-1].created_ms if shown else cursor
        extra: Raw = {
            "min_cursor": shown[0].created_ms if shown else 0,
            "has_locate_item": False,
            "time_list": None,
        }
        if depth is not None and more and before + len(pinned) + len(shown) >= depth:
            extra["not_login_module"], more = NOT_LOGIN, False
        return Sheet(
            key="aweme_list",
            cursor_key="max_cursor",
            entries=entries,
            cursor=next_cursor,
            has_more=more,
            extra=extra,
            asked=cursor,
        )

    def _entries(self, account: Account, posts: list[Published], seen: Viewer) -> list[Raw]:
        """The posts, with live cards and advertisements between them."""
        entries = []
        for post in posts:
            entries.append(self._posts.aweme(post, login=seen.is_logged_in, listed=True))
            if (
                account.cards_every
                and not post.pinned
                and post.index % account.cards_every == account.cards_every - 5
            ):
                make = self._posts.live_card if post.index % 2 else self._posts.advertisement
                entries.append(make(account, post.index))
        return entries

    def _likes_sheet(self, account: Account, cursor: int, length: int, seen: Viewer) -> Sheet:
        liked = self._world.liked(account)
        places = [n for n in range(len(liked)) if not cursor or self._world.liked_ms(account, n) < cursor]
        shown = places[:length]
        return Sheet(
            key="aweme_list",
            cursor_key="max_cursor",
            entries=[self._posts.aweme(liked[n], login=seen.is_logged_in, listed=True) for n in shown],
            cursor=self._world.liked_ms(account, shown[-1]) if shown else cursor,
            has_more=len(places) > len(shown),
            extra={"min_cursor": 0, "uid": account.uid, "sec_uid": account.sec_uid},
            asked=cursor,
        )

    def _mixes_sheet(self, account: Account, cursor: int, length: int) -> Sheet:
        mixes = self._world.mixes(account) if account.state == "public" else []
        shown = mixes[cursor : cursor + length]
        return Sheet(
            key="mix_infos",
            cursor_key="cursor",
            entries=[self._posts.mix(mix) for mix in shown],
            cursor=cursor + len(shown),
            has_more=cursor + len(shown) < len(mixes),
            asked=cursor,
        )

    def _episodes_sheet(self, mix_id: str, cursor: int, length: int, seen: Viewer) -> Sheet:
        mix = self._world.mix(mix_id)
        assert mix is not None
        shown = [self._world.at(mix.account, place) for place in mix.places[cursor : cursor + length]]
        episodes = {post.id: mix.episode(post.index) for post in shown}
        return Sheet(
            key="aweme_list",
            cursor_key="cursor",
            entries=[self._posts.aweme(post, login=seen.is_logged_in, listed=True) for post in shown],
            cursor=cursor + len(shown),
            has_more=cursor + len(shown) < len(mix.places),
            extra={"item_id_to_episode": json.dumps(episodes)},
            asked=cursor,
        )

    # -- lies ----------------------------------------------------------------------------------------------------------

    def _told(self, request: Request, again: Again, cursor: int) -> Raw:
        """The page behind the cursor, after the lies that are switched on."""
        stuck = self._faults.take("list-sticky-cursor", request) is not None
        sheet = self._stuck(request, again, cursor) if stuck else again(cursor)
        for name, change in _CHANGES.items():
            fault = self._faults.take(name, request)
            if fault is not None:
                change(sheet, again, fault.value or "")
        raw = sheet.raw()
        if self._faults.take("list-key-missing", request):
            del raw[sheet.key]
        if self._faults.take("list-cursor-missing", request):
            del raw[sheet.cursor_key]
            raw["has_more"] = 1
        return raw

    def _stuck(self, request: Request, again: Again, cursor: int) -> Sheet:
        """The next page in the list's own count, under the cursor that was asked for."""
        query = parse_qs(request.query)
        owner = query.get("sec_user_id") or query.get("mix_id") or [""]
        key = f"{request.path} {owner[0]}"
        sheet = again(self._places.get(key, cursor) if cursor else 0)
        self._places[key] = sheet.cursor
        sheet.cursor = cursor or sheet.cursor
        return sheet


def _empty(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries, sheet.has_more = [], True
    if value != "skip":
        sheet.cursor = sheet.asked


def _repeated(sheet: Sheet, again: Again, value: str) -> None:
    sheet.cursor, sheet.has_more = sheet.asked, True


def _first_cursor(sheet: Sheet, again: Again, value: str) -> None:
    sheet.cursor, sheet.has_more = again(0).cursor, True


def _forever(sheet: Sheet, again: Again, value: str) -> None:
    sheet.has_more = True


def _ended(sheet: Sheet, again: Again, value: str) -> None:
    sheet.has_more = False


def _cut(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries, sheet.has_more = [], False


def _same_page(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries = again(0).entries


def _duplicates(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries = [*again(0).entries[:3], *sheet.entries]


def _odd_entry(sheet: Sheet, again: Again, value: str) -> None:
    if sheet.entries:
        sheet.entries = [*sheet.entries[:-1], dict(sheet.entries[-1])]
        sheet.entries[-1].pop(value or "author", None)


def _null(sheet: Sheet, again: Again, value: str) -> None:
    nothing: Any = None
    sheet.entries, sheet.has_more = nothing, True


def _guest_cut(sheet: Sheet, again: Again, value: str) -> None:
    sheet.has_more = False
    sheet.extra["not_login_module"] = NOT_LOGIN


_CHANGES: Mapping[str, Callable[[Sheet, Again, str], None]] = {
    "list-empty-page": _empty,
    "list-repeated-cursor": _repeated,
    "list-cursor-back": _first_cursor,
    "list-has-more-forever": _forever,
    "list-ends-early": _ended,
    "list-cut": _cut,
    "list-same-page": _same_page,
    "list-duplicates": _duplicates,
    "list-entry-odd": _odd_entry,
    "list-key-null": _null,
    "list-guest-cut": _guest_cut,
}


def _posts_before(account: Account, cursor: int) -> int:
    """How many posts a reader has met who stands at this cursor, pinned ones included."""
    first = account.first_before(cursor)
    met_pinned = len(account.pinned) if cursor else 0
    return first - sum(1 for index in account.pinned if index < first) + met_pinned


def _months(account: Account) -> list[Raw]:
    """The years and months in which the account published, newest first; what the page draws its calendar from."""
    if not account.declared:
        return []
    newest, oldest = (
        datetime.fromtimestamp(account.created_ms(i) / 1000, UTC) for i in (0, account.posts - 1)
    )
    months: dict[int, list[int]] = {}
    at = newest.year * 12 + newest.month - 1
    while at >= oldest.year * 12 + oldest.month - 1:
        months.setdefault(at // 12, []).append(at % 12 + 1)
        at -= 1
    return [{"year": year, "months": listed} for year, listed in months.items()]
