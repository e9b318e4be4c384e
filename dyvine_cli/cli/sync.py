"""dyvine sync: keep accounts and mixes up to date, and say which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyvine_cli.cli.app import conduct, finish
from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import asked, batch, need_words
from dyvine_cli.cli.options import Choose, Common, Few, Likes, Reach, Save, Show, Take, Which, Words
from dyvine_cli.errors import ConfigError, InputError

if TYPE_CHECKING:
    from dyvine_cli.config import Settings
    from dyvine_cli.events import Report
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.sync.sources import Wish
    from dyvine_cli.operations.workspace import Workspace

app = noun_app()

Named = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME|TAG|LINK...]", help="Sources by name, tag or link; all if left out."),
]
Removed = Annotated[
    list[str] | None, typer.Argument(metavar="NAME|TAG|LINK...", help="Sources by name, tag or link.")
]
Tag = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="A word to call several sources by; repeatable."),
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="What to call it, if it is one source.")
]
Depth = Annotated[
    str | None,
    typer.Option(
        "--depth",
        metavar="DEPTH",
        help="newest: the first page, then only what is new; all is the default.",
    ),
]
Apart = Annotated[
    str | None,
    typer.Option("--every", metavar="TIME", help="Not more often than this: 6h, 1d; else each run."),
]


@app.callback()
def sync() -> None:
    """Keep accounts and mixes up to date: the sources that stand in the configuration."""


@verb(app, Reach, Show, Save, Choose, Few, name="run")
def check(
    given: Common,
    words: Named = None,
    jobs: Annotated[
        str | None,
        typer.Option(
            "--jobs", metavar="N", help="Sources at once, 1 to 64; 1 by default. Each site has one budget."
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every", metavar="TIME", help="Stay, and run again after this time: 90m, 6h, 1d; else run once."
        ),
    ] = None,
) -> Run:
    """Download what is new of the sources, the longest unchecked first."""
    from dyvine_cli.cli.upkeep import run, staying

    return staying(run(given, words or [], jobs=jobs), every)


@verb(app, Reach, Show, Take)
def add(
    given: Common,
    words: Words = None,
    tag: Tag = None,
    name: Name = None,
    depth: Depth = None,
    every: Apart = None,
    likes: Likes = None,
) -> Run:
    """Write accounts and mixes into the configuration as sources, with what is to hold for them alone.

    Options that say what is taken and where it goes (--kind, --since, --limit, --quality, -o, -P, ...) and --profile are
    kept with each source. Where there is no configuration yet, -P names the folder of the new one.
    """
    need_words(given, words or [], "add")
    own = {"name": name, "tags": _tags(tag or ()), "depth": depth}
    own |= {"every": every, "listing": "likes" if likes else None}

    def run() -> int:
        file = _file(given)
        settings = _settings(given, file)
        wish = _wish(given, file, settings, own)
        lines = batch(given)

        async def operation(workspace: Workspace, selection: Selection, report: Report) -> int:
            from dyvine_cli.cli.output import note
            from dyvine_cli.cli.output.sources import show_changed
            from dyvine_cli.operations.sync import sources

            client = workspace.client
            things = asked(words or [], lines, workspace, None)
            done = await sources.add(client, things, wish, report)
            if given.show.json or not settings.quiet:
                told = "would add" if wish.simulate else "added"
                show_changed(told, done.added, client.match, json=bool(given.show.json))
            if wish.downloads is not None and done.added and not (wish.simulate or settings.quiet):
                note(f"{file} is new: {wish.downloads} is its path, for all downloads that name no other")
            for each in () if settings.quiet else done.known:
                note(
                    f"{each.shown_url} is already there as {each.title}; it stays as it is"
                    " (another --name adds it once more, with settings of its own)"
                )
            return done.exit_code

        bare = _without(given, file)
        # An archive that cannot be used is no hindrance, nor is a login that will be added later.
        bare = replace(
            bare, take=replace(bare.take, no_archive=True), reach=replace(bare.reach, profile=None)
        )
        code = finish(bare, operation, events=False)
        _need_path(settings, wish)
        return code

    return run


@verb(app, Which, Show, name="list")
def show(given: Common, words: Named = None) -> Run:
    """Show the sources, or those of a name or tag."""

    def run() -> int:
        from dyvine_cli.cli.output import note
        from dyvine_cli.cli.output.sources import show_sources
        from dyvine_cli.cli.settings import settings_of
        from dyvine_cli.operations.sync.sources import chosen, means_at

        settings = settings_of(given)
        means = means_at(settings.named_site)
        found = chosen(settings.sources, words or (), means)
        if found or given.show.json:
            show_sources(found, means, json=bool(given.show.json))
        else:
            note("there are no sources yet; to add some: dyvine sync add LINK")
        return 0

    return run


@verb(app, Which, Show)
def remove(given: Common, words: Removed = None) -> Run:
    """Take sources out of the configuration. What they brought stays, on disk and in the archive."""
    if not words:
        raise InputError("nothing to remove: no name, tag or link", hint="`dyvine sync list` shows them")

    async def run(settings: Settings, report: Report) -> int:
        from dyvine_cli.cli.output.sources import show_changed
        from dyvine_cli.operations.sync import sources

        means = sources.means_at(settings.named_site)
        gone = sources.remove(_file(given), words, means)
        if given.show.json or not settings.quiet:
            show_changed("removed", gone, means, json=bool(given.show.json))
        await sources.forget_checks(gone, settings, report)
        return 0

    return lambda: conduct(given, run, events=False)


@verb(app, Reach, Show)
def status(given: Common, words: Named = None) -> Run:
    """Show when each source was checked, what is due, what failed and why, and what waits until when. Asks nobody."""
    from dyvine_cli.cli.upkeep import status as shown

    return shown(given, words or [])


@verb(app, Reach, Show, Save, Choose, Few)
def retry(given: Common, words: Named = None) -> Run:
    """Try only what failed, at once; causes that do not pass by themselves are left out."""
    from dyvine_cli.cli.upkeep import retry as tried

    return tried(given, words or [])


def _tags(given: Iterable[str]) -> list[str]:
    """The words of `--tag`, which may stand in one with commas. Raises InputError for one without any."""
    tags = [word.strip() for text in given for word in text.split(",")]
    if not all(tags):
        raise InputError("--tag: a tag is empty", hint="write --tag friends,daily")
    return list(dict.fromkeys(tags))


def _file(given: Common) -> Path:
    """The configuration file to edit. Raises InputError under --no-config."""
    from dyvine_cli.cli.settings import file_of

    if given.reach.no_config:
        raise InputError(
            "sources stand in the configuration file, and --no-config says that there is none",
            hint="leave --no-config out, or name another file with --config FILE",
        )
    return file_of(given)


def _without(given: Common, file: Path) -> Common:
    """The options of the call, without the name of a file that is not there yet."""
    if file.exists():
        return given
    return replace(given, reach=replace(given.reach, config=None, no_config=True))


def _settings(given: Common, file: Path) -> Settings:
    from dyvine_cli.cli.settings import settings_of

    return settings_of(_without(given, file))


def _wish(given: Common, file: Path, settings: Settings, own: dict[str, Any]) -> Wish:
    """What is to be written. Raises ConfigError where there is no file, nor a folder for downloads to make one with."""
    from dyvine_cli import config
    from dyvine_cli.operations.sync.sources import Wish

    said = {**_said(given), **{field: value for field, value in own.items() if value not in (None, [])}}
    config.read_said(said, {"tags": "--tag", **{each: f"--{each}" for each in own if each != "tags"}})
    name = said.pop("name", None)
    downloads = None
    if not file.exists():
        said.pop("path", None)
        downloads = _downloads(settings, file)
    return Wish(file=file, said=said, name=name, downloads=downloads, simulate=bool(given.take.simulate))


def _downloads(settings: Settings, file: Path) -> Path:
    """The folder that a new configuration names."""
    if settings.origin("path") == "default":
        raise ConfigError(
            f"{file}: there is no configuration yet, and sync needs a folder for its files",
            hint="name it once: dyvine sync add -P /srv/videos LINK, or write the file with `dyvine config init`",
        )
    return settings.path.expanduser().absolute()


_OF_THE_CALL = {"batch_file", "simulate"}


def _said(given: Common) -> dict[str, Any]:
    """What the shared options say of a source, as TOML. Raises InputError for one that no source can keep."""
    from dyvine_cli.config import Source

    known = {each.name for each in fields(Source)}
    options = {each.name for each in fields(Take)} - _OF_THE_CALL
    said: dict[str, Any] = {}
    for option, value in given.given().items():
        field = option.removeprefix("no_")
        if field in known and option not in ("name", "url"):
            said[field] = _toml(field, not value if option != field else value)
        elif option in options:
            raise InputError(
                f"--{option.rstrip('_').replace('_', '-')} is for one run, and no source can keep it",
                hint="give it to `dyvine sync run`",
            )
    return said


_LISTS = {"kind", "profile", "to"}
_NUMBERS = {"limit", "max_height"}


def _toml(field: str, value: Any) -> Any:
    """An option's value as a person would write it into the file."""
    if isinstance(value, Path):
        return str(value.expanduser().absolute())
    if field in _LISTS:
        return [word for each in str(value).split(",") if (word := each.strip())]
    return int(value) if field in _NUMBERS and str(value).isdigit() else value


def _need_path(settings: Settings, wish: Wish) -> None:
    """Warn of sources that no run could save anywhere."""
    from dyvine_cli.cli.output import warn

    if wish.downloads is not None or "path" in wish.said:
        return
    try:
        settings.lasting_path("sync")
    except ConfigError as error:
        warn(f"{error.message}: {error.hint}")
