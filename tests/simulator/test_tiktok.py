"""TikTok in small: pages, embeds, links and lists for an honest client; a refusal for every other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.lies import LIES
from dyvine_cli.simulator.messages import Request
from dyvine_cli.simulator.shapes import EDGE
from dyvine_cli.simulator.tiktok import SHAPES
from dyvine_cli.simulator.tiktok_pages import PAGES
from dyvine_cli.simulator.tiktok_world import TIKTOK, TiktokWorld

HOME = "https://www.tiktok.com"


def sec_uid(handle: str) -> str:
    """The stable id of an account."""
    creator = TIKTOK.creator(handle)
    assert creator is not None
    return creator.sec_uid


def ids(pages: list[Any]) -> list[str]:
    """The posts of all pages."""
    return [item["id"] for page in pages for item in page.get("itemList", [])]


def published(handle: str) -> set[str]:
    """The ids of everything that an account published."""
    creator = TIKTOK.creator(handle)
    assert creator is not None
    return {TIKTOK.at(creator, index).id for index in range(creator.posts)}


def detail(browser: Any, id: str) -> Any:
    """`webapp.video-detail` of a post's page."""
    return browser.scope(f"/@_/video/{id}")["webapp.video-detail"]


# -- the world ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("posts", "handle"), TIKTOK.ACCOUNTS.items(), ids=map(str, TIKTOK.ACCOUNTS))
def test_ids_lead_back_to_their_posts(posts: int, handle: str) -> None:
    """Each id is unique, carries the second of its upload, and names its post in every world."""
    creator = TIKTOK.creator(handle)
    assert creator is not None
    for index in range(creator.posts):
        post = TIKTOK.at(creator, index)
        assert TIKTOK.post(post.id) == post
        assert 4 <= post.created_s - (int(post.id) >> 32) <= 94
        assert TiktokWorld(2).at(creator, index).id == post.id

    assert len(published(handle)) == posts


def test_the_account_of_200_has_340_files() -> None:
    """A tenth of its posts are photos with seven pages and a sound."""
    creator = TIKTOK.creator(TIKTOK.ACCOUNTS[200])
    assert creator is not None
    posts = [TIKTOK.at(creator, index) for index in range(creator.posts)]

    assert sum(len(post.pictures) + 1 if post.kind == "photo" else 1 for post in posts) == 340
    assert {post.kind for post in posts} == {"video", "photo"}


def test_other_seeds_have_other_words() -> None:
    """Names and texts follow the seed."""
    worlds = (TIKTOK, TiktokWorld(2))
    texts = {world.post(world.VIDEO).text for world in worlds if world.post(world.VIDEO)}  # type: ignore[union-attr]

    assert len(texts) == 2


@pytest.mark.parametrize("id", ["", "0", "7" * 19, "猫" * 19, "٧" * 19, TIKTOK.VIDEO[:-1] + "x"])
def test_other_ids_are_nobodys(id: str) -> None:
    """None, whatever stands there."""
    assert TIKTOK.post(id) is None


# -- posts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/@/video/{}", "/@_/video/{}", "/@someone.else/video/{}", "/%40_/video/{}", "/share/video/{}", "/@_/video/{}/",
    ],
)  # fmt: skip
def test_every_form_of_a_posts_address(newcomer: Any, path: str) -> None:
    """The handle is not looked at."""
    scope = newcomer.scope(path.format(TIKTOK.VIDEO))

    assert scope["webapp.video-detail"]["itemInfo"]["itemStruct"]["id"] == TIKTOK.VIDEO


def test_the_photo_form_names_the_address_that_has_the_post(newcomer: Any) -> None:
    """`/photo/` has no data but its canonical address does."""
    scope = newcomer.scope(f"/@_/photo/{TIKTOK.PHOTO}")
    canonical = scope["seo.abtest"]["canonical"]

    assert "webapp.video-detail" not in scope
    assert "webapp.video-detail" in newcomer.scope(canonical.removeprefix(HOME))


