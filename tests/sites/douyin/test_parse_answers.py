"""Answers told apart before a post is read: found, withheld, refused, empty; pages of listings; data inside pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dyvine_cli.errors import (
    Deleted,
    DyvineError,
    InReview,
    LoginExpired,
    LoginNeeded,
    NotFound,
    NotInRegion,
    NotLive,
    Private,
    RateLimited,
    RiskControl,
    SignatureRejected,
    UnexpectedResponse,
)
from dyvine_cli.models import Mix, Post, Ref
from dyvine_cli.sites.douyin import parse

SEC_UID = "MS4wLjABAAAAinvented-Lin_Xiaohe0000000000000000000000000000001"
POST = Ref("douyin", "post", "7400000000000000001")
USER = Ref("douyin", "user", SEC_UID)
MIX = Ref("douyin", "mix", "7380000000000000077")

Raw = dict[str, Any]
Load = Callable[[str], Raw]


@pytest.fixture
def load(data: Path) -> Load:
    """An answer of ours by its name, fresh each time."""
    return lambda name: json.loads((data / "douyin" / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def aweme(load: Load) -> Load:
    """The raw post of a kind."""
    return lambda kind: load(f"detail_{kind}")["aweme_detail"]


# -- one post ----------------------------------------------------------------------------------------------------------


def test_a_found_post_is_handed_on(load: Load) -> None:
    """The raw post of a good detail answer, as it stands there."""
    answer = load("detail_video")

    assert parse.classify_detail(answer, POST) is answer["aweme_detail"]


def test_another_post_than_asked_for_is_refused(load: Load) -> None:
    """An answer about another id is never saved under the wanted one."""
    with pytest.raises(UnexpectedResponse, match="aweme_id"):
        parse.classify_detail(load("detail_images"), POST)


def test_a_repost_is_known_by_its_group(load: Load) -> None:
    """The wanted id may stand in `group_id`."""
    answer = load("detail_images")
    answer["aweme_detail"]["group_id"] = POST.id

    assert parse.classify_detail(answer, POST)["aweme_id"] == "7400000000000000002"


def test_a_deleted_post_is_deleted_before_its_fields_are_read() -> None:
    """What is left of a deleted post lacks most fields."""
    answer = {"status_code": 0, "aweme_detail": {"aweme_id": POST.id, "status": {"is_delete": True}}}

    with pytest.raises(Deleted):
        parse.classify_detail(answer, POST)


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("core_dep", NotFound),
        ("SYSTEM_ITEM_NOT_EXIST", NotFound),
        ("status_deleted", Deleted),
        ("status_self_see", Private),
        ("status_part_see", Private),
        ("status_reviewing", InReview),
        ("status_audit_not_pass", InReview),
        ("images_base", UnexpectedResponse),
        ("copyright_foreign", NotInRegion),
        ("music_deleted_video", NotInRegion),
        ("something_new", NotFound),
        ("", NotFound),
    ],
)
def test_every_filter_reason_has_its_error(reason: str, error: type[DyvineError]) -> None:
    """The reason and the platform's sentence stand in the message; an unknown reason is named."""
    refusal = {
        "aweme_id": POST.id,
        "filter_reason": reason,
        "detail_msg": "作品不见了",
        "notice": "",
        "icon": "",
    }

    with pytest.raises(error, match="作品不见了") as caught:
        parse.classify_detail({"aweme_detail": None, "filter_detail": refusal, "status_code": 0}, POST)
    assert type(caught.value) is error
    assert caught.value.ref == POST  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "login", "error"),
    [
        ({"status_code": 0}, False, RiskControl),
        ({"status_code": 0, "aweme_detail": None}, False, RiskControl),
        ({"status_code": 2}, False, NotFound),
        ({"status_code": 4}, False, RateLimited),
        ({"status_code": 8, "status_msg": "用户未登录"}, False, LoginNeeded),
        ({"status_code": 8}, True, LoginExpired),
        ({"status_code": 2053}, False, NotFound),
        ({"status_code": 2065}, False, NotFound),
        ({"status_code": 2096}, False, Private),
        ({"status_code": 2154}, False, RiskControl),
        ({"status_code": 2156}, False, RiskControl),
        ({"status_code": 2483}, False, LoginNeeded),
        ({"status_code": 10000}, False, RiskControl),
        ({"status_code": 10001}, False, RiskControl),
        ({"status_code": 10011}, False, RateLimited),
        ({"status_code": 4001038}, False, NotLive),
        ({"status_code": 31337, "status_msg": "?"}, False, UnexpectedResponse),
        ({"status_code": "x"}, False, UnexpectedResponse),
        ({"status_code": 0, "verify_ticket": "abc"}, False, RiskControl),
        ({"status_code": 0, "verify_center_decision_conf": "{}"}, False, RiskControl),
        ([], False, UnexpectedResponse),
        (None, False, UnexpectedResponse),
    ],
    ids=[
        "alone",
        "null",
        "2",
        "4",
        "8",
        "8 with login",
        "2053",
        "2065",
        "2096",
        "2154",
        "2156",
        "2483",
        "10000",
        "10001",
        "10011",
        "4001038",
        "unknown",
        "no number",
        "ticket",
        "decision",
        "list",
        "nothing",
    ],
)
def test_every_status_has_its_error(answer: object, login: bool, error: type[DyvineError]) -> None:
    """A refusal is one before a field is touched, and code 8 with a login means that the login is dead."""
    with pytest.raises(error) as caught:
        parse.classify_detail(answer, POST, login=login)
    assert type(caught.value) is error


