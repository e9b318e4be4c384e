"""Who a TikTok call says it is from: device ids and `msToken` (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dyvine_cli.sites.ciphers import Random

_FIRST_ID = 7_250_000_000_000_000_000
_LAST_ID = 7_325_099_899_999_994_577
_TOKEN = r"[A-Za-z0-9_=-]{16,512}"  # noqa: S105 (the form of a token, not one)
_NUMBER = r"[1-9][0-9]{0,19}"
_REGION = r"[A-Z]{2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The ids that every `/api/` call repeats: without `device_id` it is answered with nothing.

    `odin_id`, `created` (Unix seconds) and `region` (two capitals) are "" when the page did not say.
    """

    device_id: str
    odin_id: str = ""
    created: str = ""
    region: str = ""

    @classmethod
    def of_page(cls, context: Mapping[str, Any]) -> Device | None:
        """The ids that a page gave its visitor, from its `webapp.app-context`; None if it names no device."""
        device_id = _text(context, "wid", _NUMBER)
        if not device_id:
            return None
        return cls(
            device_id=device_id,
            odin_id=_text(context, "odinId", _NUMBER),
            created=_text(context, "webIdCreatedTime", _NUMBER),
            region=_text(context, "region", _REGION),
        )

    @classmethod
    def of_profile(cls, device: Mapping[str, str]) -> Device | None:
        """The ids that a profile kept; None if it kept none."""
        return (
            cls(**{name: device.get(name, "") for name in cls.__slots__}) if device.get("device_id") else None
        )

    @classmethod
    def drawn(cls, random: Random, *, now_s: int) -> Device:
        """An id out of the range that yt-dlp and gallery-dl draw from.

        A list that answers with the same page again has taken a dislike to the id: draw another.
        """
        drawn = min(_FIRST_ID + int(random() * (_LAST_ID - _FIRST_ID + 1)), _LAST_ID)
        return cls(device_id=str(drawn), created=str(now_s))

    def kept(self) -> dict[str, str]:
        """What a profile keeps of it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def query(self) -> dict[str, str]:
        """The parameters of a call; ids that are not known are left out."""
        told = {"device_id": self.device_id, "odinId": self.odin_id, "WebIdLastTime": self.created}
        told["region"] = self.region
        return {name: value for name, value in told.items() if value}


def newest_token(*, header: str | None = None, cookie: str | None = None, known: str = "") -> str:
    """The `msToken` to send next: an answer's `x-ms-token`, else the one it set as cookie, else the one `known`.

    Empty is accepted, an invented one is not (Evil0ctal v5, 2026-09-08); what is no token is passed over.
    """
    return next((token for token in (header, cookie, known) if token and re.fullmatch(_TOKEN, token)), "")


def _text(context: Mapping[str, Any], name: str, pattern: str) -> str:
    """A field in its form, "" for anything else; numbers are taken digit by digit."""
    value = context.get(name)
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if re.fullmatch(pattern, text, re.ASCII) else ""