def test_phones_get_the_same_under_another_name(newcomer: Any) -> None:
    """`webapp.reflow.video.detail`."""
    newcomer.agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148"
    scope = newcomer.scope(f"/@_/video/{TIKTOK.VIDEO}")

    assert scope["webapp.reflow.video.detail"]["itemInfo"]["itemStruct"]["id"] == TIKTOK.VIDEO


@pytest.mark.parametrize(("code", "id"), TIKTOK.STATUS.items(), ids=map(str, TIKTOK.STATUS))
def test_each_status_code_has_a_post(visitor: Any, code: int, id: str) -> None:
    """The page says the code and nothing of the post; so does the API."""
    page = detail(visitor, id)
    answer = visitor.get("item/detail", itemId=id)

    assert (page["statusCode"], page["itemInfo"]) == (code, {})
    assert answer["statusCode"] == code
    assert "itemInfo" not in answer


def test_a_login_opens_what_it_opens(visitor: Any, follower: Any, tiktok: Any) -> None:
    """Age gate, login wall and private accounts."""
    private = TIKTOK.creator(TIKTOK.PRIVATE_ACCOUNT)
    assert private is not None
    hidden = TIKTOK.at(private, 0).id
    follower_item, page = follower.item(TIKTOK.AGE_GATED), f"{HOME}/@_/video/{TIKTOK.LOGIN_WALL}"
    assert follower_item["isContentClassified"] is True
    assert follower_item["video"]["playAddr"]
    assert follower.request(page).status == 200
    assert detail(follower, hidden)["statusCode"] == 0
    follower.jar = {}

    assert "video" not in follower.item(TIKTOK.AGE_GATED)
    assert "/login?redirect_url=" in dict(follower.request(page).headers)["Location"]
    assert detail(follower, hidden)["statusCode"] == 10222


def test_marks_stand_where_they_say(newcomer: Any) -> None:
    """UTF-16 units, with emoji in front; a mention shows a name and means a handle."""
    item = newcomer.item(TIKTOK.MENTIONS)
    units = item["desc"].encode("utf-16-le")
    texts = [units[2 * mark["start"] : 2 * mark["end"]].decode("utf-16-le") for mark in item["textExtra"]]

    assert texts == ["#1", "@Good Neighbour 🌻", "#kitchen", "#BreadTok"]
    assert item["textExtra"][1]["userUniqueId"] == "good_neighbour"
    assert [challenge["title"] for challenge in item["challenges"]] == ["1", "kitchen", "breadtok"]


def test_single_posts_have_their_traits(newcomer: Any) -> None:
    """What the constants promise."""
    assert "author" not in newcomer.item(TIKTOK.NO_AUTHOR)
    assert newcomer.item(TIKTOK.NO_SOUND)["music"]["playUrl"] == ""
    assert newcomer.item(TIKTOK.ONE_PHOTO)["desc"] == ""
    assert len(newcomer.item(TIKTOK.LONG_TEXT)["desc"]) == 2_200
    assert newcomer.item(TIKTOK.NO_LADDER)["video"]["bitrateInfo"] == []
    assert newcomer.item(TIKTOK.FRIENDS)["forFriend"] is True
    codecs = {entry["CodecType"] for entry in newcomer.item(TIKTOK.H264_ONLY)["video"]["bitrateInfo"]}
    assert codecs == {"h264"}
    assert len(newcomer.item(TIKTOK.PHOTO)["imagePost"]["images"]) == 9
    assert newcomer.item(TIKTOK.BIG)["video"]["size"] == "500000000"


def test_a_caption_cannot_end_the_script(newcomer: Any) -> None:
    """Texts with tags in them arrive whole."""
    creator = TIKTOK.creator(TIKTOK.HOSTILE_ACCOUNT)
    assert creator is not None
    for index in range(creator.posts):
        post = TIKTOK.at(creator, index)
        assert newcomer.item(post.id)["desc"] == post.text


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_an_account_by_each_of_its_names(newcomer: Any) -> None:
    """Handle in any case, numeric id, secUid."""
    creator = TIKTOK.creator(TIKTOK.SAMPLES)
    assert creator is not None
    for name in (creator.handle, creator.handle.upper(), creator.id, creator.sec_uid):
        user = newcomer.scope(f"/@{name}")["webapp.user-detail"]["userInfo"]["user"]
        assert user["secUid"] == creator.sec_uid


