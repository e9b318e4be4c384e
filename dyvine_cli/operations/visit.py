"""One visit to the doctor: open what is examined, try every stage, write the record if one is wanted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from dyvine_cli.http.exchange import Trace
from dyvine_cli.operations import bundle as records
from dyvine_cli.operations.doctor import Examination, Finding, Subject, exit_code


async def visit(
    opened: Callable[[Trace], AbstractAsyncContextManager[Subject]],
    show: Callable[[Finding], None],
    *,
    bundle: Path | None = None,
) -> int:
    """Examine what `opened` gives when it is told who receives the exchanges; the exit status.

    `bundle` is the file for the record, which is written however the stages went. Raises what `opened` raises, DiskError.
    """
    record = records.Record()
    async with opened(record) as subject:
        findings = await Examination(subject, show).run()
    if bundle is not None:
        jar = subject.site.profile.cookies
        records.write(bundle, record.exchanges, findings, jar=jar, proxy=subject.proxy)
    return exit_code(findings)
