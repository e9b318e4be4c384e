"""TikTok as HTML: pages with their hydration data, embed pages, oEmbed, and where short links lead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from dyvine_cli.simulator.faults import Fault, Faults
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.tiktok_guest import USUAL_ANSWER, ProofOfWork, Visitor, seal
from dyvine_cli.simulator.tiktok_posts import Posts, Raw, compact, template
from dyvine_cli.simulator.tiktok_world import STATUS_TEXTS, Creator, TiktokWorld, Upload

SHORT_HOSTS = frozenset({"vm.tiktok.com", "vt.tiktok.com"})

PAGES = {
    "waf-challenge": "pages come behind the proof of work; the value is the answer (default 1973)",
    "waf-one-cookie": "the proof of work asks for one cookie only",
    "waf-again": "the proof of work again, although it was solved rightly",
    "waf-unsolvable": "a proof of work that no number solves",
    "page-shell": "the app shell without data (downgrade-mssdk-preload)",
    "page-risk": "600 bytes and the header X-TT-System-Error: 3",
    "page-maintenance": "a page titled Site Under Maintenance",
    "page-login": "302 to the login page",
    "page-captcha": "the page of the slide captcha",
    "page-discontinued": "the text for countries without service",
    "page-status": "the hydration data says the status of the value (default 10101)",
    "page-without-data": "hydration data without the post or the account",
    "page-other-item": "the hydration data is another post's",
    "page-picky": "the maintenance page unless the request has a Referer (value referer, default) or two junk headers (junk)",
    "page-old": "the data stands in SIGI_STATE, as in older pages",
    "sdk-newer": "pages name another build of the signing script",
    "embed-empty": "embed pages without posts",
    "short-home": "short links lead to the front page, as /t/ does for browsers at times",
}

_POST = re.compile(r"/(?:(?:@|%40)(?P<handle>[^/]*)/)?(?:share/)?(?P<form>video|photo)/(?P<id>\d+)/?")
_OLD_POST = re.compile(r"/v/(?P<id>\d+)\.html")
_USER = re.compile(r"/(?:@|%40)(?P<name>[\w.-]+)/?")
_EMBED_USER = re.compile(r"/embed/(?:@|%40)(?P<name>[\w.-]+)/?")
_EMBED_POST = re.compile(r"/(?:embed(?:/v2)?|player/v1)/(?P<id>\d+)/?")
_SHORT = re.compile(r"/t/(?P<code>\w+)/?")
_PHONE = re.compile(r"iPhone|Android|Mobile")
_HTML = ("Content-Type", "text/html; charset=utf-8")
_PAGE_SIZE = 370_000
_SCM = "2.0.0.561"
_APP_VERSION = "70508271,73485599"


def redirect(location: str) -> Response:
    """302 to another address."""
    return Response(status=302, headers=[("Location", location)])


class Pages:
    """Answers for people's browsers and phones."""

    def __init__(
        self, world: TiktokWorld, posts: Posts, faults: Faults, proof: ProofOfWork, clock: Callable[[], float]
    ) -> None:
        self._world = world
        self._posts = posts
        self._faults = faults
        self._proof = proof
        self._clock = clock
        self.reason: str | None = None
        """Why the last proof of work was not taken, None if it was."""
        faults.register(PAGES)

    # -- links that lead elsewhere -------------------------------------------------------------------------------------

    def short(self, request: Request) -> Response:
        """One hop of a short link; a dead code leads to the front page."""
        found = _SHORT.fullmatch(request.path)
        code = found["code"] if found else request.path.strip("/")
        target = self._world.behind(code)
        if target is None or self._faults.take("short-home", request):
            return redirect("https://www.tiktok.com/?_r=1")
        return redirect(self._target(*target))

    def _target(self, kind: str, id: str) -> str:
        token = seal("shared", id, length=24)
        if kind == "post":
            return f"https://www.tiktok.com/@/video/{id}?_d={token}&_r=1&preview_pb=0&share_item_id=7{id[1:][::-1]}&source=h5_m"
        if kind == "user":
            return f"https://www.tiktok.com/@{id}?_d={token}&_r=1&_t=ZS-{token[:8]}"
        if kind == "mix":
            return f"https://www.tiktok.com/@{self._owner_of(id)}/playlist/Kitchen%20stories-{id}?_r=1"
        if kind == "login":
            return _login(f"https://www.tiktok.com/@_/video/{id}")
        return "https://www.tiktok.com/en/notfound"

    def _owner_of(self, id: str) -> str:
        playlist = self._world.playlist(id)
        return playlist.creator.handle if playlist else ""

    # -- pages ---------------------------------------------------------------------------------------------------------

    def before(self, request: Request) -> Response | None:
        """The answer that comes instead of a page; None when the page may be shown."""
        if fault := self._faults.take_any(_INSTEAD, request):
            return _instead(fault, request)
        fault = self._faults.take("page-picky", request)
        if fault and not _pleases(request, fault.value or "referer"):
            return _maintenance()
        return self._challenge(request)

    def _challenge(self, request: Request) -> Response | None:
        """The proof of work: asked for by fault, judged whenever an answer comes along."""
        answered = "_wafchallengeid" in request.cookies
        second = self._faults.take("waf-one-cookie", request) is None
        if self._faults.take("waf-unsolvable", request):
            return self._proof.page(answer=None)
        if answered:
            self.reason = self._proof.judge(request)
            again = self._faults.take("waf-again", request) is not None
            return self._proof.page(second=second) if self.reason or again else None
        fault = self._faults.take("waf-challenge", request)
        return self._proof.page(answer=fault.number(USUAL_ANSWER), second=second) if fault else None

    def page(self, request: Request, seen: Visitor) -> Response:
        """A page of www.tiktok.com."""
        path = request.path
        if found := _POST.fullmatch(path) or _OLD_POST.fullmatch(path):
            return self._post(request, seen, found["id"], found.groupdict().get("form") or "video")
        if found := _EMBED_USER.fullmatch(path):
            return self._embed_user(request, found["name"])
        if found := _EMBED_POST.fullmatch(path):
            return self._embed_post(found["id"])
        if found := _USER.fullmatch(path):
            return self._user(request, seen, found["name"])
        return self._hydrated(request, seen, {})

    def _post(self, request: Request, seen: Visitor, id: str, form: str) -> Response:
        """Only the `/video/` form carries the post; `/photo/` names the address that does."""
        post = self._world.post(id)
        if post and post.login_wall and not seen.is_logged_in:
            return redirect(_login(f"https://www.tiktok.com{request.path}"))
        handle = post.creator.handle if post else "_"
        scope: Raw = {"seo.abtest": _seo(f"https://www.tiktok.com/@{handle}/video/{id}")}
        if form == "photo" or self._faults.take("page-without-data", request):
            return self._hydrated(request, seen, scope)
        if self._faults.take("page-other-item", request):
            post = self._world.post(TiktokWorld.SMALL)
        phone = _PHONE.search(request.headers.get("user-agent", ""))
        name = "webapp.reflow.video.detail" if phone else "webapp.video-detail"
        detail = self._detail(request, seen, post)
        if self._faults.take("page-old", request):
            return _sigi(detail)
        return self._hydrated(request, seen, {**scope, name: detail})

    def _detail(self, request: Request, seen: Visitor, post: Upload | None) -> Raw:
        """`webapp.video-detail`."""
        fault = self._faults.take("page-status", request)
        code = fault.number(10101) if fault else post_status(post, seen)
        if code or post is None:
            return {"itemInfo": {}, "statusCode": code, "statusMsg": STATUS_TEXTS.get(code, "")}
        item = self._posts.item(post, request, chain=seen.chain, channel="page", login=seen.is_logged_in)
        share = {"title": f"{post.creator.nickname} on TikTok", "desc": post.text}
        return {"itemInfo": {"itemStruct": item}, "shareMeta": share, "statusCode": 0, "statusMsg": ""}

    def _user(self, request: Request, seen: Visitor, name: str) -> Response:
        """`webapp.user-detail`, by handle, numeric id or secUid."""
        creator = self._world.creator(name)
        scope: Raw = {"seo.abtest": _seo(f"https://www.tiktok.com/@{name}")}
        if not self._faults.take("page-without-data", request):
            scope["webapp.user-detail"] = self._user_detail(request, seen, creator)
        return self._hydrated(request, seen, scope)

    def _user_detail(self, request: Request, seen: Visitor, creator: Creator | None) -> Raw:
        fault = self._faults.take("page-status", request)
        code = fault.number(10101) if fault else account_status(creator)
        if creator is None or code not in (0, 10222):
            return {"needFix": False, "statusCode": code, "statusMsg": STATUS_TEXTS.get(code, "")}
        return {
            "needFix": False,
            "shareMeta": share_of(creator),
            "statusCode": code,
            "statusMsg": STATUS_TEXTS.get(code, ""),
            "userInfo": self._posts.user_info(creator, page=True),
        }

    def _hydrated(self, request: Request, seen: Visitor, scope: Raw) -> Response:
        """A page with its data; the language's texts take most of it."""
        everywhere = {
            "webapp.app-context": self._context(request, seen),
            "webapp.biz-context": _biz(),
            "webapp.i18n-translation": {"place": "of the texts"},
            **scope,
            "webapp.a-b": {"b_c": "0"},
        }
        text = in_script({"__DEFAULT_SCOPE__": everywhere})
        text = text.replace('"place":"of the texts"', _texts(), 1)
        scm = "2.0.0.999" if self._faults.take("sdk-newer", request) else _SCM
        body = (
            _HEAD.format(scm=scm)
            + f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{text}</script>'
        )
        return Response(headers=[_HTML], body=(body + "</body></html>").encode())

    def _context(self, request: Request, seen: Visitor) -> Raw:
        """`webapp.app-context`: who the platform says is asking."""
        raw = template("app_context")
        raw.update(region="US", appId=1988, appType="t", clusterRegion="ALL_EU", host="www.tiktok.com")
        raw.update(wid=seen.wid, odinId=seen.odin, webIdCreatedTime=seen.created, botType="others")
        raw.update(
            nonce=seal("nonce", self._clock(), length=21), requestId=str(int(seal("id", length=15), 16))
        )
        raw.update(csrfToken=seal("csrf", seen.ttwid, length=36), encryptedWebid=seal("webid", length=128))
        raw["userAgent"] = request.headers.get("user-agent", "")
        raw["abTestVersion"]["versionName"] = _APP_VERSION
        if seen.is_logged_in:
            me = self._world.myself
            raw["user"] = {"uid": me.id, "uniqueId": me.handle, "nickName": me.nickname, "secUid": me.sec_uid}
        return raw

    # -- embeds --------------------------------------------------------------------------------------------------------

    def _embed_user(self, request: Request, name: str) -> Response:
        """The newest 10 to 12 posts; no paging, no secUid, no dates."""
        creator = self._world.creator(name)
        path = f"/embed/@{name}"
        node: Raw = {
            "isError": False,
            "isFetching": False,
            "isReady": True,
            "link": path,
            "page": 1,
            "pageName": "creator",
            "playlistId": name,
            "playlistType": "creator",
            "query": {},
            "route": f"{path}/",
        }
        if creator is None or creator.state == "banned":
            node.update(isError=True, is404=True, errorStatus=404, errorStatusText="Not Found")
            return _frontity(path, node)
        node["userInfo"] = self._posts.embedded_user(creator)
        if self._faults.take("embed-empty", request) is None:
            node["videoList"] = [self._posts.embedded_post(post) for post in self._window(creator)]
        return _frontity(path, node)

    def _window(self, creator: Creator) -> list[Upload]:
        if creator.state == "private":
            return []
        everything = [
            self._world.at(creator, index) for index in range(min(creator.posts, 10 + creator.number % 3))
        ]
        return [post for post in everything if not post.status and not post.login_wall]

    def _embed_post(self, id: str) -> Response:
        post = self._world.post(id)
        path = f"/embed/v2/{id}"
        if post is None or post.status or post.login_wall:
            return _frontity(path, {"isError": True, "is404": True, "errorStatus": 404, "link": path})
        itself = {
            "itemInfos": self._posts.embedded_post(post),
            "authorInfos": self._posts.embedded_user(post.creator),
        }
        return _frontity(path, {"isError": False, "isReady": True, "link": path, "videoData": itself})

    def oembed(self, request: Request) -> Response:
        """Title, author and cover of the post that `url` leads to."""
        path = urlsplit(parse_qs(request.query).get("url", [""])[0]).path
        found = _POST.fullmatch(path)
        post = self._world.post(found["id"]) if found else None
        if post is None or post.status or post.login_wall:
            body = compact({"code": 400, "message": "Something went wrong"}).encode()
            return Response(status=400, headers=[("Content-Type", "application/json")], body=body)
        told = self._posts.embedded_post(post)
        page = f"https://www.tiktok.com/@{post.creator.handle}"
        answer = {
            "version": "1.0",
            "type": "video",
            "title": post.text,
            "author_url": page,
            "author_name": post.creator.nickname,
            "author_unique_id": post.creator.handle,
            "provider_name": "TikTok",
            "provider_url": "https://www.tiktok.com",
            "thumbnail_url": told["coverUrl"],
            "embed_product_id": post.id,
            "embed_type": "video",
            "html": f'<blockquote class="tiktok-embed" cite="{page}/video/{post.id}"></blockquote>',
        }
        return Response(headers=[("Content-Type", "application/json")], body=compact(answer).encode())


