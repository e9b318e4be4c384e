"""TikTok's words for posts, accounts and playlists: a thing of the world in, the platform's JSON out.

Keys and types stand in `tiktok_shapes.json`: the recordings' keys with neutral values. Pages and the API differ in keys
and in whether sizes and times are texts or numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, Literal

from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Request
from dyvine_cli.simulator.tiktok_guest import seal
from dyvine_cli.simulator.tiktok_media import Owner, TiktokMedia, subtitle
from dyvine_cli.simulator.tiktok_world import Caption, Creator, Mark, Playlist, TiktokWorld, Upload
from dyvine_cli.simulator.world import Gear, Picture, Track

Raw = dict[str, Any]
Channel = Literal["page", "list", "detail"]
"""Where an item is told: on a page, in a list of the API, or by `/api/item/detail/`."""

ITEMS = {
    "ladder-short": "every ladder lacks its 1080 entry, as at some hours and in some countries",
    "hash-missing": "no encoding has a FileHash",
    "item-field-missing": "items lack the key of the value (default author)",
    "item-field-null": "the items' key of the value (default video) is null",
    "media-video": "the highest encoding is the one without sound, under /media-video-hvc1/",
}
COVER_SIZE = 40_000
_ZOOMS = (240, 480, 720, 960)
_LANGUAGES = {"eng-US": ("2", "en"), "spa-ES": ("9", "es"), "fra-FR": ("8", "fr")}


@cache
def _shape_texts() -> dict[str, str]:
    text = resources.files("dyvine_cli.simulator").joinpath("tiktok_shapes.json").read_text("utf-8")
    return {name: json.dumps(shape) for name, shape in json.loads(text).items()}


def template(name: str) -> Raw:
    """A fresh copy of one shape."""
    copy: Raw = json.loads(_shape_texts()[name])
    return copy


def compact(value: object) -> str:
    """JSON as the platform writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def rounded(number: int) -> int:
    """Three digits, as `stats` has its numbers."""
    scale: int = 10 ** max(0, len(str(abs(number))) - 3)
    return (number + scale // 2) // scale * scale


def _int32(number: int) -> int:
    """What is left of a number that does not fit (recorded 2026-09: negative hearts)."""
    return (number + 2**31) % 2**32 - 2**31


class Posts:
    """Renders what is published; `media` hands out the addresses, `clock` gives unix seconds."""

    def __init__(
        self, world: TiktokWorld, media: TiktokMedia, faults: Faults, clock: Callable[[], float]
    ) -> None:
        self._world = world
        self._media = media
        self._faults = faults
        self._clock = clock
        faults.register(ITEMS)

    # -- items ---------------------------------------------------------------------------------------------------------

    def item(
        self, post: Upload, request: Request, *, chain: str | None, channel: Channel, login: bool = False
    ) -> Raw:
        """One post; `chain` is the cookie that its addresses are bound to."""
        page = channel == "page"
        raw = template("page_item" if page else "api_item")
        raw.update(id=post.id, desc=post.text, createTime=_as(post.created_s, page))
        self._words(raw, post, page)
        self._counts(raw, post, page)
        raw["author"] = self._author(raw["author"], post.creator)
        self._music(raw["music"], post)
        if post.pinned and channel == "list":
            raw["isPinnedItem"] = True
        if playlist := self._world.playlist_of(post):
            raw["playlistId"] = playlist
        if post.friends_only:
            raw["forFriend"] = True
        withheld = (post.age_gated and not login) or post.friends_only
        if post.age_gated:
            raw["isContentClassified"] = True
            raw["maskType"] = 3
        if withheld:
            del raw["video"]
        else:
            self._media_of(raw, post, request, Owner(chain=None if channel == "detail" else chain), page)
        if not post.has_author:
            del raw["author"]
        return self._faulty(raw, request)

    def _faulty(self, raw: Raw, request: Request) -> Raw:
        if fault := self._faults.take("item-field-missing", request):
            raw.pop(fault.value or "author", None)
        if fault := self._faults.take("item-field-null", request):
            raw[fault.value or "video"] = None
        return raw

    def _words(self, raw: Raw, post: Upload, page: bool) -> None:
        marks = [_mark(mark, page) for mark in post.marks]
        raw["textExtra"] = marks
        raw["contents"] = [{"desc": post.text, "textExtra": marks}] if post.text else []
        raw["challenges"] = [_challenge(mark.tag) for mark in post.marks if mark.tag]
        raw["textLanguage"] = "en"
        if "diversificationLabels" in raw:
            raw.update(diversificationLabels=["Daily Life"], locationCreated="US", diversificationId=10017)

    def _counts(self, raw: Raw, post: Upload, page: bool) -> None:
        number = int(post.id) // 7
        counts = {
            "diggCount": number % 90_001,
            "shareCount": number % 1_009,
            "commentCount": number % 4_001,
            "playCount": rounded(number % 9_000_001),
            "collectCount": number % 7_001,
        }
        raw["stats"] = {**counts, "collectCount": _as(counts["collectCount"], page)}
        raw["statsV2"] = {**{name: str(count) for name, count in counts.items()}, "repostCount": "0"}
        known = {name: rounded(count) for name, count in self._account_counts(post.creator).items()}
        raw["authorStats"] = {**known, "heartCount": _int32(known["heartCount"])}
        raw["authorStatsV2"] = {name: str(count) for name, count in known.items()}

    def _author(self, raw: Raw, creator: Creator) -> Raw:
        raw.update(id=creator.id, uniqueId=creator.handle, nickname=creator.nickname, secUid=creator.sec_uid)
        raw.update(signature=_bio(creator), verified=creator.verified, openFavorite=creator.likes_are_open)
        raw["privateAccount"] = creator.state == "private"
        raw.update(self._avatars(creator))
        if "createTime" in raw:
            raw["createTime"] = 1_600_000_000 + creator.number
        return raw

    def _avatars(self, creator: Creator) -> dict[str, str]:
        seed = f"avatar {creator.number}"
        edges = {"avatarLarger": 1080, "avatarMedium": 720, "avatarThumb": 100}
        return {name: self._media.avatar(seed, edge) for name, edge in edges.items()}

    def _music(self, music: Raw, post: Upload) -> None:
        track = post.track
        music.update(id=track.id, title=track.title, authorName=track.author, duration=track.seconds)
        music["playUrl"] = self._track_url(track, post.track_kind)
        covers = {"coverLarge": 1080, "coverMedium": 720, "coverThumb": 100}
        music.update({name: self._media.avatar(f"track {track.id}", edge) for name, edge in covers.items()})
        if "preciseDuration" in music:
            music["preciseDuration"] = dict.fromkeys(music["preciseDuration"], track.seconds + 0.25)

    def _track_url(self, track: Track, kind: str) -> str:
        return self._media.sound(kind, track.size, track.seed) if track.size else ""

    # -- video ---------------------------------------------------------------------------------------------------------

    def _media_of(self, raw: Raw, post: Upload, request: Request, owner: Owner, page: bool) -> None:
        video = raw["video"]
        video["id"] = post.id
        if post.kind == "photo":
            raw["video"] = self._no_video(video, post)
            raw["imagePost"] = self._image_post(post)
            return
        gears = post.gears
        if self._faults.take("ladder-short", request):
            gears = tuple(gear for gear in gears if gear.width < 1080)
        hashed = self._faults.take("hash-missing", request) is None
        ladder = [self._gear(gear, post, owner, page, hashed=hashed) for gear in gears]
        usual = next(n for n, gear in enumerate(gears) if gear.codec == "h264")
        if self._faults.take("media-video", request):
            _without_sound(ladder[0])
        self._play_addr(video, gears[usual], ladder[usual], post, owner)
        video["bitrateInfo"] = ladder if post.has_ladder else []
        self._covers(video, post)
        self._captions(video, post, page)

    def _play_addr(self, video: Raw, gear: Gear, entry: Raw, post: Upload, owner: Owner) -> None:
        addr = entry["PlayAddr"]
        definition = f"{540 if gear.width == 576 else gear.width}p"
        video.update(PlayAddrStruct=dict(addr), playAddr=addr["UrlList"][0], size=addr["DataSize"])
        video.update(width=gear.width, height=gear.height, ratio=definition, definition=definition)
        video.update(duration=post.seconds, bitrate=entry["Bitrate"], codecType="h264", VQScore="67.03")
        video.update(volumeInfo={"Loudness": -22.8, "Peak": 0.48978}, videoID=addr["Uri"])
        marked = self._media.video(
            "watermarked", gear.size, gear.seed, owner, item_id=post.id, video_id=addr["Uri"]
        )
        video["downloadAddr"] = marked[0]

    def _gear(self, gear: Gear, post: Upload, owner: Owner, page: bool, *, hashed: bool) -> Raw:
        """One entry of the ladder."""
        entry = template("gear")
        rate = gear.size * 8 // max(post.seconds, 1)
        codec = "h265_hvc1" if gear.codec == "h265" else "h264"
        entry.update(Bitrate=rate, QualityType=gear.quality, BitrateFPS=gear.fps, GearName=gear.name)
        entry.update(CodecType=codec, Format="mp4", MVMAF='"{}"', VideoExtra=compact({"PktOffsetMap": "[]"}))
        uri = f"v1c044g50000{seal('video', post.id, length=20)}"
        addr = {
            "DataSize": _as(gear.size, page),
            "Width": gear.width,
            "Height": gear.height,
            "Uri": uri,
            "UrlList": self._media.video(
                gear.codec, gear.size, gear.seed, owner, item_id=post.id, video_id=uri
            ),
            "UrlKey": f"{uri}_{'bytevc1' if gear.codec == 'h265' else 'h264'}_{540 if gear.width == 576 else gear.width}p_{rate}",
            "FileHash": self._media.content(gear.codec, gear.size, gear.seed).md5,
            "FileCs": f"c:0-{gear.size % 40_009}-{seal('cs', gear.seed, length=4)}",
        }
        if not hashed:
            del addr["FileHash"]
        entry["PlayAddr"] = addr
        return entry

    def _covers(self, video: Raw, post: Upload) -> None:
        for name in ("cover", "originCover", "dynamicCover"):
            video[name] = self._cover(post, "cover" if name == "originCover" else name)
        video["zoomCover"] = {
            str(edge): self._cover(post, "cover", f"photomode-zoomcover:{edge}:{edge}.jpeg")
            for edge in _ZOOMS
        }
        if "shareCover" in video:
            video["shareCover"] = [""]

    def _cover(self, post: Upload, name: str, template: str = "tiktokx-origin.image") -> str:
        return self._media.picture("jpeg", COVER_SIZE, f"{name} {post.id}", template=template)[0]

    def _captions(self, video: Raw, post: Upload, page: bool) -> None:
        info = video["claInfo"]
        info["captionsType"] = _as(2 if post.captions else 0, page)
        info["originalLanguageInfo"].update(language="eng-US", languageID="2", languageCode="en")
        tracks = [self._caption(caption, post, page) for caption in post.captions]
        video["subtitleInfos"] = [told for told, _ in tracks]
        info["captionInfos"] = [told for _, told in tracks]

    def _caption(self, caption: Caption, post: Upload, page: bool) -> tuple[Raw, Raw]:
        """One track as `subtitleInfos` and as `captionInfos` tell it."""
        urls = self._media.subtitle(
            caption.form, caption.seed, video_id=f"v1c044g50000{seal('video', post.id, length=20)}", language=caption.language
        )  # fmt: skip
        number, code = _LANGUAGES[caption.language]
        expires = int(self._clock()) + 48 * 3600
        told = {
            "UrlExpire": _as(expires, page),
            "Size": _as(len(subtitle(caption.form, caption.seed)), page),
            "LanguageID": number,
            "LanguageCodeName": caption.language,
            "Url": urls[0],
            "Format": caption.form,
            "Version": "1:whisper_lid" if caption.source == "ASR" else "4",
            "Source": caption.source,
        }
        again = template("caption")
        again.update(
            language=caption.language, languageID=number, languageCode=code, captionFormat=caption.form
        )
        again.update(url=urls[0], urlList=urls, expire=str(expires), isAutoGen=caption.source != "LC")
        again.update(isOriginalCaption=caption.source != "MT", subID=str(caption.seed), variant="default")
        again.update(claSubtitleID=str(int(post.id) + caption.seed), subtitleType="1", translationType="0")
        return told, again

    # -- photos --------------------------------------------------------------------------------------------------------

    def _no_video(self, video: Raw, post: Upload) -> Raw:
        """What stands in a photo post's `video`; the other keys of the recording were thinned by its publisher."""
        cover = self._picture(post.pictures[0], "photomode-image.jpeg")["imageURL"]["urlList"][0]
        empty = ("downloadAddr", "dynamicCover", "playAddr", "ratio")
        return {
            **dict.fromkeys(empty, ""), "id": video["id"], "cover": cover, "duration": 0, "height": 0, "width": 0,
        }  # fmt: skip

    def _image_post(self, post: Upload) -> Raw:
        forms = ("jpeg", "webp") if post.track_kind == "m4a" else ("jpeg",)
        images = [self._picture(p, f"photomode-image.{forms[n % len(forms)]}", forms[n % len(forms)]) for n, p in enumerate(post.pictures)]  # fmt: skip
        cover = self._picture(post.pictures[0], "photomode-image.jpeg")
        return {"cover": cover, "images": images, "shareCover": cover, "title": post.title}

    def _picture(self, picture: Picture, template: str, kind: str = "jpeg") -> Raw:
        urls = self._media.picture(kind, picture.size, picture.seed, template=template)
        return {"imageHeight": picture.height, "imageURL": {"urlList": urls}, "imageWidth": picture.width}

    # -- accounts ------------------------------------------------------------------------------------------------------

    def user_info(self, creator: Creator, *, page: bool) -> Raw:
        """`userInfo` as the page or the API has it."""
        counts = self._account_counts(creator, with_hearts_given=False)
        stats = {name: rounded(count) for name, count in counts.items()}
        info = {
            "stats": {**stats, "heartCount": _int32(stats["heartCount"])},
            "statsV2": {name: str(count) for name, count in counts.items()},
            "user": self.user(creator, page=page),
        }
        return {**info, "itemList": []} if page else info

    def user(self, creator: Creator, *, page: bool) -> Raw:
        """The `user` of an account."""
        raw = self._author(template("page_user" if page else "api_user"), creator)
        raw["profileTab"]["showPlayListTab"] = bool(self._world.playlists(creator))
        return raw

    def _account_counts(self, creator: Creator, *, with_hearts_given: bool = True) -> dict[str, int]:
        return {
            "diggCount": creator.likes if with_hearts_given else 0,
            "followerCount": creator.fans,
            "followingCount": 20 + creator.number % 7,
            "friendCount": 3,
            "heart": creator.hearts,
            "heartCount": creator.hearts,
            "videoCount": creator.posts,
        }

    def embedded_user(self, creator: Creator) -> Raw:
        """`userInfo` of the embed page."""
        return {
            "avatarThumbUrl": self._media.avatar(f"avatar {creator.number}", 100),
            "code": 200,
            "customErrorCode": 0,
            "followerCount": rounded(creator.fans),
            "followingCount": 20 + creator.number % 7,
            "heartCount": rounded(creator.hearts),
            "id": creator.id,
            "nickname": creator.nickname,
            "privateAccount": creator.state == "private",
            "signature": _bio(creator),
            "uniqueId": creator.handle,
            "verified": creator.verified,
        }

    def embedded_post(self, post: Upload) -> Raw:
        """One entry of the embed page's `videoList`."""
        gear = next((gear for gear in post.gears if gear.codec == "h264"), None)
        still = self._cover(post, "cover")
        if post.pictures:
            still = self._picture(post.pictures[0], "photomode-image.jpeg")["imageURL"]["urlList"][0]
        return {
            "authorUniqueId": post.creator.handle,
            "coverUrl": still,
            "desc": post.text,
            "dynamicCoverUrl": self._cover(post, "dynamicCover"),
            "height": gear.height if gear else 0,
            "id": post.id,
            "originCoverUrl": still,
            "playAddr": self._media.embedded("h264", gear.size, gear.seed) if gear else "",
            "playCount": rounded(int(post.id) // 7 % 9_000_001),
            "privateItem": False,
            "ratio": f"{gear.width}p" if gear else "",
            "width": gear.width if gear else 0,
        }

    # -- playlists -----------------------------------------------------------------------------------------------------

    def playlist(self, playlist: Playlist) -> Raw:
        """A playlist as lists and `mixInfo` have it (as read by working clients; nothing is recorded)."""
        return {
            "id": playlist.id,
            "mixId": playlist.id,
            "name": playlist.title,
            "mixName": playlist.title,
            "videoCount": len(playlist.posts),
            "cover": self._media.avatar(f"playlist {playlist.id}", 720),
            "creator": self._author(template("api_item")["author"], playlist.creator),
        }


# -- small rules -------------------------------------------------------------------------------------------------------


def _as(number: int, page: bool) -> int | str:
    """Pages have texts where the API has numbers."""
    return str(number) if page else number


def _bio(creator: Creator) -> str:
    return f"Small things, number {creator.number} 🌿\nwrite to me"


def _tag_id(tag: str) -> str:
    return str(1_600_000_000_000_000 + int(seal("tag", tag.lower(), length=10), 16))


def _mark(mark: Mark, page: bool) -> Raw:
    """A place in the caption, as recorded: mentions have no hashtag's id, and hashtags have theirs on pages only."""
    raw: Raw = {"awemeId": "", "start": mark.start, "end": mark.end, "isCommerce": False, "subType": 0}
    if mark.person:
        person = {"userId": mark.person.id, "userUniqueId": mark.person.handle, "secUid": mark.person.sec_uid}
        return {**raw, "type": 0, "hashtagName": "", **person}
    raw.update(type=1, hashtagName=mark.tag.lower())
    return {**raw, "hashtagId": _tag_id(mark.tag)} if page else raw


def _challenge(tag: str) -> Raw:
    names = (
        "coverLarger",
        "coverMedium",
        "coverThumb",
        "desc",
        "profileLarger",
        "profileMedium",
        "profileThumb",
    )
    return {**dict.fromkeys(names, ""), "id": _tag_id(tag), "title": tag.lower()}


def _without_sound(entry: Raw) -> None:
    """A single-track encoding, as some paths hold (yt-dlp #16622): its addresses answer 404."""
    addr = entry["PlayAddr"]
    addr["UrlList"] = [url.replace("/?", "/media-video-hvc1/?", 1) for url in addr["UrlList"][:2]]
