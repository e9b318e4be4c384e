"""Cookies, tokens and the proof of work of the TikTok half."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Request
from dyvine_cli.simulator.tiktok_guest import Issuer, ProofOfWork, Tokens, login_cookies
from dyvine_cli.simulator.tiktok_world import TIKTOK

NOW = 1_790_800_000
PAGE = f"https://www.tiktok.com/@_/video/{TIKTOK.SMALL}"


def solved(page: str, *, most: int = 1_000_000) -> dict[str, str] | None:
    """The cookies that a page's script would set, None where no number solves it."""
    marks = dict(re.findall(r'<p id="(\w+)" class="([^"]*)"', page))
    said = json.loads(base64.b64decode(marks["cs"] + "==="))
    seed, digest = (base64.b64decode(said["v"][name]) for name in "ac")
    answer = next((i for i in range(most) if hashlib.sha256(seed + b"%d" % i).digest() == digest), None)
    if answer is None:
        return None
    said["d"] = base64.b64encode(b"%d" % answer).decode()
    text = json.dumps(said, separators=(",", ":")).encode()
    cookies = {marks["wci"]: base64.b64encode(text).decode()}
    return cookies | ({marks["rci"]: marks["rs"]} if marks.get("rs") else {})


def body(answer: Any) -> str:
    """The text of an answer."""
    return answer.body.decode()


def is_page(answer: Any) -> bool:
    """Whether the answer is a page with data."""
    return "__UNIVERSAL_DATA_FOR_REHYDRATION__" in body(answer)


# -- cookies -----------------------------------------------------------------------------------------------------------


def test_a_first_page_makes_a_visitor(newcomer: Any) -> None:
    """ttwid, chain, csrf and msToken come with the page, and the ids in it belong to the ttwid."""
    answer = newcomer.request(PAGE)
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]

    assert set(newcomer.jar) == {"ttwid", "tt_chain_token", "tt_csrf_token", "msToken"}
    assert all("Domain=.tiktok.com" in cookie for cookie in cookies)
    assert dict(answer.headers)["x-ms-token"] == newcomer.jar["msToken"]
    assert re.fullmatch(r"[1-9]\d{18}", newcomer.arrive().context["wid"])


def test_a_known_visitor_keeps_its_cookies_but_the_token(visitor: Any) -> None:
    """Only msToken moves."""
    before, wid = dict(visitor.jar), visitor.context["wid"]
    visitor.scope(f"/@_/video/{TIKTOK.SMALL}")

    assert {name for name in before if before[name] != visitor.jar[name]} == {"msToken"}
    assert visitor.context["wid"] == wid


@pytest.mark.parametrize(
    ("fault", "name"),
    [("ttwid-withheld", "ttwid"), ("chain-withheld", "tt_chain_token"), ("token-withheld", "msToken")],
)
def test_each_cookie_may_be_withheld(newcomer: Any, faults: Faults, fault: str, name: str) -> None:
    """The switch takes exactly that one."""
    faults.set(fault)
    newcomer.request(PAGE)

    assert name not in newcomer.jar
    assert len(newcomer.jar) == 3


def test_a_ttwid_is_renewed(newcomer: Any) -> None:
    """The check makes one for the right wish and keeps a good one."""
    url = "https://www.tiktok.com/ttwid/check/"
    wish = json.dumps({"aid": 1988, "service": "www.tiktok.com", "union": False}).encode()
    newcomer.request(url, method="POST", body=b"{}")
    assert newcomer.jar == {}
    newcomer.request(url, method="POST", body=wish)
    first = newcomer.jar["ttwid"]
    newcomer.request(url, method="POST", body=wish)

    assert newcomer.jar["ttwid"] == first


def test_the_login_check(newcomer: Any, faults: Faults) -> None:
    """Guests, the known login, a dead one."""
    url = "https://www.tiktok.com/passport/token/beat/web/?aid=1459"
    assert '"message":"error"' in body(newcomer.request(url))
    newcomer.jar = login_cookies(NOW)
    assert '"message":"success"' in body(newcomer.request(url))
    faults.set("login-expired")

    assert '"message":"error"' in body(newcomer.request(url))


def test_a_login_is_named_in_its_pages(follower: Any, newcomer: Any) -> None:
    """`user` stands in the context of those signed in only."""
    assert follower.context["user"]["uniqueId"] == TIKTOK.SELF
    newcomer.jar = {}
    newcomer.arrive()
    assert "user" not in newcomer.context


# -- msToken -----------------------------------------------------------------------------------------------------------


def test_a_token_is_good_for_its_jar_while_it_is_new() -> None:
    """Empty passes; invented, another's, ended and old ones do not."""
    issuer = Issuer()
    tokens, mine, other = Tokens(issuer), issuer.ttwid(NOW), issuer.ttwid(NOW)
    first, second = tokens.issue(mine, NOW), tokens.issue(mine, NOW)

    assert tokens.judge("", mine, NOW) is None
    assert tokens.judge(second, mine, NOW) is None
    assert tokens.judge(first, mine, NOW) is None
    assert "another" in str(tokens.judge(second, other, NOW))
    assert "ended" in str(tokens.judge(second, mine, NOW + 11 * 86_400))
    assert "invented" in str(tokens.judge("A" * len(second), mine, NOW))
    assert "invented" in str(tokens.judge("not base64 at all", mine, NOW))
    tokens.issue(mine, NOW)
    assert "newest" in str(tokens.judge(first, mine, NOW))