# -- who may see what --------------------------------------------------------------------------------------------------


def post_status(post: Upload | None, seen: Visitor) -> int:
    """The status of a post for this visitor; 0 shows it."""
    if post is None:
        return 10204
    if post.creator.state == "banned":
        return 10221
    if post.creator.state == "private" and not seen.is_logged_in:
        return 10222
    return post.status


def account_status(creator: Creator | None) -> int:
    """The status of an account; a private one says so to its followers too."""
    if creator is None or creator.state == "banned":
        return 10221
    return 10222 if creator.state == "private" else 0


def share_of(creator: Creator) -> Raw:
    """`shareMeta` of an account."""
    words = f"@{creator.handle} {creator.fans} Followers, {creator.hearts} Likes"
    return {"desc": f"{words} - Watch awesome short videos", "title": f"{creator.nickname} on TikTok"}


# -- HTML --------------------------------------------------------------------------------------------------------------

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="UTF-8"/><title>TikTok - Make Your Day</title>'
    '<script type="application/json" id="script-manager">{{"imports":{{"acrawler":"https://sf16-website-login.neutral.'
    'ttwstatic.com/obj/tiktok_web_login_static/webmssdk/{scm}/webmssdk.js"}}}}</script>'
    '<meta name="pumbaa-ctx" content="login=0,ftc=0"/></head><body><div id="app"></div>'
)


