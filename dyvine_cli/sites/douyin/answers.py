"""What an answer of Douyin says before its fields are touched: served, refused, gone, or of an unknown shape (pure).

The codes and reasons were published by downloader projects and issue threads up to 2026-10; `core_dep` and
`params_check` stand in recorded answers (2026-06).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dyvine_cli.errors import (
    Deleted,
    InReview,
    LoginNeeded,
    NotFound,
    NotInRegion,
    Private,
    RateLimited,
    RiskControl,
    SignatureRejected,
    SiteError,
    UnexpectedResponse,
)
from dyvine_cli.models import Ref
from dyvine_cli.sites.reading import Record, reading

CAPTCHA_HINT = "open https://www.douyin.com in the browser of that login, solve the captcha, then `dyvine login add` again"
LOGIN_HINT = "`dyvine login add` with the cookies of a browser that is logged in to www.douyin.com"
PAUSE_HINT = "wait a while; a login or another network address helps"

_CAPTCHA_FIELDS = ("verify_ticket", "verify_center_decision_conf")

_STATUS: Mapping[int, tuple[type[SiteError], str, str | None]] = {
    2: (NotFound, "there is no such account", None),
    4: (RateLimited, "Douyin says it is busy", PAUSE_HINT),
    8: (LoginNeeded, "Douyin shows this to logged-in people only", LOGIN_HINT),
    2053: (NotFound, "the post is not available", None),
    2065: (NotFound, "there is no such account", None),
    2096: (Private, "its owner hides this list", None),
    2154: (RiskControl, "Douyin asks for a captcha", CAPTCHA_HINT),
    2156: (RiskControl, "Douyin asks for a captcha", CAPTCHA_HINT),
    2483: (LoginNeeded, "Douyin shows this to logged-in people only", LOGIN_HINT),
    10000: (RiskControl, "Douyin asks for a captcha", CAPTCHA_HINT),
    10001: (RiskControl, "Douyin asks for a captcha", CAPTCHA_HINT),
    10011: (RiskControl, "Douyin did not accept the cookies", PAUSE_HINT),
    30003: (NotFound, "the room is gone", None),
    4001038: (NotFound, "there is no such room", None),
}
_REASONS: Mapping[str, tuple[type[SiteError], str, str | None]] = {
    "core_dep": (NotFound, "there is no such post", None),
    "system_item_not_exist": (NotFound, "there is no such post", None),
    "status_deleted": (Deleted, "its author deleted the post", None),
    "status_self_see": (Private, "only its author can see the post", None),
    "status_part_see": (Private, "only people its author chose can see the post", LOGIN_HINT),
    "status_reviewing": (InReview, "the post is in review", None),
    "images_base": (UnexpectedResponse, "this route does not show picture posts", None),
    "copyright_foreign": (NotInRegion, "the post is withheld for rights", None),
    "music_deleted_video": (NotInRegion, "the post is withheld because its music was removed", None),
}


def ensure_served(answer: object, *, ref: Ref | None = None, endpoint: str | None = None) -> Record:
    """The answer as a record, if its status is success and it asks for no captcha.

    Raises the error of its `status_code`; UnexpectedResponse for a code without a known meaning.
    """
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        record = Record(answer, "answer")
        if any(name in record for name in _CAPTCHA_FIELDS):
            raise RiskControl("Douyin asks for a captcha", hint=CAPTCHA_HINT, ref=ref, endpoint=endpoint)
        status = record.whole("status_code") or 0
        said = record.text("status_msg")[:200]
    if status:
        kind, message, hint = _STATUS.get(status, (UnexpectedResponse, f"status_code {status}", None))
        told = f"{_what(ref, endpoint)}: {message}" + (f" ({said})" if said else "")
        raise kind(told, hint=hint, ref=ref, endpoint=endpoint)
    return record


def classify_detail(answer: object, ref: Ref, *, endpoint: str = "detail") -> Mapping[str, Any]:
    """The raw post of a detail answer. Raises what the answer says instead (gone, private, refused, …)."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        found = record.record("aweme_detail")
        refusal = record.record("filter_detail")
        if found:
            return _confirmed(found, ref, endpoint)
        if refusal:
            raise _withheld(refusal, ref, endpoint)
    raise soft_block(ref, endpoint)