def test_counters_are_rounded_exact_and_overflown(newcomer: Any) -> None:
    """`stats` rounds, `statsV2` is exact, and hearts do not fit."""
    info = newcomer.scope(f"/@{TIKTOK.SAMPLES}")["webapp.user-detail"]["userInfo"]

    assert info["statsV2"]["followerCount"] == "12345"
    assert info["stats"]["followerCount"] == 12_300
    assert info["statsV2"]["heartCount"] == "2680875280"
    assert info["stats"]["heartCount"] < 0
    assert info["itemList"] == []


ACCOUNTS = {
    "private": (TIKTOK.PRIVATE_ACCOUNT, 10222, True),
    "banned": (TIKTOK.BANNED_ACCOUNT, 10221, False),
    "missing": (TIKTOK.MISSING_ACCOUNT, 10221, False),
    "empty": (TIKTOK.ACCOUNTS[0], 0, True),
}


@pytest.mark.parametrize(("handle", "code", "told"), ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_accounts_that_are_not_open(visitor: Any, handle: str, code: int, told: bool) -> None:
    """Page and API say the same; a banned one cannot be told from one that never was."""
    page = visitor.scope(f"/@{handle}")["webapp.user-detail"]
    answer = visitor.get("user/detail", uniqueId=handle, secUid="")

    assert (page["statusCode"], answer["statusCode"]) == (code, code)
    assert ("userInfo" in page, bool(answer["userInfo"])) == (told, told)


def test_a_handle_in_the_secuids_place_is_nobody(visitor: Any) -> None:
    """10221."""
    assert visitor.get("user/detail", uniqueId="", secUid=TIKTOK.SAMPLES)["statusCode"] == 10221


def test_embed_pages_have_the_newest_ten_to_twelve(newcomer: Any) -> None:
    """In order, whatever page is asked for, and none of a private account."""
    creator = TIKTOK.creator(TIKTOK.ACCOUNTS[348])
    assert creator is not None
    newest = [TIKTOK.at(creator, index).id for index in range(10)]
    node = newcomer.embedded(creator.handle)["source"]["data"][f"/embed/@{creator.handle}"]
    private = newcomer.embedded(TIKTOK.PRIVATE_ACCOUNT)["source"]["data"][f"/embed/@{TIKTOK.PRIVATE_ACCOUNT}"]

    assert [post["id"] for post in node["videoList"]] == newest
    assert (private["videoList"], private["userInfo"]["privateAccount"]) == ([], True)
    assert newcomer.request(f"{HOME}/embed/@{TIKTOK.MISSING_ACCOUNT}").status == 404


def test_an_embedded_post_and_oembed(newcomer: Any) -> None:
    """Few words about one post; none about what is not there."""
    page = newcomer.request(f"{HOME}/embed/v2/{TIKTOK.VIDEO}")
    told = json.loads(newcomer.request(f"{HOME}/oembed?url={HOME}/@_/video/{TIKTOK.VIDEO}").body)

    assert b"videoData" in page.body
    assert told["embed_product_id"] == TIKTOK.VIDEO
    assert newcomer.request(f"{HOME}/oembed?url={HOME}/@_/video/{TIKTOK.DELETED}").status == 400
    assert newcomer.request(f"{HOME}/embed/v2/{TIKTOK.DELETED}").status == 404


# -- links -------------------------------------------------------------------------------------------------------------

SHORTS: dict[str, tuple[str, str]] = {
    TIKTOK.short_link("post", TIKTOK.VIDEO): (f"/@/video/{TIKTOK.VIDEO}?", "post"),
    TIKTOK.short_link("post", TIKTOK.VIDEO, host="vt.tiktok.com"): (
        f"/@/video/{TIKTOK.VIDEO}?",
        "post at vt",
    ),
    TIKTOK.short_link("post", TIKTOK.VIDEO, host="www.tiktok.com"): (
        f"/@/video/{TIKTOK.VIDEO}?",
        "post below t",
    ),
    TIKTOK.short_link("user", TIKTOK.SAMPLES): (f"/@{TIKTOK.SAMPLES}?", "user"),
    TIKTOK.short_link("mix", TIKTOK.PLAYLIST): (
        f"/playlist/Kitchen%20stories-{TIKTOK.PLAYLIST}?",
        "playlist",
    ),
    TIKTOK.short_link("login", TIKTOK.LOGIN_WALL): ("/login?redirect_url=", "login"),
    TIKTOK.short_link("gone", TIKTOK.DELETED): ("/en/notfound", "gone"),
    "https://vm.tiktok.com/ZNOBODY/": ("/?_r=1", "dead"),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("url", "target"), [(url, t) for url, (t, _) in SHORTS.items()], ids=[n for _, n in SHORTS.values()])  # fmt: skip
def test_short_links_lead_on(newcomer: Any, url: str, target: str, method: str) -> None:
    """302, and the id in the path is the post's though `share_item_id` is another."""
    answer = newcomer.request(url, method=method)
    location = dict(answer.headers)["Location"]

    assert answer.status == 302
    assert target in location
    assert f"share_item_id={TIKTOK.VIDEO}" not in location


@pytest.mark.parametrize(
    "url",
    [
        "https://www.tiktokv.com/share/video/{}/",
        "https://m.tiktok.com/v/{}.html",
        "https://tiktok.com/@/video/{}",
    ],
)
def test_share_addresses_lead_to_the_page(newcomer: Any, url: str) -> None:
    """The main host has it."""
    location = dict(newcomer.request(url.format(TIKTOK.VIDEO)).headers)["Location"]

    assert location == f"{HOME}/@/video/{TIKTOK.VIDEO}"


@pytest.mark.parametrize("host", ["tiktok.example.com", "nottiktok.com", "webcast.tiktok.com", "example.com"])
def test_other_hosts_are_not_ours(tiktok: Any, host: str) -> None:
    """None, so that someone else may answer."""
    assert tiktok.answer(Request(method="GET", host=host, path="/", query="", headers={})) is None


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 16, 35, 1_000], ids="count {}".format)
@pytest.mark.parametrize("posts", [0, 1, 12, 200])
def test_a_list_is_complete(visitor: Any, posts: int, count: int) -> None:
    """Every post once, pinned ones first, the others newest first."""
    handle = TIKTOK.ACCOUNTS[posts]
    found = ids(visitor.listed("post/item_list", secUid=sec_uid(handle), count=count))
    creator = TIKTOK.creator(handle)
    assert creator is not None
    pinned = [post.id for post in TIKTOK.pinned(creator)]

    assert len(found) == posts
    assert set(found) == published(handle)
    assert found[: len(pinned)] == pinned
    assert found[len(pinned) :] == [post.id for post in TIKTOK.posts(creator)]


