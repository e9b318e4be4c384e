"""Douyin as HTML: share pages for phones, the web page with its embedded data, and where short links lead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs, quote

from dyvine_cli.simulator.douyin_guest import Issuer, Viewer, before_page, captcha, page, set_cookie
from dyvine_cli.simulator.douyin_posts import SHARED_AS, Posts, Raw, compact, token
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.world import Published, World

PAGES = {
    "ssr-closed": "pages of www.douyin.com stay behind the captcha page whatever is signed",
    "ssr-without-data": "pages of www.douyin.com come without the data of their post",
    "share-closed": "share pages are the shell that cookieless callers get",
    "challenge-again": "the challenge page although nonce and signature are right",
    "uifid-withheld": "no page sets UIFID_TEMP",
    "live-uifid-withheld": "the live page sets no UIFID_TEMP, the others do",
}

_PHONE = re.compile(r"iPhone|Android|Mobile")
_SHARE = re.compile(r"/share/(?P<kind>video|note|slides)/(?P<id>\d+)/?")
_POST = re.compile(r"/(?:video|note|slides|gallery|article)/(?P<id>\d+)/?")


def redirect(location: str) -> Response:
    """302 to another address."""
    return Response(status=302, headers=[("Location", location)])


class Pages:
    """Answers for people's browsers and phones."""

    def __init__(
        self, world: World, posts: Posts, faults: Faults, issuer: Issuer, clock: Callable[[], float]
    ) -> None:
        self._world = world
        self._clock = clock
        self._posts = posts
        self._faults = faults
        self._issuer = issuer
        faults.register(PAGES)

    # -- short links and share pages -----------------------------------------------------------------------------------

    def short(self, request: Request) -> Response:
        """One hop of a short link: HEAD is not known, a dead code leads to the front page."""
        if request.method != "GET":
            return Response(status=404)
        target = self._world.behind(request.path.strip("/"))
        if target is None:
            return redirect("https://www.douyin.com")
        return redirect(self._shared_at(*target))

    def _shared_at(self, kind: str, id: str) -> str:
        if kind == "user":
            return f"https://www.iesdouyin.com/share/user/{id}?sec_uid={id}&from_aid=1128&u_code=0"
        if kind == "mix":
            return f"https://www.iesdouyin.com/share/mix/detail/{id}/?schema_type=24&object_id={id}"
        post = self._world.post(id)
        path = SHARED_AS.get(post.kind, "video") if post else "video"
        mid = post.track.id if post else "0"
        return f"https://www.iesdouyin.com/share/{path}/{id}/?region=CN&mid={mid}&u_code=0&from_aid=1128"

    def share(self, request: Request, seen: Viewer) -> Response:
        """A share page: phones with a ttwid get the post's data, others an empty shell, desktops another address."""
        found = _SHARE.fullmatch(request.path)
        if found is None:
            return page("<title>抖音</title>", [])
        id = found["id"]
        if not _PHONE.search(request.headers.get("user-agent", "")):
            kind = "video" if found["kind"] == "video" else "note"
            return redirect(f"https://www.douyin.com/{kind}/{id}?previous_page=app_code_link")
        if seen.ttwid is None or self._faults.take("share-closed", request):
            return page("<title>抖音</title>" + "<!--" + "x" * 12_000 + "-->", [])
        data = {"loaderData": {f"{_loader(found['kind'])}_(id)/page": {"videoInfoRes": self._shared(id)}}}
        text = json.dumps(data, ensure_ascii=False).replace("/", "\\u002F")
        return page(f"<script>window._ROUTER_DATA = {text}</script>", [])

    def _shared(self, id: str) -> Raw:
        post = self._world.post(id)
        if post is None:
            reason, notice = "SYSTEM_ITEM_NOT_EXIST", "抱歉，作品不见了"
        elif post.refusal and not post.refused_for_aid:
            reason, notice = post.refusal, "因作品权限或已被删除，无法观看"
        else:
            return {"status_code": 0, "item_list": [self._poor(post)], "filter_list": [], "is_oversea": 0}
        refused = {"aweme_id": id, "filter_reason": reason, "notice": notice, "detail_msg": notice}
        return {"status_code": 0, "item_list": [], "filter_list": [refused], "is_oversea": 0}

    def _poor(self, post: Published) -> Raw:
        """What a share page still tells: one watermarked address of 720p and no ladder."""
        whole = self._posts.aweme(post)
        names = (
            "aweme_id",
            "desc",
            "create_time",
            "author",
            "statistics",
            "text_extra",
            "music",
            "images",
            "duration",
        )
        item: Raw = {name: whole[name] for name in names}
        item["aweme_type"] = 2 if whole["images"] else 4
        video = {name: whole["video"].get(name) for name in ("cover", "width", "height", "ratio", "duration")}
        address = dict(whole["video"]["play_addr"])
        if post.kind == "video":
            uri = address.get("uri", "")
            address = {
                "uri": uri,
                "url_list": [f"https://www.iesdouyin.com/aweme/v1/playwm/?video_id={uri}&ratio=720p&line=0"],
            }
        item["video"] = {**video, "play_addr": address, "bit_rate": None}
        return item

    # -- pages of www.douyin.com ---------------------------------------------------------------------------------------

    def web(self, request: Request, seen: Viewer) -> Response:
        """Any page: behind nonce and signature; a device without id gets one, a post's page carries its data."""
        if self._faults.take("ssr-closed", request):
            return captcha()
        refusal = before_page(request, self._issuer, self._clock())
        if refusal is not None:
            return refusal
        if self._faults.take("challenge-again", request):
            return before_page(_without_cookies(request), self._issuer, self._clock()) or captcha()
        data = {"app": {"videoDetail": self._detail(request, seen)}, "_location": request.path}
        head = f'<script id="RENDER_DATA" type="application/json">{quote(compact(data), safe="")}</script>'
        return page(head, self._device_cookies(request, seen))

    def live(self, request: Request, seen: Viewer) -> Response:
        """The front page of live.douyin.com: it registers a device; `from_nav=1` gives it an id as well."""
        cookies = []
        if seen.ttwid is None:
            ttwid = quote(self._issuer.ttwid(self._clock()), safe="")
            cookies.append(set_cookie("ttwid", ttwid, domain=".douyin.com"))
        if "from_nav=1" in request.query and not self._faults.take("live-uifid-withheld", request):
            cookies += self._uifid(request)
        return page("<title>抖音直播</title>", cookies)

    def _device_cookies(self, request: Request, seen: Viewer) -> list[tuple[str, str]]:
        return self._uifid(request) if seen.ttwid is not None else []

    def _uifid(self, request: Request) -> list[tuple[str, str]]:
        """Nobody who shows a device id gets another one."""
        if "UIFID" in request.cookies or "UIFID_TEMP" in request.cookies:
            return []
        if self._faults.take("uifid-withheld", request):
            return []
        return [set_cookie("UIFID_TEMP", self._issuer.uifid(self._clock()), domain=".douyin.com")]

    def _detail(self, request: Request, seen: Viewer) -> Raw | None:
        found = _POST.fullmatch(request.path)
        modal = parse_qs(request.query).get("modal_id", [""])[0]
        id = modal or (found["id"] if found else "")
        post = self._world.post(id) if id else None
        if (
            post is None
            or seen.ttwid is None
            or post.refusal
            or self._faults.take("ssr-without-data", request)
        ):
            return None
        return camel_detail(self._posts.aweme(post, login=seen.is_logged_in))


