"""Files that stand beside the media: a post in our words (pure)."""

from __future__ import annotations

import json

from dyvine_cli.encode import VERSION, dumps, encode
from dyvine_cli.models import Post


def info_json(post: Post) -> str:
    """The post as indented JSON by the post schema, without any address of media, signature or token."""
    return dumps(encode(post), indent=2, allow_nan=False) + "\n"


def is_info_of(post: Post, data: bytes) -> bool:
    """Whether the content of a file is what we write about this post, now or in an earlier version."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, dict) or type(found.get("v")) is not int:
        return False
    ours = found.get("type"), found.get("ref")
    return 1 <= found["v"] <= VERSION and ours == ("post", str(post.ref))
