"""What `get` does for every noun: words and batch file in, one operation out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.cli.app import finish
from dyvine_cli.errors import InputError
from dyvine_cli.operations.asked import Asked, from_lines, from_words, nothing_asked

if TYPE_CHECKING:
    from dyvine_cli.cli.options import Common
    from dyvine_cli.events import Report
    from dyvine_cli.models import Listing, RefKind
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace


def download(
    given: Common, words: list[str], *, kind: RefKind | None = None, what: Listing | None = None
) -> None:
    """Get, or with -j, -F and -g show, what the words and the batch file name."""

    async def get(workspace: Workspace, wish: Selection, report: Report) -> int:
        from dyvine_cli.operations.get import Getting

        things = asked(given, words, workspace, kind)
        getting = Getting(workspace, wish, report, kind=kind, what=what, simulate=bool(given.take.simulate))
        return await getting.run(things, fail_if_nothing_new=workspace.fail_if_nothing_new)

    async def show(workspace: Workspace, wish: Selection, report: Report) -> int:
        from dyvine_cli.cli.output.tables import post_shower
        from dyvine_cli.operations import inform

        things = asked(given, words, workspace, kind)
        return await inform.posts(workspace, things, kind, wish, post_shower(given.take, wish), report)

    shown = given.take.dump_json or given.take.list_formats or given.take.get_url
    finish(given, show if shown else get, events=not shown)


def asked(given: Common, words: list[str], workspace: Workspace, kind: RefKind | None) -> list[Asked]:
    """What the call's words and its batch file name. Raises InputError when that is nothing, or no such file."""

    def is_known(word: str) -> bool:
        try:
            workspace.client.match(word, kind=kind)
        except InputError:
            return False
        return True

    things = from_words(words, is_known=is_known) if words else []
    if given.take.batch_file:
        things += from_lines(_read(given.take.batch_file))
    if not things:
        raise nothing_asked(f"get{f' as a {kind}' if kind else ''}")
    return things


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"the batch file {name} cannot be read: {error.strerror}") from error
