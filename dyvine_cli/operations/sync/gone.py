"""Saved posts that their account does not show any more: what became of them, looked up one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dyvine_cli.archive.base import Gone, GonePost
from dyvine_cli.client import Client
from dyvine_cli.errors import (
    Banned,
    Deleted,
    DyvineError,
    InReview,
    LoginExpired,
    NetworkError,
    NotFound,
    Private,
    Refused,
)
from dyvine_cli.models import Ref

MOST = 50
"""Posts that one run looks up."""


async def look_up(
    refs: Sequence[Ref], client: Client, now: datetime
) -> tuple[tuple[GonePost, ...], tuple[Ref, ...]]:
    """What became of posts that are not listed any more, and those left over when the site wanted no more calls.

    One that is there for those who pay or log in, or in other regions, is not gone.
    """
    gone: list[GonePost] = []
    for place, ref in enumerate(refs):
        try:
            state = await _state(ref, client)
        except (Refused, NetworkError, LoginExpired):
            return tuple(gone), tuple(refs[place:])
        except DyvineError:
            continue
        if state is not None:
            gone.append(GonePost(ref=ref, state=state, noticed=now))
    return tuple(gone), ()


async def _state(ref: Ref, client: Client) -> Gone | None:
    try:
        await client.post(ref)
    except (Private, InReview):
        return "private"
    except NotFound as error:
        return "deleted" if isinstance(error, Deleted | Banned) or type(error) is NotFound else None
    return "hidden"
