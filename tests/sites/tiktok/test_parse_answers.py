"""Answers told apart before a post is read: found, withheld, refused, empty; lists, pages and embeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.errors import (
    Banned,
    Deleted,
    DyvineError,
    InReview,
    LoginNeeded,
    NotFound,
    NotInRegion,
    Private,
    RateLimited,
    Refused,
    RiskControl,
    SignatureRejected,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer
from dyvine_cli.models import Author, Mix, Post, Ref
from dyvine_cli.sites.tiktok import parse, refusals

POST = Ref("tiktok", "post", "7600000000000000001")
USER = Ref("tiktok", "user", "mira.holm")
CHALLENGE = '<p>Please wait...</p><script>{"slardarClient": "SlardarWAF"}</script>'

Raw = dict[str, Any]
Load = Callable[[str], Any]


@pytest.fixture
def load(data: Path) -> Load:
    """An answer of ours by its name, fresh each time."""
    return lambda name: json.loads((data / "tiktok" / f"{name}.json").read_text("utf-8"))


def html(state: object, id: str = "__UNIVERSAL_DATA_FOR_REHYDRATION__") -> str:
    """A page with data, slashes written as TikTok writes them."""
    text = json.dumps(state, ensure_ascii=False).replace("/", "\\u002F")
    return f'<html><script type="application/json" id="{id}">{text}</script><script>captcha</script></html>'


def page(**scopes: object) -> str:
    """A page with these scopes; `_` stands for `-` and the name begins with `webapp.`."""
    return html(
        {"__DEFAULT_SCOPE__": {f"webapp.{name.replace('_', '-')}": each for name, each in scopes.items()}}
    )


def answer(
    body: str | bytes = "", status: int = 200, url: str = "https://www.tiktok.com/api/", **headers: str
) -> Answer:
    """An answer as it comes; `_` in header names stands for `-`, but in `tt_orcas_res`."""
    named = {
        name if name == "tt_orcas_res" else name.replace("_", "-"): each for name, each in headers.items()
    }
    raw = body.encode() if isinstance(body, str) else body
    return Answer(status=status, headers=named, body=raw, url=url)


def detail(load: Load, kind: str = "video") -> Raw:
    """The scope of a post."""
    found: Raw = load(f"page_{kind}")["__DEFAULT_SCOPE__"]["webapp.video-detail"]
    return found


# -- status codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said", "login", "error"),
    [
        (10204, "item doesn't exist", False, NotFound),
        (10204, "status_deleted", False, Deleted),
        (10204, "item_privacy_authorization&status_deleted", False, Deleted),
        (10204, "status_self_see", False, Private),
        (10204, "status_friend_see", False, Private),
        (10204, "status_reviewing", False, InReview),
        (10204, "status_audit_not_pass", False, InReview),
        (10204, "content_classification", False, LoginNeeded),
        (10204, "cross_border_violation_ur", False, NotInRegion),
        (10204, "copyright_geo_filter", False, NotInRegion),
        (10204, "person_geo_fencing", False, NotInRegion),
        (10215, "", False, Private),
        (10216, "", False, Private),
        (10217, "", False, InReview),
        (10221, "user banned", False, Banned),
        (10222, "", False, Private),
        (10223, "", False, LoginNeeded),
        (10225, "", False, LoginNeeded),
        (10225, "", True, LoginNeeded),
        (10231, "", False, NotInRegion),
        (10201, "", False, NotFound),
        (10202, "", False, NotFound),
        (100002, "", False, NotFound),
        (-1, "", False, RiskControl),
        (5, "", False, UnexpectedResponse),
        (10000, "", False, RiskControl),
        (10110, "", False, RiskControl),
        (10101, "SysErrPanic", False, Refused),
        (31337, "something new", False, UnexpectedResponse),
    ],
)
@pytest.mark.parametrize("shape", ["camel", "snake", "text"])
def test_every_status_has_its_error(
    code: int, said: str, login: bool, error: type[DyvineError], shape: str
) -> None:
    """Camel and snake case, numbers and digits; the platform's word decides before the code."""
    names = {
        "camel": {"statusCode": code, "statusMsg": said},
        "snake": {"statusCode": 0, "status_code": code, "status_msg": said},
        "text": {"statusCode": str(code), "statusMsg": said},
    }

    with pytest.raises(error, match=said or None) as caught:
        parse.classify_detail({"itemInfo": {}, **names[shape]}, POST, login=login)
    assert type(caught.value) is error
    assert caught.value.ref == POST  # type: ignore[attr-defined]


