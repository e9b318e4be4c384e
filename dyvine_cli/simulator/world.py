"""The invented people and posts behind the simulator: seeded, computed from their number on demand, never stored.

Ids do not depend on the seed, so tests and `demo` may name them; names, texts and counts do. A post's id carries its
second in the upper 32 bits, as the platform's own ids do, and its account and place in the lower ones.
"""

from __future__ import annotations

import base64
import hashlib
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from dyvine_cli.simulator.world_texts import (
    NAMES_A,
    NAMES_B,
    article_text,
    hostile_text,
    note_text,
    ordinary_text,
)

Kind = Literal["video", "images", "live_photo", "slides", "article", "note"]
State = Literal["public", "private", "banned", "cancelled"]

NEWEST_MS = 1_790_740_800_500
"""When the newest post of every account was published: end of September 2026, half past a second."""
TWINS = (7, 8)
"""Two posts of each larger account that share their second and their text."""

_ODD = 2_654_435_761
_ODD_INVERSE = pow(_ODD, -1, 2**32)


# -- what a post is made of --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Gear:
    """One encoding of a clip: `codec` h264 or h265, `size` bytes, `seed` decides its bytes."""

    name: str
    quality: int
    codec: Literal["h264", "h265"]
    width: int
    height: int
    size: int
    seed: str
    fps: int = 30

    @property
    def short_edge(self) -> int:
        """The number that the platform calls its definition, as in 720p."""
        return min(self.width, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One page of a picture post; `clip` is its moving part, empty for a still."""

    width: int
    height: int
    size: int
    seed: str
    clip: tuple[Gear, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The music of a post; `size` 0 means that it is withheld."""

    id: str
    title: str
    author: str
    seconds: int
    size: int
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account as the table below defines it; its posts are computed from their place, 0 is the newest.

    `guest_depth` is how many posts a guest sees, None for all. Of `pinned` the first stands on top. Posts at
    `hidden_every` steps are listed without content, other cards stand between the posts at `cards_every` steps.
    """

    number: int
    posts: int
    nickname: str = ""
    state: State = "public"
    guest_depth: int | None = 20
    step_s: int = 21_600
    pinned: tuple[int, ...] = ()
    hidden_every: int = 0
    cards_every: int = 0
    pictures_only: int = 0
    video_size: int = 1_500_000
    video_spread: int = 34_000
    picture_size: int = 40_000
    picture_spread: int = 8_000
    hostile: bool = False
    unlisted: bool = False
    likes_are_public: bool = True
    likes: int = 0

    @property
    def sec_uid(self) -> str:
        """The stable id of the account's address."""
        return sec_uid(self.number)

    @property
    def uid(self) -> str:
        """The numeric id."""
        return str(3_290_000_000_000_000 + self.number * 7_919)

    @property
    def handle(self) -> str:
        """The changeable 抖音号."""
        return f"shan_ye_{self.number:03d}"

    @property
    def declared(self) -> int:
        """How many posts the profile claims."""
        return 0 if self.unlisted or self.state != "public" else self.posts

    def created_ms(self, index: int) -> int:
        """When the post at this place was published, in milliseconds; strictly falling."""
        if self.posts > TWINS[1] and index == TWINS[1]:
            return self.created_ms(TWINS[0]) - 300
        return NEWEST_MS - self.number * 1000 - index * self.step_s * 1000

    def is_hidden(self, index: int) -> bool:
        """Whether the post at this place is listed without content."""
        return self.hidden_every > 0 and index % self.hidden_every == self.hidden_every - 13

    def first_before(self, cursor_ms: int) -> int:
        """The place of the newest post older than the cursor; 0 starts at the newest."""
        if cursor_ms <= 0:
            return 0
        return bisect_right(range(self.posts), -cursor_ms, key=lambda index: -self.created_ms(index))


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One post. `refusal` is the platform's reason for not showing it, None when it does."""

    id: str
    account: Account
    index: int
    created_ms: int
    kind: Kind
    text: str
    title: str = ""
    markdown: str = ""
    gears: tuple[Gear, ...] = ()
    has_ladder: bool = True
    pictures: tuple[Picture, ...] = ()
    track: Track
    seconds: int = 0
    tags: tuple[str, ...] = ()
    co_authors: tuple[Account, ...] = ()
    pinned: bool = False
    hidden: bool = False
    paid: bool = False
    login_only: bool = False
    story: bool = False
    notice: str = ""
    refusal: str | None = None
    refused_for_aid: str | None = None

    @property
    def created_s(self) -> int:
        """When it was published, in whole seconds."""
        return self.created_ms // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A mix of one account; `places` are its posts, first episode first."""

    id: str
    account: Account
    title: str
    places: tuple[int, ...]

    def episode(self, index: int) -> int | None:
        """The number of the post at this place, counted from 1; None when it is not in the mix."""
        return self.places.index(index) + 1 if index in self.places else None


# -- ids ---------------------------------------------------------------------------------------------------------------


def sec_uid(number: int) -> str:
    """The address id of the account with this number."""
    digest = hashlib.sha256(f"account {number}".encode()).digest()
    return "MS4wLjABAAAA" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def post_id(account: Account, index: int) -> str:
    """The 19 digits of the account's post at this place."""
    place = (account.number << 15 | index) * _ODD & 0xFFFFFFFF
    return str(account.created_ms(index) // 1000 << 32 | place)


def mix_id(account: Account, which: int) -> str:
    """The 19 digits of one of the account's mixes."""
    return str(7_300_000_000_000_000_000 + account.number * 1_000_003 + which)


def short_code(kind: Literal["post", "user", "mix"], id: str) -> str:
    """The code of the short link to a thing of the world: letters, digits, `-` and `_`, case matters."""
    digest = hashlib.sha256(f"{kind} {id}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:8]).decode().rstrip("=")


# -- the accounts ------------------------------------------------------------------------------------------------------

_SAMPLES = Account(number=1, posts=20, guest_depth=None)
_SHADOW = Account(number=2, posts=12, unlisted=True)
_SIZED = (
    Account(number=10, posts=0),
    Account(number=11, posts=1),
    Account(number=12, posts=63, pinned=(40, 5, 21), video_size=300_000, video_spread=9_000),
    Account(number=13, posts=200, pinned=(77, 12, 31), hidden_every=50, cards_every=45),
    Account(
        number=14,
        posts=2_000,
        nickname="..\\CON:深巷/<猫>\u202e.exe",
        pinned=(1_500, 3, 700),
        hidden_every=400,
        cards_every=90,
        hostile=True,
        step_s=14_400,
        video_size=24_000,
        video_spread=500,
        picture_size=9_000,
        picture_spread=300,
    ),
    Account(
        number=15,
        posts=20_000,
        pinned=(19_000, 3, 700),
        hidden_every=1_000,
        cards_every=170,
        step_s=3_000,
        video_size=24_000,
        video_spread=500,
        picture_size=9_000,
        picture_spread=300,
    ),
)
_PRIVATE = Account(number=20, posts=9, state="private", likes_are_public=False)
_BANNED = Account(number=21, posts=9, state="banned", likes_are_public=False)
_CANCELLED = Account(number=22, posts=9, state="cancelled", likes_are_public=False)
_LIKES = Account(number=30, posts=2, likes=45)
_LIKES_HIDDEN = Account(number=31, posts=2, likes=45, likes_are_public=False)
_PICTURES = Account(number=40, posts=50, guest_depth=None, pictures_only=20, picture_spread=0)
_OPEN = Account(
    number=41,
    posts=24,
    pinned=(9,),
    guest_depth=None,
    video_size=300_000,
    video_spread=9_000,
    picture_size=30_000,
    picture_spread=2_000,
)
_SELF = Account(number=42, posts=12, guest_depth=None)
_FRIENDS = (Account(number=50, posts=3), Account(number=51, posts=3))
_ALL = (
    _SAMPLES, _SHADOW, *_SIZED, _PRIVATE, _BANNED, _CANCELLED, _LIKES, _LIKES_HIDDEN, _PICTURES, _OPEN, _SELF, *_FRIENDS,
)  # fmt: skip

_SHADOW_REASONS = (
    "status_deleted",
    "status_self_see",
    "status_part_see",
    "status_reviewing",
    "status_audit_not_pass",
    "copyright_foreign",
    "music_deleted_video",
)


class World:
    """Everything that is published, by id.

    `seed` decides names, texts and counts. The constants name what tests and `demo` ask for: posts by id, accounts by
    sec_uid.
    """

    VIDEO: ClassVar = post_id(_SAMPLES, 0)
    """A video with a ladder of five gears; 1440p is H.265."""
    IMAGES: ClassVar = post_id(_SAMPLES, 1)
    """Twelve pictures with music."""
    LIVE_PHOTO: ClassVar = post_id(_SAMPLES, 2)
    """Seven pictures, the first three with a clip."""
    SLIDES: ClassVar = post_id(_SAMPLES, 3)
    """Four pages that are clips."""
    ARTICLE: ClassVar = post_id(_SAMPLES, 4)
    NOTE: ClassVar = post_id(_SAMPLES, 5)
    """One picture and a long text that the web cuts."""
    SMALL: ClassVar = post_id(_SAMPLES, 6)
    """A video whose only gear has 0.3 MB."""
    BIG: ClassVar = post_id(_SAMPLES, 15)
    """A video of 500 MB."""
    TWINS: ClassVar = (post_id(_SAMPLES, TWINS[0]), post_id(_SAMPLES, TWINS[1]))
    """Two videos with one second and one text."""
    CO_AUTHORED: ClassVar = post_id(_SAMPLES, 9)
    NO_LADDER: ClassVar = post_id(_SAMPLES, 10)
    """A video whose `bit_rate` is null; only the single picks are there."""
    AI_NOTICE: ClassVar = post_id(_SAMPLES, 11)
    MUTED: ClassVar = post_id(_SAMPLES, 12)
    """One picture whose music is withheld."""
    LONG_TITLE: ClassVar = post_id(_SAMPLES, 13)
    """A video whose text is 300 characters."""
    LOGIN_ONLY: ClassVar = post_id(_SAMPLES, 16)
    PAID: ClassVar = post_id(_SAMPLES, 17)
    STORY: ClassVar = post_id(_SAMPLES, 18)
    DELETED: ClassVar = post_id(_SHADOW, 0)
    PRIVATE: ClassVar = post_id(_SHADOW, 1)
    FRIENDS: ClassVar = post_id(_SHADOW, 2)
    IN_REVIEW: ClassVar = post_id(_SHADOW, 3)
    REMOVED: ClassVar = post_id(_SHADOW, 4)
    FOREIGN_RIGHTS: ClassVar = post_id(_SHADOW, 5)
    MUSIC_DELETED: ClassVar = post_id(_SHADOW, 6)
    OTHER_AID: ClassVar = post_id(_SHADOW, 7)
    """Picture post that only `aid=6383` shows; 1128 gets `images_base`."""
    MISSING: ClassVar = "7499999999999999999"
    """An id that nobody ever had."""

    ACCOUNTS: ClassVar[Mapping[int, str]] = {account.posts: account.sec_uid for account in _SIZED}
    """By their number of posts: 0, 1, 63, 200, 2,000 (hostile names and texts), 20,000."""
    SAMPLES: ClassVar = _SAMPLES.sec_uid
    """The account that published the single posts above."""
    PRIVATE_ACCOUNT: ClassVar = _PRIVATE.sec_uid
    BANNED_ACCOUNT: ClassVar = _BANNED.sec_uid
    CANCELLED_ACCOUNT: ClassVar = _CANCELLED.sec_uid
    LIKES: ClassVar = _LIKES.sec_uid
    """An account with 45 public likes."""
    LIKES_HIDDEN: ClassVar = _LIKES_HIDDEN.sec_uid
    PICTURES: ClassVar = _PICTURES.sec_uid
    """50 posts of 20 pictures of 40 kB, no sound: 1,000 files."""
    OPEN: ClassVar = _OPEN.sec_uid
    """24 smaller posts that guests see completely."""
    SELF: ClassVar = _SELF.sec_uid
    """The account of the known login."""
    NOBODY: ClassVar = sec_uid(999)
    """A well-formed id that belongs to no account."""
    MIX: ClassVar = mix_id(_SIZED[2], 0)
    """32 episodes of the account with 63 posts."""
    SESSION: ClassVar = hashlib.md5(b"the known login").hexdigest()  # noqa: S324
    """`sessionid` of the known login."""
    DEAD_SESSION: ClassVar = hashlib.md5(b"a login of last year").hexdigest()  # noqa: S324
    DEAD_SHORT: ClassVar = "https://v.douyin.com/iRNBho8Gone/"
    """A short link whose code nobody knows any more."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._accounts = {account.number: self._named(account) for account in _ALL}
        self._by_sec_uid = {account.sec_uid: account for account in self._accounts.values()}
        self._by_handle = {account.handle: account for account in self._accounts.values()}
        self._withdrawn: dict[str, str | None] = {}
        self._shorts = self._short_codes()

    # -- looking things up ---------------------------------------------------------------------------------------------

    def account(self, sec_uid: str) -> Account | None:
        """The account with this address id."""
        return self._by_sec_uid.get(sec_uid)

    def account_by_handle(self, handle: str) -> Account | None:
        """The account with this 抖音号."""
        return self._by_handle.get(handle)

    def rename(self, sec_uid: str, nickname: str) -> None:
        """Let an account take another name; all its posts show it from now on."""
        self._put(replace(self._by_sec_uid[sec_uid], nickname=nickname))

    def turn(self, sec_uid: str, state: State) -> None:
        """Let an account become private, banned, cancelled, or public again."""
        self._put(replace(self._by_sec_uid[sec_uid], state=state))

    def withdraw(self, id: str, refusal: str | None) -> None:
        """Take a post off its account's list; `refusal` is why it is not shown either, None if its link still works."""
        self._withdrawn[id] = refusal

    def bring_back(self, id: str) -> None:
        """Undo that."""
        self._withdrawn.pop(id, None)

    def _put(self, account: Account) -> None:
        self._accounts[account.number] = self._by_sec_uid[account.sec_uid] = account
        self._by_handle[account.handle] = account

    def post(self, id: str) -> Published | None:
        """The post with this id, also when the platform would not show it."""
        if not (id.isascii() and id.isdigit() and len(id) == 19):
            return None
        place = (int(id) & 0xFFFFFFFF) * _ODD_INVERSE & 0xFFFFFFFF
        account = self._accounts.get(place >> 15)
        index = place & 0x7FFF
        if account is None or index >= account.posts or post_id(account, index) != id:
            return None
        return self.at(account, index)

    def posts(self, account: Account, cursor_ms: int = 0) -> Iterator[Published]:
        """The account's posts older than the cursor, newest first, without the pinned ones."""
        for index in range(account.first_before(cursor_ms), account.posts):
            if index not in account.pinned and post_id(account, index) not in self._withdrawn:
                yield self.at(account, index)

    def pinned(self, account: Account) -> list[Published]:
        """The account's pinned posts, in the order that it chose."""
        pinned = (self.at(account, index) for index in account.pinned)
        return [post for post in pinned if post.id not in self._withdrawn]

    def liked(self, account: Account) -> list[Published]:
        """What the account likes, newest like first."""
        givers = (self._accounts[12], self._accounts[13])
        return [self.at(givers[i % 2], i) for i in range(account.likes)]

    def liked_ms(self, account: Account, place: int) -> int:
        """When the account gave the like at this place, in milliseconds."""
        return NEWEST_MS - account.number * 777 - place * 3_600_000

    def mixes(self, account: Account) -> list[Series]:
        """The account's mixes; only accounts of more than 60 posts have any."""
        if account.posts < 60 or account.pictures_only:
            return []
        last = min(account.posts, 130) - 1
        rules = ((2, 0, "山野食堂"), (4, 1, "雨天收集"), (4, 3, "旧物新生"))
        return [
            Series(
                id=mix_id(account, which),
                account=account,
                title=title,
                places=tuple(i for i in range(last, -1, -1) if i % step == rest and not account.is_hidden(i)),
            )
            for which, (step, rest, title) in enumerate(rules)
        ]

    def mix(self, id: str) -> Series | None:
        """The mix with this id."""
        return next(
            (mix for account in self._accounts.values() for mix in self.mixes(account) if mix.id == id), None
        )

    def mix_of(self, post: Published) -> Series | None:
        """The mix that the post is an episode of."""
        return next((mix for mix in self.mixes(post.account) if post.index in mix.places), None)

    def short_link(self, kind: Literal["post", "user", "mix"], id: str) -> str:
        """The short link to a named post, an account or a mix."""
        code = short_code(kind, id)
        self._shorts.setdefault(code, (kind, id))
        return f"https://v.douyin.com/{code}/"

    def behind(self, code: str) -> tuple[str, str] | None:
        """Kind and id behind the code of a short link."""
        return self._shorts.get(code)

    def share_text(self, id: str) -> str:
        """What a phone puts on the clipboard for this post."""
        post = self.post(id)
        text = post.text if post else ""
        return (
            f"4.30 :0pm 09/03 o@d.nD SLW:/ {text} {self.short_link('post', id)} "
            "复制此链接，打开Dou音搜索，直接观看视频！"
        )

    @property
    def advertiser(self) -> Account:
        """Whose paid posts stand between those of others."""
        return self._accounts[_FRIENDS[1].number]

    # -- making them up ------------------------------------------------------------------------------------------------

    def _named(self, account: Account) -> Account:
        if account.nickname:
            return account
        draw = random.Random(f"{self.seed} name {account.number}")
        return replace(account, nickname=draw.choice(NAMES_A) + draw.choice(NAMES_B))

    def _short_codes(self) -> dict[str, tuple[str, str]]:
        posts = [
            ("post", post_id(account, i)) for account in (_SAMPLES, _SHADOW) for i in range(account.posts)
        ]
        users = [("user", account.sec_uid) for account in _ALL]
        mixes = [("mix", mix.id) for account in _ALL for mix in self.mixes(account)]
        return {short_code(kind, id): (kind, id) for kind, id in (*posts, *users, *mixes)}  # type: ignore[arg-type]

    def at(self, account: Account, index: int) -> Published:
        """The account's post at this place."""
        draw = random.Random(f"{self.seed} {account.number} {index}")
        kind = _kind_at(account, index)
        words = ordinary_text(random.Random(f"{self.seed} {account.number} {_text_place(account, index)}"))
        text = hostile_text(index) if account.hostile else words
        post = Published(
            id=post_id(account, index),
            account=account,
            index=index,
            created_ms=account.created_ms(index),
            kind=kind,
            text=text,
            tags=tuple(word for word in text.split("#")[1:] if word.strip()) if not account.hostile else (),
            track=_track(draw, account, index),
            pinned=index in account.pinned,
            hidden=account.is_hidden(index),
            co_authors=tuple(self._accounts[a.number] for a in _FRIENDS)
            if index % 50 == 14 and index
            else (),
        )
        post = self._with_media(post, draw)
        if post.id in self._withdrawn:
            return replace(post, refusal=self._withdrawn[post.id])
        if account.number == _SAMPLES.number:
            return self._sample(post)
        return _shadow(post) if account.number == _SHADOW.number else post

    def _with_media(self, post: Published, draw: random.Random) -> Published:
        account, index = post.account, post.index
        if post.kind == "video":
            return replace(post, gears=_gears(account, index), seconds=draw.randrange(8, 90))
        count = (
            account.pictures_only
            or {"images": 12, "live_photo": 7, "slides": 4, "article": 3, "note": 1}[post.kind]
        )
        pictures = tuple(_picture(account, index, n, post.kind) for n in range(count))
        if account.pictures_only:
            return replace(post, pictures=pictures, track=replace(post.track, size=0))
        if post.kind == "article":
            return replace(post, pictures=pictures, title=post.text[:18], markdown=article_text(draw))
        if post.kind == "note":
            return replace(post, pictures=pictures, text=note_text(draw))
        return replace(post, pictures=pictures)

    def _sample(self, post: Published) -> Published:
        """The single posts that have a name: one trait each."""
        if post.index == 9:
            return replace(post, co_authors=tuple(self._accounts[a.number] for a in _FRIENDS))
        make = _SAMPLE_TRAITS.get(post.index)
        return post if make is None else make(post)


# -- kinds, sizes, sounds ----------------------------------------------------------------------------------------------

_SAMPLE_KINDS: dict[int, Kind] = {
    1: "images", 2: "live_photo", 3: "slides", 4: "article", 5: "note", 12: "images",
}  # fmt: skip


def _kind_at(account: Account, index: int) -> Kind:
    """17 of 20 posts are videos; now and then an article or a long note takes a picture post's place."""
    if account.number == _SAMPLES.number:
        return _SAMPLE_KINDS.get(index, "video")
    if account.pictures_only or (account.number == _SHADOW.number and index == 7):
        return "images"
    special: dict[int, Kind] = {24: "article", 51: "note"}
    usual: dict[int, Kind] = {4: "images", 11: "live_photo", 17: "slides"}
    return special.get(index % 100) or usual.get(index % 20, "video")


def _text_place(account: Account, index: int) -> int:
    return TWINS[0] if account.posts > TWINS[1] and index == TWINS[1] else index


def _gears(account: Account, index: int) -> tuple[Gear, ...]:
    """A ladder of three: the largest picture is the largest file."""
    size = account.video_size + index % 24 * account.video_spread
    seed = f"v{account.number}-{index}"
    return (
        _gear("normal_1080_0", 1, "h264", 1080, size, seed),
        _gear("720_1_1", 11, "h265", 720, _part(size, 0.45), seed),
        _gear("normal_540_0", 20, "h264", 576, _part(size, 0.35), seed),
    )


def _part(size: int, share: float) -> int:
    return max(int(size * share), 12_000)


def _picture(account: Account, index: int, n: int, kind: Kind) -> Picture:
    """One page: live photos have clips on the first half, slides on every page."""
    clip: tuple[Gear, ...] = ()
    if kind == "slides" or (kind == "live_photo" and n < 3):
        size = max(account.picture_size * 6, 12_000) + (index * 7 + n) % 24 * account.picture_spread
        clip = (
            Gear(
                name="normal_720_0", quality=10, codec="h264", width=720, height=960, size=size,
                seed=f"c{(index * 7 + n) % 24}", fps=24,
            ),
        )  # fmt: skip
    return Picture(
        width=1080,
        height=1440,
        size=account.picture_size + (index + n * 3) % 20 * account.picture_spread,
        seed=f"p{account.number}-{index}-{n}",
        clip=clip,
    )


def _track(draw: random.Random, account: Account, index: int) -> Track:
    number = draw.randrange(40)
    return Track(
        id=str(7_240_000_000_000_000_000 + number * 77_000_001),
        title=f"@{NAMES_A[number % len(NAMES_A)]}创作的原声",
        author=NAMES_A[number % len(NAMES_A)] + NAMES_B[number % len(NAMES_B)],
        seconds=15 + number,
        size=30_000 if account.picture_size >= 30_000 else 9_000,
        seed=f"s{number}",
    )


# -- the single posts --------------------------------------------------------------------------------------------------


def _gear(name: str, quality: int, codec: Literal["h264", "h265"], width: int, size: int, seed: str) -> Gear:
    return Gear(
        name=name, quality=quality, codec=codec, width=width, height=width * 16 // 9, size=size, seed=seed
    )  # fmt: skip


def _full_ladder(post: Published) -> Published:
    """Ordered by bit rate, not by resolution, as recorded: the largest picture is not the first entry."""
    gears = (
        _gear("normal_1080_0", 1, "h264", 1080, 1_704_000, "video"),
        _gear("adapt_lowest_1440_1", 7, "h265", 1440, 1_660_000, "video"),
        _gear("adapt_lowest_1080_1", 2, "h265", 1080, 1_020_000, "video"),
        _gear("normal_720_0", 10, "h264", 720, 940_000, "video"),
        _gear("normal_540_0", 20, "h264", 576, 610_000, "video"),
    )
    return replace(post, gears=gears)


def _only_gear(post: Published, size: int, seed: str) -> Published:
    return replace(post, gears=(_gear("normal_720_0", 10, "h264", 720, size, seed),))


_SAMPLE_TRAITS: dict[int, Callable[[Published], Published]] = {
    0: _full_ladder,
    6: lambda post: _only_gear(post, 300_000, "small"),
    10: lambda post: replace(post, has_ladder=False),
    11: lambda post: replace(post, notice="作品含 AI 生成内容"),
    12: lambda post: replace(post, pictures=post.pictures[:1], track=replace(post.track, size=0)),
    13: lambda post: replace(post, text="山高水长" * 75, tags=()),
    15: lambda post: _only_gear(post, 500_000_000, "big"),
    16: lambda post: replace(post, login_only=True),
    17: lambda post: replace(post, paid=True),
    18: lambda post: replace(post, story=True),
}


def _shadow(post: Published) -> Published:
    if post.index == 7:
        return replace(post, refusal="images_base", refused_for_aid="1128")
    reasons = _SHADOW_REASONS
    return replace(post, refusal=reasons[post.index] if post.index < len(reasons) else "status_deleted")