def test_pages_of_the_large_account(visitor: Any) -> None:
    """348 posts in ten pages; the first holds one more, its cursor is the last post's time in milliseconds."""
    pages = visitor.listed("post/item_list", secUid=sec_uid(TIKTOK.ACCOUNTS[348]), count=35)
    first = pages[0]["itemList"]

    assert [len(page["itemList"]) for page in pages] == [36, *[35] * 8, 32]
    assert int(pages[0]["cursor"]) // 1000 == first[-1]["createTime"]
    assert [item.get("isPinnedItem", False) for item in first[:4]] == [True] * 3 + [False]


def test_an_empty_list_has_no_key(visitor: Any) -> None:
    """Truly empty: no key of entries and no more."""
    page = visitor.get("post/item_list", secUid=sec_uid(TIKTOK.ACCOUNTS[0]), count=16, cursor=0)

    assert "itemList" not in page
    assert page["hasMore"] is False


@pytest.mark.parametrize("order", [1, 2], ids=["popular", "oldest"])
def test_other_orders_are_complete_too(visitor: Any, order: int) -> None:
    """Popular under a small falling cursor, oldest under a rising time."""
    handle = TIKTOK.ACCOUNTS[200]
    pages = visitor.listed(
        "post/item_list", secUid=sec_uid(handle), count=35, post_item_list_request_type=order
    )
    cursors = [int(page["cursor"]) for page in pages]

    assert len(ids(pages)) == 200
    assert set(ids(pages)) == published(handle)
    assert cursors == sorted(cursors, reverse=order == 1)