def test_a_captcha_says_what_to_do() -> None:
    """The cure is a browser and a new import of its cookies."""
    with pytest.raises(RiskControl) as caught:
        parse.classify_detail({"status_code": 2154}, POST)
    assert "dyvine login add" in (caught.value.hint or "")


# -- other routes of one post ------------------------------------------------------------------------------------------


def test_a_batch_answer_gives_posts_by_id(aweme: Load) -> None:
    """Ids that are not there are absent; for one post that is NotFound, or the reason of the filter list."""
    answer = {"aweme_details": [aweme("video"), aweme("images")], "filter_list": None, "status_code": 0}

    assert set(parse.batch(answer)) == {"7400000000000000001", "7400000000000000002"}
    assert parse.of_batch(answer, POST)["aweme_id"] == POST.id
    with pytest.raises(NotFound):
        parse.of_batch({"aweme_details": [], "filter_list": [], "status_code": 0}, POST)
    refused = [{"aweme_id": POST.id, "filter_reason": "status_self_see"}]
    with pytest.raises(Private):
        parse.of_batch({"aweme_details": [], "filter_list": refused, "status_code": 0}, POST)
    with pytest.raises(RiskControl):
        parse.of_batch({"status_code": 0}, POST)


def test_the_app_feed_is_searched_for_the_wanted_post(aweme: Load) -> None:
    """The feed answers other posts when it does not hold the wanted one; those are never taken."""
    answer = {"aweme_list": [aweme("images"), aweme("video")], "status_code": 0}

    assert parse.of_feed(answer, POST)["aweme_id"] == POST.id
    with pytest.raises(UnexpectedResponse, match="does not hold"):
        parse.of_feed({"aweme_list": [aweme("images")], "status_code": 0}, POST)


def test_the_share_pages_list_gives_the_post_or_the_reason(load: Load) -> None:
    """`filter_list` says why a post is gone; neither list is an empty shell."""
    assert parse.of_items(load("share_items"), POST)["aweme_id"] == POST.id
    with pytest.raises(NotFound):
        parse.of_items({"item_list": [], "filter_list": [{"filter_reason": "SYSTEM_ITEM_NOT_EXIST"}]}, POST)
    with pytest.raises(RiskControl):
        parse.of_items({"item_list": [], "filter_list": []}, POST)


def test_the_router_data_of_a_share_page_is_read(load: Load) -> None:
    """The post stands under the page's own key; a shell without it is risk control."""
    loader = {"loaderData": {"video_layout": None, "video_(id)/page": {"videoInfoRes": load("share_items")}}}
    html = f"<html><script>window._ROUTER_DATA = {json.dumps(loader)}</script></html>"

    assert parse.router_data(html, POST)["aweme_id"] == POST.id
    for shell in (
        "<html></html>",
        '<script>window._ROUTER_DATA = {"loaderData":{"video_(id)/page":{}}}</script>',
    ):
        with pytest.raises(RiskControl):
            parse.router_data(shell, POST)
    with pytest.raises(UnexpectedResponse, match="_ROUTER_DATA"):
        parse.router_data("window._ROUTER_DATA = {oops", POST)