def test_a_token_outlives_its_simulator() -> None:
    """Another one that knows nothing of the jar takes it."""
    ttwid = Issuer().ttwid(NOW)
    token = Tokens(Issuer()).issue(ttwid, NOW)

    assert Tokens(Issuer(9)).judge(token, ttwid, NOW) is None


# -- the proof of work -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["waf-challenge", "waf-one-cookie"], ids=["two cookies", "one cookie"])
def test_a_right_answer_opens_the_page(newcomer: Any, faults: Faults, fault: str) -> None:
    """The page comes for the same request with the answer; without it the challenge comes again."""
    faults.set("waf-challenge")
    if fault != "waf-challenge":
        faults.set(fault)
    first = newcomer.request(PAGE)
    assert "Please wait..." in body(first)
    assert newcomer.jar == {}
    assert not is_page(newcomer.request(PAGE))
    newcomer.jar.update(solved(body(first)) or {})

    assert is_page(newcomer.request(PAGE))
    assert len([name for name in newcomer.jar if "waf" in name]) == (1 if fault == "waf-one-cookie" else 2)


def test_the_page_is_as_small_as_the_real_one(newcomer: Any, faults: Faults) -> None:
    """1,462 bytes in 2026-09."""
    faults.set("waf-challenge", value=73)

    assert len(newcomer.request(PAGE).body) == 1_462


def _changed(cookie: str, change: Any) -> str:
    said = json.loads(base64.b64decode(cookie))
    said = change(said) or said
    return base64.b64encode(json.dumps(said, separators=(",", ":")).encode()).decode()


WRONG: dict[str, tuple[Any, str]] = {
    "another number": (lambda said: said.update(d=base64.b64encode(b"74").decode()), "number"),
    "number as it is": (lambda said: said.update(d=73), "no answer"),
    "number first": (lambda said: {"d": said["d"], **{k: said[k] for k in "vs"}}, "order"),
    "a challenge of its own": (lambda said: said["v"].update(b=1), "signature"),
    "without number": (lambda said: said.pop("d") and None, "no answer"),
}


@pytest.mark.parametrize(("change", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_answer_is_a_new_challenge(newcomer: Any, faults: Faults, change: Any, reason: str) -> None:
    """Every part of the answer is looked at."""
    faults.set("waf-challenge", value=73)
    cookies = solved(body(newcomer.request(PAGE))) or {}
    newcomer.jar.update(cookies, _wafchallengeid=_changed(cookies["_wafchallengeid"], change))

    assert not is_page(newcomer.request(PAGE))
    assert reason in newcomer.tiktok.reasons[-1]


def test_blanks_in_the_answer_and_a_missing_second_cookie_are_noticed(newcomer: Any, faults: Faults) -> None:
    """The cookie is compact JSON, and the second one belongs to it."""
    faults.set("waf-challenge", value=73)
    cookies = solved(body(newcomer.request(PAGE))) or {}
    spaced = json.dumps(json.loads(base64.b64decode(cookies["_wafchallengeid"]))).encode()
    newcomer.jar = {**cookies, "_wafchallengeid": base64.b64encode(spaced).decode()}
    assert not is_page(newcomer.request(PAGE))
    newcomer.jar = {"_wafchallengeid": cookies["_wafchallengeid"]}

    assert not is_page(newcomer.request(PAGE))
    assert [reason.split(": ")[1] for reason in newcomer.tiktok.reasons] == ["order", "second cookie"]


def test_a_challenge_without_answer_and_one_that_comes_again(newcomer: Any, faults: Faults) -> None:
    """No number up to a million, and a right answer that does not help."""
    faults.set("waf-unsolvable", count=1)
    assert solved(body(newcomer.request(PAGE)), most=2_000) is None
    faults.set("waf-challenge")
    faults.set("waf-again")
    newcomer.jar.update(solved(body(newcomer.request(PAGE))) or {})

    assert not is_page(newcomer.request(PAGE))
    assert not newcomer.tiktok.reasons


@pytest.mark.recordings
def test_recorded_answers_are_right_but_not_ours(recordings: Path) -> None:
    """Form and number of each recorded answer hold; only the challenge is another server's."""
    rows = json.loads((recordings / "vectors/tiktok_signatures.json").read_text("utf-8"))
    judge = ProofOfWork(lambda: NOW).judge
    for row in (row for row in rows if row["algorithm"] == "WAF-challenge"):
        wanted = (row["expected"] or {}).get("cookies")

        assert (solved(row["body"]) or {}) == wanted
        if wanted:
            cookie = "; ".join(f"{name}={value}" for name, value in wanted.items())
            asked = Request(
                method="GET", host="www.tiktok.com", path="/", query="", headers={"cookie": cookie}
            )
            assert judge(asked) == "proof of work: signature"
