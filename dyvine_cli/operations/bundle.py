"""The record of a run for a bug report: every request and answer, redacted, in one file; and its reading again offline."""

from __future__ import annotations

import json
import os
import platform
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from dyvine_cli._version import VERSION
from dyvine_cli.client import reread
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import DyvineError, InputError, UnexpectedResponse
from dyvine_cli.http.api import Answer
from dyvine_cli.http.exchange import Exchange
from dyvine_cli.operations.doctor import Finding
from dyvine_cli.operations.traffic import learn
from dyvine_cli.redact import Redactor
from dyvine_cli.transfer.folder import writing

FORMAT = 1
LARGEST = 200_000_000
"""Bytes of a record that is read again."""
_HOW = "dyvine doctor --bundle FILE writes such a record"
_MOST = 500  # exchanges that are kept
_BODY = 20_000_000  # bytes of a body that is kept whole


@dataclass(slots=True)
class Record:
    """A listener that keeps exchanges as they are, in memory only, until they are written redacted."""

    exchanges: list[Exchange] = field(default_factory=list, repr=False)

    def __call__(self, made: Exchange) -> None:
        """Keep one exchange; what comes after the first hundreds is left out."""
        if len(self.exchanges) < _MOST:
            self.exchanges.append(made)


def write(
    path: Path,
    exchanges: Sequence[Exchange],
    findings: Sequence[Finding],
    *,
    jar: Sequence[Cookie] = (),
    proxy: str | None = None,
) -> None:
    """Write the redacted record to `path`, readable by its owner only; a file that is there is replaced.

    `jar` and `proxy` are further secrets of the run, wherever they may stand. Raises NotWritable, DiskFull, DiskError.
    """
    redactor = _taught(exchanges, jar, proxy)
    record = {
        "dyvine": VERSION,
        "v": FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.system(),
        "findings": [_finding(each, redactor) for each in findings],
        "exchanges": [_exchange(each, redactor) for each in exchanges],
    }
    with writing(path):
        _replace(path, json.dumps(record, ensure_ascii=False, indent=1).encode())


def _taught(exchanges: Sequence[Exchange], jar: Sequence[Cookie], proxy: str | None) -> Redactor:
    """A redactor that knows every secret of the run before the first line is written."""
    redactor = Redactor(cookie.value for cookie in jar)
    parts = urlsplit(proxy or "")
    redactor.learn(*(unquote(each) for each in (parts.username, parts.password) if each))
    for made in exchanges:
        learn(redactor, made)
    return redactor


def _finding(found: Finding, redactor: Redactor) -> dict[str, Any]:
    told = None
    if found.error is not None:
        told = {"error": found.error.name, "message": redactor.text(found.error.message)}
    return {
        "stage": found.stage,
        "state": found.state,
        "detail": redactor.text(found.detail),
        "failed": told,
    }


def _exchange(made: Exchange, redactor: Redactor) -> dict[str, Any]:
    return {
        "endpoint": made.endpoint,
        "method": made.method,
        "url": redactor.url(made.full_url),
        "sent": redactor.headers(made.sent),
        "content": redactor.body(made.content) if made.content else "",
        "seconds": round(made.seconds, 3),
        "fault": made.fault,
        "status": made.status,
        "received": redactor.headers(made.received),
        "set_cookies": [redactor.set_cookie(each) for each in made.set_cookies],
        "size": made.size,
        "body": redactor.body(made.body[:_BODY]),
    }


def _replace(path: Path, content: bytes) -> None:
    """Write beside, flush, then rename; never through a link, and never readable by others."""
    made = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}")
    fd = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


# --- reading it again -------------------------------------------------------------------------------------------------


State = Literal["ok", "refused", "breaks", "no parser"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What became of one recorded answer.

    `state` is `ok` (`detail` says what it is), `refused` (the platform's own word, in `error`), `breaks` (a field that
    we do not understand) or `no parser`.
    """

    endpoint: str
    url: str
    state: State
    detail: str = ""
    error: DyvineError | None = None


def replay(path: Path) -> tuple[Reading, ...]:
    """Read every answer of a record with the parsers of this version; nothing is asked. Raises InputError."""
    return tuple(_read(answer, endpoint) for endpoint, answer in _answers(_load(path), path))


def _read(answer: Answer, endpoint: str) -> Reading:
    try:
        found = reread(answer)
    except DyvineError as error:
        state: State = "breaks" if isinstance(error, UnexpectedResponse) else "refused"
        return Reading(endpoint=endpoint, url=answer.url, state=state, error=error)
    return Reading(
        endpoint=endpoint, url=answer.url, state="ok" if found else "no parser", detail=found or ""
    )


def _load(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"--replay: {path} is too large to be a record of dyvine doctor", hint=_HOW)
        found = json.loads(path.read_bytes())
    except OSError as exc:
        raise InputError(f"--replay: {path} cannot be read: {exc.strerror}", hint=_HOW) from exc
    except (ValueError, RecursionError):
        raise _no_record(path) from None
    if not isinstance(found, dict) or not isinstance(found.get("exchanges"), list):
        raise _no_record(path)
    if found.get("v") != FORMAT:
        raise InputError(
            f"--replay: {path} was written by another version of dyvine ({found.get('dyvine')})",
            hint="read it with that version, or write it anew: dyvine doctor --bundle FILE",
        )
    return found


def _answers(record: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Answer]]:
    """Every exchange that got an answer and can have a parser; media have none."""
    for each in record["exchanges"]:
        match each:
            case {
                "endpoint": str(endpoint),
                "url": str(url),
                "status": int(status),
                "received": dict(received),
                "set_cookies": list(cookies),
                "body": str(body),
            }:
                if endpoint != "media":
                    yield (
                        endpoint,
                        Answer(
                            status=status,
                            headers={str(name).lower(): str(value) for name, value in received.items()},
                            set_cookie_headers=tuple(map(str, cookies)),
                            body=body.encode("utf-8", "replace"),
                            url=url,
                        ),
                    )
            case {"status": None}:
                continue
            case _:
                raise _no_record(path)


def _no_record(path: Path) -> InputError:
    return InputError(f"--replay: {path} is no record of dyvine doctor", hint=_HOW)
