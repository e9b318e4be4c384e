"""Douyin's gates and details in small: what a right client gets and how each wrong one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from dyvine_cli.simulator.douyin import SHAPES, Douyin
from dyvine_cli.simulator.douyin_guest import Issuer, login_cookies, login_header
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.world import World

NOW = 1_790_800_000
EMBED = "https://www.douyin.com/aweme/v1/web/aweme/detail/?aid=6383&aweme_id="


def _json(answer: Response) -> Any:
    assert isinstance(answer.body, bytes)
    return json.loads(answer.body)


def _header(answer: Response, name: str) -> str | None:
    return next((value for key, value in answer.headers if key.lower() == name.lower()), None)


def _embedded(browser: Any, id: str, origin: str = "https://open.douyin.com") -> Response:
    answer: Response = browser.request(EMBED + id, headers={"origin": origin})
    return answer


# -- details -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["VIDEO", "IMAGES", "LIVE_PHOTO", "SLIDES", "ARTICLE", "NOTE", "STORY", "CO_AUTHORED"]
)
def test_a_signed_guest_gets_every_kind_of_post(guest: Any, name: str) -> None:
    """The right id comes back with log id and status."""
    found = guest.get("aweme/detail", aweme_id=getattr(World, name))

    assert found["aweme_detail"]["aweme_id"] == getattr(World, name)
    assert found["status_code"] == 0
    assert found["log_pb"]["impr_id"]


def test_the_ladder_tells_true_sizes_and_hashes(guest: Any, douyin: Douyin) -> None:
    """Size and hash of each encoding are those of the file behind its addresses, also in the play address."""
    gears = guest.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]["video"]["bit_rate"]
    media = douyin._posts._media
    post = douyin.world.post(World.VIDEO)
    assert post is not None
    for gear, made in zip(gears, post.gears, strict=True):
        content = media.content(made.codec, made.size, made.seed)

        assert gear["play_addr"]["data_size"] == content.size
        assert gear["play_addr"]["file_hash"] == content.md5
        assert f"sign={content.md5}" in gear["play_addr"]["url_list"][-1]
    assert max(gears, key=lambda gear: gear["play_addr"]["width"]) is not gears[0]


@pytest.mark.parametrize(
    ("flag", "formats"), [("1", {"mp4", "dash"}), ("0", {"mp4"})], ids=["asked for", "not"]
)
def test_encodings_without_sound_come_when_asked_for(guest: Any, flag: str, formats: set[str]) -> None:
    """Only `support_dash=1` brings `format: dash`."""
    found = guest.get("aweme/detail", aweme_id=World.VIDEO, support_dash=flag)

    assert {gear["format"] for gear in found["aweme_detail"]["video"]["bit_rate"]} == formats


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("DELETED", "status_deleted"),
        ("PRIVATE", "status_self_see"),
        ("FRIENDS", "status_part_see"),
        ("IN_REVIEW", "status_reviewing"),
        ("REMOVED", "status_audit_not_pass"),
        ("FOREIGN_RIGHTS", "copyright_foreign"),
        ("MUSIC_DELETED", "music_deleted_video"),
        ("MISSING", "core_dep"),
    ],
)
def test_a_post_that_is_not_shown_says_why(guest: Any, name: str, reason: str) -> None:
    """The detail is null and the filter names the reason."""
    found = guest.get("aweme/detail", aweme_id=getattr(World, name))

    assert found["aweme_detail"] is None
    assert found["filter_detail"]["filter_reason"] == reason
    assert found["filter_detail"]["aweme_id"] == getattr(World, name)


def test_pictures_are_not_there_for_the_other_aid(guest: Any) -> None:
    """`aid=1128` gets `images_base`, 6383 gets the post."""
    refused = _json(
        guest.request(
            EMBED.replace("6383", "1128") + World.OTHER_AID, headers={"origin": "https://open.douyin.com"}
        )
    )

    assert refused["filter_detail"]["filter_reason"] == "images_base"
    assert guest.get("aweme/detail", aweme_id=World.OTHER_AID)["aweme_detail"]["images"]


def test_login_only_post_withholds_its_video_from_guests(guest: Any, member: Any) -> None:
    """Guests see the flag and no address, the login sees both post and addresses."""
    for_guest = guest.get("aweme/detail", aweme_id=World.LOGIN_ONLY)["aweme_detail"]
    for_member = member.get("aweme/detail", aweme_id=World.LOGIN_ONLY)["aweme_detail"]

    assert for_guest["pc_need_login"] is True
    assert for_guest["video"]["bit_rate"] == []
    assert for_guest["video"]["play_addr"]["url_list"] == []
    assert for_member["pc_need_login"] is False
    assert for_member["video"]["bit_rate"]


def test_traits_of_the_named_posts(guest: Any) -> None:
    """Paid, co-authored, muted, AI notice, no ladder, cut note and article text."""

    def detail(id: str) -> Any:
        return guest.get("aweme/detail", aweme_id=id)["aweme_detail"]

    assert detail(World.PAID)["series_paid_info"]["item_price"] > 0
    assert len(detail(World.CO_AUTHORED)["cooperation_info"]["co_creators"]) == 3
    assert detail(World.MUTED)["music"]["play_url"]["url_list"] == []
    assert detail(World.AI_NOTICE)["risk_infos"]["content"]
    assert detail(World.NO_LADDER)["video"]["bit_rate"] is None
    assert detail(World.NO_LADDER)["video"]["play_addr"]["url_list"]
    assert detail(World.NOTE)["desc"].endswith("版本过低，升级后可展示全部信息")
    assert len(json.loads(detail(World.ARTICLE)["article_info"]["article_content"])["markdown"]) > 600
    assert [picture["clip_type"] for picture in detail(World.LIVE_PHOTO)["images"]] == [5, 5, 5, 2, 2, 2, 2]
    assert {picture["clip_type"] for picture in detail(World.SLIDES)["images"]} == {4}


# -- the embed origin --------------------------------------------------------------------------------------------------


def test_embed_origin_needs_neither_cookie_nor_signature(new_browser: Callable[..., Any]) -> None:
    """The answer echoes the origin."""
    answer = _embedded(new_browser(), World.VIDEO)

    assert _json(answer)["aweme_detail"]["aweme_id"] == World.VIDEO
    assert _header(answer, "Access-Control-Allow-Origin") == "https://open.douyin.com"


@pytest.mark.parametrize("origin", ["https://example.org", "https://open.douyin.com.example.org", "null", ""])
def test_other_origins_are_forbidden(new_browser: Callable[..., Any], origin: str) -> None:
    """403 without the post."""
    assert _embedded(new_browser(), World.VIDEO, origin).status == 403


def test_referer_of_the_embed_player_alone_gets_nothing(new_browser: Callable[..., Any]) -> None:
    """200 with zero bytes."""
    answer = new_browser().request(EMBED + World.VIDEO, headers={"referer": "https://open.douyin.com/"})

    assert (answer.status, answer.body) == (200, b"")


def test_embed_origin_opens_details_only(new_browser: Callable[..., Any]) -> None:
    """Lists stay closed to it."""
    answer = new_browser().request(
        f"https://www.douyin.com/aweme/v1/web/aweme/post/?sec_user_id={World.OPEN}",
        headers={"origin": "https://open.douyin.com"},
    )

    assert answer.status == 403


# -- Argus and the device ----------------------------------------------------------------------------------------------


def _unsigned(query: str) -> str:
    return f"https://www.douyin.com/aweme/v1/web/aweme/detail/?{query}"


def test_the_gate_has_four_texts(guest: Any) -> None:
    """No device id, no signature, a made-up device id, an altered query."""
    right = guest.signed("aweme/detail", aweme_id=World.VIDEO)
    foreign = guest.web_signed("aid=6383&aweme_id=1", "ab" * 80, NOW)
    cases = {
        b"Uifid Not Found": _unsigned("aid=6383&aweme_id=1"),
        b"Signature Not Found": _unsigned(f"aid=6383&aweme_id=1&uifid={guest.uifid}"),
        b"Validate Error": _unsigned(foreign),
        b"Sign Invalid": right.replace(World.VIDEO, World.IMAGES),
    }
    for text, url in cases.items():
        answer = guest.request(url)

        assert answer.status == 403
        assert answer.body == b"Blocked by ArgusSecurityPlugin " + text
    assert _header(answer, "argus_security_code") == "web_id_sign_invalid"


def test_a_signature_in_headers_alone_does_not_count(guest: Any) -> None:
    """The device id may stand in a header, the signature must stand in the query."""
    headers = {"uifid": guest.uifid, "x-secsdk-web-signature": "0" * 32}

    assert b"Signature Not Found" in guest.request(_unsigned("aid=6383&aweme_id=1"), headers=headers).body


def test_order_of_the_query_is_part_of_the_signature(guest: Any) -> None:
    """The same parameters in another order are refused."""
    head, _, query = guest.signed("aweme/detail", aweme_id=World.VIDEO).partition("?")
    first, second, rest = query.split("&", 2)

    assert guest.request(f"{head}?{second}&{first}&{rest}").status == 403


def test_an_old_signature_is_accepted(guest: Any) -> None:
    """How old the timestamp is does not matter (reported: a year)."""
    guest.now -= 365 * 86_400

    assert guest.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]


@pytest.mark.parametrize("change", ["missing", "another", "malformed"])
def test_fingerprints_must_agree(guest: Any, change: str) -> None:
    """verifyFp, fp and the cookie are one value of the right form."""
    url = guest.signed("aweme/detail", aweme_id=World.VIDEO)
    if change == "missing":
        del guest.jar["s_v_web_id"]
    elif change == "another":
        guest.jar["s_v_web_id"] = guest.jar["s_v_web_id"][:-1] + "R"
    else:
        guest.jar["s_v_web_id"] = "verify_x"
        url = guest.signed("aweme/detail", aweme_id=World.VIDEO)

    assert b"Validate Error" in guest.request(url).body


@pytest.mark.parametrize(
    "ttwid", [None, "1%7Cmade-up%7C1790800000%7C" + "0" * 64], ids=["missing", "made up"]
)
def test_without_a_ttwid_of_theirs_the_answer_is_empty(guest: Any, ttwid: str | None) -> None:
    """200 with zero bytes."""
    guest.jar.pop("ttwid")
    if ttwid:
        guest.jar["ttwid"] = ttwid
    answer = guest.request(guest.signed("aweme/detail", aweme_id=World.VIDEO))

    assert (answer.status, answer.body) == (200, b"")


def test_webid_must_belong_to_the_ttwid(guest: Any) -> None:
    """The id from the answer's header is taken, another one empties the answer."""
    answer = guest.request(guest.signed("aweme/detail", aweme_id=World.VIDEO))
    own = _header(answer, "cookie_ttwidinfo_webid")

    assert guest.get("aweme/detail", aweme_id=World.VIDEO, webid=own)["aweme_detail"]
    assert guest.get("aweme/detail", aweme_id=World.VIDEO, webid="7" * 19) is None


