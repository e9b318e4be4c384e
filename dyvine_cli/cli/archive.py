"""dyvine archive: look into what dyvine remembers, check and repair the files, say what may come again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from dyvine_cli.cli.app import conduct, finish
from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import asked, batch, need_words
from dyvine_cli.cli.options import Common, Fetch, Into, Reach, Show, Which, choice, plain, value
from dyvine_cli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dyvine_cli.config import Settings
    from dyvine_cli.events import Report
    from dyvine_cli.operations.asked import Asked
    from dyvine_cli.operations.library.contents import State, Wanted
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace

    Change = Callable[[Workspace, Sequence[Asked], Report], Awaitable[tuple[int, int]]]

app = noun_app()

SITES = ("douyin", "tiktok")
KINDS = ("video", "picture", "clip", "sound", "cover", "subtitle", "text")

Words = Annotated[
    list[str] | None,
    Argument(
        metavar="TEXT...", help="Links, ids or refs (site:kind:id) of posts and accounts; else everything."
    ),
]
Posts = Annotated[
    list[str] | None, Argument(metavar="TEXT...", help="Links, ids or refs (site:kind:id) of posts.")
]
PostsOrAccounts = Annotated[
    list[str] | None,
    Argument(metavar="TEXT...", help="Links, ids or refs (site:kind:id) of posts and accounts."),
]
Batch = Annotated[
    str | None,
    value("-a", "--batch-file", metavar="FILE", help="Links from a file, one a line; - for stdin."),
]
Kind = Annotated[
    str | None,
    choice(
        "--kind",
        metavar="KINDS",
        among=KINDS,
        help=f"Only these kinds of files, several with commas: {','.join(KINDS)}.",
    ),
]
Since = Annotated[
    str | None,
    value(
        "--since",
        metavar="DATE",
        help="Of posts published then or later: 2026-01-31, today-2weeks (local time).",
    ),
]
Until = Annotated[
    str | None,
    value("--until", metavar="DATE", help="Of posts published then or before; that day counts, too."),
]
Limit = Annotated[str | None, value("--limit", metavar="N", help="At most N rows; else all.")]
Deep = Annotated[bool | None, plain("--deep", help="Read every byte and compare its SHA-256.")]


@app.callback()
def archive() -> None:
    """Look into what dyvine remembers, check and repair the files, say what may come again and what never."""


@verb(app, Which, Show)
def stats(given: Common) -> Run:
    """Count files and bytes by site, account and kind."""

    async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
        from dyvine_cli.cli.output.archive import show_overview
        from dyvine_cli.operations.library import contents

        contents.need_archive(wish)
        show_overview(
            await contents.overview(workspace.archive, given.reach.site), json=bool(given.show.json)
        )
        return 0

    return lambda: finish(given, operation, events=False, archive="read")


@verb(app, Reach, Show, name="list")
def list_(
    given: Common,
    words: Words = None,
    batch_file: Batch = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    failed: Annotated[bool | None, plain("--failed", help="What failed and was not saved since.")] = None,
    gone: Annotated[
        bool | None, plain("--gone", help="Posts that their site does not show any more.")
    ] = None,
    ignored: Annotated[bool | None, plain("--ignored", help="Posts that never come again.")] = None,
    missing: Annotated[bool | None, plain("--missing", help="Recorded files that are not there.")] = None,
    dump_json: Annotated[
        bool | None, plain("-j", "--dump-json", help="Objects as JSON lines on stdout.")
    ] = None,
    print_: Annotated[
        str | None, value("--print", metavar="path", help="Only the path of each file.")
    ] = None,
) -> Run:
    """List recorded files, of everything or of the posts and accounts named; nothing is asked of a site."""
    states: dict[State, bool | None] = {
        "failed": failed, "gone": gone, "ignored": ignored, "missing": missing
    }  # fmt: skip
    chosen: list[State] = [state for state, wanted in states.items() if wanted]
    if len(chosen) > 1:
        raise InputError(
            f"--{chosen[0]} and --{chosen[1]} exclude each other",
            hint="give one of them, or none for all files",
        )
    shown_as = given.take.print_ if print_ is None else print_
    if shown_as not in (None, "path"):
        raise InputError(
            "--print: `archive list` prints paths only", hint="--print path, or --json for everything else"
        )
    near = _near(given, batch_file)
    wanted = _wanted(given, kind, since, until, limit, *chosen)
    json = bool(given.show.json or dump_json or given.take.dump_json)

    def run() -> int:
        lines = batch(near)

        async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.cli.output.archive import row_shower
            from dyvine_cli.operations.library import contents

            contents.need_archive(wish)
            things = asked(words or [], lines, workspace, "post")
            show = row_shower(json=json, paths=shown_as == "path")
            return await contents.listed(workspace, things, wanted, show, report)

        return finish(near, operation, events=False, archive="read")

    return run


@verb(app, Reach, Show)
def verify(
    given: Common,
    words: Words = None,
    batch_file: Batch = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    deep: Deep = None,
    full: Annotated[
        bool | None, plain("--full", help="With --deep: begin anew, not where one was stopped.")
    ] = None,
) -> Run:
    """Compare recorded files with the disk: their sizes, or all their bytes. Exit status 3 when one is bad.

    Nothing is changed. A --deep verification that was stopped goes on where it was.
    """
    near = _near(given, batch_file)
    wanted = _wanted(given, kind, since, until)

    def run() -> int:
        lines = batch(near)

        async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.cli.output.archive import Checking
            from dyvine_cli.cli.settings import settings_of
            from dyvine_cli.operations.library import contents
            from dyvine_cli.operations.library.verify import verify as verify_files

            contents.need_archive(wish)
            things = asked(words or [], lines, workspace, "post")
            with Checking(settings_of(near), json=bool(given.show.json)) as checking:
                state, code = await verify_files(
                    workspace, things, wanted, checking.show, checking.watch, report,
                    deep=bool(deep), full=bool(full or given.take.full),
                )  # fmt: skip
                checking.conclude(state)
            return code

        return finish(near, operation, events=False, archive="read")

    return run


@verb(app, Reach, Show, Fetch, Into)
def repair(
    given: Common,
    words: Words = None,
    batch_file: Batch = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    deep: Deep = None,
    rebuild: Annotated[
        bool | None,
        plain(
            "--rebuild",
            help="Make a damaged or lost archive anew, from what can be read and the files below -P.",
        ),
    ] = None,
) -> Run:
    """Fetch again what is missing or damaged, to where it was; what its site does not show any more is noted.

    With -s only say what would be fetched. The folder of -P counts for --rebuild only.
    """
    near = _near(given, batch_file)
    if rebuild:
        if words or near.take.batch_file or deep:
            raise InputError(
                "--rebuild takes the whole archive", hint="give it alone, with -P DIR if need be"
            )
        return lambda: conduct(
            given, lambda settings, report: _rebuild(given, settings, report), events=False
        )
    wanted = _wanted(given, kind, since, until)
    bare = replace(near, take=replace(near.take, since=None, until=None))

    def run() -> int:
        lines = batch(bare)

        async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.cli.output.archive import Checking
            from dyvine_cli.cli.settings import settings_of
            from dyvine_cli.operations.library import contents
            from dyvine_cli.operations.library.repair import Repair

            contents.need_archive(wish)
            things = asked(words or [], lines, workspace, "post")
            job = Repair(workspace, wish, report, deep=bool(deep), simulate=bool(given.take.simulate))
            with Checking(settings_of(bare)) as checking:
                code = await job.run(things, wanted, checking.pass_over, checking.watch)
                checking.conclude_repair(job.outcome, simulated=bool(given.take.simulate))
            return code

        return finish(bare, operation, archive="needed")

    return run


@verb(app, Reach, Show)
def forget(given: Common, words: PostsOrAccounts = None, batch_file: Batch = None) -> Run:
    """Forget posts, or all posts of accounts: they may come again. Their files stay."""
    from dyvine_cli.cli.output.archive import tell_forgotten
    from dyvine_cli.operations.library.contents import forget

    return _change(_near(given, batch_file), words or [], "forget", forget, tell_forgotten)


@verb(app, Reach, Show)
def ignore(given: Common, words: Posts = None, batch_file: Batch = None) -> Run:
    """Never fetch these posts again, whatever brings them; `archive forget` takes it back. Their files stay."""
    from dyvine_cli.cli.output.archive import tell_ignored
    from dyvine_cli.operations.library.contents import ignore

    return _change(_near(given, batch_file), words or [], "ignore", ignore, tell_ignored)


def _change(given: Common, words: list[str], what: str, change: Change, tell: Callable[..., None]) -> Run:
    """Change what is on record about the posts that are named, and `tell` how many they were."""
    need_words(given, words, what)

    def run() -> int:
        lines = batch(given)

        async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.operations.library import contents

            contents.need_archive(wish)
            changed, code = await change(workspace, asked(words, lines, workspace, "post"), report)
            tell(changed, quiet=bool(given.show.quiet))
            return code

        return finish(given, operation, events=False, archive="needed")

    return run


async def _rebuild(given: Common, settings: Settings, report: Report) -> int:
    from dyvine_cli.cli.output.archive import Checking
    from dyvine_cli.operations.alone import REBUILD, alone
    from dyvine_cli.operations.library import rebuild
    from dyvine_cli.operations.workspace import archive_place, open_archive

    own = () if given.take.path else (settings.for_source(each).path for each in settings.sources)
    roots = tuple(dict.fromkeys(path.absolute() for path in (settings.path, *own)))
    place = archive_place(settings)
    with alone(settings.folders.state, REBUILD), Checking(settings) as checking:
        outcome = await rebuild.rebuild(
            place,
            roots,
            SITES,
            opened=lambda: open_archive(settings, report),
            watch=checking.watch_tree,
            report=report,
        )
        checking.conclude_rebuilding(outcome, roots)
    return 0


def _near(given: Common, batch_file: str | None) -> Common:
    """The call with its batch file where `batch` looks for it."""
    lines = given.take.batch_file if batch_file is None else batch_file
    return replace(given, take=replace(given.take, batch_file=lines, kind=None))


def _wanted(
    given: Common,
    kind: str | None,
    since: str | None,
    until: str | None,
    limit: str | None = None,
    state: State = "saved",
) -> Wanted:
    """Which part of the archive is meant; what the configuration says about downloads does not count here.

    Raises InputError, ConfigError.
    """
    from dyvine_cli import config
    from dyvine_cli.operations.library.contents import Wanted, kinds_of

    take = given.take
    near, before = (since, until, limit), (take.since, take.until, take.limit)
    flags = {
        name: outer if text is None else text
        for name, text, outer in zip(("since", "until", "limit"), near, before, strict=True)
    }
    read = config.load(flags, {}, None)
    return Wanted(
        state=state,
        site=given.reach.site,
        kinds=kinds_of(take.kind if kind is None else kind),
        since=read.since,
        until=read.until,
        limit=read.limit,
    )
