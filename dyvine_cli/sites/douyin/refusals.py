"""What Douyin's answers mean before a field of them is touched: every refusal it has, as one of our errors (pure).

The shapes and codes were collected from public trackers until 2026-10; each row names its meaning, not its source code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dyvine_cli.errors import (
    LoginExpired,
    LoginNeeded,
    NotFound,
    NotLive,
    Private,
    RateLimited,
    RiskControl,
    SignatureRejected,
    SiteError,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer
from dyvine_cli.models import Ref
from dyvine_cli.sites import edge
from dyvine_cli.sites.availability import EXPIRED_HINT, LOGIN_HINT

CAPTCHA_HINT = (
    "open this page in the browser of that login, solve the captcha, then run `dyvine login add FILE` again; "
    "as a guest, wait an hour or try another network"
)
EMPTY_HINT = "wait some minutes; if it stays, add a login (dyvine login add FILE) or try another network"
CAPTCHA_CODES = (10000, 10001, 2154, 2156)
BUSY_CODES = (4, 10011)
LOGIN_CODES = (8, 2483)
GONE_CODES = {2: "no such account", 2053: "the post is unavailable", 2065: "no such account"}
HIDDEN_CODES = {2096: "its owner hides this list"}
OFF_AIR_CODES = (30003, 4001038)

ARGUS = "Blocked by ArgusSecurityPlugin"
ARGUS_MEANINGS = {
    "Uifid Not Found": "it wants a device id (uifid)",
    "Signature Not Found": "it wants a signature",
    "Validate Error": "it does not accept our device id (uifid)",
    "Sign Invalid": "it does not accept our signature",
}


def judge_api(
    answer: Answer, *, endpoint: str, ref: Ref | None = None, login: bool = False
) -> Mapping[str, Any]:
    """The JSON object of an API answer that is no refusal.

    `login` says whether a login was sent: code 8 then means that it is dead. Raises the errors of `SiteError`.
    """
    judge_status(answer, endpoint=endpoint, ref=ref)
    judge_captcha(answer, endpoint=endpoint, ref=ref)
    if not answer.body:
        raise RiskControl(
            "douyin: it takes us for a robot: empty answer",
            hint=EMPTY_HINT,
            ref=ref,
            endpoint=endpoint,
        )
    if answer.body.lstrip()[:1] == b"<":
        judge_page(answer, endpoint=endpoint, ref=ref)
    found = answer.json(f"douyin {endpoint}")
    if not isinstance(found, dict):
        raise UnexpectedResponse(f"douyin {endpoint}: not an object", ref=ref, endpoint=endpoint)
    judge_code(found, endpoint=endpoint, ref=ref, login=login)
    return found


def refuses_device(answer: Answer) -> bool:
    """Whether a refusal may be about the device ids of a guest, so that new ones can help."""
    if answer.status == 403:
        return ARGUS.encode() in answer.body[:500]
    return answer.status == 200 and not answer.body and not _asks_for_captcha(answer)


def judge_status(answer: Answer, *, endpoint: str, ref: Ref | None = None) -> None:
    """Raise for a status that is no success: the signature gate, the edge's rate limit, a broken server."""
    if answer.status == 403 and ARGUS.encode() in answer.body[:500]:
        raise _argus(answer, endpoint, ref)
    edge.judge_status(answer, platform="douyin", endpoint=endpoint, ref=ref)


def _argus(answer: Answer, endpoint: str, ref: Ref | None) -> SignatureRejected:
    text = answer.text[:200]
    meaning = next((each for word, each in ARGUS_MEANINGS.items() if word in text), "")
    return SignatureRejected(
        f"douyin: the gate before {endpoint} refused us" + (f": {meaning}" if meaning else ""),
        hint="run `dyvine login remove --profile guest` to start as a new guest; "
        "if it stays, the signature changed: look for a newer dyvine",
        ref=ref,
        endpoint=endpoint,
    )


def judge_captcha(answer: Answer, *, endpoint: str, ref: Ref | None = None) -> None:
    """Raise for the headers and objects with which Douyin asks for a captcha."""
    if _asks_for_captcha(answer):
        raise captcha(endpoint, ref)


def _asks_for_captcha(answer: Answer) -> bool:
    if "bdturing-verify" in answer.headers or "x-vc-bdturing-parameters" in answer.headers:
        return True
    head = answer.body[:4000]
    return head[:1] == b"{" and (b'"verify_ticket"' in head or b'"verify_center_decision_conf"' in head)


def captcha(endpoint: str | None, ref: Ref | None = None) -> RiskControl:
    """The error that says what to do about a captcha."""
    return RiskControl(
        "douyin: a captcha has to be solved: https://www.douyin.com/",
        hint=CAPTCHA_HINT,
        ref=ref,
        endpoint=endpoint,
    )


def judge_page(answer: Answer, *, endpoint: str, ref: Ref | None = None) -> None:
    """Raise for HTML that is a captcha or challenge page instead of what was asked for."""
    judge_status(answer, endpoint=endpoint, ref=ref)
    text = answer.text
    if "验证码中间页" in text or "captcha" in text[:20_000].lower():
        raise captcha(endpoint, ref)
    if "RENDER_DATA" in text or "_ROUTER_DATA" in text:
        return
    if not text or any(sign in text for sign in ("__ac_nonce", "__ac_signature", "byted_acrawler")):
        raise RiskControl("douyin: only a challenge page came", hint=EMPTY_HINT, ref=ref, endpoint=endpoint)
    raise UnexpectedResponse(f"douyin {endpoint}: an unknown page", ref=ref, endpoint=endpoint)


def judge_code(
    found: Mapping[str, Any], *, endpoint: str, ref: Ref | None = None, login: bool = False
) -> None:
    """Raise for a `status_code` that is an error."""
    code = found.get("status_code", 0)
    if code in (0, None):
        return
    words = str(found.get("status_msg") or found.get("status_message") or "")
    raise code_error(code, words, endpoint=endpoint, ref=ref, login=login)


def code_error(
    code: Any, said: str, *, endpoint: str | None, ref: Ref | None = None, login: bool = False
) -> SiteError:
    """The error that a `status_code` stands for; `said` are the platform's own words beside it."""
    if code in CAPTCHA_CODES:
        return captcha(endpoint, ref)
    kind, cause, hint = _meaning(code, login=login)
    told = f"code {code}: {said[:200]}" if said else f"code {code}"
    return kind(f"{ref or 'douyin'}: {cause} ({told})", hint=hint, ref=ref, endpoint=endpoint)


def _meaning(code: Any, *, login: bool) -> tuple[type[SiteError], str, str | None]:
    """Error, cause and cure of a code; a class's own cure for None."""
    if code in LOGIN_CODES and login:
        return LoginExpired, "the login is no longer accepted", EXPIRED_HINT
    if code in LOGIN_CODES:
        return LoginNeeded, "only for those who are logged in", LOGIN_HINT
    if code in BUSY_CODES:
        return RateLimited, "busy, or blocked for now", "try again in some minutes"
    if code in GONE_CODES:
        return NotFound, GONE_CODES[code], None
    if code in HIDDEN_CODES:
        return Private, HIDDEN_CODES[code], None
    if code in OFF_AIR_CODES:
        return NotLive, "no such room, or off air", None
    return UnexpectedResponse, "an unknown refusal", None
