"""Objects for a person or a pipe: tables and fields as text, or one JSON object a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dyvine_cli.cli.output import say, words
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.encode import encode
from dyvine_cli.models import Mix, Post, Rendition, User
from dyvine_cli.operations import selection

if TYPE_CHECKING:
    from dyvine_cli.cli.options import Common
    from dyvine_cli.operations.selection import Selection

Shown = Post | User | Mix


def shower(given: Common, *, rows: bool = False) -> Callable[[Shown], None]:
    """What shows one object after the other, as this call asks for it; `rows` has one line for each."""
    if given.show.json or given.take.dump_json or given.take.raw:
        return lambda each: say(line(_object(each, raw=bool(given.take.raw))))
    return lambda each: say(row(each)) if rows else say(*described(each))


def post_shower(given: Common, wish: Selection) -> Callable[[Post], None]:
    """What shows a post for -j, -F or -g."""
    take = given.take
    if take.list_formats and not given.show.json:
        return lambda post: say(*formats(post))
    if take.get_url and not given.show.json:
        return lambda post: say(*addresses(post, wish))
    return lambda post: say(line(_object(post, raw=bool(take.raw))))


def _object(each: Shown, *, raw: bool) -> Any:
    return each.raw if raw else encode(each, urls=True) if isinstance(each, Post) else encode(each)


def row(each: Shown) -> str:
    """An object in one line: date, ref, kind and title of a post."""
    match each:
        case Post():
            marks = " pinned" if each.pinned else ""
            title = words.clean(each.title or each.text, 70)
            return f"{each.created:%Y-%m-%d}  {each.ref}  {each.kind:<10}{marks}  {title}"
        case User():
            return f"{each.ref}  {words.clean(each.nickname)}"
        case Mix():
            posts = "?" if each.declared is None else words.count(each.declared, "post")
            return f"{each.ref}  {posts:>10}  {words.clean(each.title, 70)}"


def described(each: Shown) -> Iterator[str]:
    """An object's facts, one a line, aligned."""
    facts = _facts(each)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        if value not in (None, "", ()):
            yield f"{name:<{width}}  {words.clean(str(value))}"
    yield ""


def _facts(each: Shown) -> list[tuple[str, object]]:
    match each:
        case Post():
            return _post_facts(each)
        case User():
            return _user_facts(each)
        case Mix():
            return _mix_facts(each)


def _post_facts(post: Post) -> list[tuple[str, object]]:
    counts = post.statistics
    return [
        ("post", post.ref),
        ("kind", post.kind + (", pinned" if post.pinned else "")),
        ("published", f"{post.created:%Y-%m-%d %H:%M:%S} UTC"),
        ("author", f"{post.author.nickname} ({post.author.handle or post.author.uid})"),
        ("title", post.title),
        ("text", post.text),
        ("length", words.duration(post.duration) if post.duration else None),
        ("files", ", ".join(asset.id for asset in post.assets)),
        ("mix", f"{post.mix.title} ({post.mix.ref})" if post.mix else None),
        ("likes", counts.likes),
        ("comments", counts.comments),
        ("shares", counts.shares),
        ("notice", post.notice),
        ("link", post.url),
    ]


def _user_facts(user: User) -> list[tuple[str, object]]:
    state = user.state + (f": {user.state_reason}" if user.state_reason else "")
    return [
        ("user", user.ref),
        ("name", user.nickname),
        ("handle", user.handle),
        ("number", user.uid),
        ("state", state),
        ("posts", user.declared),
        ("followers", user.followers),
        ("following", user.following),
        ("likes given", user.likes_given),
        ("mixes", user.mixes),
        ("live now", user.live_room),
        ("about", user.signature),
        ("link", user.url),
    ]


def _mix_facts(mix: Mix) -> list[tuple[str, object]]:
    return [
        ("mix", mix.ref),
        ("title", mix.title),
        ("author", mix.author.nickname if mix.author else None),
        ("posts", mix.declared),
        ("about", mix.description),
    ]


def formats(post: Post) -> Iterator[str]:
    """Every rendition of every asset, best first."""
    yield f"{post.ref}  {words.clean(post.title or post.text, 60)}"
    rows: list[tuple[str, ...]] = [("file", "format", "pixels", "fps", "codec", "kbit/s", "size", "note")]
    for asset in post.assets:
        rows += [_format_row(asset.id, each) for each in asset.renditions]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(
            words.clean(cell).ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()


def _format_row(asset: str, each: Rendition) -> tuple[str, ...]:
    notes = [
        *(("watermarked",) if each.watermarked else ()),
        *(("no sound",) if not each.has_sound else ()),
        *(("original upload",) if each.original else ()),
    ]
    return (
        asset,
        words.clean(each.label or each.ext),
        f"{each.width}x{each.height}" if each.width and each.height else "-",
        f"{each.fps:g}" if each.fps else "-",
        each.codec or "-",
        f"{each.bit_rate // 1000}" if each.bit_rate else "-",
        words.size(each.size) if each.size else "-",
        ", ".join(notes),
    )


def addresses(post: Post, wish: Selection) -> Iterator[str]:
    """The address of each file that a download would take now; it works for a short time only."""
    for asset in selection.assets(post, wish):
        for best in selection.choices(asset, wish)[:1]:
            yield from map(words.clean, best.mirrors[:1])