LISTS: dict[str, tuple[str, dict[str, str], int]] = {
    "likes": ("favorite/item_list", {"secUid": sec_uid(TIKTOK.LIKES_ACCOUNT)}, 45),
    "likes hidden": ("favorite/item_list", {"secUid": sec_uid(TIKTOK.LIKES_HIDDEN_ACCOUNT)}, 0),
    "likes of its own": ("favorite/item_list", {"secUid": sec_uid(TIKTOK.SELF)}, 33),
    "reposts": ("repost/item_list", {"secUid": sec_uid(TIKTOK.LIKES_ACCOUNT)}, 40),
    "saved": ("user/collect/item_list", {"secUid": sec_uid(TIKTOK.SELF)}, 37),
    "playlist": ("mix/item_list", {"mixId": TIKTOK.PLAYLIST}, 40),
    "collection": ("collection/item_list", {"collectionId": TIKTOK.COLLECTION}, 50),
    "private": ("post/item_list", {"secUid": sec_uid(TIKTOK.PRIVATE_ACCOUNT)}, 9),
}


@pytest.mark.parametrize(("name", "wish", "count"), LISTS.values(), ids=LISTS.keys())
def test_other_lists_are_complete(follower: Any, name: str, wish: dict[str, str], count: int) -> None:
    """For the known login: each entry once."""
    found = ids(follower.listed(name, **wish, count=16))

    assert len(found) == len(set(found)) == count


@pytest.mark.parametrize("name", ["favorite/item_list", "user/collect/item_list"])
def test_guests_do_not_see_what_is_its_own(visitor: Any, name: str) -> None:
    """Likes and saved posts of the known login are its own."""
    assert ids(visitor.listed(name, secUid=sec_uid(TIKTOK.SELF), count=16)) == []


def test_playlists_of_an_account(visitor: Any) -> None:
    """Three, the last one empty; an account without has none; each has a detail."""
    pages = visitor.listed("user/playlist", secUid=sec_uid(TIKTOK.ACCOUNTS[200]), count=2)
    found = [playlist for page in pages for playlist in page["playList"]]
    info = visitor.get("mix/detail", mixId=TIKTOK.PLAYLIST)["mixInfo"]

    assert [playlist["videoCount"] for playlist in found] == [40, 100, 0]
    assert info["name"] == found[0]["name"]
    assert "playList" not in visitor.get("user/playlist", secUid=sec_uid(TIKTOK.SAMPLES), count=2, cursor=0)


def test_posts_name_their_playlist(visitor: Any) -> None:
    """`playlistId`, on pages too."""
    first = visitor.listed("mix/item_list", mixId=TIKTOK.PLAYLIST, count=30)[0]["itemList"][0]

    assert first["playlistId"] == TIKTOK.PLAYLIST
    assert visitor.item(first["id"])["playlistId"] == TIKTOK.PLAYLIST


STATUSES = {
    "private": (sec_uid(TIKTOK.PRIVATE_ACCOUNT), 10222),
    "banned": (sec_uid(TIKTOK.BANNED_ACCOUNT), 10221),
    "unknown": ("MS4wLjABAAAA" + "x" * 64, 100002),
    "a handle": (TIKTOK.SAMPLES, 100002),
}


@pytest.mark.parametrize(("who", "code"), STATUSES.values(), ids=STATUSES.keys())
def test_lists_of_accounts_that_are_not_open(visitor: Any, who: str, code: int) -> None:
    """A status and no entries."""
    page = visitor.get("post/item_list", secUid=who, count=16, cursor=0)

    assert page["statusCode"] == code
    assert "itemList" not in page


def test_the_feed_gives_a_token(newcomer: Any) -> None:
    """`recommend/item_list` answers without cookies, if an X-Dynosaur is there."""
    newcomer.context = {"wid": "7" * 19}

    assert len(newcomer.get("recommend/item_list", count=9)["itemList"]) == 3


