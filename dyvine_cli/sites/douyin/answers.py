"""What a JSON answer of Douyin is about, before the post in it is read: found, withheld and why, or empty (pure).

`refusals` knows the codes; the reasons below were published by downloader projects up to 2026-10, `core_dep` and
`params_check` stand in recorded answers (2026-06).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dyvine_cli.errors import (
    Deleted,
    InReview,
    NotFound,
    NotInRegion,
    Private,
    RiskControl,
    SignatureRejected,
    SiteError,
    UnexpectedResponse,
)
from dyvine_cli.models import Ref
from dyvine_cli.sites.availability import LOGIN_HINT
from dyvine_cli.sites.douyin.refusals import EMPTY_HINT, captcha, code_error
from dyvine_cli.sites.reading import Record, reading

Raw = Mapping[str, Any]

_CAPTCHA_FIELDS = ("verify_ticket", "verify_center_decision_conf")

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
"""`filter_reason` in lower case; `images_base` asks for another route (reported: the app's id 1128)."""


def ensure_served(
    answer: object, *, ref: Ref | None = None, endpoint: str | None = None, login: bool = False
) -> Record:
    """The answer as a record, if its status is success and it asks for no captcha.

    `login` says whether a login was sent. Raises the error of its `status_code`; UnexpectedResponse for a code without
    a known meaning.
    """
    what = _what(ref, endpoint)
    with reading(what, ref=ref, endpoint=endpoint):
        record = Record(answer, "answer")
        if any(name in record for name in _CAPTCHA_FIELDS):
            raise captcha(endpoint, ref)
        status = record.whole("status_code") or 0
        said = record.text("status_msg")[:200]
    if status:
        raise code_error(status, said, endpoint=endpoint, ref=ref, login=login)
    return record


def classify_detail(answer: object, ref: Ref, *, login: bool = False, endpoint: str = "detail") -> Raw:
    """The raw post of a detail answer. Raises what the answer says instead (gone, private, refused, …)."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint, login=login)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        found = record.record("aweme_detail")
        refusal = record.record("filter_detail")
        if found:
            return _confirmed(found, ref, endpoint)
        if refusal:
            raise _withheld(refusal, ref, endpoint)
    raise soft_block(ref, endpoint)


def batch(answer: object, *, endpoint: str = "batch") -> Mapping[str, Raw]:
    """The raw posts of a batch answer by id; what is not there is absent."""
    record = ensure_served(answer, endpoint=endpoint)
    with reading(endpoint, endpoint=endpoint):
        if record.raw.get("aweme_details") is None:
            raise soft_block(None, endpoint)
        return {each.required_id("aweme_id"): each.raw for each in record.records("aweme_details")}


def of_batch(answer: object, ref: Ref, *, endpoint: str = "batch") -> Raw:
    """The raw post of a batch or slides answer that was asked for one post.

    Raises what `filter_list` says about it. Douyin leaves out unknown ids silently: NotFound.
    """
    found = batch(answer, endpoint=endpoint).get(ref.id)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        if found:
            return _confirmed(Record(found, "aweme_details[0]"), ref, endpoint)
        for refusal in Record(answer, "answer").records("filter_list"):
            if refusal.id("aweme_id") in ("", ref.id):
                raise _withheld(refusal, ref, endpoint)
    raise NotFound(f"{ref}: there is no such post", ref=ref, endpoint=endpoint)


def of_items(answer: object, ref: Ref, *, endpoint: str = "share page") -> Raw:
    """The raw post of a share page's `videoInfoRes` or an H5 answer (`item_list` and `filter_list`)."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        for item in record.records("item_list"):
            return _confirmed(item, ref, endpoint)
        for refusal in record.records("filter_list"):
            raise _withheld(refusal, ref, endpoint)
    raise soft_block(ref, endpoint)


def of_feed(answer: object, ref: Ref, *, endpoint: str = "app feed") -> Raw:
    """The wanted raw post among those of an app feed, which answers other posts when it does not hold it."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        for item in record.records("aweme_list"):
            if item.id("aweme_id") == ref.id:
                return _confirmed(item, ref, endpoint)
        raise LookupError("the feed does not hold the post that was asked for")


def classify_search(answer: object, *, ref: Ref | None = None, endpoint: str = "search") -> Record:
    """A search answer that was really searched for; `search_nil_info` tells the others from an empty result."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(_what(ref, endpoint), ref=ref, endpoint=endpoint):
        nil = record.record("search_nil_info")
        kind = nil.text("search_nil_type") if nil else ""
        item = nil.text("search_nil_item") if nil else ""
    if kind == "verify_check":
        raise captcha(endpoint, ref)
    if kind == "params_check" or item == "invalid_app":
        raise SignatureRejected(
            f"{_what(ref, endpoint)}: signature or login missing ({kind}, {item})",
            hint=LOGIN_HINT,
            ref=ref,
            endpoint=endpoint,
        )
    return record


def soft_block(ref: Ref | None, endpoint: str) -> RiskControl:
    """The error for a success without content, which is how Douyin turns robots away."""
    return RiskControl(
        f"{_what(ref, endpoint)}: Douyin answered without content",
        hint=EMPTY_HINT,
        ref=ref,
        endpoint=endpoint,
    )


def _confirmed(post: Record, ref: Ref, endpoint: str) -> Raw:
    """The raw post, if it is the one asked for and still there; a re-post may carry the id in `group_id`."""
    if ref.id not in (post.required_id("aweme_id"), post.id("group_id")):
        raise ValueError(
            f"{post.where('aweme_id')} is {post.id('aweme_id')}, not the post that was asked for"
        )
    status = post.record("status")
    if status and status.flag("is_delete"):
        raise Deleted(f"{ref}: its author deleted the post", ref=ref, endpoint=endpoint)
    return post.raw


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