def classify_batch(
    answer: object, refs: Sequence[Ref], *, endpoint: str = "batch"
) -> dict[Ref, Mapping[str, Any] | SiteError]:
    """Per ref its raw post or why there is none (`aweme_details` and `filter_list` of batch and slides answers).

    Douyin leaves out unknown ids silently: they are NotFound, unless nothing at all came back.
    """
    record = ensure_served(answer, endpoint=endpoint)
    with reading(endpoint, endpoint=endpoint):
        details = record.records("aweme_details")
        refused = record.records("filter_list")
        if record.raw.get("aweme_details") is None:
            raise soft_block(None, endpoint)
        raw = {each.id("aweme_id"): each.raw for each in details}
        reasons = {each.id("aweme_id"): each for each in refused}
        return {ref: raw.get(ref.id) or _absent(reasons.get(ref.id), ref, endpoint) for ref in refs}


def classify_items(answer: object, ref: Ref, *, endpoint: str) -> Mapping[str, Any]:
    """The raw post of a share page's `videoInfoRes` or an H5 answer (`item_list` and `filter_list`)."""
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        record = Record(answer, "answer")
        for item in record.records("item_list"):
            if item.id("aweme_id") == ref.id:
                return _confirmed(item, ref, endpoint)
        for refusal in record.records("filter_list"):
            raise _withheld(refusal, ref, endpoint)
    raise soft_block(ref, endpoint)


def classify_feed(answer: object, ref: Ref, *, endpoint: str = "feed") -> Mapping[str, Any]:
    """The wanted raw post among those of an app feed, which answers other posts when it does not hold it."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        for item in record.records("aweme_list"):
            if item.id("aweme_id") == ref.id:
                return _confirmed(item, ref, endpoint)
        raise LookupError("the feed does not hold the post that was asked for")


def classify_profile(answer: object, ref: Ref, *, endpoint: str = "profile") -> Mapping[str, Any]:
    """The raw account of a profile answer (`user`) or an H5 answer (`user_info`)."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        for name in ("user", "user_info"):
            if found := record.record(name):
                return found.raw
    raise soft_block(ref, endpoint)


def classify_search(answer: object, *, ref: Ref | None = None, endpoint: str = "search") -> Record:
    """A search answer that was really searched for; `search_nil_info` tells the others from an empty result."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        nil = record.record("search_nil_info")
        kind = nil.text("search_nil_type") if nil else ""
        item = nil.text("search_nil_item") if nil else ""
    if kind == "verify_check":
        raise RiskControl(
            f"{endpoint}: Douyin asks for a captcha", hint=CAPTCHA_HINT, ref=ref, endpoint=endpoint
        )
    if kind == "params_check" or item == "invalid_app":
        raise SignatureRejected(
            f"{endpoint}: signature or login missing ({kind}, {item})",
            hint=LOGIN_HINT,
            ref=ref,
            endpoint=endpoint,
        )
    return record


def soft_block(ref: Ref | None, endpoint: str) -> RiskControl:
    """The error for a success without content, which is how Douyin turns robots away."""
    return RiskControl(
        f"{_what(ref, endpoint)}: Douyin answered without content",
        hint=PAUSE_HINT,
        ref=ref,
        endpoint=endpoint,
    )


def _confirmed(post: Record, ref: Ref, endpoint: str) -> Mapping[str, Any]:
    """The raw post, if it is the one asked for and still there; a re-post may carry the id in `group_id`."""
    if ref.id not in (post.required_id("aweme_id"), post.id("group_id")):
        raise ValueError(
            f"{post.where('aweme_id')} is {post.id('aweme_id')}, not the post that was asked for"
        )
    status = post.record("status")
    if status and status.flag("is_delete"):
        raise Deleted(f"{ref}: its author deleted the post", ref=ref, endpoint=endpoint)
    return post.raw


def _absent(refusal: Record | None, ref: Ref, endpoint: str) -> SiteError:
    if refusal:
        return _withheld(refusal, ref, endpoint)
    return NotFound(f"{ref}: there is no such post", ref=ref, endpoint=endpoint)


def _withheld(refusal: Record, ref: Ref, endpoint: str) -> SiteError:
    """The error that a `filter_detail` or an entry of a `filter_list` means."""
    reason = refusal.text("filter_reason")
    said = refusal.text("detail_msg") or refusal.text("notice")
    unknown = (NotFound, f"the post is withheld: {reason or 'no reason given'}", None)
    kind, message, hint = _REASONS.get(reason.lower(), unknown)
    if reason.startswith("status_audit"):
        kind, message = InReview, "the post did not pass its review"
    told = f"{ref}: {message}" + (f" ({said[:200]})" if said else "")
    return kind(told, hint=hint, ref=ref, endpoint=endpoint)


def _what(ref: Ref | None, endpoint: str | None) -> str:
    return " ".join(str(part) for part in (endpoint, ref) if part) or "answer"
