"""TikTok's listings: pages, cursors, what a visitor may not see, and the lies that only TikTok tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.lies import Liar, Sheet
from dyvine_cli.simulator.messages import Request
from dyvine_cli.simulator.tiktok_guest import Visitor
from dyvine_cli.simulator.tiktok_posts import Posts, Raw
from dyvine_cli.simulator.tiktok_world import STATUS_TEXTS, Creator, Playlist, TiktokWorld, Upload

MOST = 35
"""A page has at most this many entries, whatever `count` asks for (reported, 2026)."""
POPULAR_START = 5_000_000
"""Where the small falling cursor of popular, liked and saved lists begins; each place takes ten."""

DEVICE_LIES = {
    "device-disliked": "the first device ids that come (value, default 1) get the first page again and again",
}

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call of a list: who asks what, decoded."""

    request: Request
    parameters: Parameters
    seen: Visitor

    def number(self, name: str, default: int = 0) -> int:
        """A parameter as a whole number, `default` when it is none."""
        try:
            return int(self.parameters.get(name, ""))
        except ValueError:
            return default

    @property
    def length(self) -> int:
        """How many entries the page will have at most."""
        return max(1, min(self.number("count", 16), MOST))


def status(code: int) -> Raw:
    """An answer that is a status and nothing else."""
    if not code:
        return {"statusCode": 0, "status_code": 0, "status_msg": ""}
    text = STATUS_TEXTS.get(code, "")
    return {"statusCode": code, "status_code": code, "status_msg": text, "statusMsg": text}


def _words(sheet: Sheet) -> Raw:
    """The answer that a page becomes; the list's key is missing where it is truly empty."""
    raw = status(0)
    if sheet.entries or sheet.has_more or sheet.entries is None:
        raw[sheet.key] = sheet.entries
    return {**raw, sheet.cursor_key: str(sheet.cursor), "hasMore": sheet.has_more, **sheet.extra}


