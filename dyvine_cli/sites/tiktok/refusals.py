"""What TikTok's answers mean before a field of them is touched: every refusal it has, as one of our errors (pure).

The codes, words and page forms were collected from public trackers until 2026-10; many codes are second-hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dyvine_cli.errors import (
    Banned,
    Deleted,
    InReview,
    LoginExpired,
    LoginNeeded,
    NotFound,
    NotInRegion,
    Private,
    Refused,
    RiskControl,
    SignatureRejected,
    SiteError,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer
from dyvine_cli.models import Ref
from dyvine_cli.sites import edge
from dyvine_cli.sites.availability import EXPIRED_HINT, LOGIN_HINT
from dyvine_cli.sites.reading import Record, reading
from dyvine_cli.sites.tiktok.proof import is_challenge

BLOCKED_HINT = "what helps: a login (dyvine login add FILE), another network, or some hours of waiting"
CAPTCHA_HINT = "open TikTok in a browser on this network, solve the captcha there, then try again"
REGION_HINT = "use a network in another country (--proxy)"

WAIT = 300.0
"""Seconds after a refusal for too many requests that names no time (reported by OpenBiliClaw, 2026)."""

PRIVATE_ACCOUNT = 10222
_CONTENT = ("itemInfo", "itemList", "playList", "userInfo")

_CAPTCHA_CODES = (10000, 10110)
_LOGIN_CODES = (10223, 10225)


class _Meaning(NamedTuple):
    kind: type[SiteError]
    words: str
    hint: str | None = None


_CODES: Mapping[int, _Meaning] = {
    -1: _Meaning(RiskControl, "it answers without content", BLOCKED_HINT),
    5: _Meaning(UnexpectedResponse, "it does not accept our parameters"),
    10101: _Meaning(Refused, "it has trouble", "try again later"),
    10201: _Meaning(NotFound, "there is no such account"),
    10202: _Meaning(NotFound, "there is no such account"),
    10204: _Meaning(
        NotFound, "the post does not exist, or not for our address", "if others can see it, " + REGION_HINT
    ),
    10215: _Meaning(Private, "only people its author chose can see the post", LOGIN_HINT),
    10216: _Meaning(Private, "only people its author chose can see the post", LOGIN_HINT),
    10217: _Meaning(InReview, "the post is in review"),
    # TikTok says "user banned" for names that nobody ever had, too (recorded 2026-09).
    10221: _Meaning(Banned, "the account is banned, or there never was one"),
    PRIVATE_ACCOUNT: _Meaning(Private, "the account is private", LOGIN_HINT),
    10231: _Meaning(NotInRegion, "not available in the region of our address", REGION_HINT),
    100002: _Meaning(NotFound, "there is no such account"),
}

_REASONS: Mapping[str, _Meaning] = {
    "status_deleted": _Meaning(Deleted, "its author deleted the post"),
    "status_self_see": _Meaning(Private, "only its author can see the post"),
    "status_part_see": _Meaning(Private, "only people its author chose can see the post", LOGIN_HINT),
    "status_friend_see": _Meaning(Private, "only people its author chose can see the post", LOGIN_HINT),
    "status_reviewing": _Meaning(InReview, "the post is in review"),
    "status_audit": _Meaning(InReview, "the post did not pass its review"),
    "content_classification": _Meaning(LoginNeeded, "only for adults who are logged in", LOGIN_HINT),
    "cross_border_violation": _Meaning(
        NotInRegion, "not available in the region of our address", REGION_HINT
    ),
    "geo_f": _Meaning(NotInRegion, "not available in the region of our address", REGION_HINT),
}
"""Words in `statusMsg`, which say more than the 10204 beside them (published by projects that collect them, 2026)."""

_CAPTCHA_FIELDS = (b'"verify_ticket"', b'"verify_center_decision_conf"')
_CAPTCHA_MARKS = ("captcha-init", "secsdk-captcha", "captcha_verify_img_slide")
_SHELL_MARK = 'data-source="downgrade-mssdk-preload"'
_LEFT_MARK = "discontinued operating TikTok"
_DATA_MARKS = ("__DEFAULT_SCOPE__", "SIGI_STATE", "__FRONTITY_CONNECT_STATE__")
_MAINTENANCE = "<title>Site Under Maintenance"


def judge_api(
    answer: Answer, *, endpoint: str, ref: Ref | None = None, login: bool = False
) -> Mapping[str, Any]:
    """The JSON object of an API answer that is no refusal.

    `login` says whether a login was sent. Raises the errors of `SiteError`; SignatureRejected for the empty success
    with which TikTok turns away signatures, device ids and clients it does not like.
    """
    judge_status(answer, endpoint=endpoint, ref=ref)
    _judge_captcha(answer, endpoint, ref)
    if not answer.body.strip():
        raise _empty(answer, endpoint, ref)
    if answer.body.lstrip()[:1] == b"<":
        judge_html(answer.text, endpoint=endpoint, ref=ref)
        raise UnexpectedResponse(f"tiktok {endpoint}: a page came", ref=ref, endpoint=endpoint)
    found = answer.json(f"tiktok {endpoint}")
    if not isinstance(found, dict):
        raise UnexpectedResponse(f"tiktok {endpoint}: not an object", ref=ref, endpoint=endpoint)
    judge_code(found, endpoint=endpoint, ref=ref, login=login)
    return found


def judge_page(answer: Answer, *, endpoint: str, ref: Ref | None = None) -> None:
    """Raise for an answer that is no page: the edge's refusals, the login wall, challenge and captcha pages."""
    judge_status(answer, endpoint=endpoint, ref=ref)
    target = answer.headers.get("location", "") if answer.status in (301, 302, 303, 307, 308) else answer.url
    if urlsplit(target).path.startswith("/login"):
        raise LoginNeeded(
            f"tiktok: {endpoint} is only for those who are logged in, or our address is not welcome",
            hint=f"{LOGIN_HINT}, or try another network",
            ref=ref,
            endpoint=endpoint,
        )
    if answer.headers.get("x-tt-system-error"):
        raise blocked(endpoint, "it does not serve our address", ref)
    judge_html(answer.text, endpoint=endpoint, ref=ref)


