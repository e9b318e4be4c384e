"""What an answer means before a field of it is read (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from dyvine_cli.errors import (
    DyvineError,
    LoginExpired,
    LoginNeeded,
    NotFound,
    NotLive,
    Private,
    RateLimited,
    Refused,
    RiskControl,
    SignatureRejected,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer
from dyvine_cli.models import Ref
from dyvine_cli.sites.douyin.refusals import judge_api, judge_page, refuses_device

REF = Ref("douyin", "post", "7372484719365098803")


def answer(body: bytes | Mapping[str, Any] = b"", status: int = 200, **headers: str) -> Answer:
    """An answer; header names with `_` for `-`."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=data,
        url="https://www.douyin.com/aweme/v1/web/aweme/detail/",
    )


ARGUS = b"Blocked by ArgusSecurityPlugin "
REFUSED: dict[str, tuple[Answer, type[DyvineError], str]] = {
    "argus: device id": (answer(ARGUS + b"Uifid Not Found", 403), SignatureRejected, "device id"),
    "argus: no signature": (
        answer(ARGUS + b"Signature Not Found", 403),
        SignatureRejected,
        "wants a signature",
    ),
    "argus: other jar": (answer(ARGUS + b"Validate Error", 403), SignatureRejected, "our device id"),
    "argus: signature": (answer(ARGUS + b"Sign Invalid", 403), SignatureRejected, "our signature"),
    "argus: new word": (answer(ARGUS + b"Something New", 403), SignatureRejected, "gate before"),
    "edge": (answer(b"Forbidden", 403), RateLimited, "status 403"),
    "edge, asking to wait": (answer(b"", 429, retry_after="30"), RateLimited, "status 429"),
    "gone": (answer(b"404 page not found", 404), UnexpectedResponse, "404"),
    "broken": (answer(b"bad gateway", 502), Refused, "status 502"),
    "nothing": (answer(b""), RiskControl, "empty answer"),
    "captcha header": (answer(b"", bdturing_verify="{}"), RiskControl, "captcha"),
    "captcha parameters": (answer(b"", x_vc_bdturing_parameters="e30="), RiskControl, "captcha"),
    "captcha ticket": (answer({"status_code": 0, "verify_ticket": "x"}), RiskControl, "captcha"),
    "captcha decision": (answer({"verify_center_decision_conf": "{}"}), RiskControl, "captcha"),
    "captcha page": (answer("<html>验证码中间页</html>".encode()), RiskControl, "captcha"),
    "challenge page": (answer(b"<html>__ac_nonce</html>"), RiskControl, "challenge"),
    "other page": (answer(b"<html><body>hello</body></html>"), UnexpectedResponse, "unknown page"),
    "login wanted": (answer({"status_code": 8, "status_msg": "用户未登录"}), LoginNeeded, "logged in"),
    "login wanted for lists": (answer({"status_code": 2483}), LoginNeeded, "logged in"),
    "busy": (answer({"status_code": 4}), RateLimited, "busy"),
    "no such account": (answer({"status_code": 2}), NotFound, "account"),
    "no such post": (answer({"status_code": 2053}), NotFound, "unavailable"),
    "hidden list": (answer({"status_code": 2096}), Private, "hides"),
    "off air": (answer({"status_code": 30003}), NotLive, "off air"),
    "no such room": (answer({"status_code": 4001038}), NotLive, "off air"),
    "a new code": (answer({"status_code": 31337, "status_msg": "新"}), UnexpectedResponse, "31337"),
    "no object": (answer(b"[]"), UnexpectedResponse, "not an object"),
    "no JSON": (answer(b"ok"), UnexpectedResponse, "JSON"),
}


@pytest.mark.parametrize(("given", "kind", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_has_its_name(given: Answer, kind: type[DyvineError], word: str) -> None:
    """Every shape becomes the error that says what it means, and most say what helps."""
    with pytest.raises(kind) as caught:
        judge_api(given, endpoint="detail", ref=REF)

    assert type(caught.value) is kind
    assert word in str(caught.value)
    if isinstance(caught.value, Refused):
        assert caught.value.hint
        assert caught.value.ref == REF
        assert caught.value.endpoint == "detail"


def test_a_dead_login_is_told_from_a_missing_one() -> None:
    """Code 8 means that a login is wanted, or that the one which was sent is dead."""
    with pytest.raises(LoginExpired):
        judge_api(answer({"status_code": 8}), endpoint="detail", login=True)


def test_retry_after_comes_with_the_error() -> None:
    """The seconds that the server asks for are kept."""
    with pytest.raises(RateLimited) as caught:
        judge_api(answer(b"", 429, retry_after="30"), endpoint="detail")

    assert caught.value.retry_after == 30.0


@pytest.mark.parametrize("code", [0, None])
def test_a_success_is_given_back(code: int | None) -> None:
    """An object without an error code is what was asked for."""
    assert judge_api(answer({"status_code": code, "aweme_list": []}), endpoint="posts")["aweme_list"] == []


DEVICES = {
    "argus": (answer(ARGUS + b"Validate Error", 403), True),
    "nothing": (answer(b""), True),
    "captcha": (answer(b"", bdturing_verify="{}"), False),
    "edge": (answer(b"Forbidden", 403), False),
    "no content": (answer(b"", 204), False),
    "content": (answer({"status_code": 0}), False),
}


@pytest.mark.parametrize(("given", "expected"), DEVICES.values(), ids=DEVICES.keys())
def test_which_refusals_a_new_device_may_cure(given: Answer, expected: bool) -> None:
    """The signature gate and empty answers; a captcha or a rate limit is about something else."""
    assert refuses_device(given) is expected


def test_a_page_with_data_is_let_through() -> None:
    """The word captcha in a page's scripts does not hide the data that came with it, nor the other way round."""
    judge_page(answer(b'<script id="RENDER_DATA">%7B%7D</script>'), endpoint="page")
