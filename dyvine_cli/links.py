"""Finds the links in whatever a person pasted: share text, several links, links without a scheme (pure).

What a link means is the business of the sites; here only where it begins and ends.
"""

from __future__ import annotations

import re

# Share texts and the platforms' own answers carry links to these without `https://`.
_DOMAINS = ("douyin.com", "iesdouyin.com", "amemv.com", "ixigua.com", "tiktok.com", "tiktokv.com")

# Full-width marks of the prose around a link, and characters that nobody sees.
_ENDS = r"""\s"<>\\^`{|}，。；！？、【】《》“”（）\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"""
_LINK = re.compile(
    rf"https?://[^{_ENDS}]+"
    rf"|(?<![A-Za-z0-9_@./-])(?:[a-z0-9-]{{1,63}}\.)*(?:{'|'.join(map(re.escape, _DOMAINS))})\.?(?::[0-9]{{1,5}})?"
    rf"[/?][^{_ENDS}]*",
    re.IGNORECASE,
)


def find(text: str) -> tuple[str, ...]:
    """The links in `text` in order and without doubles, each with a scheme.

    Any `http(s)://` run counts, whatever its host; without a scheme only hosts of the platforms followed by a path.
    """
    found = (_trimmed(link) for link in _LINK.findall(text))
    return tuple(dict.fromkeys(link for link in found if not link.endswith("://")))


def _trimmed(link: str) -> str:
    """The link without the punctuation of the sentence around it, and with a scheme."""
    closing = ".,;:!?'*" + ("" if "(" in link else ")") + ("" if "[" in link else "]")
    link = link.rstrip(closing)
    return link if re.match("https?://", link, re.IGNORECASE) else f"https://{link}"
