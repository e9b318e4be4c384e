"""One visit to the doctor: open what is examined, try every stage, write the record if one is wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.events import Report
from dyvine_cli.http.exchange import Exchange, Trace
from dyvine_cli.operations import bundle as records
from dyvine_cli.operations.doctor import Examination, Finding, exit_code
from dyvine_cli.operations.traffic import Traffic
from dyvine_cli.operations.workspace import open_subject

if TYPE_CHECKING:
    from dyvine_cli.config import Settings


async def visit(
    settings: Settings,
    report: Report,
    text: str | None,
    show: Callable[[Finding], None],
    *,
    bundle: Path | None = None,
) -> int:
    """Examine `text` (None: the site's sample); the exit status. `bundle` is the file for the record.

    The record is written however the stages went. Raises UnsupportedURL, ConfigError, InputError, DiskError.
    """
    record = records.Record()
    listeners: list[Trace] = [record, *([Traffic()] if settings.print_traffic else ())]

    def trace(made: Exchange) -> None:
        for each in listeners:
            each(made)

    async with open_subject(settings, report, text, trace) as subject:
        findings = await Examination(subject, show).run()
        profile = subject.site.profile
    if bundle is not None:
        proxy = profile.proxy or settings.proxy_of(profile.site)
        records.write(bundle, record.exchanges, findings, jar=profile.cookies, proxy=proxy)
    return exit_code(findings)