def test_a_wrong_or_missing_a_bogus_empties_the_answer(guest: Any, faults: Faults) -> None:
    """Unless the switch says that the platform does not look at it."""
    wrong = _bogus_url(guest, guest.a_bogus("another=query", "", guest.agent, NOW * 1000, guest._draw))
    missing = _unsigned(guest.web_signed(f"aid=6383&aweme_id={World.VIDEO}", guest.uifid, NOW))
    del guest.jar["s_v_web_id"]

    assert [guest.request(url).body for url in (wrong, missing)] == [b"", b""]
    faults.set("a-bogus-unenforced")
    assert all(_json(guest.request(url))["aweme_detail"] for url in (wrong, missing))


def _bogus_url(guest: Any, bogus: str) -> str:
    query = f"aid=6383&aweme_id={World.VIDEO}&a_bogus={quote(bogus, safe='')}"
    return _unsigned(guest.web_signed(query, guest.uifid, NOW))


def test_another_user_agent_than_the_signed_one_is_refused(guest: Any, douyin: Douyin) -> None:
    """a_bogus carries a digest of the User-Agent."""
    url = guest.signed("aweme/detail", aweme_id=World.VIDEO)
    guest.agent = guest.agent.replace("150", "149")

    assert guest.request(url).body == b""
    assert douyin.reasons[-1] == "a_bogus: user agent"