class Lists:
    """Answers the listing endpoints with the platform's JSON."""

    def __init__(self, world: TiktokWorld, posts: Posts, faults: Faults) -> None:
        self._world = world
        self._posts = posts
        self._faults = faults
        self._liar = Liar(faults, _words)
        self._disliked: set[str] = set()
        faults.register(DEVICE_LIES)

    # -- an account's own posts ----------------------------------------------------------------------------------------

    def user_posts(self, asked: Asked) -> Raw:
        """`post/item_list`: newest (0), popular (1) or oldest (2) first; pinned ones on top of the newest."""
        creator = self._owner(asked)
        if isinstance(creator, int):
            return status(creator)
        order = asked.number("post_item_list_request_type")
        makers: dict[int, Callable[[int], Sheet]] = {
            1: lambda cursor: self._counted(asked, self._popular(creator), cursor),
            2: lambda cursor: self._oldest(asked, creator, cursor),
        }
        newest: Callable[[int], Sheet] = lambda cursor: self._newest(asked, creator, cursor)  # noqa: E731
        return self._told(asked, creator.sec_uid, makers.get(order, newest))

    def creator_posts(self, asked: Asked) -> Raw:
        """`creator/item_list`, the unsigned route of before: newest first, the cursor is a time in ms."""
        creator = self._owner(asked)
        if isinstance(creator, int):
            return status(creator)
        sheet = self._newest(asked, creator, asked.number("cursor"), with_pinned=False)
        return {
            "statusCode": 0,
            "status_code": 0,
            "itemList": sheet.entries,
            "hasMorePrevious": sheet.has_more,
        }

    def _newest(self, asked: Asked, creator: Creator, cursor: int, *, with_pinned: bool = True) -> Sheet:
        """Older than the cursor; a first page may hold one more than was asked for."""
        pinned = [] if cursor or not with_pinned else self._world.pinned(creator)
        room = max(1, asked.length - len(pinned) + bool(pinned))
        older = (post for post in self._world.posts(creator) if not cursor or post.created_ms < cursor)
        following = list(islice(older, room + 1))
        shown = following[:room]
        last = shown[-1].created_ms if shown else cursor
        return self._sheet(asked, [*pinned, *shown], last, len(following) > room)

    def _oldest(self, asked: Asked, creator: Creator, cursor: int) -> Sheet:
        newer = [post for post in self._world.posts(creator) if post.created_ms > cursor]
        following = sorted([*newer, *self._pinned_after(creator, cursor)], key=lambda post: post.created_ms)
        shown = following[: asked.length]
        last = shown[-1].created_ms if shown else cursor
        return self._sheet(asked, shown, last, len(following) > len(shown))

    def _pinned_after(self, creator: Creator, cursor: int) -> list[Upload]:
        return [post for post in self._world.pinned(creator) if post.created_ms > cursor]

    def _popular(self, creator: Creator) -> list[Upload]:
        """By a number that does not move."""
        posts = [*self._world.pinned(creator), *self._world.posts(creator)]
        return sorted(posts, key=lambda post: int(post.id) // 7 % 90_001, reverse=True)

    def _sheet(self, asked: Asked, shown: Sequence[Upload], cursor: int, more: bool) -> Sheet:
        return Sheet(
            key="itemList",
            cursor_key="cursor",
            entries=self._entries(asked, shown),
            cursor=cursor,
            has_more=more,
            asked=asked.number("cursor"),
        )

    # -- what it likes, keeps, passes on ---------------------------------------------------------------------------------

    def likes(self, asked: Asked) -> Raw:
        """`favorite/item_list`: for everyone if the account opened it, else for itself."""
        creator = self._owner(asked)
        if isinstance(creator, int):
            return status(creator)
        own = asked.seen.is_logged_in and creator.handle == TiktokWorld.SELF
        liked = self._world.liked(creator) if creator.likes_are_open or own else []
        return self._told(asked, creator.sec_uid, lambda cursor: self._counted(asked, liked, cursor))

    def saved(self, asked: Asked) -> Raw:
        """`user/collect/item_list`: the own account's only."""
        creator = self._owner(asked)
        if isinstance(creator, int):
            return status(creator)
        own = asked.seen.is_logged_in and creator.handle == TiktokWorld.SELF
        saved = self._world.saved(creator) if own else []
        return self._told(asked, creator.sec_uid, lambda cursor: self._counted(asked, saved, cursor))

    def reposts(self, asked: Asked) -> Raw:
        """`repost/item_list`: the cursor is the number of entries read."""
        creator = self._owner(asked)
        if isinstance(creator, int):
            return status(creator)
        reposted = self._world.reposted(creator)
        return self._told(asked, creator.sec_uid, lambda cursor: self._placed(asked, reposted, cursor))

    def _counted(self, asked: Asked, posts: Sequence[Upload], cursor: int) -> Sheet:
        """A page under a small cursor that falls by ten for every place."""
        place = (POPULAR_START - cursor) // 10 if cursor else 0
        sheet = self._placed(asked, posts, max(0, place))
        sheet.asked = cursor
        sheet.cursor = POPULAR_START - sheet.cursor * 10
        return sheet

    def _placed(self, asked: Asked, posts: Sequence[Upload], place: int) -> Sheet:
        """A page under the place of its first entry."""
        shown = posts[place : place + asked.length]
        end = place + len(shown)
        return Sheet(
            key="itemList",
            cursor_key="cursor",
            entries=self._entries(asked, shown),
            cursor=end,
            has_more=end < len(posts),
            asked=place,
        )

    # -- playlists and collections ---------------------------------------------------------------------------------------

    def playlists(self, asked: Asked) -> Raw:
        """`user/playlist`: the cursor is the place of the next one."""
        creator = self._owner(asked)
        if isinstance(creator, int):
            return status(creator)
        found = self._world.playlists(creator)

        def page(cursor: int) -> Sheet:
            shown = found[cursor : cursor + asked.length]
            end = cursor + len(shown)
            entries = [self._posts.playlist(playlist) for playlist in shown]
            more = end < len(found)
            return Sheet(
                key="playList", cursor_key="cursor", entries=entries, cursor=end, has_more=more, asked=cursor
            )

        return self._told(asked, creator.sec_uid, page)

    def playlist_posts(self, asked: Asked) -> Raw:
        """`mix/item_list`: the playlist's own order."""
        return self._of(asked, self._world.playlist(asked.parameters.get("mixId", "")))

    def collection_posts(self, asked: Asked) -> Raw:
        """`collection/item_list`: posts of several creators."""
        return self._of(asked, self._world.collection(asked.parameters.get("collectionId", "")))

    def _of(self, asked: Asked, playlist: Playlist | None) -> Raw:
        if playlist is None:
            return status(10204)
        posts = [self._world.at(creator, index) for creator, index in playlist.posts]
        return self._told(asked, playlist.id, lambda cursor: self._placed(asked, posts, cursor))

    # -- small rules -----------------------------------------------------------------------------------------------------

    def _owner(self, asked: Asked) -> Creator | int:
        """Whose list it is, or the status for who may not see it."""
        creator = self._world.creator(asked.parameters.get("secUid", ""))
        if creator is None or creator.sec_uid != asked.parameters.get("secUid"):
            return 100002
        if creator.state == "banned":
            return 10221
        return 10222 if creator.state == "private" and not asked.seen.is_logged_in else creator

    def _entries(self, asked: Asked, posts: Sequence[Upload]) -> list[Raw]:
        seen = asked.seen
        return [
            self._posts.item(post, asked.request, chain=seen.chain, channel="list", login=seen.is_logged_in)
            for post in posts
            if not post.status and not post.login_wall
        ]

    def _told(self, asked: Asked, owner: str, page: Callable[[int], Sheet]) -> Raw:
        """The page behind the cursor, after the lies that are switched on."""
        cursor = asked.number("cursor")
        if self._dislikes(asked):
            return _words(page(0))
        return self._liar.told(asked.request, owner, page, cursor)

    def _dislikes(self, asked: Asked) -> bool:
        """Whether this device id gets the first page for ever (yt-dlp #14031)."""
        fault = self._faults.take("device-disliked", asked.request)
        if fault is None:
            self._disliked.clear()
            return False
        device = asked.parameters.get("device_id", "")
        if len(self._disliked) < fault.number(1):
            self._disliked.add(device)
        return device in self._disliked
