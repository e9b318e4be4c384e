"""The forms that a site's links have: a link in its parts, and the table it is held against (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from dyvine_cli.errors import UnsupportedURL
from dyvine_cli.http.addresses import within
from dyvine_cli.models import RefKind

ID = r"(?P<id>[0-9]{1,20})"
"""The decimal id of anything on either platform."""

STABLE_PREFIX = "MS4wLjABAAAA"
"""How every lasting user id (`sec_uid`, `secUid`) begins."""

# The words after a link are often glued to it; only what could belong to the id must not follow.
END = r"(?![A-Za-z0-9_-])"

# Control characters and those that turn the direction of writing: a keyword is shown on a terminal.
_UNSEEN = "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"


class Link(NamedTuple):
    """The parts of a link that matter: host in lower case, path as written, the first value of each parameter."""

    host: str
    path: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of link.

    The id is group `id` of `path`, or of the value of `parameter`. `part` is a parameter, or a group of `path`, that
    narrows the id down: it is appended after a `/`. A form with a `refusal` is known and out of scope.
    """

    name: str
    domains: tuple[str, ...]
    path: str
    kind: RefKind = "post"
    parameter: str | None = None
    value: str = ID
    part: str | None = None
    refusal: str | None = None

    def id(self, link: Link) -> str | None:
        """The id in `link`, "" for a form without; None if the link has another form."""
        found = re.match(self.path, link.path)
        if not found or not within(link.host, self.domains):
            return None
        if self.parameter is not None:
            named = re.match(self.value + END, link.parameters.get(self.parameter, ""))
            return named["id"] if named else None
        groups = found.groupdict()
        part = (groups | dict(link.parameters)).get(self.part or "")
        return "/".join(filter(None, [groups.get("id", ""), part]))


def split(text: str) -> Link | None:
    """The parts of an http(s) link without login, strange port or anything that two readers could split in two ways."""
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        return None
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        text = "https://" + text.removeprefix("//")
    try:
        parts = urlsplit(text)
        usual = parts.port in (None, 80, 443)
    except ValueError:
        return None
    host = (parts.hostname or "").removesuffix(".")
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not usual:
        return None
    if not host.isascii() or host.endswith("."):
        return None
    return Link(host, parts.path, dict(reversed(parse_qsl(parts.query))))


def find(forms: Sequence[Form], link: Link) -> tuple[Form, str] | None:
    """The first of `forms` that `link` has, with the id; None if it has none of them.

    Raises UnsupportedURL for a form that is known and out of scope.
    """
    for form in forms:
        id = form.id(link)
        if id is None:
            continue
        if form.refusal:
            raise UnsupportedURL(f"{link.host}{link.path}: {form.refusal}")
        return form, id
    return None


def shown(text: str) -> str:
    """A keyword or name without what a terminal would obey; "" if nothing visible is left."""
    return re.sub(_UNSEEN, "", text).strip()