def test_the_unsigned_list_is_dead_unless_opened(visitor: Any, faults: Faults) -> None:
    """`creator/item_list`: nothing since 2026-08; with the switch newest first by time."""
    wish = visitor.query(secUid=sec_uid(TIKTOK.ACCOUNTS[200]), type=1, count=15, cursor=1_800_000_000_000)
    url = f"{HOME}/api/creator/item_list/?{wish}"
    assert visitor.request(url).body == b""
    faults.set("creator-open")
    page = json.loads(visitor.request(url).body)

    assert len(page["itemList"]) == 15
    assert page["hasMorePrevious"] is True


# -- gates -------------------------------------------------------------------------------------------------------------

Change = Callable[[Any, str], str]


def _drop(name: str) -> Change:
    def change(browser: Any, url: str) -> str:
        browser.jar.pop(name)
        return url

    return change


def _resigned(**spoiled: object) -> Change:
    """The same call signed anew with other parameters."""
    wish = {"secUid": sec_uid(TIKTOK.ACCOUNTS[12]), "count": 16, "cursor": 0}
    return lambda browser, url: browser.signed("post/item_list", **(wish | spoiled))


def _stub(browser: Any, url: str) -> str:
    browser.sdk.env, browser.sdk.ub = 129, 14
    return _resigned()(browser, url)


def _invented_token(browser: Any, url: str) -> str:
    browser.jar["msToken"] = "A" * 172
    return _resigned()(browser, url)


GATES: dict[str, tuple[Change, str]] = {
    "no ttwid": (_drop("ttwid"), "ttwid"),
    "no device id": (_resigned(device_id=""), "device_id"),
    "a short device id": (_resigned(device_id="123"), "device_id"),
    "no age of the device": (_resigned(WebIdLastTime=""), "WebIdLastTime"),
    "codes of a stub": (_stub, "codes of a browser"),
    "invented token": (_invented_token, "msToken: invented"),
    "altered query": (lambda b, url: url.replace("count=16", "count=17"), "X-Dynosaur: query"),
    "unsigned": (lambda b, url: url.partition("&X-Dynosaur")[0], "parameters missing"),
}


@pytest.mark.parametrize(("change", "reason"), GATES.values(), ids=GATES.keys())
def test_a_wrong_call_is_answered_with_nothing(visitor: Any, change: Change, reason: str) -> None:
    """200, JSON by its type, zero bytes, and the header that says who refused."""
    url = change(visitor, _resigned()(visitor, ""))
    answer = visitor.request(url)

    assert (answer.status, answer.body) == (200, b"")
    assert dict(answer.headers) == {"Content-Type": "application/json", "tt_orcas_res": "1"}
    assert reason in visitor.tiktok.reasons[-1]


def test_user_agent_and_referer_belong_to_a_call(visitor: Any) -> None:
    """A foreign client, another browser than signed, a page of nobody."""
    reasons = []
    for headers in ({"user-agent": "curl/8"}, {"user-agent": "Mozilla/5.0 other"}, {"referer": ""}):
        assert visitor.request(_resigned()(visitor, ""), headers=headers).body == b""
        reasons.append(visitor.tiktok.reasons[-1])

    assert reasons == ["user agent", "X-Dynosaur: user agent", "Referer"]


def test_an_old_token_is_stale(visitor: Any, faults: Faults) -> None:
    """Two answers later the first token is worth nothing, unless the switch lets it live; none at all is fine."""
    first = visitor.jar["msToken"]
    for _ in range(2):
        visitor.scope(f"/@_/video/{TIKTOK.SMALL}")
    visitor.jar["msToken"] = first
    wish = {"secUid": sec_uid(TIKTOK.ACCOUNTS[12]), "count": 16, "cursor": 0}
    assert visitor.get("post/item_list", **wish) is None
    visitor.jar["msToken"] = ""
    assert visitor.get("post/item_list", **wish) is not None
    visitor.jar["msToken"] = first
    faults.set("tokens-live")

    assert visitor.get("post/item_list", **wish) is not None