def _loader(kind: str) -> str:
    return "video" if kind == "video" else "note"


def _without_cookies(request: Request) -> Request:
    return Request(
        method=request.method, host=request.host, path=request.path, query=request.query, headers={}
    )


# -- the page's own words for a post -----------------------------------------------------------------------------------


def _sources(urls: Iterable[str]) -> list[Raw]:
    return [{"src": url.removeprefix("https:")} for url in urls]


def camel_detail(aweme: Raw) -> Raw:
    """A post in the words of RENDER_DATA: camelCase, addresses as `{src}` without scheme."""
    author, music = aweme["author"], aweme["music"]
    return {
        "awemeId": aweme["aweme_id"],
        "awemeType": aweme["aweme_type"],
        "groupId": aweme["group_id"],
        "mediaType": aweme["media_type"],
        "desc": aweme["desc"],
        "itemTitle": aweme["item_title"],
        "createTime": aweme["create_time"],
        "authorInfo": {
            "uid": author["uid"],
            "secUid": author["sec_uid"],
            "uniqueId": author["unique_id"],
            "shortId": author["short_id"],
            "nickname": author["nickname"],
            "avatarUri": author["avatar_thumb"]["url_list"][0],
        },
        "stats": {
            "diggCount": aweme["statistics"]["digg_count"],
            "commentCount": aweme["statistics"]["comment_count"],
            "shareCount": aweme["statistics"]["share_count"],
            "collectCount": aweme["statistics"]["collect_count"],
            "playCount": 0,
        },
        "textExtra": [
            {"hashtagName": mark["hashtag_name"], "hashtagId": mark["hashtag_id"], "type": mark["type"]}
            for mark in aweme["text_extra"]
        ],
        "video": _camel_video(aweme["video"]),
        "images": [_camel_picture(image) for image in aweme["images"] or []],
        "music": {
            "id": music["id_str"],
            "idStr": music["id_str"],
            "mid": music["mid"],
            "musicName": music["title"],
            "title": music["title"],
            "author": music["author"],
            "duration": music["duration"],
            "playUrl": {"uri": music["play_url"]["uri"], "urlList": music["play_url"]["url_list"]},
        },
        "isTop": aweme["is_top"],
        "isSlides": aweme.get("is_slides", False),
        "shareInfo": {"shareUrl": aweme["share_url"]},
    }


def _camel_video(video: Raw) -> Raw:
    address = video["play_addr"]
    return {
        "uri": address["uri"],
        "width": video["width"],
        "height": video["height"],
        "ratio": video["ratio"],
        "duration": video["duration"],
        "playAddr": _sources(address["url_list"]),
        "playApi": next((url for url in address["url_list"] if "/play/" in url), ""),
        "bitRateList": [_camel_gear(gear) for gear in video.get("bit_rate") or []],
        "cover": video["cover"]["url_list"][0],
        "coverUrlList": video["cover"]["url_list"],
        "originCover": video["origin_cover"]["url_list"][0],
    }


def _camel_gear(gear: Raw) -> Raw:
    address = gear["play_addr"]
    return {
        "uri": address["uri"],
        "dataSize": address["data_size"],
        "width": address["width"],
        "height": address["height"],
        "playAddr": _sources(address["url_list"]),
        "playApi": address["url_list"][-1],
        "isH265": gear["is_h265"],
        "qualityType": gear["quality_type"],
        "bitRate": gear["bit_rate"],
        "gearName": gear["gear_name"],
        "format": gear["format"],
        "fps": gear["FPS"],
        "fileId": token("file", address["uri"], gear["gear_name"]),
    }


def _camel_picture(image: Raw) -> Raw:
    out = {
        "uri": image["uri"],
        "width": image["width"],
        "height": image["height"],
        "urlList": image["url_list"],
        "downloadUrlList": image["download_url_list"],
        "clipType": image.get("clip_type", 2),
    }
    if image.get("video"):
        out["video"] = _camel_video(image["video"])
    return out