def in_script(value: object) -> str:
    """JSON that may stand inside a script element: slashes and tags are escaped, as the pages have it."""
    return compact(value).replace("/", "\\u002F").replace("<", "\\u003C").replace(">", "\\u003E")


@cache
def _texts() -> str:
    """As many texts of the language as the page has: most of its 370 kB."""
    entry = '"webapp_text_{:05}":"Something that a button or a notice says in this language {}"'
    return ",".join(entry.format(n, n * 7919 % 1000) for n in range(_PAGE_SIZE // 90))


def _seo(canonical: str) -> Raw:
    raw = template("seo")
    raw.update(
        canonical=canonical, pageId=str(int(seal("page", canonical, length=15), 16)), vidList=["73070175"]
    )
    return raw


def _biz() -> Raw:
    domains = {"kind": "t", "rootApi": "https://www.tiktok.com", "webcastApi": "https://webcast.tiktok.com"}
    return {
        "os": "linux",
        "isMobile": False,
        "isAndroid": False,
        "isIOS": False,
        "jumpType": "t",
        "domains": domains,
    }


def _frontity(path: str, node: Raw) -> Response:
    state = in_script({"source": {"data": {path: node}}})
    body = f'<!doctype html><html><body><script id="__FRONTITY_CONNECT_STATE__" type="application/json">{state}</script></body></html>'
    return Response(status=404 if node.get("is404") else 200, headers=[_HTML], body=body.encode())


def _sigi(detail: Raw) -> Response:
    """A page of before: `ItemModule`, the author as a handle."""
    item: Any = detail["itemInfo"].get("itemStruct")
    module = {item["id"]: {**item, "author": item["author"]["uniqueId"]}} if item else {}
    text = in_script({"ItemModule": module, "UserModule": {"users": {}, "stats": {}}})
    return Response(
        headers=[_HTML],
        body=f'<html><script id="SIGI_STATE" type="application/json">{text}</script></html>'.encode(),
    )


def _login(target: str) -> str:
    return f"https://www.tiktok.com/login?redirect_url={quote(target, safe='')}&lang=en"


def _pleases(request: Request, wish: str) -> bool:
    """Whether the headers are those of the week."""
    if wish == "junk":
        return sum(bool(re.fullmatch(r"[b-df-hj-np-tv-xz]{8,24}", name)) for name in request.headers) >= 2
    return wish in request.headers


def _maintenance() -> Response:
    body = "<!doctype html><html><head><title>Site Under Maintenance</title></head><body>Please come back later.</body></html>"
    return Response(headers=[_HTML], body=body.encode())


_INSTEAD = (
    "page-shell", "page-risk", "page-maintenance", "page-login", "page-captcha", "page-discontinued",
)  # fmt: skip


def captcha_page() -> Response:
    """The page that asks a person to slide a puzzle."""
    body = (
        '<!doctype html><html><head><script src="/secsdk-captcha.js"></script></head><body>'
        '<div id="captcha-init"></div><img id="captcha_verify_img_slide"/></body></html>'
    )
    return Response(headers=[_HTML], body=body.encode())


def _instead(fault: Fault, request: Request) -> Response:
    """One of the pages that are none (tiktok.md 2.4)."""
    if fault.name == "page-login":
        return redirect(_login(f"https://www.tiktok.com{request.path}"))
    if fault.name == "page-captcha":
        return captcha_page()
    if fault.name == "page-maintenance":
        return _maintenance()
    if fault.name == "page-risk":
        body = f"<html><body>{json.dumps({'error': 3})}{'x' * 560}</body></html>"
        return Response(headers=[_HTML, ("X-TT-System-Error", "3")], body=body.encode())
    if fault.name == "page-discontinued":
        body = "<html><body>We regret to inform you that we have discontinued operating TikTok.</body></html>"
        return Response(headers=[_HTML], body=body.encode())
    body = '<!doctype html><html><head><script data-source="downgrade-mssdk-preload"></script></head><body></body></html>'
    return Response(headers=[_HTML], body=body.encode().ljust(40_000))
