"""Douyin's words for posts, accounts and mixes: a thing of the world in, the platform's JSON out.

Keys and types stand in `douyin_shapes.json`: the recordings' keys with neutral values, common to all posts under
`aweme`, what only one kind has under `kinds`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

from dyvine_cli.simulator.media import Media
from dyvine_cli.simulator.world import Account, Gear, Picture, Published, Series, Track, World

Raw = dict[str, Any]

SILENCE = "https://lf3-static.bytednsdoc.com/obj/eden-cn/nulogeh7kyhdkl/images_no_sound_volume_audio_file.mp3"
"""What stands in a picture post's sound when there is none (recorded 2026-08)."""
MEDIA_TYPES = {"video": 4, "images": 2, "live_photo": 42, "slides": 42, "article": 43, "note": 2}
SHARED_AS = {"video": "video", "images": "note", "live_photo": "slides", "slides": "slides"}
COVER_LIFE = 14 * 86_400
COVER_SIZE = 40_000


def merged(base: Raw, extra: Raw) -> Raw:
    """`base` with `extra` laid over it, object by object."""
    out = dict(base)
    for key, value in extra.items():
        old = out.get(key)
        out[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


@cache
def _shapes() -> Raw:
    text = resources.files("dyvine_cli.simulator").joinpath("douyin_shapes.json").read_text("utf-8")
    shapes: Raw = json.loads(text)
    return shapes


@cache
def _template_text(name: str) -> str:
    shapes = _shapes()
    kind = "images" if name == "article" else name
    whole = merged(shapes["aweme"], shapes["kinds"][kind]) if kind in shapes["kinds"] else shapes[name]
    return json.dumps(whole, ensure_ascii=False)


def template(name: str) -> Raw:
    """A fresh copy of one shape: a kind of post, `clip` or `profile`."""
    copy: Raw = json.loads(_template_text(name))
    return copy


def token(*parts: object, length: int = 32) -> str:
    """Lasting hexadecimal digits made of the parts."""
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:length]


