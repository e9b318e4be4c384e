"""The edge in front of a platform: statuses with which it turns requests away before the platform sees them (pure)."""

from __future__ import annotations

from dyvine_cli.errors import RateLimited, Refused, UnexpectedResponse
from dyvine_cli.http.api import Answer
from dyvine_cli.models import Ref

EDGE_STATUSES = (401, 403, 405, 412, 429, 444)
"""Based on the request rate: the same cookies work later."""


def judge_status(
    answer: Answer, *, platform: str, endpoint: str, ref: Ref | None = None, wait: float | None = None
) -> None:
    """Raise for a status that is no success; `wait` is in seconds, for a refusal that does not say how long."""
    status = answer.status
    if status in EDGE_STATUSES:
        raise RateLimited(
            f"{platform}: too many requests from here (status {status})",
            hint="it recovers by itself; use --pace slow, or another network",
            ref=ref,
            endpoint=endpoint,
            retry_after=wait if answer.retry_after is None else answer.retry_after,
        )
    if status == 404:
        raise UnexpectedResponse(
            f"{platform}: the address of this call is gone (status 404)", ref=ref, endpoint=endpoint
        )
    if status >= 400:
        raise Refused(
            f"{platform}: the server failed (status {status})",
            hint="the platform has trouble; try again later",
            ref=ref,
            endpoint=endpoint,
        )
