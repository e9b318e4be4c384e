"""What is told and recorded of a run names neither the person's account nor the visitor that TikTok takes us for."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli import config
from dyvine_cli.events import ignore
from dyvine_cli.http.exchange import Exchange
from dyvine_cli.operations.bundle import write
from dyvine_cli.operations.traffic import Traffic, learn
from dyvine_cli.operations.visit import visit
from dyvine_cli.operations.workspace import open_subject
from dyvine_cli.redact import Redactor
from dyvine_cli.simulator.tiktok_guest import login_cookies
from dyvine_cli.simulator.tiktok_world import TIKTOK, TiktokWorld

from .conftest import Person

pytestmark = pytest.mark.anyio

OWN = {
    "uid": "7212345678901234567",
    "secUid": "MS4wLjABAAAAv7iSuuXDJGDvJkmH_vz1qkDZYo1apxgzaxdBSeIuPiM",
    "uniqueId": "planted.handle",
    "nickName": "Planted Name",
    "odinId": "7398765432109876543",
    "wid": "7455555555555555551",
    "user_id_str": "7212345678901234568",
    "sec_user_id": "MS4wLjABAAAAplantedplantedplantedplantedplantedplantedpl",
    "screen_name": "planted-screen",
}
SECRETS = {
    "msToken": "pL4nt3dMsT0k3n" * 10 + "==",
    "tt_chain_token": "pL4nt3dCh41n==",
    "ttwid": "1%7CpL4nt3dTtw1d%7C1790000000%7C" + "0a" * 32,
}
CONTEXT = {
    "webapp.app-context": {
        "language": "en",
        "user": {name: OWN[name] for name in ("uid", "secUid", "uniqueId", "nickName")},
        "wid": OWN["wid"],
        "odinId": OWN["odinId"],
    },
    "webapp.user-detail": {
        "userInfo": {"user": {"uniqueId": "somebody.else", "secUid": "MS4wLjABAAAAother"}}
    },
}


def exchange(url: str, body: str, **more: Any) -> Exchange:
    """An exchange with TikTok that carries the planted cookies."""
    jar = "; ".join(f"{name}={value}" for name, value in SECRETS.items())
    return Exchange(
        endpoint="page",
        method="GET",
        url=url.partition("?")[0],
        status=200,
        size=len(body),
        seconds=0.1,
        full_url=url,
        sent={"Cookie": jar, "Referer": f"https://www.tiktok.com/@{OWN['uniqueId']}"},
        body=body.encode(),
        **more,
    )


def page(scope: Mapping[str, Any]) -> str:
    """A page with its data."""
    text = json.dumps({"__DEFAULT_SCOPE__": scope}, separators=(",", ":"))
    return f'<html><script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{text}</script></html>'


BEAT = {
    "message": "success",
    "data": {each: OWN[each] for each in ("user_id_str", "sec_user_id", "screen_name")},
}
EXCHANGES = [
    exchange("https://www.tiktok.com/passport/token/beat/web/?aid=1459", json.dumps(BEAT)),
    exchange(
        "https://www.tiktok.com/@somebody.else", page(CONTEXT), set_cookies=(f"msToken={SECRETS['msToken']}",)
    ),
    exchange(
        f"https://www.tiktok.com/api/favorite/item_list/?secUid={OWN['secUid']}&device_id={OWN['wid']}"
        f"&odinId={OWN['odinId']}&msToken={SECRETS['msToken']}&user_id={OWN['uid']}",
        json.dumps(
            {
                "itemList": [
                    {"author": {"id": OWN["uid"], "uniqueId": OWN["uniqueId"]}, "by": OWN["user_id_str"]}
                ]
            }
        ),
        received={"x-ms-token": SECRETS["msToken"], "content-type": "application/json"},
    ),
    exchange(
        f"https://www.tiktok.com/@{OWN['uniqueId']}/video/7372484719365098803",
        f"hello {OWN['nickName']} ({OWN['screen_name']}, {OWN['sec_user_id']}), tk={SECRETS['tt_chain_token']}",
    ),
]
PLANTED = {**OWN, **SECRETS}


@pytest.mark.parametrize("name", PLANTED)
def test_an_id_that_is_planted_leaves_through_no_record_and_no_line(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever TikTok says it once, it is replaced wherever it stands; what is not the person's stays."""
    caplog.set_level(logging.DEBUG, "dyvine_cli.traffic")
    path = tmp_path / "record.json"
    write(path, EXCHANGES, [])
    traffic = Traffic()
    for each in EXCHANGES:
        traffic(each)
    record, lines = path.read_text(encoding="utf-8"), caplog.text

    assert PLANTED[name] not in record
    assert PLANTED[name] not in lines
    assert "somebody.else" in record
    assert "7372484719365098803" in record


def test_a_page_that_is_cut_or_odd_teaches_nothing_and_breaks_nothing() -> None:
    """Half an object, another kind, nothing behind the name."""
    redactor = Redactor()
    for text in (
        '"webapp.app-context":',
        '"webapp.app-context":[1]',
        '"webapp.app-context":{"user":{"uid":"72',
        "x",
    ):
        learn(redactor, exchange("https://www.tiktok.com/", text))

    assert redactor.text("7372484719365098803") == "7372484719365098803"


@pytest.mark.slow
async def test_a_real_run_tells_nothing_of_its_login(
    person: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The doctor of the login's own account: its record and its traffic, against the stand-in for TikTok."""
    caplog.set_level(logging.DEBUG, "dyvine_cli.traffic")
    jar = login_cookies(person.platform.clock(), session=TiktokWorld.SESSION)
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    env = {"DYVINE_HOME": str(tmp_path / "home"), "DYVINE_TIKTOK_COOKIE": header}
    flags = {
        "connect_to": person.platform.connect_to,
        "pace": "off",
        "print_traffic": True,
        "path": str(tmp_path),
    }
    settings = config.load(flags, env, None)
    link = f"https://www.tiktok.com/@{TiktokWorld.SELF}"
    path = tmp_path / "record.json"
    code = await visit(
        lambda record: open_subject(settings, ignore, link, record), lambda finding: None, bundle=path
    )
    me = TIKTOK.myself
    secrets = [
        me.id,
        me.handle,
        me.nickname,
        me.sec_uid,
        *(value for value in jar.values() if len(value) > 8),
    ]
    told = path.read_text(encoding="utf-8") + caplog.text

    assert code == 0
    assert len(path.read_bytes()) > 10_000
    assert [each for each in secrets if each in told] == []