def test_an_unknown_code_is_named() -> None:
    """So that it can be reported."""
    with pytest.raises(UnexpectedResponse, match=r"unavailable \(code 31337: something new\)"):
        parse.classify_detail({"statusCode": 31337, "statusMsg": "something new"}, POST)


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ({"statusCode": 0}, RiskControl),
        ({"statusCode": 0, "itemInfo": {}}, RiskControl),
        ({"statusCode": 0, "itemInfo": {"itemStruct": {}}}, RiskControl),
        ({"statusCode": 0, "itemInfo": {"itemStruct": {"id": "1"}}}, UnexpectedResponse),
        ({"statusCode": 0, "itemInfo": {"itemStruct": {"desc": "x"}}}, UnexpectedResponse),
        ({"statusCode": "x"}, UnexpectedResponse),
        ([], UnexpectedResponse),
        (None, UnexpectedResponse),
    ],
    ids=["alone", "no item", "empty item", "another post", "no id", "no number", "list", "nothing"],
)
def test_a_success_without_the_post_is_an_error(found: object, error: type[DyvineError]) -> None:
    """No content is a refusal; another post is never saved under the wanted id."""
    with pytest.raises(error) as caught:
        parse.classify_detail(found, POST)
    assert type(caught.value) is error


# -- answers as they come ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "endpoint", "error"),
    [
        (answer(tt_orcas_res="1"), "list", SignatureRejected),
        (answer(b"\n", tt_orcas_res="1"), "list", SignatureRejected),
        (answer(), "list", RiskControl),
        (answer(), "search", LoginNeeded),
        (answer(tt_orcas_res="1"), "search", SignatureRejected),
        (answer(CHALLENGE), "list", RiskControl),
        (answer("<html>"), "list", UnexpectedResponse),
        (answer("[]"), "list", UnexpectedResponse),
        (answer('{"verify_ticket": "x"}'), "list", RiskControl),
        (answer("{}", bdturing_verify="x"), "list", RiskControl),
        (answer('{"statusCode": 10000}'), "list", RiskControl),
        (answer('{"statusCode": 10222}'), "list", Private),
        (answer(status=403), "list", RiskControl),
        (answer(status=404), "list", UnexpectedResponse),
        (answer(status=429), "list", RateLimited),
        (answer(status=444), "list", RateLimited),
        (answer(status=503), "list", Refused),
    ],
    ids=[
        "zero bytes", "blank", "empty unmarked", "empty search", "search refused", "proof of work", "page", "list",
        "ticket", "header", "envelope", "private", "403", "404", "429", "444", "503",
    ],
)  # fmt: skip
def test_a_refused_call_is_an_error_before_a_field_is_read(
    came: Answer, endpoint: str, error: type[DyvineError]
) -> None:
    """A zero-byte success is never "no posts"."""
    with pytest.raises(error) as caught:
        refusals.judge_api(came, endpoint=endpoint, ref=USER)
    assert type(caught.value) is error
    assert caught.value.ref == USER  # type: ignore[attr-defined]


@pytest.mark.parametrize(("headers", "wait"), [({}, 300), ({"retry_after": "7"}, 7)], ids=["unsaid", "said"])
def test_too_many_requests_wait_as_long_as_they_are_told(headers: dict[str, str], wait: float) -> None:
    """Five minutes where the server does not say."""
    with pytest.raises(RateLimited) as caught:
        refusals.judge_api(answer(status=429, **headers), endpoint="list")
    assert caught.value.retry_after == wait


def test_what_a_refused_list_says_helps() -> None:
    """Login, a browser's TLS, another network."""
    with pytest.raises(SignatureRejected) as caught:
        refusals.judge_api(answer(tt_orcas_res="1"), endpoint="list")

    assert all(
        word in (caught.value.hint or "") for word in ("dyvine login add", "another network", "waiting")
    )


def test_a_private_accounts_code_is_none_for_its_followers(load: Load) -> None:
    """10222 with posts is an answer."""
    found = refusals.judge_api(
        answer(json.dumps({**load("posts_page"), "statusCode": 10222})), endpoint="list", ref=USER
    )

    assert len(parse.posts_page(found, ref=USER).items) == 2