def test_a_program_is_no_browser(guest: Any) -> None:
    """A User-Agent that is no browser's gets nothing."""
    guest.agent = "python-httpx/0.28.1"

    assert guest.request(guest.signed("aweme/detail", aweme_id=World.VIDEO)).body == b""


# -- other routes ------------------------------------------------------------------------------------------------------


def test_batch_gives_what_exists(guest: Any) -> None:
    """Unknown ids are silently absent, refused ones stand in the filter list."""
    ids = f"[{World.VIDEO},{World.MISSING},{World.DELETED},{World.IMAGES}]"
    found = guest.get("multi/aweme/detail", aweme_ids=ids, request_source=200)

    assert [post["aweme_id"] for post in found["aweme_details"]] == [World.VIDEO, World.IMAGES]
    assert [entry["aweme_id"] for entry in found["filter_list"]] == [World.DELETED]


@pytest.mark.parametrize(
    ("id", "source", "found"),
    [(World.SLIDES, "&request_source=200", 1), (World.VIDEO, "", 1), (World.VIDEO, "&request_source=200", 0)],
    ids=["slides", "video", "video asked for as pictures"],
)
def test_slidesinfo(new_browser: Callable[..., Any], id: str, source: str, found: int) -> None:
    """Unsigned and cookieless; pictures and videos are asked for differently."""
    url = f"https://www.iesdouyin.com/web/api/v2/aweme/slidesinfo/?aweme_ids=%5B{id}%5D{source}"

    assert len(_json(new_browser().request(url))["aweme_details"]) == found
    assert new_browser().request(url + "&a_bogus=x").body == b""


