"""What `info` and the listing verbs do for every noun: one operation that shows objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyvine_cli.cli.app import finish
from dyvine_cli.cli.download import asked

if TYPE_CHECKING:
    from dyvine_cli.cli.options import Common
    from dyvine_cli.events import Report
    from dyvine_cli.models import Listing, RefKind
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace


def show_each(given: Common, words: list[str], *, kind: RefKind) -> None:
    """Show each thing named: a table on a terminal, JSON lines elsewhere when asked for."""

    async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
        from dyvine_cli.cli.output.tables import shower
        from dyvine_cli.operations import inform

        things = asked(given, words, workspace, kind)
        with shower(given) as show:
            return await inform.each(workspace, things, kind, show, report)

    finish(given, operation, events=False)


def show_listed(given: Common, words: list[str], what: Listing) -> None:
    """Show the entries of accounts' listings, one a line."""

    async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
        from dyvine_cli.cli.output.tables import shower
        from dyvine_cli.operations import inform

        things = asked(given, words, workspace, "user")
        with shower(given, rows=True) as show:
            return await inform.listed(workspace, things, what, wish, show, report)

    finish(given, operation, events=False)
