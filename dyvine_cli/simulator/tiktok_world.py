"""The invented people and posts of TikTok: seeded, computed from their number on demand, never stored.

Ids do not depend on the seed, so tests and `demo` may name them (`TIKTOK.VIDEO`); names, texts and counts do.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from dyvine_cli.simulator.world import NEWEST_MS, Gear, Picture, Track
from dyvine_cli.simulator.world_texts import hostile_text

Kind = Literal["video", "photo"]
State = Literal["public", "private", "banned"]
ShortKind = Literal["post", "user", "mix", "login", "gone"]

_ODD = 2_654_435_761
_ODD_INVERSE = pow(_ODD, -1, 2**32)
_SLOW_UPLOAD = 90
"""The id's second lies up to so many seconds before the post's own (reported: 4 to 94)."""


# -- what a post is made of --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Creator:
    """One account; its posts are computed from their place, 0 is the newest.

    Every `photos_every`-th post is a photo post of `pictures` pages. `pinned` posts stand on top, the first highest.
    """

    number: int
    handle: str
    posts: int
    nickname: str = ""
    state: State = "public"
    step_s: int = 21_600
    pinned: tuple[int, ...] = ()
    photos_every: int = 0
    pictures: int = 7
    video_size: int = 1_500_000
    video_spread: int = 34_000
    picture_size: int = 40_000
    picture_spread: int = 8_000
    hostile: bool = False
    verified: bool = False
    fans: int = 12_345
    hearts: int = 987_654
    likes_are_open: bool = False
    likes: int = 0
    reposts: int = 0
    saved: int = 0

    @property
    def id(self) -> str:
        """The numeric id."""
        return str(7_200_000_000_000_000_000 + self.number * 1_000_000_007)

    @property
    def sec_uid(self) -> str:
        """The stable id: 76 characters."""
        digest = hashlib.sha384(f"creator {self.number}".encode()).digest()
        return "MS4wLjABAAAA" + base64.urlsafe_b64encode(digest).decode()

    def created_ms(self, index: int) -> int:
        """When the post at this place was published, in milliseconds; strictly falling."""
        return NEWEST_MS - self.number * 1000 - index * self.step_s * 1000 + index % 7 * 100

    def kind_at(self, index: int) -> Kind:
        """Whether a video or photos stand at this place."""
        return "photo" if self.photos_every and index % self.photos_every == 4 else "video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A hashtag (`tag`) or a mention (`person`) at UTF-16 units `start` to `end` of the caption."""

    start: int
    end: int
    tag: str = ""
    person: Creator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """One subtitle track: `form` webvtt, srt or creator_caption; `language` as in eng-US."""

    language: str
    form: Literal["webvtt", "srt", "creator_caption"]
    source: Literal["ASR", "MT", "LC"]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One post. `status` is the platform's code for whoever asks, 0 where it shows it."""

    id: str
    creator: Creator
    index: int
    created_ms: int
    kind: Kind
    text: str
    marks: tuple[Mark, ...] = ()
    title: str = ""
    gears: tuple[Gear, ...] = ()
    pictures: tuple[Picture, ...] = ()
    track: Track
    track_kind: Literal["mp3", "m4a"] = "mp3"
    seconds: int = 0
    captions: tuple[Caption, ...] = ()
    pinned: bool = False
    status: int = 0
    age_gated: bool = False
    login_wall: bool = False
    has_author: bool = True
    has_ladder: bool = True
    friends_only: bool = False

    @property
    def created_s(self) -> int:
        """When it was published, in whole seconds."""
        return self.created_ms // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A playlist of one creator, or a collection of posts of several."""

    id: str
    creator: Creator
    title: str
    posts: tuple[tuple[Creator, int], ...]


# -- ids ---------------------------------------------------------------------------------------------------------------


def upload_id(creator: Creator, index: int) -> str:
    """The 19 digits of the creator's post at this place; the upper 32 bits are the second its upload began."""
    began = creator.created_ms(index) // 1000 - 4 - index * 7 % _SLOW_UPLOAD
    place = (creator.number << 15 | index) * _ODD & 0xFFFFFFFF
    return str(began << 32 | place)