def secret_id(*parts: object) -> str:
    """An id of the form that the platform gives to devices and hidden things."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return "MS4wLjABAAAA" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def compact(value: object) -> str:
    """JSON as the platform puts it into strings."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Posts:
    """Renders what is published; `media` hands out the addresses, `clock` gives unix seconds."""

    def __init__(self, world: World, media: Media, clock: Callable[[], float]) -> None:
        self._world = world
        self._media = media
        self._clock = clock

    # -- posts ---------------------------------------------------------------------------------------------------------

    def aweme(self, post: Published, *, login: bool = False, listed: bool = False, dash: bool = False) -> Raw:
        """One post as the web gives it; `listed` as an entry of a list, `dash` with encodings that have no sound."""
        raw = template(post.kind)
        self._identity(raw, post)
        self._words(raw, post)
        self._flags(raw, post, login=login, listed=listed)
        withheld = post.hidden or post.paid or (post.login_only and not login)
        if post.kind == "video":
            self._video(raw["video"], post, () if withheld else post.gears, dash=dash)
        else:
            self._gallery(raw, post, () if withheld else post.pictures)
        self._music(raw["music"], post.track)
        if post.kind == "article":
            raw["article_info"] = self._article(post, raw["images"], listed=listed)
        return raw

    def _identity(self, raw: Raw, post: Published) -> None:
        raw["aweme_id"] = raw["group_id"] = raw["status"]["aweme_id"] = raw["statistics"]["aweme_id"] = (
            post.id
        )
        raw["comment_gid"] = int(post.id)
        raw["sec_item_id"] = secret_id("item", post.id)
        raw["authentication_token"] = secret_id("token", post.id)
        raw["create_time"] = post.created_s
        raw["region"] = "CN"
        raw["author_user_id"] = int(post.account.uid)
        self._author(raw["author"], post.account)
        raw["share_url"] = raw["share_info"]["share_url"] = self._share_url(post)
        raw["share_info"]["share_link_desc"] = (
            "4.30 :0pm 09/03 o@d.nD SLW:/   %s 复制此链接，打开Dou音搜索，直接观看视频！"
        )
        raw["share_info"]["share_desc"] = "在抖音，记录美好生活"
        raw["pack_usage_scene_by_req_path"] = "/aweme/v1/web/aweme/detail/"
        raw["statistics"].update(_counts(post.id))
        if post.co_authors:
            raw["cooperation_info"] = self._cooperation(post)
        mix = self._world.mix_of(post)
        if mix is not None:
            raw["mix_info"] = self.mix(mix, episode=mix.episode(post.index))

    def _share_url(self, post: Published) -> str:
        path = SHARED_AS.get(post.kind, "video")
        device = secret_id("device")
        return (
            f"https://www.iesdouyin.com/share/{path}/{post.id}/?region=CN&mid={post.track.id}&u_code=-1&did={device}"
            f"&iid={device}&with_sec_did=1&titleType=title&share_sign={token('share', post.id)}-&share_version=0"
            f"&ts={int(self._clock())}&from_aid=6383&from_ssr=1"
        )

    def _words(self, raw: Raw, post: Published) -> None:
        text = "" if post.hidden else post.text
        raw["desc"] = text
        raw["caption"] = "" if post.kind == "note" else text
        raw["preview_title"] = text
        raw["item_title"] = post.title
        raw["text_extra"] = [] if post.hidden else _marks(post)
        raw["video_tag"] = [
            {"level": level, "tag_id": 2_024_000 * level, "tag_name": name}
            for level, name in enumerate(("生活", "生活记录", "日常随拍"), start=1)
        ]
        if post.notice:
            raw["risk_infos"].update(content=post.notice, type=76, warn=True)

    def _flags(self, raw: Raw, post: Published, *, login: bool, listed: bool) -> None:
        raw["media_type"] = MEDIA_TYPES[post.kind]
        raw["aweme_type"] = _aweme_type(post, app_like=login or listed)
        raw["is_top"] = 1 if post.pinned and listed else 0
        raw["is_story"] = 1 if post.story else 0
        raw["pc_need_login"] = post.login_only and not login
        if post.hidden:
            raw["status"].update({"is_delete": True} if post.index % 2 else {"private_status": 1})
        if post.paid:
            raw["series_basic_info"] = {
                "series_id": "7600000000000000017",
                "series_author_id": post.account.uid,
            }
            raw["series_paid_info"].update(item_price=600, series_paid_status=1)

    def _cooperation(self, post: Published) -> Raw:
        people = (post.account, *post.co_authors)
        creators = [
            {
                "uid": account.uid,
                "sec_uid": account.sec_uid,
                "nickname": account.nickname,
                "avatar_thumb": self._avatar(account, 100),
                "role_title": "作者" if account is post.account else "共创者",
                "invite_status": 1,
            }
            for account in people
        ]
        return {"co_creator_nums": len(creators), "co_creators": creators, "tag": "共创"}

    # -- encodings -----------------------------------------------------------------------------------------------------

    def _video(self, video: Raw, post: Published, gears: Sequence[Gear], *, dash: bool) -> None:
        ladder = [self._gear(gear, post.id, post.seconds) for gear in gears]
        video["bit_rate"] = ladder if post.has_ladder else None
        if dash and ladder:
            video["bit_rate"] = [*ladder, self._dash(gears[0], post)]
        usual = next((gear for gear in reversed(gears) if gear.codec == "h264"), None)
        if usual is not None:
            addr = self._play_addr(usual, post.id, post.seconds)
            video["play_addr"], video["play_addr_h264"] = addr, dict(addr)
            video.update(width=usual.width, height=usual.height, ratio=f"{usual.short_edge}p")
            self._marked(video, usual, post.id)
        video["duration"] = post.seconds * 1000
        video["format"] = "mp4"
        video["meta"] = compact({"format": "mp4", "isad": "0"})
        video["cdn_url_expired"] = int(self._clock()) + 3600
        for name in ("cover", "origin_cover", "cover_original_scale", "dynamic_cover", "gaussian_cover"):
            video[name] = self._cover(post.id, name)
        for sheet in video["big_thumbs"]:
            sheet.update(duration=float(post.seconds), fext="jpg", img_x_size=136, img_y_size=184)

    def _gear(self, gear: Gear, key: str, seconds: int) -> Raw:
        """One entry of the ladder."""
        return {
            "FPS": gear.fps,
            "HDR_bit": "",
            "HDR_type": "",
            "bit_rate": gear.size * 8 // max(seconds, 1),
            "format": "mp4",
            "gear_name": gear.name,
            "is_bytevc1": int(gear.codec == "h265"),
            "is_h265": int(gear.codec == "h265"),
            "play_addr": self._play_addr(gear, key, seconds),
            "quality_type": gear.quality,
            "video_extra": compact(
                {
                    "PktOffsetMap": "[]",
                    "format": "mp4",
                    "definition": f"{gear.short_edge}p",
                    "quality": gear.name.split("_")[0],
                    "file_id": token("file", key, gear.name),
                    "audio_channels": "2.0",
                    "audio_sample_rate": "44100",
                }
            ),
        }

    def _dash(self, gear: Gear, post: Published) -> Raw:
        """The entry without sound that a page asking for `support_dash=1` gets, with the highest rate of all."""
        entry = self._gear(gear, post.id, post.seconds)
        entry.update(format="dash", gear_name=f"{gear.name}_dash", bit_rate=entry["bit_rate"] * 2)
        entry["play_addr"] = self._play_addr(gear, post.id, post.seconds, kind="dash")
        return entry

    def _play_addr(self, gear: Gear, key: str, seconds: int, *, kind: str | None = None) -> Raw:
        rate = gear.size * 8 // max(seconds, 1)
        uri = self._video_uri(gear, key)
        return {
            "data_size": gear.size,
            "file_cs": f"c:0-{gear.size % 9973}-{token('cs', gear.seed, length=4)}",
            "file_hash": self._media.content(kind or gear.codec, gear.size, gear.seed).md5,
            "height": gear.height,
            "uri": uri,
            "url_key": f"{uri}_{gear.codec}_{gear.short_edge}p_{rate}",
            "url_list": self._media.urls(kind or gear.codec, gear.size, gear.seed, video_id=uri),
            "width": gear.width,
        }

    def _video_uri(self, gear: Gear, key: str) -> str:
        """The id behind which the original upload stands; it is a little larger than the usual encoding."""
        return self._media.video_id(gear.size * 5 // 4, f"upload {key}")

    def _marked(self, video: Raw, gear: Gear, key: str) -> None:
        """The watermarked copies, with the false 720 x 720 of the platform."""
        uri = self._video_uri(gear, key)
        play = (
            f"https://www.douyin.com/aweme/v1/play/?video_id={uri}&logo_name=aweme_search_suffix&watermark=1"
        )
        signed = self._media.urls("watermarked", gear.size, gear.seed, play=False)
        for name, urls in (("download_addr", [play]), ("download_suffix_logo_addr", [*signed, play])):
            video[name].update(uri=uri, width=720, height=720, url_list=urls)
            if "data_size" in video[name]:
                video[name].update(data_size=gear.size, file_cs="c:0-9433-be30")

    def _clip(self, gears: Sequence[Gear], key: str) -> Raw:
        """The moving part of one page."""
        clip = template("clip")
        addr = self._play_addr(gears[0], key, 3)
        clip.update(bit_rate=[self._gear(gear, key, 3) for gear in gears], play_addr=addr)
        clip.update(play_addr_h264=dict(addr), play_addr_lowbr=dict(addr), duration=3_000)
        self._marked(clip, gears[0], key)
        clip.update(width=gears[0].width, height=gears[0].height, ratio=f"{gears[0].short_edge}p")
        clip.update(cover=self._cover(key, "cover"), origin_cover=self._cover(key, "origin_cover"))
        clip["cdn_url_expired"] = int(self._clock()) + 3600
        return clip

    # -- pictures ------------------------------------------------------------------------------------------------------

    def _gallery(self, raw: Raw, post: Published, pictures: Sequence[Picture]) -> None:
        raw["images"] = [self._picture(picture, post, n) for n, picture in enumerate(pictures)]
        video = raw["video"]
        video["play_addr"] = self._sound_addr(post.track, width=720, height=720)
        video["cover"] = video["origin_cover"] = self._cover(post.id, "cover")
        video["ratio"] = "default"
        if pictures:
            video.update(width=pictures[0].width, height=pictures[0].height)

    def _picture(self, picture: Picture, post: Published, n: int) -> Raw:
        raw: Raw = {
            "download_url_list": self._marked_picture(picture),
            "height": picture.height,
            "resolution_log_param": {},
            "uri": f"tos-cn-i-0813/{token('picture', picture.seed)}",
            "url_list": [
                *self._media.urls("webp", picture.size, picture.seed),
                *self._media.urls("jpeg", picture.size, picture.seed, hosts=1),
            ],
            "width": picture.width,
        }
        if post.kind == "note":
            sizes = {
                f"image_{which}_{edge}": 0 for which in ("publish", "source") for edge in ("height", "width")
            }
            raw.update(is_aigc_media=False, is_new_text_mode=0, resolution_log_param=sizes)
        if post.kind in ("live_photo", "slides"):
            raw["clip_type"] = 2 if not picture.clip else 4 if post.kind == "slides" else 5
        if picture.clip:
            raw["video"] = self._clip(picture.clip, f"{post.id}-{n}")
            if post.kind == "live_photo":
                raw["live_photo_type"] = 1
        return raw

    def _marked_picture(self, picture: Picture) -> list[str]:
        """Addresses of the watermarked copy; they answer, so that taking one is noticed by its other bytes."""
        return self._media.urls(
            "jpeg", picture.size, f"{picture.seed}-water", template="dy-water-v2:5oqW6Z-z:1080:1440"
        )

    def _cover(self, key: str, name: str) -> Raw:
        urls = self._media.urls(
            "jpeg", COVER_SIZE, f"cover {key}", life=COVER_LIFE, template=_COVERS.get(name, "noop")
        )
        return {"height": 720, "uri": f"tos-cn-p-0015/{token('cover', key)}", "url_list": urls, "width": 720}

    def _avatar(self, account: Account, edge: int) -> Raw:
        urls = self._media.avatar(f"avatar {account.number}", edge)
        return {
            "height": 720,
            "uri": f"{edge}x{edge}/{token('avatar', account.number)}",
            "url_list": urls,
            "width": 720,
        }

    def _article(self, post: Published, images: list[Raw], *, listed: bool) -> Raw:
        """Lists cut the text at about 499 characters (reported, 2026)."""
        markdown = post.markdown[:499] if listed else post.markdown
        content = {"markdown": markdown, "long_article_abstract": post.text, "head_poster_list": []}
        return {
            "article_id": post.id,
            "article_title": post.title,
            "article_type": 1,
            "article_content": compact(content),
            "fe_data": _fe_data([image["url_list"][-1] for image in images]),
        }

    # -- sound ---------------------------------------------------------------------------------------------------------

    def _music(self, music: Raw, track: Track) -> None:
        music.update(id=int(track.id), id_str=track.id, mid=track.id, title=track.title, author=track.author)
        music.update(duration=track.seconds, shoot_duration=track.seconds, audition_duration=track.seconds)
        music.update(owner_nickname=track.author, extra="{}", is_original_sound=True)
        music["search_impr"]["entity_id"] = track.id
        music["play_url"].update(self._track_urls(track), width=720, height=720, url_key=track.id)
        for name in ("cover_hd", "cover_large", "cover_medium", "cover_thumb"):
            music[name] = self._cover(track.id, name)

    def _track_urls(self, track: Track) -> Raw:
        urls = self._media.urls("mp3", track.size, track.seed) if track.size else []
        return {"uri": urls[0] if urls else "", "url_list": urls}

    def _sound_addr(self, track: Track, **size: int) -> Raw:
        """A picture post's sound, in the place where videos have their picture."""
        if not track.size:
            return {"uri": SILENCE, "url_list": [SILENCE], **size}
        return {**self._track_urls(track), "url_key": track.id, **size}

    # -- accounts ------------------------------------------------------------------------------------------------------

    def _author(self, raw: Raw, account: Account) -> None:
        raw.update(
            uid=account.uid, sec_uid=account.sec_uid, nickname=account.nickname, unique_id=account.handle
        )
        raw.update(short_id=str(40_000_000 + account.number), signature=_signature(account))
        raw.update(avatar_thumb=self._avatar(account, 100), favoriting_count=account.likes)

    def user(self, account: Account) -> Raw:
        """The `user` of a profile answer."""
        raw = template("profile")
        raw.update(
            uid=account.uid, sec_uid=account.sec_uid, nickname=account.nickname, unique_id=account.handle
        )
        raw.update(
            short_id=str(40_000_000 + account.number), signature=_signature(account), signature_language="zh"
        )
        for name, edge in _AVATARS.items():
            raw[name] = self._avatar(account, edge)
        raw.update(_account_counts(account, len(self._world.mixes(account))))
        raw["show_favorite_list"] = account.likes_are_public
        raw["share_info"]["share_url"] = (
            f"www.iesdouyin.com/share/user/{account.sec_uid}?sec_uid={account.sec_uid}"
        )
        raw.update(_STATES[account.state])
        if account.state == "public":
            raw.update(province="浙江", city="杭州", country="中国", ip_location="IP属地：浙江")
        return raw

    def short_user(self, account: Account) -> Raw:
        """The `user_info` of the H5 answer."""
        return {
            "uid": account.uid,
            "sec_uid": account.sec_uid,
            "unique_id": account.handle,
            "short_id": str(40_000_000 + account.number),
            "nickname": account.nickname,
            "signature": _signature(account),
            "avatar_thumb": self._avatar(account, 100),
            "avatar_medium": self._avatar(account, 720),
            "avatar_larger": self._avatar(account, 1080),
            "aweme_count": account.declared,
            "follower_count": 1_000 + account.number,
            "following_count": 20,
            "total_favorited": account.posts * 31,
            "secret": int(account.state == "private"),
        }

    # -- mixes ---------------------------------------------------------------------------------------------------------

    def mix(self, series: Series, *, episode: int | None = None) -> Raw:
        """The `mix_info` of a mix; `episode` is the number of the post that carries it."""
        newest = self._world.at(series.account, series.places[-1])
        oldest = self._world.at(series.account, series.places[0])
        return {
            "mix_id": series.id,
            "mix_name": series.title,
            "desc": f"{series.account.nickname}的合集",
            "mix_type": 0,
            "create_time": oldest.created_s,
            "update_time": newest.created_s,
            "cover_url": self._cover(series.id, "cover"),
            "statis": {
                "play_vv": 12_000 + len(series.places),
                "collect_vv": 345,
                "current_episode": episode or 1,
                "updated_to_episode": len(series.places),
            },
            "status": {"status": 2, "is_collected": 0},
            "author": self.short_user(series.account),
            "share_info": {"share_url": f"https://www.iesdouyin.com/share/mix/detail/{series.id}/"},
        }

    # -- what is no post -----------------------------------------------------------------------------------------------

    def live_card(self, account: Account, index: int) -> Raw:
        """A live room between the posts of a list."""
        room = str(7_600_000_000_000_000_000 + account.number * 100_000 + index)
        author: Raw = {}
        self._author(author, account)
        return {
            "aweme_id": room,
            "aweme_type": 101,
            "author": author,
            "cell_room": {"rawdata": compact({"id_str": room, "title": "今晚八点"})},
            "create_time": account.created_ms(index) // 1000,
            "desc": "",
            "is_top": 0,
            "room_id": int(room),
            "video": None,
        }

    def advertisement(self, account: Account, index: int) -> Raw:
        """A paid post of someone else between the posts of a list."""
        stranger = self._world.at(self._world.advertiser, index % self._world.advertiser.posts)
        raw = self.aweme(stranger, listed=True)
        raw["aweme_id"] = str(7_650_000_000_000_000_000 + account.number * 100_000 + index)
        raw.update(is_ads=True, raw_ad_data=compact({"ad_id": index}))
        return raw


# -- small rules -------------------------------------------------------------------------------------------------------

_COVERS = {"origin_cover": "dy-360p", "cover_original_scale": "dy-360p", "gaussian_cover": "gaosi:40"}
_AVATARS = {
    "avatar_thumb": 100,
    "avatar_168x168": 168,
    "avatar_300x300": 300,
    "avatar_medium": 720,
    "avatar_larger": 1080,
}
_STATES: dict[str, Raw] = {
    "public": {
        "secret": 0,
        "special_state_info": {"content": "", "special_state": 0, "title": ""},
        "user_not_show": 0,
    },
    "private": {
        "secret": 1,
        "special_state_info": {
            "content": "关注账号即可查看内容和喜欢",
            "special_state": 4,
            "title": "私密账号",
        },
    },
    "banned": {
        "is_ban": True,
        "secret": 0,
        "special_state_info": {"content": "违反社区规定", "special_state": 2, "title": "该账号已被封禁"},
    },
    "cancelled": {
        "user_canceled": True,
        "secret": 0,
        "nickname": "已注销用户",
        "special_state_info": {"content": "", "special_state": 1, "title": "该账号已注销"},
    },
}
"""What an account's state changes in its profile; only the private one is recorded, the others are reported."""


def _aweme_type(post: Published, *, app_like: bool) -> int:
    """Guests' details say 0 for pictures (recorded 2026-08), lists and logins 68."""
    if post.kind == "article":
        return 163
    return 68 if app_like and post.kind != "video" else 0


def _counts(id: str) -> dict[str, int]:
    number = int(id) // 7
    return {
        "digg_count": number % 90_001,
        "comment_count": number % 4_001,
        "collect_count": number % 7_001,
        "share_count": number % 1_009,
        "play_count": 0,
    }


def _account_counts(account: Account, mixes: int) -> dict[str, int]:
    if account.state != "public":
        return {}
    return {
        "aweme_count": account.declared,
        "favoriting_count": account.likes,
        "follower_count": 1_000 + account.number,
        "mplatform_followers_count": 1_000 + account.number,
        "following_count": 20,
        "total_favorited": account.posts * 31,
        "mix_count": mixes,
        "max_follower_count": 1_000 + account.number,
    }


def _signature(account: Account) -> str:
    return f"记录第 {account.number} 种生活\n合作请私信"


def _marks(post: Published) -> list[Raw]:
    """The places of the hashtags in the text, counted in UTF-16 units as JavaScript does."""
    marks = []
    for tag in post.tags:
        name = tag.strip()
        at = len(post.text[: post.text.find(f"#{name}")].encode("utf-16-le")) // 2
        end = at + 1 + len(name.encode("utf-16-le")) // 2
        place = {"caption_start": at, "caption_end": end, "start": at, "end": end}
        tag_id = str(1_600_000_000_000_000 + int(token("tag", name, length=8), 16))
        marks.append({**place, "hashtag_id": tag_id, "hashtag_name": name, "is_commerce": False, "type": 1})
    return marks


def _fe_data(urls: list[str]) -> str:
    """The JSON string beside an article's text, with the addresses of its pictures."""
    images = [
        {"markdown_url": f"image-{n}", "ai_high_image_url": "", "url": url} for n, url in enumerate(urls)
    ]
    return compact({"image_list": images, "head_poster_list": [], "read_time": 3})