APP = "com.ss.android.ugc.aweme/300904 (Linux; U; Android 12; zh_CN; M2102J2SC; Cronet/TTNetVersion:1c651b66)"


@pytest.mark.parametrize(
    ("fault", "place"), [(None, 0), ("feed-wanted-second", 1), ("feed-wanted-missing", None)], ids=str
)
def test_app_feed(
    new_browser: Callable[..., Any], faults: Faults, fault: str | None, place: int | None
) -> None:
    """The wanted video is first, second or missing; only H.265 up to 720p."""
    if fault:
        faults.set(fault)
    url = f"https://api5-normal-c-hl.amemv.com/aweme/v1/feed/?aweme_id={World.VIDEO}&aid=1128"
    found = _json(new_browser(agent=APP).request(url))["aweme_list"]
    ids = [post["aweme_id"] for post in found]

    assert (ids.index(World.VIDEO) if World.VIDEO in ids else None) == place
    assert all(gear["is_h265"] for post in found for gear in post["video"]["bit_rate"])
    assert new_browser().request(url).body == b""


# -- devices, logins ---------------------------------------------------------------------------------------------------

REGISTER = "https://ttwid.bytedance.com/ttwid/union/register/"
WISH = {"region": "cn", "aid": 1768, "needFid": False, "service": "www.ixigua.com", "union": True}


def test_registering_a_device(new_browser: Callable[..., Any], faults: Faults) -> None:
    """The ttwid is for .bytedance.com and good at Douyin; a wrong body or a switch gets none."""
    browser = new_browser()
    json_type = {"content-type": "application/json"}
    answer = browser.request(REGISTER, method="POST", headers=json_type, body=json.dumps(WISH).encode())

    assert "Domain=.bytedance.com" in (_header(answer, "Set-Cookie") or "")
    assert browser.get("user/profile/other", sec_user_id=World.OPEN)["user"]
    assert not _header(browser.request(REGISTER, method="POST", headers=json_type, body=b"{}"), "Set-Cookie")
    faults.set("ttwid-withheld")
    again = browser.request(REGISTER, method="POST", headers=json_type, body=json.dumps(WISH).encode())
    assert not _header(again, "Set-Cookie")


def test_an_identity_outlives_its_simulator(guest: Any, new_browser: Callable[..., Any]) -> None:
    """Cookies of one issuer are known to the next."""
    other = new_browser()
    other.jar = {"ttwid": quote(Issuer(99).ttwid(NOW), safe="")}
    other.uifid = Issuer(98).uifid(NOW)

    assert other.uifid != guest.uifid
    assert b"Validate" not in other.request(other.signed("aweme/detail", aweme_id=World.VIDEO)).body


@pytest.mark.parametrize("name", ["aweme/detail", "user/profile/self", "aweme/post"])
def test_a_dead_login_is_told_so(new_browser: Callable[..., Any], name: str) -> None:
    """status_code 8 everywhere, never the guest's answer."""
    browser = new_browser().log_in(login_cookies(NOW, session=World.DEAD_SESSION))
    found = browser.get(name, aweme_id=World.VIDEO, sec_user_id=World.OPEN)

    assert found == {"status_code": 8, "status_msg": "用户未登录"}


def test_the_known_login(member: Any, guest: Any, faults: Faults) -> None:
    """It has a profile of its own until the switch ends it; a guest has none."""
    assert member.get("user/profile/self")["user"]["sec_uid"] == World.SELF
    assert guest.get("user/profile/self")["status_code"] == 8
    faults.set("login-expired")
    assert member.get("user/profile/self")["status_code"] == 8
    assert f"sessionid={World.SESSION}" in login_header(NOW)


@pytest.mark.parametrize(
    ("sec_uid", "facts"),
    [
        (World.PRIVATE_ACCOUNT, {"secret": 1, "aweme_count": 0}),
        (World.BANNED_ACCOUNT, {"is_ban": True}),
        (World.CANCELLED_ACCOUNT, {"user_canceled": True}),
        (World.ACCOUNTS[63], {"secret": 0, "aweme_count": 63, "mix_count": 3, "show_favorite_list": True}),
        (World.LIKES_HIDDEN, {"show_favorite_list": False}),
    ],
    ids=["private", "banned", "cancelled", "public", "hidden likes"],
)
def test_profiles_tell_the_state_of_an_account(guest: Any, sec_uid: str, facts: dict[str, object]) -> None:
    """Unsigned access is enough (reported, 8 of 8 tries)."""
    plain = guest.request(f"https://www.douyin.com/aweme/v1/web/user/profile/other/?sec_user_id={sec_uid}")
    user = _json(plain)["user"]

    assert {key: user[key] for key in facts} == facts
    assert user["sec_uid"] == sec_uid