def pages(detail: Raw) -> dict[str, str]:
    """The page's post in each of its three containers."""
    plain = json.dumps({"app": {"videoDetail": detail}}, ensure_ascii=False)
    chunk = json.dumps(f'c:["$",{{"videoDetail":{json.dumps(detail, ensure_ascii=False)}}}]')
    half = len(chunk) // 2
    while chunk[half - 1] == "\\" or "\\u" in chunk[half - 6 : half]:
        half += 1
    return {
        "render data": f'<script id="RENDER_DATA" type="application/json">{quote(plain)}</script>',
        "universal": f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{plain}</script>',
        "stream": f'<script>self.__pace_f.push([1,{chunk[:half]}"])</script>'
        f'<script>self.__pace_f.push([1,"{chunk[half:]}])</script>',
    }


@pytest.mark.parametrize("container", ["render data", "universal", "stream"])
def test_the_web_pages_data_is_brought_to_the_apis_keys(load: Load, container: str) -> None:
    """All three containers hold the same camel-case post, which parses like any other."""
    post = parse.post(parse.render_data(pages(load("video_detail"))[container], POST), ref=POST)
    ladder = [(each.label, each.size, each.fps) for each in post.assets[0].renditions]

    assert (post.ref, post.author.id, post.author.handle) == (POST, SEC_UID, "lin_xiaohe")
    assert (post.statistics.likes, post.pinned, post.tags[0].id) == (5678, True, "1600000000000001")
    assert ladder == [("normal_1080_0", 4_000_000, 30.0), ("original", None, None)]
    assert post.assets[0].renditions[0].mirrors[0].startswith("https://v3-web.douyinvod.com/")
    assert [each.id for each in post.assets] == ["video", "cover"]


@pytest.mark.parametrize(
    ("html", "error"),
    [
        ("<title>验证码中间页</title>", RiskControl),
        ("<script>byted_acrawler.init()</script>", RiskControl),
        ("<html>hello</html>", UnexpectedResponse),
        (
            '<script id="RENDER_DATA">%7B%22app%22%3A%7B%22videoDetail%22%3A%7Boops</script>',
            UnexpectedResponse,
        ),
        ('<script id="RENDER_DATA">{"app":{"videoDetail":{"awemeId":"1"}}}</script>', UnexpectedResponse),
        ('<script>self.__pace_f.push([1,"\\x"])</script>', UnexpectedResponse),
    ],
    ids=["captcha", "challenge", "another page", "broken", "another post", "broken chunk"],
)
def test_a_page_without_the_post_says_why(html: str, error: type[DyvineError]) -> None:
    """A challenge is risk control, anything else an unexpected answer."""
    with pytest.raises(error):
        parse.render_data(html, POST)


def test_a_gallery_in_a_page_keeps_its_clips(load: Load) -> None:
    """Pictures and their clips are brought to the API's keys, too."""
    detail = load("video_detail")
    video = detail["video"]
    still = "https://p3-sign.douyinpic.com/x.jpeg"
    detail["images"] = [{"urlList": [still], "width": 9, "height": 9, "clipType": 5, "video": video}]
    post = parse.post(parse.render_data(pages(detail)["render data"], POST))

    assert (post.kind, [each.id for each in post.assets][:2]) == ("live_photo", ["picture_01", "clip_01"])


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"awemeType": 163}, "article_info is missing"), ({"video": None}, "no media")],
    ids=["article", "withheld"],
)
def test_a_page_without_the_content_is_no_answer(load: Load, fields: Raw, named: str) -> None:
    """Pages leave out an article's text and a withheld post's media: another route has to be asked."""
    html = pages({**load("video_detail"), **fields})["render data"]

    with pytest.raises(UnexpectedResponse, match=named):
        parse.render_data(html, POST)