@pytest.mark.parametrize(
    ("fault", "token"),
    [("token-refused", True), ("token-wanted", False), ("signed-closed", True), ("ttwid-refused", True)],
)
def test_doors_may_be_shut(visitor: Any, faults: Faults, fault: str, token: bool) -> None:
    """Each switch turns a right call into nothing."""
    visitor.jar["msToken"] = visitor.jar["msToken"] if token else ""
    faults.set(fault)

    assert visitor.request(_resigned()(visitor, "")).body == b""


def test_lenient_routes_are_lenient(visitor: Any) -> None:
    """Details ask for an X-Dynosaur only, of any query; accounts for one of this query."""
    post = visitor.signed("item/detail", itemId=TIKTOK.VIDEO).replace(TIKTOK.VIDEO, TIKTOK.SMALL)
    user = visitor.signed("user/detail", uniqueId=TIKTOK.SAMPLES, secUid="")

    assert visitor.request(post).body != b""
    assert visitor.request(user.partition("&X-Bogus")[0]).body != b""
    assert visitor.request(user.replace(TIKTOK.SAMPLES, TIKTOK.SELF)).body == b""
    assert visitor.request(post.partition("&X-Dynosaur")[0]).body == b""


def test_another_app_is_an_invalid_parameter(visitor: Any) -> None:
    """`aid` is 1988."""
    assert visitor.get("post/item_list", secUid=sec_uid(TIKTOK.SAMPLES), aid=1128)["statusCode"] == 5


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/post/item_list"])
def test_unknown_routes(visitor: Any, path: str) -> None:
    """404, also without the slash at the end."""
    assert visitor.request(HOME + path).status == 404


# -- switches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_odd_answers(visitor: Any, faults: Faults, name: str) -> None:
    """Every switch gives another answer than the true one."""
    faults.set(name, value=1 if name == "api-huge" else None)
    answer = visitor.request(_resigned()(visitor, ""))

    assert b'"itemList":[{"AIGC' not in answer.body
    assert answer.status == (int(name[5:]) if name.startswith("edge-") else 200)


@pytest.mark.parametrize("status", EDGE)
def test_the_edge_stands_before_pages_too(newcomer: Any, faults: Faults, status: str) -> None:
    """Pages are refused as well."""
    faults.set(f"edge-{status}")

    assert newcomer.request(f"{HOME}/@{TIKTOK.SAMPLES}").status == int(status)


def test_the_budget_of_a_visitor(visitor: Any, faults: Faults) -> None:
    """More calls in a second than allowed are 429."""
    faults.set("edge-budget", value=2)

    assert [visitor.request(_resigned()(visitor, "")).status for _ in range(3)] == [200, 200, 429]


PAGE_MARKS: dict[str, str] = {
    "page-shell": "downgrade-mssdk-preload",
    "page-risk": '{"error": 3}',
    "page-maintenance": "Site Under Maintenance",
    "page-captcha": "secsdk-captcha",
    "page-discontinued": "We regret to inform you",
    "page-old": "SIGI_STATE",
    "page-picky": "Site Under Maintenance",
    "waf-challenge": "Please wait...",
    "waf-unsolvable": "Please wait...",
    "sdk-newer": "2.0.0.999",
    "page-status": '"statusCode":10101',
}


@pytest.mark.parametrize(("name", "mark"), PAGE_MARKS.items(), ids=PAGE_MARKS)
def test_odd_pages(newcomer: Any, faults: Faults, name: str, mark: str) -> None:
    """Each is told by its mark."""
    faults.set(name, value="junk" if name == "page-picky" else None)
    answer = newcomer.request(f"{HOME}/@_/video/{TIKTOK.VIDEO}")

    assert mark in answer.body.decode()
    assert (dict(answer.headers).get("X-TT-System-Error") == "3") == (name == "page-risk")


def test_pages_please_the_right_headers(newcomer: Any, faults: Faults) -> None:
    """A Referer, or two headers of consonants."""
    url = f"{HOME}/@{TIKTOK.SAMPLES}"
    junk = {"qwrtplkj": "abcdefghijklmnop", "zxcvbnmd": "abcdefghijklmnop"}
    faults.set("page-picky", value="junk", count=2)
    assert b"webapp.user-detail" not in newcomer.request(url).body

    assert b"webapp.user-detail" in newcomer.request(url, headers=junk).body


