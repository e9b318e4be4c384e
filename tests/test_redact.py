"""What is shown of a request and its answer: no secret in any place or form, and still what parsers need."""

from __future__ import annotations

import json
import time

import pytest

from dyvine_cli.redact import MARK, Redactor

HEX = "0f3a9c1e5b7d2468ace013579bdf0246"
TOKEN = "hZ3kQ9_xW2-pL7vN4tR8yB1mC6"
SPLIT = "1%7CqS0mE5rW9xZ2%7C1790740800%7C9f8e7d6c5b4a"
UUID = "5f0c9a3e-7b1d-4e2f-8a6b-3c4d5e6f7a8b"
FORMS = {"hex": HEX, "base64": TOKEN, "encoded": SPLIT, "uuid": UUID, "jwt": f"eyJhbGciOi.{TOKEN}.x9"}
SECRETS = pytest.mark.parametrize("secret", FORMS.values(), ids=FORMS)


@pytest.fixture
def redactor() -> Redactor:
    """One that was told nothing."""
    return Redactor()


# --- secrets that nobody told it --------------------------------------------------------------------------------------


@SECRETS
def test_a_query_keeps_names_and_harmless_values_only(redactor: Redactor, secret: str) -> None:
    """A signature goes, and so does a token under a harmless name or as a name."""
    shown = redactor.query(
        f"aweme_id=7690616541471398438&a_bogus={secret}&channel={secret}&{secret}&x={secret}"
    )

    assert shown == f"aweme_id=7690616541471398438&a_bogus={MARK}&channel={MARK}&{MARK}&x={MARK}"


@SECRETS
def test_an_address_stays_one_without_its_secrets(redactor: Redactor, secret: str) -> None:
    """Login, query values, fragments and tokens in the path are gone; host, path and file type stay."""
    shown = redactor.url(
        f"https://me:{secret}@v3.douyinvod.com:8443/{secret}/video/tos/a.mp4?sign={secret}#{secret}"
    )

    assert secret not in shown
    assert shown.startswith("https://v3.douyinvod.com:8443/")
    assert "/video/tos/a.mp4?sign=" in shown


@SECRETS
@pytest.mark.parametrize(
    "text",
    [
        "Cookie: sessionid={}",
        "token: {}",
        '{{"ticket": "{}"',
        "see https://x.example/?k={}",
        "plainly {} here",
    ],
    ids=["cookie", "named", "cut-json", "address", "alone"],
)
def test_a_text_loses_its_tokens(redactor: Redactor, secret: str, text: str) -> None:
    """By the name in front of them, as part of an address, or by their form alone."""
    assert secret not in redactor.text(text.format(secret))


@SECRETS
@pytest.mark.parametrize(
    "body",
    [
        '{{"msToken":"{}"}}',
        '{{"odd":"{}"}}',
        '{{"{}":1}}',
        '{{"list":[["{}"]]}}',
        '{{"extra":"{{\\"inner\\":\\"{}\\"}}"}}',
        '{{"url_list":["https://p3.douyinpic.com/a.jpeg?x-signature={}"]}}',
        '{{"session":{{"deep":{{"word":"{}"}}}}}}',
        '{{"odd":"{}"',
        "token={}&a=b",
        "<html><script>var csrf='{}'</script>",
        '<script id="RENDER_DATA">%7B%22odd%22%3A%22{}%22%7D</script>',
        '<script>window._ROUTER_DATA = {{"odd":"{}"}}</script>',
        '<script>self.__pace_f.push([1,"c:{{\\"odd\\":\\"{}\\"}}"])</script>',
    ],
    ids=[
        "named", "unknown", "key", "list", "inner", "address", "below-a-name", "cut", "form", "script", "render",
        "router", "streamed",
    ],
)  # fmt: skip
def test_a_body_loses_its_tokens(redactor: Redactor, secret: str, body: str) -> None:
    """In JSON, cut JSON, JSON in JSON, forms, and the scripts of pages."""
    assert secret not in redactor.body(body.format(secret).encode())


@pytest.mark.parametrize("secret", ["short", "1234567890123456789", TOKEN], ids=["word", "digits", "token"])
def test_cookies_keep_their_names_only(redactor: Redactor, secret: str) -> None:
    """Whatever the value looks like."""
    sent = redactor.headers({"Cookie": f"sessionid={secret}; ttwid={secret}", "X-Odd": secret})
    given = redactor.set_cookie(
        f"odin_tt={secret}; Path=/; Domain=.douyin.com; Max-Age=60; Secure; x={secret}"
    )

    assert sent == {"Cookie": f"sessionid={MARK}; ttwid={MARK}", "X-Odd": MARK}
    assert given == f"odin_tt={MARK}; Path=/; Domain=.douyin.com; Max-Age=60; Secure"