# -- pages -------------------------------------------------------------------------------------------------------------


def test_a_posts_page_is_read(load: Load) -> None:
    """The script is found by its id, whatever its other attributes; `captcha` on a good page is no captcha."""
    text = html(load("page_video"))
    refusals.judge_page(answer(text), endpoint="page")

    assert parse.item_of_page(text, POST) == detail(load)["itemInfo"]["itemStruct"]
    assert parse.app_context(text)["wid"] == "7515000000000000001"
    assert parse.canonical(text) == "https://www.tiktok.com/@mira.holm/video/7600000000000000001"


def test_the_phones_page_is_read(load: Load) -> None:
    """Mobile agents get the same in another scope."""
    text = html({"__DEFAULT_SCOPE__": {"webapp.reflow.video.detail": detail(load)}})

    assert parse.item_of_page(text, POST)["id"] == POST.id


def test_a_missing_author_is_named_by_the_pages_address(load: Load) -> None:
    """Some old posts have none (7212008840433274118)."""
    state = load("page_video")
    del state["__DEFAULT_SCOPE__"]["webapp.video-detail"]["itemInfo"]["itemStruct"]["author"]

    assert parse.post(parse.item_of_page(html(state), POST)).author.handle == "mira.holm"


def test_the_older_container_is_read(load: Load) -> None:
    """Its author is a handle, the account stands beside; a live page's state has no post."""
    item = {**detail(load)["itemInfo"]["itemStruct"]}
    account = item["author"]
    item["author"] = "mira.holm"
    state = {"ItemModule": {POST.id: item}, "UserModule": {"users": {"mira.holm": account}}}
    found = parse.item_of_page(html(state, "SIGI_STATE"), POST)

    assert parse.post(found).author.id == account["secUid"]
    with pytest.raises(RiskControl):
        parse.item_of_page(html({"LiveRoom": {}}, "SIGI_STATE"), POST)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (CHALLENGE, RiskControl),
        ("<div id='captcha-init'></div>", RiskControl),
        ("We regret to inform you that we have discontinued operating TikTok in Hong Kong.", NotInRegion),
        ("<title>Site Under Maintenance</title>", RiskControl),
        ('<html data-source="downgrade-mssdk-preload"></html>', RiskControl),
        ("<html></html>", RiskControl),
        ("", RiskControl),
        (page(app_context={"wid": "1"}), RiskControl),
        (page(video_detail={"statusCode": 10204, "statusMsg": "item doesn't exist", "itemInfo": {}}), NotFound),
        (page(video_detail={"statusCode": 10231}), NotInRegion),
        (page(video_detail=[1]), UnexpectedResponse),
        (html({"x": 1}), UnexpectedResponse),
        (html([]), UnexpectedResponse),
        ('<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{</script>', UnexpectedResponse),
    ],
    ids=[
        "proof of work", "captcha", "no service", "maintenance", "shell", "unknown", "empty", "no detail", "gone",
        "region", "odd detail", "no scopes", "list", "no json",
    ],
)  # fmt: skip
def test_a_page_without_the_post_says_what_it_is(text: str, error: type[DyvineError]) -> None:
    """Every page that comes instead has its error, and a hint where something helps."""
    with pytest.raises(error) as caught:
        parse.item_of_page(text, POST)
    assert type(caught.value) is error
    assert caught.value.hint


@pytest.mark.parametrize(
    ("came", "error"),
    [
        (answer(status=302, location="https://www.tiktok.com/login?redirect_url=x"), LoginNeeded),
        (answer("<html>", url="https://www.tiktok.com/login/phone-or-email"), LoginNeeded),
        (answer("x" * 600, x_tt_system_error="3"), RiskControl),
        (answer(CHALLENGE), RiskControl),
        (answer(status=403), RiskControl),
    ],
    ids=["redirect", "login page", "system error", "proof of work", "403"],
)
def test_a_page_that_is_refused_is_an_error(came: Answer, error: type[DyvineError]) -> None:
    """Before its data is looked for."""
    with pytest.raises(error):
        refusals.judge_page(came, endpoint="page", ref=POST)


