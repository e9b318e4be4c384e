"""What the platforms publish, in our words: frozen dataclasses without I/O.

`None` in a field always means "the platform did not say". Sizes are bytes, durations seconds, bit rates bits per
second, times aware UTC `datetime`s, ids strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NewType, get_args

from dyvine_cli.errors import DyvineError

Cursor = NewType("Cursor", str)
"""Opaque token for the next page of a listing; it is passed back, never computed with."""

RefKind = Literal[
    "post",
    "user",
    "mix",
    "collection",
    "series",
    "sound",
    "hashtag",
    "room",
    "search",
    "trending",
    "film",
    "replay",
    "short",
]
Listing = Literal["posts", "likes", "favorites", "mixes", "reposts", "history"]
"""What of a user is listed; `favorites` and `history` exist for the own account only."""

PostKind = Literal["video", "images", "live_photo", "slides", "article", "note"]
"""`images` stills only; `live_photo` stills of which some have a clip of a few seconds; `slides` pages of which some
are clips; `article` a text with pictures; `note` pictures with a long text."""

AssetKind = Literal["video", "picture", "clip", "sound", "cover", "subtitle", "text"]
Access = Literal["public", "friends", "private", "in_review", "deleted", "prohibited"]


@dataclass(frozen=True, slots=True)
class Ref:
    """What a link means: site, kind and id; prints as `douyin:post:7372…`.

    `listing` is set when a link names one listing of a user (`…?showTab=like`), None for the kind's own. A `short` ref
    has the short link itself as id. A room id of 17 digits and more is the room of one broadcast, any
    other the streamer's lasting room number or handle. A `collection` is someone's list of posts of others (TikTok).
    """

    site: str
    kind: RefKind
    id: str
    listing: Listing | None = None

    def __str__(self) -> str:
        return f"{self.site}:{self.kind}:{self.id}" + (f":{self.listing}" if self.listing else "")

    @classmethod
    def parse(cls, text: str) -> Ref | None:
        """The ref that `site:kind:id` or `site:kind:id:listing` names; None if `text` has not that form."""
        site, _, rest = text.partition(":")
        kind, _, rest = rest.partition(":")
        id, _, listing = rest.partition(":")
        if not (site.isalnum() and id) or kind not in get_args(RefKind) or kind == "short":
            return None
        if listing and (kind != "user" or listing not in get_args(Listing)):
            return None
        return cls(site, kind, id, listing or None)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One encoding of an asset.

    `mirrors` are addresses of the same bytes, to be tried in order. `headers` are what its host needs (never a login).
    `mirror_headers` overrides them for one address. `md5` is only a claim of the platform: a mismatch is a warning,
    unless `md5_is_exact` says that it holds for every whole file. `size_is_exact` says that `size` is a promise to be
    enforced. `original` marks the author's upload.
    """

    mirrors: tuple[str, ...]
    ext: str
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    codec: str | None = None
    bit_rate: int | None = None
    size: int | None = None
    size_is_exact: bool = False
    md5: str | None = None
    md5_is_exact: bool = False
    label: str | None = None
    watermarked: bool = False
    has_sound: bool = True
    original: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    mirror_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file that a post should become.

    `id` is unique and lasting within the post: `video`, `picture_03`, `clip_03`, `sound`, `cover`, `subtitle.zh`,
    `text`. `index` counts pictures and clips from 1, 0 elsewhere. `text` is the content of a text asset, which has no
    renditions.
    """

    id: str
    kind: AssetKind
    index: int = 0
    language: str | None = None
    renditions: tuple[Rendition, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The few facts about an account that come with each of its posts."""

    id: str
    uid: str
    handle: str
    nickname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Counts at the time of asking."""

    likes: int | None = None
    comments: int | None = None
    favorites: int | None = None
    shares: int | None = None
    plays: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A hashtag in a post's text; `id` is None when the platform gives only the name."""

    name: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A person named in a post's text; `user_id` is the stable id."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The music or original sound of a post; `rendition` is None when it is muted or withheld."""

    ref: Ref
    title: str
    author: str
    duration: float | None = None
    original: bool = False
    rendition: Rendition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """A series of posts; `declared` is the number of posts the platform claims it has."""

    ref: Ref
    title: str
    description: str = ""
    author: Author | None = None
    declared: int | None = None
    created: datetime | None = None
    updated: datetime | None = None
    cover: Rendition | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One published item.

    `text` is everything the author wrote, tags included; `title` is the separate title of notes and articles, empty
    elsewhere. `episode` is its number inside `mix`. `text_is_cut` says the platform gave only the beginning.
    `partial` says that a listing gave only some of its facts and files: the post itself has the others.
    `raw` is the platform's own answer.
    """

    ref: Ref
    kind: PostKind
    url: str
    author: Author
    created: datetime
    title: str = ""
    text: str = ""
    text_is_cut: bool = False
    partial: bool = False
    duration: float | None = None
    assets: tuple[Asset, ...] = ()
    statistics: Statistics = Statistics()
    tags: tuple[Tag, ...] = ()
    mentions: tuple[Mention, ...] = ()
    co_authors: tuple[Author, ...] = ()
    sound: Sound | None = None
    mix: Mix | None = None
    episode: int | None = None
    pinned: bool = False
    story: bool = False
    ad: bool = False
    access: Access = "public"
    paid: bool = False
    login_only: bool = False
    notice: str = ""
    region: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account; `ref.id` is the stable id, `uid` the numeric one, `handle` the changeable one.

    `declared` is the number of public posts the platform claims. `state` is `public` when its posts can be listed;
    `state_reason` is the platform's own sentence otherwise.
    """

    ref: Ref
    url: str
    uid: str
    handle: str
    nickname: str
    signature: str = ""
    state: Literal["public", "private", "banned", "cancelled"] = "public"
    state_reason: str = ""
    verified: str = ""
    declared: int | None = None
    followers: int | None = None
    following: int | None = None
    likes_received: int | None = None
    likes_given: int | None = None
    likes_are_public: bool | None = None
    mixes: int | None = None
    region: str | None = None
    live_room: Ref | None = None
    avatar: Rendition | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def author(self) -> Author:
        """The short form that stands in this account's posts."""
        return Author(id=self.ref.id, uid=self.uid, handle=self.handle, nickname=self.nickname)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a listing.

    `next` is None at the end. `cut` is None unless the platform itself says that it shows no more to us although there
    is more. `hidden` counts entries that were listed without content (removed, private). `skipped` counts entries of
    other kinds (live cards, advertisements). `unreadable` are the errors of entries that could not be read while others
    could; each names its post in `ref` where the id could be read. `sample` says that the entries come from elsewhere:
    the list itself begins at `next`. `lost` is the error of a page that does not say where the list goes on.
    """

    items: tuple[Post | Mix, ...]
    next: Cursor | None
    cut: str | None = None
    hidden: int = 0
    skipped: int = 0
    unreadable: tuple[DyvineError, ...] = ()
    sample: bool = False
    lost: DyvineError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a profile gets on with a site; each time is None if there is none on record.

    `accepted` (to the minute) and `refused` are the last answers of each kind, `used` is the last call.
    `closed_until` is the end of a cool-down, `ended` says that it is too long to be waited out. `refusals` are those
    not taken back yet. `dead` is when its login was found dead, None for one that may be alive.
    """

    accepted: datetime | None = None
    refused: datetime | None = None
    used: datetime | None = None
    closed_until: datetime | None = None
    ended: bool = False
    refusals: int = 0
    dead: datetime | None = None