# -- accounts, mixes, search -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status_code": 0, "user": None}, NotFound),
        ({"status_code": 0, "user_info": {}}, NotFound),
        ({"status_code": 0}, RiskControl),
        ({"status_code": 2}, NotFound),
        ({"status_code": 0, "user": {"nickname": "x"}}, UnexpectedResponse),
    ],
    ids=["null", "empty", "no place", "invalid id", "no id inside"],
)
def test_a_profile_answer_without_an_account_says_why(answer: Raw, error: type[DyvineError]) -> None:
    """An empty place means no such account, no place at all a refusal."""
    with pytest.raises(error):
        parse.user_of(answer, USER)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"mix_info": None}, NotFound),
        ({"status_code": 0}, RiskControl),
        ({"mix_info": {"desc": "x"}}, UnexpectedResponse),
    ],
    ids=["null", "no place", "no id inside"],
)
def test_a_mix_answer_without_a_mix_says_why(answer: Raw, error: type[DyvineError]) -> None:
    """The same three cases for a mix."""
    with pytest.raises(error):
        parse.mix_of(answer, MIX)


@pytest.mark.parametrize(
    ("nil", "error"),
    [
        ({"search_nil_type": "verify_check"}, RiskControl),
        ({"search_nil_type": "params_check", "search_nil_item": "invalid_app"}, SignatureRejected),
    ],
    ids=["captcha", "signature"],
)
def test_a_refused_search_is_not_an_empty_result(nil: Raw, error: type[DyvineError]) -> None:
    """`search_nil_info` tells a captcha and a missing signature from nothing found."""
    with pytest.raises(error):
        parse.classify_search({"status_code": 0, "data": [], "search_nil_info": nil})


def test_a_search_without_results_is_an_answer() -> None:
    """Nothing found is no error."""
    assert parse.classify_search({"status_code": 0, "data": []}).records("data") == ()


# -- pages of listings -------------------------------------------------------------------------------------------------


@pytest.fixture
def page(aweme: Load) -> Raw:
    """A first page with everything that may stand between posts."""
    bare = {"play_addr": {"uri": "", "url_list": []}, "bit_rate": None}
    pinned = {**aweme("images"), "is_top": 1, "aweme_id": "7300000000000000001", "create_time": 1690000000}
    stranger = {**aweme("video")["author"], "sec_uid": "MS4wLjABAAAAstranger"}
    ad = {**aweme("video"), "is_ads": True, "aweme_id": "7400000000000000090", "author": stranger}
    gone = {**aweme("video"), "aweme_id": "7400000000000000091", "status": {"is_delete": True}, "video": bare}
    private = {
        **aweme("video"),
        "aweme_id": "7400000000000000092",
        "status": {"private_status": 1},
        "video": bare,
    }
    empty = {"aweme_id": "7400000000000000094", "video": None, "images": None}
    card = {
        "aweme_id": "7400000000000000093",
        "aweme_type": 101,
        "cell_room": {"rawdata": "{}"},
        "video": None,
    }
    return {
        "aweme_list": [pinned, aweme("video"), ad, gone, private, empty, card],
        "has_more": 1,
        "max_cursor": 1725000000000,
        "min_cursor": 1730000000000,
        "status_code": 0,
    }


def test_a_page_counts_what_it_does_not_give(page: Raw) -> None:
    """Posts in the platform's order; the removed are hidden, cards and strangers' advertisements skipped."""
    found = parse.posts_page(page, ref=USER)

    assert [each.ref.id for each in found.items] == ["7300000000000000001", "7400000000000000001"]
    assert [isinstance(each, Post) and each.pinned for each in found.items] == [True, False]
    assert (found.hidden, found.skipped, found.unreadable) == (3, 2, ())
    assert (found.next, found.cut) == ("1725000000000", None)


def test_an_own_advertised_post_and_anothers_in_a_liked_list_stay(page: Raw) -> None:
    """Only what is put among an account's own posts is skipped."""
    page["aweme_list"] = [page["aweme_list"][2]]
    likes = Ref("douyin", "user", SEC_UID, "likes")

    assert len(parse.posts_page(page, ref=likes, what="likes").items) == 1
    page["aweme_list"][0]["author"]["sec_uid"] = SEC_UID
    assert len(parse.posts_page(page, ref=USER).items) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"has_more": 0}, None),
        ({"has_more": False, "max_cursor": 5}, None),
        ({"has_more": True, "max_cursor": "opaque=="}, "opaque=="),
        ({"has_more": 1, "max_cursor": 0}, "0"),
        ({"has_more": 1, "max_cursor": 2**62}, str(2**62)),
    ],
    ids=["end", "end by false", "opaque text", "zero", "large"],
)
def test_the_cursor_is_handed_on_as_it_is(page: Raw, fields: Raw, expected: str | None) -> None:
    """A cursor is text; it ends with `has_more`."""
    assert parse.posts_page({**page, **fields}, ref=USER).next == expected


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"aweme_list": [], "max_cursor": None}, "max_cursor"),
        ({"has_more": "perhaps"}, "has_more"),
        ({"aweme_list": {"a": 1}}, "aweme_list"),
        ({"aweme_list": [None]}, r"aweme_list\[0\]"),
    ],
    ids=["no cursor", "odd has_more", "object for list", "null entry"],
)
def test_a_page_of_another_shape_names_the_field(page: Raw, fields: Raw, named: str) -> None:
    """More without a cursor, and lists that are none, are unexpected answers."""
    with pytest.raises(UnexpectedResponse, match=named):
        parse.posts_page({**page, **fields}, ref=USER)


