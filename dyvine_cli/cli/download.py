"""What `get` does for every noun: words and batch file in, one operation out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.cli.app import finish
from dyvine_cli.errors import InputError
from dyvine_cli.operations.asked import Asked, from_lines, from_words, nothing_asked

if TYPE_CHECKING:
    from dyvine_cli.cli.call import Run
    from dyvine_cli.cli.options import Common
    from dyvine_cli.events import Report
    from dyvine_cli.models import Listing, RefKind
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace


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
        raise nothing_asked(what)


def asked(words: list[str], lines: list[Asked], workspace: Workspace, kind: RefKind | None) -> list[Asked]:
    """What the call's words name, before the lines of its batch file."""

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
    if not name:
        return []
    if name == "-":
        wait_for("links, one a line")
        return list(from_lines(sys.stdin.read()))
    try:
        return list(from_lines(Path(name).expanduser().read_text(encoding="utf-8-sig", errors="replace")))
    except OSError as error:
        raise InputError(
            f"the batch file {name} cannot be read: {error.strerror}",
            hint="give a text file with one link a line",
        ) from error


def wait_for(what: str) -> None:
    """Say on a terminal what is read from it: otherwise it would seem to hang."""
    if sys.stdin.isatty():
        from dyvine_cli.cli.output import note

        end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        note(f"reading {what}; end with {end}")


def exported(path: Path, section: str) -> list[Asked]:
    """The posts in a section of the copy of one's data. Raises InputError when it cannot be read."""
    from dyvine_cli.operations import export

    try:
        text = path.expanduser().read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint=export.HINT) from error
    return export.read(text, export.named(section), name=str(path))
