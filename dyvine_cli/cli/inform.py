"""What `info` and the listing verbs do for every noun: one operation that shows objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyvine_cli.cli.app import finish
from dyvine_cli.cli.download import asked, batch, need_words

if TYPE_CHECKING:
    from dyvine_cli.cli.call import Run
    from dyvine_cli.cli.options import Common
    from dyvine_cli.events import Report
    from dyvine_cli.models import Listing, RefKind
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace


def show_each(given: Common, words: list[str], *, kind: RefKind) -> Run:
    """Show each thing named: its facts as text, JSON lines when asked for. Raises InputError when nothing is named."""
    need_words(given, words, "show")

    def run() -> int:
        lines = batch(given)

        async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.cli.output.tables import shower
            from dyvine_cli.operations import inform

            things = asked(words, lines, workspace, kind)
            return await inform.each(workspace, things, kind, shower(given), report)

        return finish(given, operation, events=False)

    return run


def show_listed(given: Common, words: list[str], what: Listing) -> Run:
    """Show the entries of accounts' listings, one a line. Raises InputError when no account is named."""
    need_words(given, words, "list")

    def run() -> int:
        lines = batch(given)

        async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.cli.output.tables import shower
            from dyvine_cli.operations import inform

            things = asked(words, lines, workspace, "user")
            return await inform.listed(workspace, things, what, wish, shower(given, rows=True), report)

        return finish(given, operation, events=False)

    return run
