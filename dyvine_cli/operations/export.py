"""The copy of one's data that TikTok gives out, as a list of posts (pure).

The known layouts hold the same lists under other wrappers ("Activity" until 2024, then "Your Activity" and "Post", since
2026-01 "Likes and Favorites"; samirelanduk/tiktok-save #25), so a list is looked for by its own name and that of the
section around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from dyvine_cli.errors import InputError
from dyvine_cli.operations.asked import LONGEST_LINE, Asked

Section = Literal["likes", "favorites", "history", "posts"]
SECTIONS: tuple[Section, ...] = get_args(Section)

_LISTS: Mapping[Section, tuple[tuple[str, ...], str]] = {
    "likes": (("Like List",), "ItemFavoriteList"),
    "favorites": (("Favorite Videos",), "FavoriteVideoList"),
    "history": (("Video Browsing History", "Watch History"), "VideoList"),
    "posts": (("Videos", "Posts"), "VideoList"),
}
"""Section to the names that the object around its list has had, and the list's own."""

_LINKS = ("Link", "link", "VideoLink")
_POST = re.compile(r"/(?:video|photo|v)/[0-9]{5,20}|//v[mt]\.tiktok\.com/|/t/")
"""What stands in the link of a post, and not in the address of its file."""
DEAD = "an entry without a link: what it named was removed"
"""What stands for such an entry; it is complained about like a line of a batch file."""
_DEPTH = 6
HINT = "ask TikTok for your data as JSON (settings, account, download your data), unpack it, give user_data_tiktok.json"


def named(section: str) -> Section:
    """The section of that name. Raises InputError for one that is none."""
    for each in SECTIONS:
        if each == section:
            return each
    raise InputError(f"--section: there is no section {section!r}", hint=f"there are: {', '.join(SECTIONS)}")


def read(text: str, section: Section, *, name: str) -> list[Asked]:
    """The posts of a section in their order, each once; `line` counts them from 1. `name` is the file's, for errors.

    An entry without a link (TikTok leaves one for what it removed) stands as DEAD. Raises InputError for a
    file that is no such copy, or has no such section, or names only the files of its posts (one's own, in 2025).
    """
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: no JSON", hint=HINT) from error
    entries = _list(data, section)
    if entries is None:
        there = ", ".join(each for each in SECTIONS if _list(data, each) is not None)
        raise InputError(
            f"{name}: there is no list of {section} in it",
            hint=f"it has: {there}" if there else HINT,
        )
    found = list(_asked(entries))
    links = [each.text for each in found if each.text != DEAD]
    if links and not any(_POST.search(link) for link in links):
        raise InputError(
            f"{name}: its {section} are named by addresses of their files, which do not say whose they are",
            hint="your own posts: dyvine user self --site tiktok (with a login: dyvine login add FILE --site tiktok)",
        )
    return found


def _asked(entries: list[Any]) -> Iterator[Asked]:
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        link = _link(entry)
        if not link:
            yield Asked(DEAD, number)
        elif link not in seen:
            seen.add(link)
            yield Asked(link[:LONGEST_LINE], number)


def _link(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return ""
    found = next((entry[name] for name in _LINKS if isinstance(entry.get(name), str)), "")
    return str(found).strip()


def _list(data: Any, section: Section) -> list[Any] | None:
    """The entries of a section, [] for an empty one (TikTok writes null); None if there is none."""
    around, name = _LISTS[section]
    for place in _sections(data, around, _DEPTH):
        if name in place:
            return place[name] if isinstance(place[name], list) else []
    return None


def _sections(data: Any, names: tuple[str, ...], depth: int) -> Iterator[Mapping[str, Any]]:
    """The objects that stand under one of these names, at most so many levels down."""
    if not isinstance(data, Mapping) or not depth:
        return
    for name, value in data.items():
        if name in names and isinstance(value, Mapping):
            yield value
        yield from _sections(value, names, depth - 1)