@pytest.mark.parametrize(
    "words",
    [
        "we have discontinued operating TikTok",
        "Please wait... SlardarWAF",
        "captcha-init",
        "<title>Site Under Maintenance",
        'data-source="downgrade-mssdk-preload"',
    ],
)
def test_a_caption_that_quotes_a_refusal_is_none(load: Load, words: str) -> None:
    """A page with data is believed, whatever its author wrote; so is an embed page."""
    state = load("page_video")
    state["__DEFAULT_SCOPE__"]["webapp.video-detail"]["itemInfo"]["itemStruct"]["desc"] = words
    for came in (html(state), html({"source": {"data": words}}, "__FRONTITY_CONNECT_STATE__")):
        refusals.judge_page(answer(came + "x" * 50_000), endpoint="page", ref=POST)


def test_the_shell_without_data_is_told_from_a_page(load: Load) -> None:
    """After it the same request works; the mark may stand on a good page."""
    mark = '<div data-source="downgrade-mssdk-preload"></div>'

    assert refusals.is_shell(mark)
    assert not refusals.is_shell(mark + html(load("page_video")))


@pytest.mark.parametrize(
    "text", ["", "<html>", html([]), html({"__DEFAULT_SCOPE__": 5}), page(app_context=[])]
)
def test_a_page_may_say_nothing_of_its_visitor(text: str) -> None:
    """Then there is nothing to learn; no error."""
    assert parse.app_context(text) == {}
    assert parse.canonical(text) == ""


@pytest.mark.parametrize("said", ["javascript:alert(1)", "https://a b/", 5, None])
def test_a_canonical_address_is_a_web_address(said: object) -> None:
    """It is asked for next, so nothing else is one."""
    assert parse.canonical(html({"__DEFAULT_SCOPE__": {"seo.abtest": {"canonical": said}}})) == ""


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_a_profile_page_is_read(load: Load) -> None:
    """The page and the API answer in one shape."""
    state = load("page_user")
    scope = state["__DEFAULT_SCOPE__"]["webapp.user-detail"]

    assert parse.user_of_page(html(state), USER) == parse.user_of(scope, USER)
    assert parse.user_of(scope, USER).declared == 63


@pytest.mark.parametrize(
    ("scope", "error"),
    [
        ({"statusCode": 10221, "statusMsg": "user banned"}, Banned),
        ({"statusCode": 10222, "userInfo": {}}, Private),
        ({"statusCode": 10202}, NotFound),
        ({"statusCode": -1, "userInfo": {}}, RiskControl),
        ({"statusCode": 0, "userInfo": {}}, RiskControl),
        ({"statusCode": 0, "userInfo": {"user": {}}}, RiskControl),
        ({"statusCode": 0, "userInfo": {"user": {"uniqueId": "x"}}}, UnexpectedResponse),
        (None, RiskControl),
    ],
    ids=["banned", "private", "unknown", "refused", "empty", "no user", "no stable id", "no scope"],
)
def test_a_profile_without_an_account_says_why(scope: object, error: type[DyvineError]) -> None:
    """Banned and never there look alike on TikTok."""
    with pytest.raises(error) as caught:
        parse.user_of_page(page(user_detail=scope), USER)
    assert type(caught.value) is error


def test_a_private_account_that_is_named_is_a_user(load: Load) -> None:
    """Its state says so; that is no error."""
    scope = load("page_user")["__DEFAULT_SCOPE__"]["webapp.user-detail"]
    scope["statusCode"] = 10222
    scope["userInfo"]["user"]["privateAccount"] = True

    assert parse.user_of(scope, USER).state == "private"


# -- lists -------------------------------------------------------------------------------------------------------------


def test_a_page_of_posts_is_read(load: Load) -> None:
    """The cursor is handed on as it came; pinned posts say so."""
    found = parse.posts_page(load("posts_page"), ref=USER)
    posts = [each for each in found.items if isinstance(each, Post)]

    assert [(each.ref.id[-1], each.kind, each.pinned) for each in posts] == [
        ("1", "video", True),
        ("2", "images", False),
    ]
    assert (found.next, found.cut, found.hidden, found.skipped, found.unreadable) == (
        "1769529296000", None, 0, 0, (),
    )  # fmt: skip
    assert "tk=tt_chain_token" in posts[0].assets[0].renditions[0].mirrors[0]