@pytest.mark.parametrize(("sec_uid", "code"), [("self", 2), ("x", 2), (World.NOBODY, 2065)])
def test_no_such_account(guest: Any, sec_uid: str, code: int) -> None:
    """An id of the wrong form and one that nobody has."""
    assert guest.get("user/profile/other", sec_user_id=sec_uid)["status_code"] == code


def test_user_by_handle(new_browser: Callable[..., Any], world: World) -> None:
    """The phone page's API knows the 抖音号."""
    account = world.account(World.OPEN)
    assert account is not None
    url = f"https://www.iesdouyin.com/web/api/v2/user/info/?unique_id={account.handle}"

    assert _json(new_browser().request(url))["user_info"]["sec_uid"] == World.OPEN


# -- switches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_odd_shape_happens_once(guest: Any, faults: Faults, name: str) -> None:
    """A switch with a count of one spoils one answer; the next is right again."""
    faults.set(name, count=1, value=1 if name == "api-huge" else None)
    odd = guest.request(guest.signed("aweme/detail", aweme_id=World.VIDEO))

    assert odd.status != 200 or not _is_right(odd)
    assert guest.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]


def _is_right(answer: Response) -> bool:
    assert isinstance(answer.body, bytes)
    return b'"aweme_detail":{' in answer.body


def test_details_can_lack_a_field_or_a_reason(guest: Any, faults: Faults) -> None:
    """The value of the switch names key or reason."""
    faults.set("detail-filtered", value="status_reviewing", count=1)
    refused = guest.get("aweme/detail", aweme_id=World.VIDEO)
    faults.set("detail-field-missing", value="desc")
    faults.set("detail-field-null", value="statistics")
    odd = guest.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]

    assert refused["filter_detail"]["filter_reason"] == "status_reviewing"
    assert "desc" not in odd
    assert odd["statistics"] is None


@pytest.mark.parametrize("fault", ["embed-closed", "signed-closed", "batch-closed", "slidesinfo-closed"])
def test_each_route_can_be_closed_alone(guest: Any, faults: Faults, fault: str) -> None:
    """The others still answer, so that a client can fall back."""
    faults.set(fault)
    slides = f"https://www.iesdouyin.com/web/api/v2/aweme/slidesinfo/?aweme_ids=%5B{World.VIDEO}%5D"
    answers = {
        "embed-closed": _embedded(guest, World.VIDEO),
        "signed-closed": guest.request(guest.signed("aweme/detail", aweme_id=World.VIDEO)),
        "batch-closed": guest.request(guest.signed("multi/aweme/detail", aweme_ids=f"[{World.VIDEO}]")),
        "slidesinfo-closed": guest.request(slides),
    }

    assert [name for name, answer in answers.items() if World.VIDEO.encode() not in answer.body] == [fault]


def test_a_refused_ttwid_is_for_one_call(guest: Any, faults: Faults) -> None:
    """With a count the next call passes, as after renewing it."""
    faults.set("ttwid-refused", count=1)

    assert guest.get("aweme/detail", aweme_id=World.VIDEO) is None
    assert guest.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]


def test_the_edge_counts_calls_of_one_identity(guest: Any, member: Any, faults: Faults) -> None:
    """More a second than the value are answered 429; another identity is not touched."""
    faults.set("edge-budget", value=2)
    statuses = [guest.request(guest.signed("aweme/detail", aweme_id=World.VIDEO)).status for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert member.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]


def test_other_hosts_are_not_ours(douyin: Douyin) -> None:
    """Foreign hosts and unknown paths get no answer from here."""
    for host, path in (
        ("www.tiktok.com", "/"),
        ("evildouyin.com", "/"),
        ("www.douyin.com", "/aweme/v1/play/"),
    ):
        request = Request(method="GET", host=host, path=path, query="", headers={})

        assert douyin.answer(request) is None


def test_every_switch_says_what_it_does(douyin: Douyin, faults: Faults) -> None:
    """Registered names have a sentence."""
    assert all(len(meaning) > 10 for meaning in faults.meanings.values())