def test_headers_that_say_how_stay(redactor: Redactor) -> None:
    """Type, length, server and browser are what a bug report needs; links lose their queries' values."""
    headers = {
        "content-type": "application/json",
        "Retry-After": "60",
        "User-Agent": "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36",
    }

    assert redactor.headers(headers) == headers
    assert redactor.headers({"Location": f"https://www.douyin.com/a?share_sign={HEX}"}) == {
        "Location": f"https://www.douyin.com/a?share_sign={MARK}"
    }


# --- secrets that it was told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["pass word+1", "pass%20word%2B1", "pass%20word+1", '{"message":"no pass word+1 here"}'],
    ids=["plain", "encoded", "half-encoded", "in-json"],
)
def test_what_was_learned_goes_wherever_it_stands(text: str) -> None:
    """Also where neither place nor form would give it away, and however it is written."""
    redactor = Redactor(["pass word+1"])
    shown = redactor.body(text.encode()) + redactor.text(text) + redactor.url(f"https://x.example/{text}")

    assert "word" not in shown.replace("password", "")


def test_words_are_no_secrets() -> None:
    """A cookie of a few letters does not black out every text that has them."""
    redactor = Redactor(["1", "true", "zh-CN"])

    assert redactor.text("1 is true in zh-CN") == "1 is true in zh-CN"


def test_the_persons_account_gets_another_id_of_the_same_form() -> None:
    """In every place the same one, as text and as number, so that parsers still read it."""
    redactor = Redactor()
    own = "MS4wLjABAAAA" + "q" * 43
    redactor.learn_account("3290000000333000", own, "someone's name")
    text = json.dumps({"uid": 3290000000333000, "user": {"uid": "3290000000333000", "sec_uid": own}})
    shown = json.loads(redactor.body(text.encode()))

    assert shown["uid"] == int(shown["user"]["uid"]) != 3290000000333000
    assert shown["user"]["sec_uid"].startswith("MS4wLjABAAAA")
    assert own not in redactor.url(f"https://www.douyin.com/user/{own}?sec_user_id={own}")


# --- what must stay ---------------------------------------------------------------------------------------------------


def test_what_parsers_need_stays(redactor: Redactor) -> None:
    """Public ids, texts, numbers, flags, empty values, and the shape of addresses."""
    body = {
        "aweme_id": "7690616541471398438",
        "desc": "立秋那天 #乡村",
        "create_time": 1790611199,
        "author": {"sec_uid": "MS4wLjABAAAAarMxG_58UtkwmOZhVYoUwuVvwo23kjp6zStntql75-s", "uid": "3290000000007919"},
        "video": {"play_addr": {"uri": "v0200fg10000d4abcdefgh", "url_list": ["https://v3.douyinvod.com/a/b.mp4"]}},
        "status": {"is_delete": False, "reviewed": 1},
        "images": None,
        "cha_list": [],
        "item_id_to_episode": {"7690616541471398438": 3},
    }  # fmt: skip

    assert json.loads(redactor.body(json.dumps(body).encode())) == body


def test_a_signed_address_keeps_its_expiry(redactor: Redactor) -> None:
    """The place of the time in the path stays behind zeros, `x-expires` by its name."""
    shown = redactor.url(
        f"https://v3.douyinvod.com/{HEX}/6b027396/video/tos/?x-expires=1790740800&x-signature={TOKEN}"
    )

    assert shown == (
        f"https://v3.douyinvod.com/{'0' * 32}/6b027396/video/tos/?x-expires=1790740800&x-signature={MARK}"
    )


def test_allowed_pairs_are_shown_and_the_others_counted(redactor: Redactor) -> None:
    """What a line of traffic says of a query."""
    assert redactor.allowed("aweme_id=1&aid=6383&msToken=&a_bogus=x") == ("aweme_id=1&aid=6383", 2)
    assert redactor.allowed("") == ("", 0)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>" + b"x" * 10**6,
        b"a=b" + b"&c=d" * 50_000 + b"<",
        b'<script id="RENDER_DATA">' * 50_000,
        b"http://" * 50_000,
        b"token=token:" * 50_000,
        b"tokentoken" * 50_000,
        b"[" * 10**6,
        b'{"a":"' + b"\\\\" * 500_000 + b'"}',
        b"\xff\xfe" * 10**5,
    ],
    ids=["run", "form", "scripts", "addresses", "names", "word", "deep", "escapes", "no-text"],
)
def test_a_hostile_body_costs_no_time(redactor: Redactor, body: bytes) -> None:
    """Two seconds are many times what is needed; a pattern that goes back and forth needs hours."""
    redactor.learn(TOKEN, HEX)
    begun = time.process_time()
    redactor.body(body)

    assert time.process_time() - begun < 2
