"""What a recorded answer turned out to be, in a few words, after its parser read it (pure)."""

from __future__ import annotations

from dyvine_cli.models import Mix, Page, Post, User


def post(found: Post) -> str:
    """A post and how many files it has."""
    return f"{found.kind} of {sum(bool(asset.renditions) for asset in found.assets)} files"


def posts(page: Page) -> str:
    """A page of posts. Raises the first error of those that could not be read."""
    if page.unreadable:
        raise page.unreadable[0]
    return f"{len(page.items)} posts, {_onward(page)}"


def mixes(page: Page) -> str:
    """A page of mixes."""
    return f"{len(page.items)} mixes, {_onward(page)}"


def mix(found: Mix) -> str:
    """A mix."""
    return f"mix of {found.declared} posts"


def account(found: User) -> str:
    """An account."""
    return f"account, {found.state}, {found.declared} posts declared"


def _onward(page: Page) -> str:
    return "more follow" if page.next else "the last"
