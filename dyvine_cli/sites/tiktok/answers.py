"""What a JSON answer of TikTok, or the data in one of its pages, is about, before the post in it is read (pure).

Pages and the API answer in the same shape; `refusals` knows the codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dyvine_cli.models import Ref
from dyvine_cli.sites.reading import Record, reading
from dyvine_cli.sites.tiktok.refusals import judge_code, soft_block

Raw = Mapping[str, Any]


def ensure_served(
    answer: object, *, ref: Ref | None = None, endpoint: str = "answer", login: bool = False
) -> Record:
    """The answer as a record, if its status is success. Raises the error of its status code.

    `login` says whether a login was sent.
    """
    with reading(about(ref, endpoint), ref=ref, endpoint=endpoint):
        record = Record(answer, "answer")
        judge_code(record.raw, endpoint=endpoint, ref=ref, login=login)
        return record


def classify_detail(answer: object, ref: Ref, *, login: bool = False, endpoint: str = "item/detail") -> Raw:
    """The raw post of a detail answer or of a page's `webapp.video-detail`.

    Raises what it says instead (gone, private, not in this region, refused, …), UnexpectedResponse for another post.
    """
    record = ensure_served(answer, ref=ref, endpoint=endpoint, login=login)
    with reading(about(ref, endpoint), ref=ref, endpoint=endpoint):
        info = record.record("itemInfo")
        item = info.record("itemStruct") if info else None
        if item is None:
            raise soft_block(ref, endpoint)
        if item.required_id("id") != ref.id:
            raise ValueError(f"{item.where('id')} is {item.id('id')}, not the post that was asked for")
        return item.raw


def about(ref: Ref | None, endpoint: str) -> str:
    """What was read, as error messages name it."""
    return f"{endpoint} {ref}" if ref else endpoint
