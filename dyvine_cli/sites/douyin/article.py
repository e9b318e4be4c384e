"""Douyin's articles: a Markdown text with its pictures (pure).

Both stand as JSON texts in `article_info`; `fe_data.image_list` names each picture's encodings, and the text links
pictures by their `markdown_url` with width and height behind it (reported 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dyvine_cli.models import Asset
from dyvine_cli.sites.douyin import renditions
from dyvine_cli.sites.mirrors import links
from dyvine_cli.sites.reading import Record

_PICTURE = re.compile(r"!\[([^\[\]\n]{0,1000}+)\]\([ \t]{0,8}+([^()\[\]\s]++)(?:\s[^()\n]{0,200}+)?\)")
_ENCODINGS = ("origin_image_url", "high_image_url", "url", "markdown_url", "ai_high_image_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """`assets` are the text and its pictures, `length` the characters of the text as it was given."""

    title: str
    length: int
    assets: tuple[Asset, ...]


def read_article(info: Record) -> Article:
    """The article in `article_info`. In its text, a picture's link is the id of its asset: `![](picture_02)`.

    (The platform's links are signed, run out, and name no file that we save.) Raises LookupError without a text.
    """
    content = info.embedded("article_content") or info.missing("article_content")
    markdown = content.text("markdown") or content.text("long_article_abstract")
    if not markdown:
        content.missing("markdown")
    title = info.text("article_title")
    sources = _sources(info, markdown)
    ids = {name: f"picture_{index:02}" for index, names in enumerate(sources, start=1) for name in names}
    text = _PICTURE.sub(lambda link: f"![{link[1]}]({ids.get(link[2], '')})", markdown)
    for name in sorted(ids, key=len, reverse=True):
        text = text.replace(name, ids[name]) if links([name]) else text
    title = re.sub(r"[\s#]*\s#\s*$", "", title)  # what is left of a hashtag that the platform cut
    head = f"# {title}\n\n" if title else ""
    written = Asset(id="text", kind="text", text=f"{head}{text.rstrip()}\n")
    return Article(title=title, length=len(markdown), assets=(written, *_pictures(sources)))


def _sources(info: Record, markdown: str) -> list[tuple[str, ...]]:
    """Per picture its addresses, best first: those of `fe_data`, then pictures that only the text names."""
    data = info.embedded("fe_data")
    listed = [_addresses(entry) for entry in (data.records("image_list") if data else ())]
    known = {url for addresses in listed for url in addresses}
    only_in_text = dict.fromkeys(link[2] for link in _PICTURE.finditer(markdown) if link[2] not in known)
    return [*(each for each in listed if each), *((url,) for url in only_in_text if links([url]))]


def _addresses(entry: Record) -> tuple[str, ...]:
    named = (entry.text(name) for name in _ENCODINGS)
    return tuple(dict.fromkeys([url for url in named if url] + list(entry.texts("url_list"))))


def _pictures(sources: list[tuple[str, ...]]) -> Iterator[Asset]:
    for index, addresses in enumerate(sources, start=1):
        if encodings := renditions.pictures_at(addresses):
            yield Asset(id=f"picture_{index:02}", kind="picture", index=index, renditions=encodings)
