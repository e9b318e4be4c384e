"""Douyin's listings: pages, cursors, and what guests do not see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice

from dyvine_cli.simulator.douyin_guest import Viewer
from dyvine_cli.simulator.douyin_posts import Posts, Raw
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.lies import Again, Liar, Sheet
from dyvine_cli.simulator.messages import Request
from dyvine_cli.simulator.world import Account, Published, World

MOST = 20
"""A page has at most this many entries, whatever `count` asks for (reported, 2026)."""

GUESTS: Mapping[str, str] = {
    "list-guest-cut": "the list ends here with the sign that asks guests to log in",
    "guests-see-all": "guests see whole lists",
}

NOT_LOGIN = {"guide_login_tip_exist": True, "not_login_text": "登录后查看更多作品"}

Parameters = Mapping[str, str]


def _words(sheet: Sheet) -> Raw:
    """The answer that a page becomes."""
    return {
        "status_code": 0,
        sheet.key: sheet.entries,
        sheet.cursor_key: sheet.cursor,
        "has_more": int(sheet.has_more),
        **sheet.extra,
    }


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
        self._liar = Liar(faults, _words, {"list-guest-cut": _guest_cut})
        faults.register(GUESTS)

    def user_posts(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """`aweme/post`: pinned ones first, then newest to oldest; the cursor is the last post's time in ms."""
        account = self._world.account(parameters.get("sec_user_id", ""))
        if account is None:
            return {"status_code": 2, "status_msg": "invalid user id"}
        depth = (
            None if seen.is_logged_in or self._faults.take("guests-see-all", request) else account.guest_depth
        )
        length = page_length(parameters)
        sheet = self._liar.told(
            request,
            account.sec_uid,
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
        return self._liar.told(
            request,
            account.sec_uid,
            lambda cursor: self._likes_sheet(account, cursor, length, seen),
            number(parameters, "max_cursor"),
        )

    def mixes(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """`mix/list`: the mixes of an account; the cursor is the place of the next one."""
        account = self._world.account(parameters.get("sec_user_id", ""))
        if account is None:
            return {"status_code": 2, "status_msg": "invalid user id"}
        length = page_length(parameters)
        return self._liar.told(
            request,
            account.sec_uid,
            lambda cursor: self._mixes_sheet(account, cursor, length),
            number(parameters, "cursor"),
        )

    def mix_posts(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """`mix/aweme`: first episode first; the cursor is the place of the next one."""
        length = page_length(parameters, 12)
        mix_id = parameters.get("mix_id", "")
        if self._world.mix(mix_id) is None:
            return {"status_code": 0, "aweme_list": None, "cursor": 0, "has_more": 0}
        return self._liar.told(
            request,
            mix_id,
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


def _guest_cut(sheet: Sheet, again: Again, value: str) -> None:
    sheet.has_more = False
    sheet.extra["not_login_module"] = NOT_LOGIN


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