@pytest.mark.parametrize(
    ("fields", "next"),
    [
        ({"hasMore": False}, None),
        ({"hasMore": True, "cursor": 40}, "40"),
        ({"hasMore": True, "cursor": "0"}, "0"),
        ({"hasMore": 1, "cursor": "x:y"}, "x:y"),
    ],
    ids=["end", "number", "zero", "opaque"],
)
def test_the_cursor_is_text_and_nothing_is_computed_with_it(
    load: Load, fields: Raw, next: str | None
) -> None:
    """Numbers become text; at the end there is none."""
    assert parse.posts_page({**load("posts_page"), **fields}, ref=USER).next == next


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ({"statusCode": 0}, RiskControl),
        ({"hasMore": True, "cursor": "1"}, SignatureRejected),
        ({"hasMore": True, "itemList": None}, SignatureRejected),
        ({"itemList": []}, UnexpectedResponse),
        ({"itemList": [], "hasMore": True}, UnexpectedResponse),
        ({"itemList": {"a": 1}, "hasMore": False}, UnexpectedResponse),
        ({"itemList": [{"id": "1", "video": {"id": "1"}}], "hasMore": False}, UnexpectedResponse),
        ({"statusCode": 10222, "itemList": []}, Private),
    ],
    ids=["nothing", "promise", "null", "no end", "no cursor", "no list", "unreadable", "private"],
)
def test_an_answer_that_is_no_page_is_an_error(found: object, error: type[DyvineError]) -> None:
    """Never an empty page."""
    with pytest.raises(error) as caught:
        parse.posts_page(found, ref=USER, what="posts")
    assert type(caught.value) is error


def test_a_list_that_is_missing_where_none_is_promised_is_empty() -> None:
    """Reported: an account without posts."""
    found = parse.posts_page({"statusCode": 0, "hasMore": False, "cursor": "0"}, ref=USER)

    assert (found.items, found.next) == ((), None)


def test_entries_that_are_no_posts_are_counted(load: Load) -> None:
    """Taken down, without content, a stranger's advertisement, one that cannot be read."""
    raw = load("posts_page")
    first = raw["itemList"][0]
    raw["itemList"] += [
        {**first, "id": "3", "takeDown": 1},
        {"id": "4", "desc": "gone"},
        {**first, "id": "5", "isAd": True, "author": {"secUid": "MS4w-other", "uniqueId": "shop"}},
        {**first, "id": "6", "isAd": True},
        {**first, "id": "7", "createTime": "soon"},
    ]
    found = parse.posts_page(raw, ref=USER)

    assert [each.ref.id[-1] for each in found.items] == ["1", "2", "6"]
    assert (found.hidden, found.skipped) == (2, 1)
    assert [(type(each), each.ref.id) for each in found.unreadable] == [(UnexpectedResponse, "7")]  # type: ignore[attr-defined]


def test_a_private_post_is_listed_to_the_one_who_is_given_it(load: Load) -> None:
    """Its author gets the pictures; to others it is hidden."""
    raw = load("posts_page")
    raw["itemList"][1]["privateItem"] = True
    shown = parse.posts_page(raw, ref=USER)
    raw["itemList"][1]["imagePost"]["images"] = []
    hidden = parse.posts_page(raw, ref=USER)

    assert (len(shown.items), shown.hidden) == (2, 0)
    assert (len(hidden.items), hidden.hidden) == (1, 1)


def test_others_advertisements_are_posts_of_other_lists(load: Load) -> None:
    """What somebody liked may be an advertisement."""
    raw = load("posts_page")
    raw["itemList"][0].update({"isAd": True, "author": {"secUid": "MS4w-other"}})

    assert len(parse.posts_page(raw, ref=Ref("tiktok", "user", "mira.holm", "likes")).items) == 2
    assert len(parse.posts_page(raw, ref=Ref("tiktok", "collection", "77")).items) == 2


def test_the_same_page_again_is_noticed(load: Load) -> None:
    """So TikTok answers a device id it dislikes; a page with one new post is none, nor is an empty one."""
    found = parse.posts_page(load("posts_page"), ref=USER)
    ids = {each.ref.id for each in found.items}
    empty = parse.posts_page({"itemList": [], "hasMore": False}, ref=USER)

    assert parse.is_repeated(found, ids)
    assert not parse.is_repeated(found, {POST.id})
    assert not parse.is_repeated(empty, ids)