def test_pages_may_lack_or_change_their_post(newcomer: Any, faults: Faults) -> None:
    """No data, another post's, keys that are missing or null, a ladder without 1080, hashes left out."""
    faults.set("page-without-data", count=1)
    assert "webapp.video-detail" not in newcomer.scope(f"/@_/video/{TIKTOK.VIDEO}")
    faults.set("page-other-item", count=1)
    assert newcomer.item(TIKTOK.VIDEO)["id"] == TIKTOK.SMALL
    faults.set("item-field-missing", value="music", count=1)
    assert "music" not in newcomer.item(TIKTOK.VIDEO)
    faults.set("item-field-null", count=1)
    assert newcomer.item(TIKTOK.VIDEO)["video"] is None
    faults.set("ladder-short", count=1)
    assert (
        max(entry["PlayAddr"]["Width"] for entry in newcomer.item(TIKTOK.VIDEO)["video"]["bitrateInfo"])
        == 720
    )
    faults.set("hash-missing", count=1)

    assert "FileHash" not in newcomer.item(TIKTOK.VIDEO)["video"]["PlayAddrStruct"]


def test_login_pages_and_empty_windows(newcomer: Any, faults: Faults) -> None:
    """302 to the login, an embed page without posts, short links to the front page."""
    for name in ("page-login", "embed-empty", "short-home"):
        faults.set(name, count=1)
    location = dict(newcomer.request(f"{HOME}/@{TIKTOK.SAMPLES}").headers)["Location"]
    node = newcomer.embedded(TIKTOK.SAMPLES)["source"]["data"][f"/embed/@{TIKTOK.SAMPLES}"]
    short = newcomer.request(TIKTOK.short_link("post", TIKTOK.VIDEO))

    assert location.startswith(f"{HOME}/login?redirect_url=")
    assert "videoList" not in node
    assert dict(short.headers)["Location"] == f"{HOME}/?_r=1"


def test_every_page_switch_is_tested_here_or_with_the_proof_of_work() -> None:
    """A new one needs its test."""
    here = {"page-login", "page-without-data", "page-other-item", "embed-empty", "short-home"}

    assert set(PAGES) == {*PAGE_MARKS, *here, "waf-one-cookie", "waf-again"}


@pytest.mark.parametrize("name", sorted(LIES))
def test_lies_change_the_second_page(visitor: Any, faults: Faults, name: str) -> None:
    """Lists lie as Douyin's do."""
    wish = {"secUid": sec_uid(TIKTOK.ACCOUNTS[200]), "count": 16}
    first = visitor.get("post/item_list", **wish, cursor=0)
    honest = visitor.get("post/item_list", **wish, cursor=first["cursor"])
    faults.set(name)
    lie = visitor.get("post/item_list", **wish, cursor=first["cursor"])

    told = [(page.get("itemList", "no key"), page.get("cursor"), page["hasMore"]) for page in (honest, lie)]
    assert _words(told[0]) != _words(told[1]) or name == "list-has-more-forever"


def _words(page: tuple[Any, ...]) -> Any:
    """Ids and keys of the entries; addresses differ with every answer."""
    entries, *rest = page
    return [[(item["id"], sorted(item)) for item in entries] if isinstance(entries, list) else entries, *rest]


def test_a_disliked_device_gets_the_first_page_for_ever(visitor: Any, faults: Faults) -> None:
    """Until it draws another id."""
    faults.set("device-disliked")
    wish = {"secUid": sec_uid(TIKTOK.ACCOUNTS[200]), "count": 16}
    first = visitor.get("post/item_list", **wish, cursor=0)
    again = visitor.get("post/item_list", **wish, cursor=first["cursor"])
    other = visitor.get("post/item_list", **wish, cursor=first["cursor"], device_id="7250000000000000001")

    assert ids([again]) == ids([first])
    assert again["hasMore"] is True
    assert not set(ids([other])) & set(ids([first]))