def playlist_id(number: int) -> str:
    """The 19 digits of a playlist or collection."""
    return str(7_310_000_000_000_000_000 + number * 1_000_003)


def short_code(kind: ShortKind, id: str) -> str:
    """The code of a short link: `Z` and eight letters or digits, case matters."""
    digest = hashlib.sha256(f"tiktok {kind} {id}".encode()).digest()
    return "Z" + base64.b32encode(digest[:5]).decode()


# -- the people --------------------------------------------------------------------------------------------------------

_SMALL: dict[str, Any] = {
    "video_size": 300_000, "video_spread": 9_000, "picture_size": 30_000, "picture_spread": 2_000,
}  # fmt: skip

_SAMPLES = Creator(number=501, handle="mara.in.the.hills", posts=20, verified=True, hearts=2_680_875_280)
_SHADOW = Creator(number=502, handle="shadow_shelf", posts=14)
_EMPTY = Creator(number=510, handle="nothing.yet", posts=0)
_ONE = Creator(number=511, handle="one_and_only", posts=1)
_TWELVE = Creator(number=512, handle="twelve.months", posts=12, pinned=(7,), photos_every=6, **_SMALL)
_MANY = Creator(
    number=513,
    handle="daily_dorothea",
    posts=348,
    pinned=(200, 3, 41),
    photos_every=20,
    video_size=24_000,
    video_spread=500,
    picture_size=9_000,
    picture_spread=300,
)
_MIXED = Creator(number=514, handle="two.hundred.days", posts=200, pinned=(77, 12), photos_every=10)
_HOSTILE = Creator(
    number=515,
    handle="trouble.maker",
    nickname="..\\CON:alley/<cat>\u202e.exe",
    posts=70,
    photos_every=10,
    pictures=2,
    hostile=True,
    video_size=24_000,
    video_spread=500,
    picture_size=9_000,
    picture_spread=300,
)
_PRIVATE = Creator(number=520, handle="closed_door", posts=9, state="private", **_SMALL)
_BANNED = Creator(number=521, handle="was.here.once", posts=9, state="banned")
_LIKES = Creator(
    number=530, handle="likes.a.lot", posts=2, likes_are_open=True, likes=45, reposts=40, **_SMALL
)
_HIDDEN = Creator(number=531, handle="likes_in_secret", posts=2, likes=45, **_SMALL)
_SELF = Creator(number=542, handle="it.is.me", posts=12, likes=33, saved=37, **_SMALL)
_FRIEND = Creator(number=550, handle="good_neighbour", nickname="Good Neighbour 🌻", posts=3, **_SMALL)
_ALL = (
    _SAMPLES, _SHADOW, _EMPTY, _ONE, _TWELVE, _MANY, _MIXED, _HOSTILE, _PRIVATE, _BANNED, _LIKES, _HIDDEN, _SELF, _FRIEND,
)  # fmt: skip

_SHADOW_CODES = (10204, 10215, 10216, 10217, 10222, 10223, 10225, 10231, 10101, 10000, 10221, 10299, 100002)
"""The status of the shadow account's posts, newest first; its last post is one of the two that a login opens."""

STATUS_TEXTS = {
    10000: "verify",
    10101: "SysErrPanic",
    10204: "item doesn't exist",
    10215: "item is private",
    10216: "item is storage by author",
    10217: "item is in review",
    10221: "user banned",
    10222: "user is private",
    10223: "item is restricted",
    10225: "item is sensitive",
    10231: "item is not available in this region",
    100002: "author not found",
}
"""`statusMsg` by code; only those of 10204 and 10221 are recorded."""


