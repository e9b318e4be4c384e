"""JSON inside the scripts of a page: found by the script's id or by what stands before it (pure)."""

from __future__ import annotations

import json
from typing import Any

_DECODER = json.JSONDecoder()


def script(html: str, id: str) -> str:
    """The content of the script with this id, "" if there is none; the order of its attributes does not matter."""
    at = max(html.find(f'id="{id}"'), html.find(f"id='{id}'"))
    start = html.find(">", at) + 1 if at >= 0 else 0
    end = html.find("</script>", start) if start else -1
    return html[start:end] if end >= 0 else ""


def object_at(text: str, start: int, name: str) -> Any:
    """The JSON value that begins at `start`, whatever follows it. Raises ValueError naming `name`."""
    try:
        return _DECODER.raw_decode(text, start)[0]
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"{name} is no JSON") from exc
