"""Douyin's listings in small: complete for an honest client, and every lie as a switch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dyvine_cli.simulator.douyin_lists import GUESTS
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.lies import LIES
from dyvine_cli.simulator.world import World


def _entries(pages: list[Any], key: str = "aweme_list") -> list[Any]:
    return [entry for page in pages for entry in page[key]]


def _is_post(entry: Any) -> bool:
    return entry["aweme_type"] != 101 and not entry.get("is_ads")


@pytest.mark.parametrize("posts", [0, 1, 63, 200])
def test_a_login_lists_whole_accounts(member: Any, posts: int) -> None:
    """Every post once, nothing of another account counted as a post."""
    entries = _entries(member.listed("aweme/post", sec_user_id=World.ACCOUNTS[posts]))
    ids = [entry["aweme_id"] for entry in entries if _is_post(entry)]

    assert len(ids) == len(set(ids)) == posts


@pytest.mark.parametrize("posts", [63, 200])
def test_guests_see_the_first_twenty(guest: Any, posts: int) -> None:
    """The cut carries the module that asks to log in and promises no more."""
    pages = guest.listed("aweme/post", sec_user_id=World.ACCOUNTS[posts])

    assert len([entry for entry in _entries(pages) if _is_post(entry)]) == 20
    assert pages[-1]["not_login_module"]["guide_login_tip_exist"] is True
    assert pages[-1]["has_more"] == 0


def test_guests_see_open_accounts_completely(guest: Any, faults: Faults) -> None:
    """The open account always, any account with the switch."""
    assert len(_entries(guest.listed("aweme/post", sec_user_id=World.OPEN))) == 24
    faults.set("guests-see-all")
    assert len(_entries(guest.listed("aweme/post", sec_user_id=World.ACCOUNTS[63]))) == 63


def test_pinned_posts_stand_first_and_out_of_order(member: Any) -> None:
    """The rest falls in time, and the cursor is the time of the last one in milliseconds."""
    first = member.get("aweme/post", sec_user_id=World.ACCOUNTS[63], max_cursor=0, count=18, need_time_list=1)
    posts = first["aweme_list"]
    pinned = [post["create_time"] for post in posts if post["is_top"]]
    rest = [post["create_time"] for post in posts if not post["is_top"]]

    assert [post["is_top"] for post in posts] == [1] * 3 + [0] * 15
    assert pinned != sorted(pinned, reverse=True)
    assert rest == sorted(rest, reverse=True)
    assert first["max_cursor"] // 1000 == rest[-1]
    assert first["time_list"][0]["months"]


def test_cards_and_hidden_posts_stand_between(member: Any) -> None:
    """Live rooms, advertisements, and posts without content."""
    entries = _entries(member.listed("aweme/post", sec_user_id=World.ACCOUNTS[200]))
    hidden = [entry for entry in entries if _is_post(entry) and _is_hidden(entry["status"])]

    assert any(entry["aweme_type"] == 101 for entry in entries)
    assert any(entry.get("is_ads") for entry in entries)
    assert len(hidden) == 4
    assert all(not entry["video"].get("bit_rate") and not entry["images"] for entry in hidden)


def _is_hidden(status: Any) -> bool:
    return bool(status["is_delete"] or status["private_status"])


def test_a_page_has_at_most_twenty_posts(member: Any) -> None:
    """Whatever count asks for."""
    page = member.get("aweme/post", sec_user_id=World.ACCOUNTS[63], max_cursor=0, count=100)

    assert len(page["aweme_list"]) == 20


@pytest.mark.parametrize("name", ["PRIVATE_ACCOUNT", "BANNED_ACCOUNT", "CANCELLED_ACCOUNT"])
def test_closed_accounts_list_nothing(member: Any, name: str) -> None:
    """An empty list without more."""
    page = member.get("aweme/post", sec_user_id=getattr(World, name), max_cursor=0)

    assert (page["aweme_list"], page["has_more"]) == ([], 0)


def test_likes_public_and_hidden(guest: Any) -> None:
    """45 posts of others, or no answer at all."""
    likes = _entries(guest.listed("aweme/favorite", sec_user_id=World.LIKES))

    assert len({post["aweme_id"] for post in likes}) == 45
    assert World.LIKES not in {post["author"]["sec_uid"] for post in likes}
    assert guest.get("aweme/favorite", sec_user_id=World.LIKES_HIDDEN) is None


def test_mixes_of_an_account_and_their_episodes(guest: Any) -> None:
    """Three mixes; the first has 32 episodes, numbered from the oldest."""
    mixes = _entries(guest.listed("mix/list", cursor="cursor", sec_user_id=World.ACCOUNTS[63]), "mix_infos")
    pages = guest.listed("mix/aweme", cursor="cursor", mix_id=World.MIX)
    posts = _entries(pages)
    episodes = {id: n for page in pages for id, n in json.loads(page["item_id_to_episode"]).items()}

    assert mixes[0]["mix_id"] == World.MIX
    assert len(mixes) == 3
    assert [episodes[post["aweme_id"]] for post in posts] == list(range(1, 33))
    assert all(post["mix_info"]["mix_id"] == World.MIX for post in posts)
    detail = guest.get("mix/detail", mix_id=World.MIX)["mix_info"]
    assert detail["statis"]["updated_to_episode"] == 32
    assert guest.get("mix/detail", mix_id="1")["mix_info"] is None


# -- lies --------------------------------------------------------------------------------------------------------------


def _second(member: Any) -> tuple[Any, Callable[[], Any]]:
    """The first page, and a call for the second."""
    first = member.get("aweme/post", sec_user_id=World.ACCOUNTS[63], max_cursor=0, count=18)
    return first, lambda: member.get(
        "aweme/post", sec_user_id=World.ACCOUNTS[63], max_cursor=first["max_cursor"], count=18
    )


Check = Callable[[Any, Any, Any], bool]
LIE_TABLE: dict[str, Check] = {
    "list-empty-page": lambda first, true, told: (
        told["aweme_list"] == [] and told["has_more"] == 1 and told["max_cursor"] == first["max_cursor"]
    ),
    "list-repeated-cursor": lambda first, true, told: (
        told["max_cursor"] == first["max_cursor"] and _ids(told) == _ids(true) and told["has_more"] == 1
    ),
    "list-cursor-back": lambda first, true, told: told["max_cursor"] == first["max_cursor"],
    "list-sticky-cursor": lambda first, true, told: (
        told["max_cursor"] == first["max_cursor"] and _ids(told) == _ids(true)
    ),
    "list-cursor-missing": lambda first, true, told: "max_cursor" not in told and told["has_more"] == 1,
    "list-has-more-forever": lambda first, true, told: told["has_more"] == 1,
    "list-ends-early": lambda first, true, told: told["has_more"] == 0 and _ids(told) == _ids(true),
    "list-cut": lambda first, true, told: told["aweme_list"] == [] and told["has_more"] == 0,
    "list-same-page": lambda first, true, told: (
        _ids(told) == _ids(first) and told["max_cursor"] == true["max_cursor"]
    ),
    "list-duplicates": lambda first, true, told: _ids(told) == _ids(first)[:3] + _ids(true),
    "list-key-missing": lambda first, true, told: "aweme_list" not in told and told["status_code"] == 0,
    "list-entry-odd": lambda first, true, told: (
        "author" not in told["aweme_list"][-1] and _ids(told) == _ids(true)
    ),
    "list-key-null": lambda first, true, told: told["aweme_list"] is None and told["has_more"] == 1,
    "list-guest-cut": lambda first, true, told: "not_login_module" in told and told["has_more"] == 0,
}


def _ids(page: Any) -> list[str]:
    return [post["aweme_id"] for post in page["aweme_list"]]


@pytest.mark.parametrize("name", LIE_TABLE)
def test_each_lie_is_told_once(member: Any, faults: Faults, name: str) -> None:
    """On the page it was switched on for, and not on the next."""
    first, second = _second(member)
    true = second()
    faults.set(name, count=1)
    told, after = second(), second()

    assert LIE_TABLE[name](first, true, told)
    assert _ids(after) == _ids(true)


def test_every_lie_stands_in_the_table() -> None:
    """Only the switch that lets guests see all is no lie."""
    assert set(LIE_TABLE) == {*LIES, *GUESTS} - {"guests-see-all"}


def test_a_sticky_cursor_still_leads_through_the_list(member: Any, faults: Faults) -> None:
    """Asking for the same cursor again and again gives all posts, each once."""
    faults.set("list-sticky-cursor")
    page = member.get("aweme/post", sec_user_id=World.ACCOUNTS[63], max_cursor=0, count=18)
    pages, cursors = [page], {page["max_cursor"]}
    while page["has_more"]:
        page = member.get(
            "aweme/post", sec_user_id=World.ACCOUNTS[63], max_cursor=page["max_cursor"], count=18
        )
        pages.append(page)
        cursors.add(page["max_cursor"])

    assert len(cursors) == 1
    assert len({entry["aweme_id"] for entry in _entries(pages)}) == 63


def test_has_more_forever_goes_on_behind_the_end(member: Any, faults: Faults) -> None:
    """Behind the last post come empty pages that promise more under the same cursor."""
    faults.set("list-has-more-forever")
    last = member.get("aweme/post", sec_user_id=World.ACCOUNTS[1], max_cursor=0)
    beyond = member.get("aweme/post", sec_user_id=World.ACCOUNTS[1], max_cursor=last["max_cursor"])

    assert len(last["aweme_list"]) == 1
    assert (beyond["aweme_list"], beyond["has_more"]) == ([], 1)
    assert beyond["max_cursor"] == last["max_cursor"]


def test_an_empty_page_may_skip_ahead(member: Any, faults: Faults) -> None:
    """With the value skip the cursor goes on although nothing was shown."""
    first, second = _second(member)
    faults.set("list-empty-page", value="skip", count=1)
    told = second()

    assert told["aweme_list"] == []
    assert told["max_cursor"] < first["max_cursor"]


def test_lies_can_be_bound_to_one_account(member: Any, faults: Faults) -> None:
    """`where` names a part of the address."""
    faults.set("list-cut", where=f"sec_user_id={World.ACCOUNTS[63]}")

    assert member.get("aweme/post", sec_user_id=World.ACCOUNTS[63], max_cursor=0)["aweme_list"] == []
    assert member.get("aweme/post", sec_user_id=World.ACCOUNTS[200], max_cursor=0)["aweme_list"]
