"""What `get` does for every noun: words and batch file in, one operation out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dyvine_cli.cli.app import finish
from dyvine_cli.errors import InputError

if TYPE_CHECKING:
    from dyvine_cli.cli.call import Run
    from dyvine_cli.cli.options import Common
    from dyvine_cli.events import Report
    from dyvine_cli.models import Listing, RefKind
    from dyvine_cli.operations.asked import Asked
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace

LARGEST = 64 * 1024 * 1024
"""Bytes of a batch file, or of the copy of one's data, that are read."""
MOST_LINES = 1_000_000
"""Links that one batch file may name: a call holds them all."""
_CHUNK = 256 * 1024
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def download(
    given: Common,
    words: list[str],
    *,
    kind: RefKind | None = None,
    what: Listing | None = None,
    more: Callable[[], list[Asked]] | None = None,
) -> Run:
    """Get, or with -j, -F and -g show, what the words, the batch file and `more` name.

    Raises InputError when that is nothing.
    """
    if more is None:
        need_words(given, words, "get")

    shown = given.take.dump_json or given.take.raw or given.take.list_formats or given.take.get_url

    def run() -> int:
        lines = [*batch(given), *(more() if more else ())]

        async def get(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.operations.get import Getting

            things = asked(words, lines, workspace, kind)
            getting = Getting(
                workspace, wish, report, kind=kind, what=what, simulate=bool(given.take.simulate)
            )
            return await getting.run(things, fail_if_nothing_new=workspace.fail_if_nothing_new)

        async def show(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.cli.output.tables import post_shower
            from dyvine_cli.operations import inform

            things = asked(words, lines, workspace, kind)
            return await inform.posts(workspace, things, kind, wish, post_shower(given, wish), report)

        return finish(given, show if shown else get, events=not shown)

    return run


def need_words(given: Common, words: list[str], what: str) -> None:
    """Raise InputError for a call that names nothing and has no batch file."""
    if not words and not given.take.batch_file:
        from dyvine_cli.operations.asked import nothing_asked  # only on the way to an error

        raise nothing_asked(what)


def asked(words: list[str], lines: list[Asked], workspace: Workspace, kind: RefKind | None) -> list[Asked]:
    """What the call's words name, before the lines of its batch file."""
    from dyvine_cli.operations.asked import from_words

    def is_known(word: str) -> bool:
        try:
            workspace.client.match(word, kind=kind)
        except InputError:
            return False
        return True

    return [*(from_words(words, is_known=is_known) if words else ()), *lines]


def batch(given: Common) -> list[Asked]:
    """The lines of the batch file, none without one. Raises InputError when it cannot be read."""
    name = given.take.batch_file
    if name is None:
        return []
    hint = "give a text file with one link a line"
    if not name.strip():
        raise InputError("--batch-file names nothing", hint=hint)
    if name == "-":
        wait_for("links, one a line")
        text = _bounded(sys.stdin.buffer, "stdin", hint)
    else:
        try:
            with Path(name).expanduser().open("rb") as file:
                text = _bounded(file, f"--batch-file: {name}", hint)
        except OSError as error:
            raise InputError(f"--batch-file: {name} cannot be read: {error.strerror}", hint=hint) from error
    from dyvine_cli.operations.asked import from_lines

    lines = list(islice(from_lines(text), MOST_LINES + 1))
    if len(lines) > MOST_LINES:
        raise InputError(f"more than {MOST_LINES:,} links in one batch", hint="split it into several files")
    return lines


def _bounded(file: IO[bytes], name: str, hint: str) -> str:
    """The text in a file, UTF-8 or UTF-16 with a mark. Raises InputError for binary data, at once, and beyond LARGEST."""
    data = bytearray()
    # On a terminal `read` would go on behind the first end that a person gives.
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    while chunk := read(_CHUNK):
        data += chunk
        if b"\0" in chunk and not data.startswith(_UTF_16):
            raise InputError(f"{name} is binary data, not text", hint=hint)
        if len(data) > LARGEST:
            raise InputError(f"{name} is larger than {LARGEST // 1024 // 1024} MiB", hint=hint)
    text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig", errors="replace")
    if "\0" in text:
        raise InputError(f"{name} is binary data, not text", hint=hint)
    return text


def wait_for(what: str) -> None:
    """Say on a terminal what is read from it: otherwise it would seem to hang."""
    if sys.stdin.isatty():
        from dyvine_cli.cli.output import note

        end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        note(f"reading {what}; end with {end}")


def exported(path: Path, section: str) -> Callable[[], list[Asked]]:
    """What reads the posts in a section of the copy of one's data. Raises InputError for a section that is none.

    Reading raises InputError when it cannot be done.
    """
    from dyvine_cli.operations import export

    wanted = export.named(section)

    def read() -> list[Asked]:
        try:
            with path.expanduser().open("rb") as file:
                text = _bounded(file, f"--from-export: {path}", export.HINT)
        except OSError as error:
            raise InputError(
                f"--from-export: {path} cannot be read: {error.strerror}", hint=export.HINT
            ) from error
        return export.read(text, wanted, name=str(path))

    return read