def judge_status(answer: Answer, *, endpoint: str, ref: Ref | None = None) -> None:
    """Raise for a status that is no success: the edge's refusal of a client (403), its rate limit, a broken server."""
    if answer.status == 403:
        raise blocked(endpoint, "the edge refuses us (status 403)", ref)
    edge.judge_status(answer, platform="tiktok", endpoint=endpoint, ref=ref, wait=WAIT)


def judge_html(text: str, *, endpoint: str, ref: Ref | None = None) -> None:
    """Raise for HTML that is known to be no page with data; any other passes.

    A page with data is never judged: its captions may hold any of these words, and `captcha` stands on every one.
    """
    if _has_data(text):
        return
    if is_challenge(text):
        raise blocked(endpoint, "it asks for a proof of work", ref)
    if _LEFT_MARK in text:
        raise NotInRegion(
            "tiktok: there is no service in the country of our address",
            hint=REGION_HINT,
            ref=ref,
            endpoint=endpoint,
        )
    if _MAINTENANCE in text:
        raise blocked(endpoint, "it does not like the form of our requests (maintenance page)", ref)
    if is_shell(text):
        raise blocked(endpoint, "only a shell without data came", ref)
    if any(mark in text for mark in _CAPTCHA_MARKS):
        raise captcha(endpoint, ref)


def is_shell(text: str) -> bool:
    """Whether a page is the shell without data, after which the same request works (reported by tokai, 2026-09)."""
    return _SHELL_MARK in text and not _has_data(text)


