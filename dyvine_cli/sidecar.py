"""Files that stand beside the media: a post in our words (pure)."""

from __future__ import annotations

import json

from dyvine_cli.encode import encode
from dyvine_cli.models import Post


def info_json(post: Post) -> str:
    """The post as indented JSON by the post schema, without any address of media, signature or token."""
    return json.dumps(encode(post), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