def test_a_page_of_playlists_is_read(load: Load) -> None:
    """Title, count and creator of each."""
    found = parse.mixes_page(load("playlists_page"), ref=USER)
    mix = found.items[0]

    assert isinstance(mix, Mix)
    assert (str(mix.ref), mix.title, mix.declared) == ("tiktok:mix:7700000000000000077", "River walks", 24)
    assert mix.author is not None
    assert mix.author.handle == "mira.holm"
    assert found.next is None
    with pytest.raises(SignatureRejected):
        parse.mixes_page({"hasMore": True}, ref=USER)


@pytest.mark.parametrize(
    ("found", "error"), [({"mixInfo": {}}, NotFound), ({}, RiskControl), ({"statusCode": 10204}, NotFound)]
)
def test_a_playlist_that_is_not_there_is_an_error(found: Raw, error: type[DyvineError]) -> None:
    """An empty place means that there is none, no place a refusal."""
    with pytest.raises(error):
        parse.mix_of(found, Ref("tiktok", "mix", "77"))


# -- embeds ------------------------------------------------------------------------------------------------------------

EMBED = "__FRONTITY_CONNECT_STATE__"


def node(state: Raw) -> Raw:
    """What an embed page says of its account."""
    found: Raw = state["source"]["data"]["/embed/@mira.holm"]
    return found


def test_an_embed_shows_the_newest_posts(load: Load) -> None:
    """One encoding each, the date from the id, and `cut`, because the others are not spoken of."""
    found = parse.embed_page(html(load("embed_user"), EMBED), USER)
    video, photo = (each for each in found.items if isinstance(each, Post))
    rendition = video.assets[0].renditions[0]

    assert (found.next, found.cut) == (None, "TikTok's embed page shows only the newest posts")
    assert video.created == datetime.fromtimestamp(int(POST.id) >> 32, UTC)
    assert (video.author.id, video.author.handle) == ("6800000000000000001", "mira.holm")
    assert (rendition.label, rendition.width, rendition.size, rendition.mirror_headers) == (
        "embed",
        720,
        None,
        {},
    )
    assert rendition.expires == datetime.fromtimestamp(0x6AB53C54, UTC)
    assert video.statistics.plays == 61400
    assert (photo.kind, [each.id for each in photo.assets]) == ("images", ["cover"])
    with pytest.raises(NotFound, match="no media"):
        parse.ensure_available(photo)


def test_an_embeds_posts_get_the_author_who_is_known(load: Load) -> None:
    """The page has no stable id; who asked after the profile knows it."""
    author = Author(id="MS4w", uid="6800000000000000001", handle="mira.holm", nickname="Mira Holm 🌿")
    found = parse.embed_page(html(load("embed_user"), EMBED), USER, author=author)

    assert {each.author for each in found.items} == {author}


@pytest.mark.parametrize(
    ("owner", "videos", "error"),
    [
        ({"customErrorCode": 10221, "code": 404}, [], Banned),
        ({"customErrorCode": 10222}, [], Private),
        ({"code": 500}, [], RiskControl),
        ({"code": 200, "privateAccount": True}, [], Private),
        (None, [], RiskControl),
    ],
    ids=["banned", "private by code", "trouble", "private", "nobody"],
)
def test_an_embed_without_an_account_says_why(
    load: Load, owner: Raw | None, videos: list[Any], error: type[DyvineError]
) -> None:
    """Its own codes mean what they mean elsewhere."""
    state = load("embed_user")
    node(state).update({"userInfo": owner, "videoList": videos})

    with pytest.raises(error):
        parse.embed_page(html(state, EMBED), USER)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (CHALLENGE, RiskControl),
        ("<html></html>", RiskControl),
        (html({"source": {"data": {"/": {"x": 1}, "y": 5}}}, EMBED), UnexpectedResponse),
        (html({"source": {}}, EMBED), UnexpectedResponse),
    ],
    ids=["proof of work", "no state", "no account", "no data"],
)
def test_an_embed_page_without_its_state_says_what_it_is(text: str, error: type[DyvineError]) -> None:
    """Like any other page."""
    with pytest.raises(error):
        parse.embed_page(text, USER)


def test_an_embedded_post_without_a_time_in_its_id_is_unreadable(load: Load) -> None:
    """The others are still listed."""
    state = load("embed_user")
    node(state)["videoList"][0]["id"] = "abc"
    found = parse.embed_page(html(state, EMBED), USER)

    assert [each.ref.id[-1] for each in found.items] == ["2"]
    assert "holds no time" in str(found.unreadable[0])
