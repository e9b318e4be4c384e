"""Files beside the media."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dyvine_cli import encode
from dyvine_cli.sidecar import info_json
from dyvine_cli.sites.douyin import parse

KINDS = ("video", "images", "live_photo", "slides", "note", "article")


@pytest.mark.parametrize("kind", KINDS)
def test_no_signed_address_or_token_stands_in_an_info_file(data: Path, kind: str) -> None:
    """Only the address of the post's page is left; nothing of the raw answer, of hosts or of signatures."""
    raw = json.loads((data / "douyin" / f"detail_{kind}.json").read_text("utf-8"))["aweme_detail"]
    text = info_json(parse.post({**raw, "authentication_token": "TOKEN", "sec_item_id": "SECRET"}))

    assert text.count("https://") == 1
    assert not any(
        word in text
        for word in ("sign=", "x-signature", "x-expires", "douyinvod", "douyinpic", "TOKEN", "SECRET")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_info_file_is_the_post_by_its_schema(data: Path, kind: str) -> None:
    """The same object as on stdout, indented, readable, with its characters as they are."""
    raw = json.loads((data / "douyin" / f"detail_{kind}.json").read_text("utf-8"))["aweme_detail"]
    post = parse.post(raw)
    schema = json.loads((Path(encode.__file__).parent / "schemas" / "post.schema.json").read_text("utf-8"))
    text = info_json(post)

    Draft202012Validator(schema).validate(json.loads(text))
    assert json.loads(text) == encode.encode(post)
    assert "林小河" in text
    assert text.endswith("\n}\n")