class TiktokWorld:
    """Everything that is published, by id.

    `seed` decides names, texts and counts. The constants name what tests and `demo` ask for: posts by id, accounts by
    handle.
    """

    VIDEO: ClassVar = upload_id(_SAMPLES, 0)
    """A video with a ladder of six gears; 1080p is H.265."""
    PHOTO: ClassVar = upload_id(_SAMPLES, 1)
    """Nine pictures with sound and a title of its own."""
    SUBTITLES: ClassVar = upload_id(_SAMPLES, 2)
    """A video with subtitles: spoken (webvtt), translated (webvtt and srt), the creator's own (JSON)."""
    MENTIONS: ClassVar = upload_id(_SAMPLES, 3)
    """A caption with emoji before hashtags, and a mention whose text is not the handle."""
    ONE_PHOTO: ClassVar = upload_id(_SAMPLES, 4)
    """One picture, no sound, no caption."""
    SMALL: ClassVar = upload_id(_SAMPLES, 5)
    """A video whose only gear has 0.3 MB."""
    BIG: ClassVar = upload_id(_SAMPLES, 6)
    """A video of 500 MB."""
    LONG_TEXT: ClassVar = upload_id(_SAMPLES, 7)
    """A caption of 2,200 characters."""
    NO_AUTHOR: ClassVar = upload_id(_SAMPLES, 8)
    """A post without `author`, as some old ones are."""
    NO_SOUND: ClassVar = upload_id(_SAMPLES, 9)
    """Three pictures whose licensed sound has no address."""
    AGE_GATED: ClassVar = upload_id(_SAMPLES, 10)
    """Guests get `isContentClassified` and no `video`."""
    LOGIN_WALL: ClassVar = upload_id(_SAMPLES, 11)
    """Guests are sent to the login page."""
    FRIENDS: ClassVar = upload_id(_SAMPLES, 12)
    """Listed with `forFriend` and without media."""
    H264_ONLY: ClassVar = upload_id(_SAMPLES, 13)
    WEBP: ClassVar = upload_id(_SAMPLES, 14)
    """Four pictures, every other one WebP, and sound in M4A."""
    NO_LADDER: ClassVar = upload_id(_SAMPLES, 15)
    """A video with `playAddr` and an empty `bitrateInfo`."""
    STATUS: ClassVar = {code: upload_id(_SHADOW, n) for n, code in enumerate(_SHADOW_CODES)}
    """A post for each status code."""
    DELETED: ClassVar = STATUS[10204]
    PRIVATE: ClassVar = STATUS[10216]
    IN_REVIEW: ClassVar = STATUS[10217]
    NOT_HERE: ClassVar = STATUS[10231]
    """Not available in this region."""

    ACCOUNTS: ClassVar = {creator.posts: creator.handle for creator in (_EMPTY, _ONE, _TWELVE, _MIXED, _MANY)}
    """Handle by number of posts: 0, 1, 12, 200 (videos and photos, 340 files with sounds), 348."""
    SAMPLES: ClassVar = _SAMPLES.handle
    """Whose posts have names here; its hearts do not fit into 32 bits."""
    PRIVATE_ACCOUNT: ClassVar = _PRIVATE.handle
    """Shown to the known login, which follows it."""
    BANNED_ACCOUNT: ClassVar = _BANNED.handle
    MISSING_ACCOUNT: ClassVar = "nobody.has.this"
    HOSTILE_ACCOUNT: ClassVar = _HOSTILE.handle
    LIKES_ACCOUNT: ClassVar = _LIKES.handle
    """45 likes that everyone may see, 40 reposts."""
    LIKES_HIDDEN_ACCOUNT: ClassVar = _HIDDEN.handle
    SELF: ClassVar = _SELF.handle
    """The account of the known login; 33 likes and 37 saved posts that only it sees."""
    SESSION: ClassVar = "7c1e0d5b9a2f4c6e8d0b1a3f5e7c9d2b"
    """`sessionid` of the known login."""
    PLAYLIST: ClassVar = playlist_id(1)
    """A playlist of 40 posts; its account is the one of 200 posts, and has two more."""
    COLLECTION: ClassVar = playlist_id(100)
    """50 saved posts of three creators."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._creators = {creator.number: self._named(creator) for creator in _ALL}
        self._shorts = self._short_codes()

    def creator(self, name: str) -> Creator | None:
        """The account with this handle (in any case), numeric id or secUid; also when it is banned."""
        return next(
            (c for c in self._creators.values() if name in (c.id, c.sec_uid) or name.lower() == c.handle),
            None,
        )

    def post(self, id: str) -> Upload | None:
        """The post with this id, also when the platform would not show it."""
        if not (id.isascii() and id.isdigit() and len(id) == 19):
            return None
        place = (int(id) & 0xFFFFFFFF) * _ODD_INVERSE & 0xFFFFFFFF
        creator, index = self._creators.get(place >> 15), place & 0x7FFF
        if creator is None or index >= creator.posts or upload_id(creator, index) != id:
            return None
        return self.at(creator, index)

    def posts(self, creator: Creator) -> Iterator[Upload]:
        """The creator's posts, newest first, without the pinned ones."""
        return (self.at(creator, index) for index in range(creator.posts) if index not in creator.pinned)

    def pinned(self, creator: Creator) -> list[Upload]:
        """The creator's pinned posts, in the order that it chose."""
        return [self.at(creator, index) for index in creator.pinned]

    def liked(self, creator: Creator) -> list[Upload]:
        """What the account likes, newest like first."""
        return self._of_others(creator.likes)

    def reposted(self, creator: Creator) -> list[Upload]:
        """What the account passed on, newest first."""
        return self._of_others(creator.reposts)

    def saved(self, creator: Creator) -> list[Upload]:
        """What the account keeps for itself, newest first."""
        return self._of_others(creator.saved)

    def _of_others(self, count: int) -> list[Upload]:
        givers = [self._creators[c.number] for c in (_MANY, _MIXED, _TWELVE)]
        return [self.at(givers[n % 3], n // 3) for n in range(count)]

    def playlists(self, creator: Creator) -> list[Playlist]:
        """The creator's playlists; one account has any, the last of them empty."""
        if creator.number != _MIXED.number:
            return []
        rules = ((40, 1, "Kitchen stories"), (100, 2, "Rainy days 🌧"), (0, 3, "Soon"))
        return [
            Playlist(
                id=playlist_id(number),
                creator=creator,
                title=title,
                posts=tuple((creator, index) for index in reversed(range(0, length * 2, 2))),
            )
            for length, number, title in rules
        ]

    def playlist(self, id: str) -> Playlist | None:
        """The playlist with this id."""
        of_mixed = self.playlists(self._creators[_MIXED.number])
        return next((playlist for playlist in of_mixed if playlist.id == id), None)

    def collection(self, id: str) -> Playlist | None:
        """The collection with this id."""
        if id != self.COLLECTION:
            return None
        posts = tuple((post.creator, post.index) for post in self._of_others(50))
        return Playlist(id=id, creator=self._creators[_LIKES.number], title="To cook", posts=posts)

    def playlist_of(self, post: Upload) -> str | None:
        """The id of the first playlist that holds the post."""
        place = (post.creator, post.index)
        lists = self.playlists(post.creator)
        return next((playlist.id for playlist in lists if place in playlist.posts), None)

    def short_link(self, kind: ShortKind, id: str, *, host: str = "vm.tiktok.com") -> str:
        """A short link to a post, an account (by handle), a playlist, the login page or a withdrawn thing."""
        code = short_code(kind, id)
        self._shorts.setdefault(code, (kind, id))
        return f"https://{host}/t/{code}/" if host == "www.tiktok.com" else f"https://{host}/{code}/"

    def behind(self, code: str) -> tuple[str, str] | None:
        """Kind and id behind the code of a short link."""
        return self._shorts.get(code)

    @property
    def myself(self) -> Creator:
        """The account of the known login."""
        return self._creators[_SELF.number]

    # -- making them up ------------------------------------------------------------------------------------------------

    def _named(self, creator: Creator) -> Creator:
        if creator.nickname:
            return creator
        draw = random.Random(f"{self.seed} creator {creator.number}")
        return replace(creator, nickname=f"{draw.choice(_NAMES)} {draw.choice(_SURNAMES)}")

    def _short_codes(self) -> dict[str, tuple[str, str]]:
        posts = [("post", upload_id(c, n)) for c in (_SAMPLES, _SHADOW) for n in range(c.posts)]
        users = [("user", creator.handle) for creator in _ALL]
        others = [("mix", self.PLAYLIST), ("login", self.LOGIN_WALL), ("gone", self.DELETED)]
        return {short_code(kind, id): (kind, id) for kind, id in (*posts, *users, *others)}  # type: ignore[arg-type]

    def at(self, creator: Creator, index: int) -> Upload:
        """The creator's post at this place."""
        draw = random.Random(f"{self.seed} tiktok {creator.number} {index}")
        text, marks = ordinary_caption(draw, self._creators[_FRIEND.number] if index % 5 == 0 else None)
        if creator.hostile:
            text, marks = hostile_text(index), ()
        kind = (
            _SAMPLE_KINDS.get(index, "video") if creator.number == _SAMPLES.number else creator.kind_at(index)
        )
        post = Upload(
            id=upload_id(creator, index),
            creator=creator,
            index=index,
            created_ms=creator.created_ms(index),
            kind=kind,
            text=text,
            marks=marks,
            track=_track(creator, index),
            pinned=index in creator.pinned,
        )
        post = _with_media(post, draw)
        if creator.number == _SHADOW.number:
            return _shadow(post)
        return self._sample(post) if creator.number == _SAMPLES.number else post

    def _sample(self, post: Upload) -> Upload:
        """The single posts that have a name: one trait each."""
        if post.index == 3:
            text, marks = joined(
                "#1 🤯🤯 ", self._creators[_FRIEND.number], " made bread 🍞 #kitchen  #BreadTok"
            )
            return replace(post, text=text, marks=marks)
        if post.index == 2:
            return replace(post, captions=_captions(post))
        return replace(post, **_TRAITS.get(post.index, {}))


# -- captions ----------------------------------------------------------------------------------------------------------

_NAMES = ("Mara", "Otto", "June", "Ilya", "Noor", "Tess", "Ravi", "Ada", "Kofi", "Lena")
_SURNAMES = ("Outdoors", "Makes Things", "& Dog 🐕", "in the Kitchen", "Lab", "Studio", "", "🌿")
_TIMES = ("this morning", "after the rain", "on a Sunday", "at four in the night", "between two trains")
_DEEDS = (
    "we fixed an old radio",
    "the cat learned a trick",
    "bread, but louder",
    "counting every step",
    "sunset over the yard 🌇",
)
_TAGS = ("kitchen", "DIY", "cat", "slowlife", "sunset", "猫", "fyp")


def _units(text: str) -> int:
    """Length in UTF-16 units, as the platform counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def joined(before: str, person: Creator | None, after: str) -> tuple[str, tuple[Mark, ...]]:
    """A caption and the marks of its hashtags and its mention, which shows the person's name, not the handle."""
    mention = f"@{person.nickname}" if person else ""
    text = before + mention + after
    marks = []
    if person:
        start = _units(before)
        marks.append(Mark(start=start, end=start + _units(mention), person=person))
    at = 0
    while (at := text.find("#", at)) >= 0:
        tag = text[at + 1 :].split(" ")[0]
        start = _units(text[:at])
        marks.append(Mark(start=start, end=start + 1 + _units(tag), tag=tag))
        at += 1
    return text, tuple(sorted(marks, key=lambda mark: mark.start))


def ordinary_caption(draw: random.Random, person: Creator | None) -> tuple[str, tuple[Mark, ...]]:
    """What happened when, with up to three hashtags and perhaps a mention."""
    tags = "".join(f" #{tag}" for tag in draw.sample(_TAGS, draw.randrange(4)))
    words = f"{draw.choice(_DEEDS)} {draw.choice(_TIMES)}"
    return joined(f"{words} with " if person else words, person, tags)


def _captions(post: Upload) -> tuple[Caption, ...]:
    forms = (("eng-US", "webvtt", "ASR"), ("spa-ES", "webvtt", "MT"), ("fra-FR", "srt", "MT"), ("eng-US", "creator_caption", "LC"))  # fmt: skip
    return tuple(
        Caption(language=language, form=form, source=source, seed=post.index * 16 + n)  # type: ignore[arg-type]
        for n, (language, form, source) in enumerate(forms)
    )


# -- kinds, sizes, sounds ----------------------------------------------------------------------------------------------

_SAMPLE_KINDS: dict[int, Kind] = {1: "photo", 4: "photo", 9: "photo", 14: "photo"}


def _gear(name: str, quality: int, codec: Literal["h264", "h265"], width: int, size: int, seed: str) -> Gear:
    return Gear(
        name=name, quality=quality, codec=codec, width=width, height=width * 16 // 9, size=size, seed=seed
    )  # fmt: skip


def _gears(creator: Creator, index: int) -> tuple[Gear, ...]:
    """The web's ladder; the largest picture is H.265 and the largest file."""
    size = creator.video_size + index % 24 * creator.video_spread
    seed = f"t{creator.number}-{index}"
    parts = (
        ("adapt_lowest_1080_1", 2, "h265", 1080, 1.0),
        ("normal_540_0", 20, "h264", 576, 0.8),
        ("adapt_lower_720_1", 14, "h265", 720, 0.5),
        ("lowest_540_0", 25, "h264", 576, 0.35),
    )
    return tuple(
        _gear(name, quality, codec, width, max(int(size * part), 12_000), seed)  # type: ignore[arg-type]
        for name, quality, codec, width, part in parts
    )


def _with_media(post: Upload, draw: random.Random) -> Upload:
    creator, index = post.creator, post.index
    if post.kind == "video":
        return replace(post, gears=_gears(creator, index), seconds=draw.randrange(8, 90))
    pictures = tuple(_picture(creator, index, n) for n in range(creator.pictures))
    return replace(post, pictures=pictures, title=draw.choice(_DEEDS).capitalize())


def _picture(creator: Creator, index: int, n: int) -> Picture:
    return Picture(
        width=1080,
        height=1440,
        size=creator.picture_size + (index + n * 3) % 20 * creator.picture_spread,
        seed=f"i{creator.number}-{index}-{n}",
    )


def _track(creator: Creator, index: int) -> Track:
    number = (creator.number * 31 + index * 7) % 40
    return Track(
        id=str(7_240_000_000_000_000_000 + number * 77_000_001),
        title="original sound" if number % 3 else f"Tune No. {number}",
        author=_NAMES[number % len(_NAMES)],
        seconds=15 + number,
        size=30_000 if creator.picture_size >= 30_000 else 9_000,
        seed=f"s{number}",
    )


_SILENT = replace(_track(_SAMPLES, 9), size=0)
_TRAITS: dict[int, dict[str, Any]] = {
    0: {
        "gears": (
            _gear("adapt_lowest_1080_1", 2, "h265", 1080, 1_620_000, "tvideo"),
            _gear("normal_720_0", 10, "h264", 720, 1_140_000, "tvideo"),
            _gear("adapt_lower_720_1", 14, "h265", 720, 720_000, "tvideo"),
            _gear("normal_540_0", 20, "h264", 576, 980_000, "tvideo"),
            _gear("adapt_540_1", 28, "h265", 576, 430_000, "tvideo"),
            _gear("lowest_540_0", 25, "h264", 576, 310_000, "tvideo"),
        )
    },
    1: {"pictures": tuple(_picture(_SAMPLES, 1, n) for n in range(9))},
    4: {"pictures": (_picture(_SAMPLES, 4, 0),), "track": _SILENT, "text": "", "marks": (), "title": ""},
    5: {"gears": (_gear("normal_540_0", 20, "h264", 576, 300_000, "tsmall"),)},
    6: {"gears": (_gear("normal_720_0", 10, "h264", 720, 500_000_000, "tbig"),)},
    7: {"text": "All of it happened. " * 110, "marks": ()},
    8: {"has_author": False},
    9: {"pictures": tuple(_picture(_SAMPLES, 9, n) for n in range(3)), "track": _SILENT},
    10: {"age_gated": True},
    11: {"login_wall": True},
    12: {"friends_only": True},
    13: {"gears": tuple(gear for gear in _gears(_SAMPLES, 13) if gear.codec == "h264")},
    14: {"pictures": tuple(_picture(_SAMPLES, 14, n) for n in range(4)), "track_kind": "m4a"},
    15: {"has_ladder": False},
}


def _shadow(post: Upload) -> Upload:
    """The posts that are refused; the last one is there for the known login only."""
    codes = _SHADOW_CODES
    return (
        replace(post, status=codes[post.index]) if post.index < len(codes) else replace(post, age_gated=True)
    )


TIKTOK = TiktokWorld()
"""The world of seed 1."""
