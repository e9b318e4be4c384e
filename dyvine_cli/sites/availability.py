"""Whether there is something of a post for us, and the error that says why not (pure)."""

from __future__ import annotations

from dyvine_cli.errors import (
    Deleted,
    InReview,
    LoginNeeded,
    NotFound,
    Paid,
    Private,
    SiteError,
)
from dyvine_cli.models import Post

LOGIN_HINT = "add a login that may see it: dyvine login add FILE"
EXPIRED_HINT = "log in again in the browser, then run: dyvine login add FILE"


def ensure_available(post: Post, *, platform: str, login: bool = False) -> Post:
    """The same post, if there is something of it for us; `login` says whether a login was sent.

    Raises Deleted; Private, InReview, Paid or LoginNeeded when the platform withholds the media for that reason. Its
    author, logged in, is given them: then it is available. What is kept from one login does not make that one dead.
    """
    if post.access in ("deleted", "prohibited"):
        by = "its author" if post.access == "deleted" else platform
        raise Deleted(f"{post.ref}: {by} removed the post", ref=post.ref)
    if any(asset.kind in ("video", "picture", "clip", "text") for asset in post.assets):
        return post
    raise _withheld(post, platform, login=login)


def _withheld(post: Post, platform: str, *, login: bool) -> SiteError:
    if post.access in ("private", "friends"):
        hint = LOGIN_HINT if post.access == "friends" and not login else None
        return Private(f"{post.ref}: only people its author chose can see the post", hint=hint, ref=post.ref)
    if post.access == "in_review":
        return InReview(f"{post.ref}: the post is in review", ref=post.ref)
    if post.paid:
        return Paid(f"{post.ref}: only for those who bought it", ref=post.ref)
    if post.login_only and login:
        return LoginNeeded(
            f"{post.ref}: {platform} does not show it to this login",
            hint="another login may see it: dyvine login add --profile NAME FILE, then --profile NAME",
            ref=post.ref,
        )
    if post.login_only:
        return LoginNeeded(f"{post.ref}: only for those who are logged in", hint=LOGIN_HINT, ref=post.ref)
    return NotFound(f"{post.ref}: the post holds no media", ref=post.ref)