def _has_data(text: str) -> bool:
    return any(mark in text for mark in _DATA_MARKS)


def judge_code(
    found: Mapping[str, Any], *, endpoint: str, ref: Ref | None = None, login: bool = False
) -> None:
    """Raise for a `statusCode` or `status_code` that is an error.

    A private account's code is none when content comes with it: we are one of its followers, or asked who it is.
    """
    with reading(f"tiktok {endpoint}", ref=ref, endpoint=endpoint):
        record = Record(found, "answer")
        code = record.whole("statusCode") or record.whole("status_code") or 0
        said = record.text("statusMsg") or record.text("status_msg") or record.text("message")
    if code and not (code == PRIVATE_ACCOUNT and any(found.get(name) for name in _CONTENT)):
        raise code_error(code, said, endpoint=endpoint, ref=ref, login=login)


def code_error(
    code: int, said: str, *, endpoint: str, ref: Ref | None = None, login: bool = False
) -> SiteError:
    """The error that a status code stands for; `said` are the platform's own words beside it."""
    if code in _CAPTCHA_CODES:
        return captcha(endpoint, ref)
    found = next((meaning for word, meaning in _REASONS.items() if word in said), None)
    if found is None and code in _LOGIN_CODES:
        found = _REASONS["content_classification"]
    unknown = _Meaning(UnexpectedResponse, "unavailable", "run `dyvine doctor`")
    kind, words, hint = found or _CODES.get(code, unknown)
    if kind is LoginNeeded and login and (ref is None or ref.kind != "post"):  # a post may want another login
        kind, hint = LoginExpired, EXPIRED_HINT
    told = f"code {code}: {said[:200]}" if said else f"code {code}"
    return kind(f"{ref or f'tiktok {endpoint}'}: {words} ({told})", hint=hint, ref=ref, endpoint=endpoint)


def blocked(endpoint: str, why: str, ref: Ref | None = None) -> RiskControl:
    """The error for an address or client that TikTok does not serve."""
    return RiskControl(f"tiktok: no {endpoint}: {why}", hint=BLOCKED_HINT, ref=ref, endpoint=endpoint)


def soft_block(ref: Ref | None, endpoint: str) -> RiskControl:
    """The error for a success without content."""
    return blocked(endpoint, "it answered without content", ref)


def captcha(endpoint: str, ref: Ref | None = None) -> RiskControl:
    """The error that says what to do about a captcha."""
    return RiskControl(
        f"tiktok: a captcha has to be solved before {endpoint}: https://www.tiktok.com/",
        hint=CAPTCHA_HINT,
        ref=ref,
        endpoint=endpoint,
    )


def rejected(endpoint: str, why: str, ref: Ref | None = None) -> SignatureRejected:
    """The error for a signature, device id or token that TikTok did not accept; another device id may help."""
    return SignatureRejected(
        f"tiktok: refused {endpoint}: {why}", hint=BLOCKED_HINT, ref=ref, endpoint=endpoint
    )


def _empty(answer: Answer, endpoint: str, ref: Ref | None) -> SiteError:
    """What an empty success means; `tt_orcas_res` marks the refusal of a signature, device id, token or client."""
    if "tt_orcas_res" in answer.headers:
        return rejected(endpoint, "an empty answer", ref)
    if endpoint.startswith("search"):
        return LoginNeeded(
            f"tiktok: {endpoint} is only for those who are logged in",
            hint=LOGIN_HINT,
            ref=ref,
            endpoint=endpoint,
        )
    return blocked(endpoint, "an empty answer", ref)


def _judge_captcha(answer: Answer, endpoint: str, ref: Ref | None) -> None:
    head = answer.body[:4000]
    asked = "bdturing-verify" in answer.headers or "x-vc-bdturing-parameters" in answer.headers
    if asked or (head[:1] == b"{" and any(field in head for field in _CAPTCHA_FIELDS)):
        raise captcha(endpoint, ref)
