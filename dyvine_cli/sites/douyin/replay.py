"""A recorded answer read again, offline: which parser an address belongs to, and what that makes of the answer (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from dyvine_cli.http.addresses import within
from dyvine_cli.http.api import Answer
from dyvine_cli.models import Ref
from dyvine_cli.sites import retold
from dyvine_cli.sites.douyin import parse
from dyvine_cli.sites.douyin.refusals import judge_api, judge_page
from dyvine_cli.sites.douyin.urls import HOSTS

Query = Mapping[str, str]
Reader = Callable[[Answer, Query], str]

_ID = re.compile(r"[0-9]{5,20}")
_SHARE = re.compile(r"/share/(?:video|note)/([0-9]{5,20})/?")


def reread(answer: Answer) -> str | None:
    """What an answer is, in words, after its parser read it; None if no parser of ours is for its address.

    Raises what the parser raises: UnexpectedResponse names the field, other errors are the platform's own word.
    """
    parts = urlsplit(answer.url)
    if not within(parts.hostname or "", (*HOSTS, "amemv.com", "snssdk.com")):
        return None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    shared = _SHARE.fullmatch(parts.path)
    if shared:
        return _share_page(answer, shared[1])
    if "modal_id" in query:
        return _page(answer, query)
    reader = next((each for end, each in _READERS.items() if parts.path.endswith(end)), None)
    return reader(answer, query) if reader else None


def _detail(answer: Answer, query: Query) -> str:
    ref = _post(query.get("aweme_id", ""))
    found = judge_api(answer, endpoint="detail", ref=ref)
    return _described(parse.classify_detail(found, ref), ref)


def _batch(answer: Answer, query: Query) -> str:
    ids = _ID.findall(query.get("aweme_ids", ""))
    found = judge_api(answer, endpoint="batch")
    if len(ids) == 1:
        return _described(parse.of_batch(found, _post(ids[0])), _post(ids[0]))
    posts = [parse.post(raw) for raw in parse.batch(found).values()]
    return f"{len(posts)} of {len(ids)} posts"


def _feed(answer: Answer, query: Query) -> str:
    ref = _post(query.get("aweme_id", ""))
    return _described(parse.of_feed(judge_api(answer, endpoint="app feed", ref=ref), ref), ref)


def _page(answer: Answer, query: Query) -> str:
    ref = _post(query["modal_id"])
    if answer.set_cookies("__ac_nonce") and "RENDER_DATA" not in answer.text:
        return "the challenge before the page"
    judge_page(answer, endpoint="page", ref=ref)
    return _described(parse.render_data(answer.text, ref), ref)


def _share_page(answer: Answer, id: str) -> str:
    ref = _post(id)
    judge_page(answer, endpoint="share page", ref=ref)
    return _described(parse.router_data(answer.text, ref), ref)


def _posts(answer: Answer, query: Query) -> str:
    ref = _owner(query)
    return retold.posts(parse.posts_page(judge_api(answer, endpoint="posts", ref=ref), ref=ref, what="posts"))


def _mixes(answer: Answer, query: Query) -> str:
    ref = _owner(query)
    return retold.mixes(parse.mixes_page(judge_api(answer, endpoint="mixes", ref=ref), ref=ref))


def _mix(answer: Answer, query: Query) -> str:
    ref = _owner(query)
    return retold.mix(parse.mix_of(judge_api(answer, endpoint="mix/detail", ref=ref), ref))


def _user(answer: Answer, query: Query) -> str:
    return retold.account(parse.user_of(judge_api(answer, endpoint="profile"), None))


def _served(answer: Answer, query: Query) -> str:
    judge_api(answer, endpoint="query/user")
    return "served"


def _described(raw: Mapping[str, object], ref: Ref) -> str:
    return retold.post(parse.ensure_available(parse.post(raw, ref=ref)))


def _post(id: str) -> Ref:
    return Ref("douyin", "post", id)


def _owner(query: Query) -> Ref:
    """Whose listing a query asks for."""
    mix = query.get("mix_id")
    return Ref("douyin", "mix", mix) if mix else Ref("douyin", "user", query.get("sec_user_id", ""))


_READERS: Mapping[str, Reader] = {
    "multi/aweme/detail/": _batch,
    "aweme/slidesinfo/": _batch,
    "aweme/detail/": _detail,
    "aweme/v1/feed/": _feed,
    "aweme/post/": _posts,
    "aweme/favorite/": _posts,
    "mix/aweme/": _posts,
    "mix/list/": _mixes,
    "mix/detail/": _mix,
    "user/profile/other/": _user,
    "user/profile/self/": _user,
    "user/info/": _user,
    "query/user/": _served,
}
"""The end of a path to its parser; the first that fits counts."""