def test_a_page_without_its_cursor_keeps_its_posts(page: Raw) -> None:
    """What is there is given, with the error of what is lost behind it."""
    found = parse.posts_page({**page, "max_cursor": None}, ref=USER)

    assert found.items
    assert found.next is None
    assert isinstance(found.lost, UnexpectedResponse)
    assert "max_cursor" in found.lost.message


def test_a_page_that_does_not_say_whether_there_is_more_is_refused(page: Raw) -> None:
    """A listing never ends by a field that went missing."""
    del page["has_more"]

    with pytest.raises(UnexpectedResponse, match="has_more"):
        parse.posts_page(page, ref=USER)


@pytest.mark.parametrize(
    "answer", [{"status_code": 0}, {"status_code": 0, "aweme_list": None, "has_more": 0}]
)
def test_an_answer_without_the_list_is_no_empty_page(answer: Raw) -> None:
    """That is how a soft block looks."""
    with pytest.raises(RiskControl):
        parse.posts_page(answer, ref=USER)


def test_an_empty_list_is_an_empty_page() -> None:
    """An account without posts has a list without entries."""
    found = parse.posts_page({"status_code": 0, "aweme_list": [], "has_more": 0, "max_cursor": 0}, ref=USER)

    assert (found.items, found.next) == ((), None)


def test_the_guests_wall_is_a_cut(page: Raw) -> None:
    """`not_login_module` says that guests see no more."""
    page["not_login_module"] = {"guide_login_tip_exist": True}
    page["has_more"] = 0

    assert parse.posts_page(page, ref=USER).cut == "Douyin shows guests only the newest posts"


def test_one_unreadable_post_does_not_hide_the_others(page: Raw) -> None:
    """The page gives the readable posts and the error of the other one, with its ref."""
    page["aweme_list"][1]["create_time"] = "soon"
    found = parse.posts_page(page, ref=USER)

    assert len(found.items) == 1
    assert [str(error.ref) for error in found.unreadable] == ["douyin:post:7400000000000000001"]  # type: ignore[attr-defined]
    assert "create_time" in str(found.unreadable[0])


def test_a_page_of_unreadable_posts_is_an_unexpected_answer(page: Raw) -> None:
    """When no post can be read, the platform changed."""
    page["aweme_list"] = page["aweme_list"][:2]
    for entry in page["aweme_list"]:
        entry["create_time"] = "soon"

    with pytest.raises(UnexpectedResponse, match="create_time"):
        parse.posts_page(page, ref=USER)


def test_a_mix_gives_its_posts_their_episodes(aweme: Load) -> None:
    """`item_id_to_episode` is the mix's own count and wins over the one in the post."""
    answer = {
        "aweme_list": [{**aweme("video")}, aweme("images")],
        "cursor": 2,
        "has_more": 1,
        "item_id_to_episode": json.dumps({"7400000000000000002": 7}),
        "status_code": 0,
    }
    found = parse.posts_page(answer, ref=MIX, what="mix")

    assert [isinstance(each, Post) and each.episode for each in found.items] == [3, 7]
    assert found.next == "2"


def test_a_page_of_mixes_is_read(load: Load) -> None:
    """An account's mixes with the cursor for more."""
    found = parse.mixes_page(load("mixes_page"), ref=USER)

    assert [isinstance(each, Mix) and each.title for each in found.items] == ["河边四季"]
    assert found.next == "20"
    with pytest.raises(RiskControl):
        parse.mixes_page({"status_code": 0}, ref=USER)
