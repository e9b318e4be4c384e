"""A recorded answer read again, offline: which parser an address belongs to, and what that makes of the answer (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from dyvine_cli.http.addresses import within
from dyvine_cli.http.api import Answer
from dyvine_cli.models import Ref
from dyvine_cli.sites import retold
from dyvine_cli.sites.tiktok import parse
from dyvine_cli.sites.tiktok.proof import is_challenge
from dyvine_cli.sites.tiktok.refusals import judge_api, judge_page
from dyvine_cli.sites.tiktok.urls import HOSTS

Query = Mapping[str, str]
Reader = Callable[[Answer, Query], str]

_POST = re.compile(r"/@[^/]*/(?:video|photo)/([0-9]{5,20})/?")
_EMBED = re.compile(r"/embed/@([^/]+)/?")
_PROFILE = re.compile(r"/@([^/]+)/?")


def reread(answer: Answer) -> str | None:
    """What an answer is, in words, after its parser read it; None if no parser of ours is for its address.

    Raises what the parser raises: UnexpectedResponse names the field, other errors are the platform's own word.
    """
    parts = urlsplit(answer.url)
    if not within(parts.hostname or "", HOSTS):
        return None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.path.startswith("/api/"):
        reader = next((each for end, each in _READERS.items() if parts.path.endswith(end)), None)
        return reader(answer, query) if reader else None
    return _page(answer, parts.path)


def _page(answer: Answer, path: str) -> str | None:
    form = next((each for each in (_POST, _EMBED, _PROFILE) if each.fullmatch(path)), None)
    found = form.fullmatch(path) if form else None
    if form is None or found is None:
        return None
    if is_challenge(answer.text):
        return "the proof of work before the page"
    judge_page(answer, endpoint="page")
    if form is _POST:
        ref = Ref("tiktok", "post", found[1])
        return _described(parse.item_of_page(answer.text, ref), ref, by_detail=False)
    ref = Ref("tiktok", "user", found[1])
    if form is _EMBED:
        return f"embed of {retold.posts(parse.embed_page(answer.text, ref))}"
    return retold.account(parse.user_of_page(answer.text, ref))


def _detail(answer: Answer, query: Query) -> str:
    ref = Ref("tiktok", "post", query.get("itemId", ""))
    found = judge_api(answer, endpoint="item/detail", ref=ref)
    return _described(parse.classify_detail(found, ref), ref, by_detail=True)


def _posts(answer: Answer, query: Query) -> str:
    ref = _owner(query)
    return retold.posts(parse.posts_page(judge_api(answer, endpoint="posts", ref=ref), ref=ref, what="posts"))


def _mixes(answer: Answer, query: Query) -> str:
    ref = _owner(query)
    return retold.mixes(parse.mixes_page(judge_api(answer, endpoint="playlists", ref=ref), ref=ref))


def _mix(answer: Answer, query: Query) -> str:
    ref = _owner(query)
    return retold.mix(parse.mix_of(judge_api(answer, endpoint="mix/detail", ref=ref), ref))


def _described(raw: Mapping[str, object], ref: Ref, *, by_detail: bool) -> str:
    return retold.post(parse.ensure_available(parse.post(raw, ref=ref, by_detail=by_detail)))


def _owner(query: Query) -> Ref:
    """Whose listing a query asks for."""
    for name, kind in (("mixId", "mix"), ("collectionId", "collection")):
        if name in query:
            return Ref("tiktok", kind, query[name])  # type: ignore[arg-type]
    return Ref("tiktok", "user", query.get("secUid", ""))


_READERS: Mapping[str, Reader] = {
    "item/detail/": _detail,
    "item_list/": _posts,
    "user/playlist/": _mixes,
    "mix/detail/": _mix,
}
"""The end of a path to its parser; the first that fits counts."""
