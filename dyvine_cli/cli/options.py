"""The options that commands share. Every field is None (or empty) when not given, so that the nearest place wins:
the verb's own option, then the same option before the noun, then environment, configuration file and default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from typer import Argument, Option

from dyvine_cli.errors import InputError

Words = Annotated[
    list[str] | None,
    Argument(metavar="TEXT...", help="Links, ids or refs (site:kind:id); pasted share text works as it is."),
]

Likes = Annotated[bool | None, Option("--likes", help="The posts that the account likes, not its own.")]


def value(*names: str, metavar: str, help: str) -> Any:
    """An option with a value; the settings read it, so every mistake is told in the same words."""
    return Option(*names, metavar=metavar, help=help)


def location(*names: str, metavar: str, help: str) -> Any:
    """An option whose value is a file or folder; an empty one, as an unset variable gives it, is not the current folder."""
    name = names[-1]

    def read(text: str) -> Path:
        if not text.strip():
            raise InputError(
                f"{name} names nothing", hint="name a file or folder; is a variable of your shell empty?"
            )
        return Path(text)

    return Option(*names, metavar=metavar, help=help, parser=read)


def choice(*names: str, metavar: str, among: tuple[str, ...], help: str) -> Any:
    """An option whose values are known; the shell completes them."""

    def complete(incomplete: str) -> list[str]:
        return [each for each in among if each.startswith(incomplete)]

    return Option(*names, metavar=metavar, help=help, autocompletion=complete)


def switch(*names: str, help: str) -> Any:
    """An option that is on when given, and off by its other form: `--full` and `--no-full`, `--no-sound` and `--sound`.

    The other form undoes what an option before the noun, the environment or the configuration file says.
    """
    *rest, name = names
    bare = name.removeprefix("--no-") if name.startswith("--no-") else f"no-{name.removeprefix('--')}"
    return Option(*rest, f"{name}/--{bare}", help=help)


def plain(*names: str, help: str) -> Any:
    """An option that is on when given and has no other form."""
    return Option(*names, help=help)


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where settings come from."""

    config: Annotated[
        Path | None,
        location(
            "--config", metavar="FILE", help="Configuration file; else the usual one (dyvine config path)."
        ),
    ] = None
    no_config: Annotated[bool | None, plain("--no-config", help="Read no configuration file.")] = None


@dataclass(frozen=True, kw_only=True)
class Which(Where):
    """What a bare id or handle means."""

    site: Annotated[
        str | None,
        choice(
            "--site",
            metavar="SITE",
            among=("douyin", "tiktok"),
            help="Site of bare ids and handles: douyin or tiktok; else ids are Douyin's, @handles TikTok's.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Reach(Which):
    """How the platforms are reached."""

    profile: Annotated[
        str | None,
        value(
            "--profile",
            metavar="NAME",
            help="Login to use; else main, or none. Several (a,b) take turns, guest uses none.",
        ),
    ] = None
    cookies: Annotated[
        Path | None,
        location("--cookies", metavar="FILE", help="Cookies for this run only (any export format)."),
    ] = None
    cookies_from_browser: Annotated[
        str | None,
        value(
            "--cookies-from-browser",
            metavar="BROWSER[:PROFILE]",
            help="Cookies of firefox, chromium, chrome, edge, brave or safari, for this run.",
        ),
    ] = None
    proxy: Annotated[
        str | None,
        value(
            "--proxy",
            metavar="URL",
            help="http, https or socks5 proxy, list:FILE or list:URL; none for none; else that of the environment.",
        ),
    ] = None
    connect_to: Annotated[
        str | None,
        value("--connect-to", metavar="HOST:PORT:ADDR:PORT", help="Open the socket elsewhere, as curl does."),
    ] = None
    ca_file: Annotated[
        Path | None,
        location("--ca-file", metavar="FILE", help="Certificates (PEM) to trust besides the usual ones."),
    ] = None
    no_check_certificates: Annotated[
        bool | None, switch("--no-check-certificates", help="Do not verify TLS (dangerous).")
    ] = None
    pace: Annotated[
        str | None,
        choice(
            "--pace",
            metavar="PACE",
            among=("slow", "normal", "fast", "off"),
            help="How often a site is asked: slow, normal (the default), fast or off.",
        ),
    ] = None
    retries: Annotated[
        str | None,
        value("-R", "--retries", metavar="N", help="Tries after a failed one, 0 to 100; 3 by default."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Show:
    """What is said, where, and how much of it."""

    quiet: Annotated[bool | None, switch("-q", "--quiet", help="Only warnings and errors.")] = None
    verbose: Annotated[
        int, Option("-v", "--verbose", count=True, show_default=False, help="Say more; -vv even more.")
    ] = 0
    json: Annotated[bool | None, switch("--json", help="Events (or objects) as JSON lines on stdout.")] = None
    no_progress: Annotated[bool | None, switch("--no-progress", help="No progress display.")] = None
    print_traffic: Annotated[
        bool | None, switch("--print-traffic", help="Requests and answers on stderr, without secrets.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is named besides the words of the call, and how objects are shown."""

    batch_file: Annotated[
        str | None,
        value("-a", "--batch-file", metavar="FILE", help="Links from a file, one a line; - for stdin."),
    ] = None
    dump_json: Annotated[
        bool | None, plain("-j", "--dump-json", help="Objects as JSON lines on stdout; no download.")
    ] = None
    raw: Annotated[
        bool | None, plain("--raw", help="The platform's own object, for -j and info; no download.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Few:
    """How many entries of a list."""

    limit: Annotated[
        str | None, value("--limit", metavar="N", help="At most N, after the filters; else all.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Choose:
    """Which posts."""

    since: Annotated[
        str | None,
        value(
            "--since",
            "--dateafter",
            metavar="DATE",
            help="Published then or later: 2026-01-31, today-2weeks (local time).",
        ),
    ] = None
    until: Annotated[
        str | None,
        value(
            "--until", "--datebefore", metavar="DATE", help="Published then or before; that day counts, too."
        ),
    ] = None
    kind: Annotated[
        str | None,
        choice(
            "--kind",
            metavar="KINDS",
            among=("video", "images", "live_photo", "slides", "article", "note"),
            help="Only these, several with commas: video,images,live_photo,slides,article,note.",
        ),
    ] = None
    match: Annotated[
        str | None,
        value(
            "--match",
            metavar="EXPR",
            help="Only posts for which this holds: 'likes > 10K and duration < 3m and not title ~ \"ad|promo\"'; the README has it all.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Into:
    """Where it goes."""

    path: Annotated[
        Path | None, location("-P", "--path", metavar="DIR", help="Folder to save in; else the current one.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Named:
    """How it is called."""

    output: Annotated[
        str | None,
        value(
            "-o",
            "--output",
            metavar="TEMPLATE",
            help="Names below that folder, such as '{user}/{id}.{ext}'; the README lists the fields.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """How files are fetched, and in which quality."""

    simulate: Annotated[
        bool | None,
        switch("-s", "--dry-run", "--simulate", help="Download nothing, say what would be saved."),
    ] = None
    parallel: Annotated[
        str | None, value("-N", "--parallel", metavar="N", help="Files at once, 1 to 64; 8 by default.")
    ] = None
    segments: Annotated[
        str | None,
        value(
            "--segments",
            metavar="N",
            help="Connections for one large file, 1 to 16; 16 by default, 1 never splits.",
        ),
    ] = None
    limit_rate: Annotated[
        str | None,
        value(
            "-r",
            "--limit-rate",
            metavar="RATE",
            help="Bytes a second for the whole run: 500K, 2M; else no limit.",
        ),
    ] = None
    quality: Annotated[
        str | None,
        choice(
            "--quality",
            metavar="WISH",
            among=("best", "worst", "original", "1080", "720"),
            help="best (the default), worst, original, or a height in pixels: 1080, 720.",
        ),
    ] = None
    codec: Annotated[
        str | None,
        choice(
            "--codec", metavar="CODEC", among=("h264", "h265", "any"), help="h264, h265 or any (the default)."
        ),
    ] = None
    max_height: Annotated[
        str | None,
        value("--max-height", metavar="N", help="Nothing above N pixels (the shorter edge); else no limit."),
    ] = None
    max_filesize: Annotated[
        str | None,
        value("--max-filesize", metavar="SIZE", help="No file of more bytes: 50M, 1.5G; else no limit."),
    ] = None
    print_: Annotated[
        str | None,
        value(
            "--print",
            metavar="TEMPLATE",
            help="Print per saved file: path, or a template such as '{id} {path}'.",
        ),
    ] = None
    no_mtime: Annotated[
        bool | None, switch("--no-mtime", help="Files get the time of saving, not of publishing.")
    ] = None
    exec: Annotated[
        str | None,
        value(
            "--exec",
            metavar="CMD",
            help="Start CMD for each saved post and at the end, without a shell; files stand for {path}, else behind it.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Save(Fetch, Named, Into):
    """What is saved, and where it goes."""

    stop_at_known: Annotated[
        bool | None, switch("--stop-at-known", help="End a listing at the first post known already.")
    ] = None
    full: Annotated[bool | None, switch("--full", help="List to the end, whatever is known already.")] = None
    list_formats: Annotated[
        bool | None, plain("-F", "--list-formats", help="Show what there is; no download.")
    ] = None
    get_url: Annotated[bool | None, plain("-g", "--get-url", help="Print media addresses; no download.")] = (
        None
    )
    write_info_json: Annotated[
        bool | None, switch("--write-info-json", help="Metadata beside the files.")
    ] = None
    write_thumbnail: Annotated[bool | None, switch("--write-thumbnail", help="The cover, too.")] = None
    write_subs: Annotated[bool | None, switch("--write-subs", help="Subtitles, too.")] = None
    convert_subs: Annotated[
        str | None,
        choice(
            "--convert-subs",
            metavar="FORMAT",
            among=("srt", "none"),
            help="srt: keep WebVTT subtitles as SubRip; none (the default): as they come.",
        ),
    ] = None
    write_sound: Annotated[bool | None, switch("--write-sound", help="The sound of videos, too.")] = None
    no_sound: Annotated[bool | None, switch("--no-sound", help="Pictures without their sound.")] = None
    overwrite: Annotated[bool | None, switch("--overwrite", help="Fetch and replace what is there.")] = None
    no_archive: Annotated[bool | None, switch("--no-archive", help="Neither read nor write the archive.")] = (
        None
    )
    fail_if_nothing_new: Annotated[
        bool | None, switch("--fail-if-nothing-new", help="Exit status 15 when nothing was saved.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Take(Save, Choose, Few, Ask):
    """What is taken of what is there, and where it goes: all that a download takes."""


GROUPS: Mapping[type, str] = {
    Ask: "What is asked for",
    Few: "Which posts",
    Choose: "Which posts",
    Save: "What is saved, and where it goes",
    Show: "What is said",
    Reach: "How the site is reached",
}
"""The groups in the order of help, with their titles."""


def names_of(group: type) -> list[str]:
    """Every name of every option of a group, that of its other form included."""
    hints = get_type_hints(group, include_extras=True)
    options = [get_args(hints[each.name])[1] for each in fields(group)]
    # Typer takes the first name for a default until it reads the annotation.
    return [
        name
        for option in options
        for decl in (option.default, *option.param_decls)
        for name in decl.split("/")
    ]


@dataclass(frozen=True, kw_only=True)
class Common:
    """All shared options of one call."""

    reach: Reach = Reach()
    show: Show = Show()
    take: Take = Take()

    def given(self) -> dict[str, Any]:
        """The options that were given, by their field's name; off is given, too."""
        return {
            each.name: getattr(group, each.name)
            for group in (self.reach, self.show, self.take)
            for each in fields(group)
            if not _is_open(getattr(group, each.name), each.default)
        }


Group = TypeVar("Group", Reach, Show, Take)


def nearest(own: Group, outer: Group) -> Group:
    """`own` with what it leaves open taken from `outer`."""
    gaps: dict[str, Any] = {
        each.name: getattr(outer, each.name)
        for each in fields(own)
        if _is_open(getattr(own, each.name), each.default)
    }
    return replace(own, **gaps)


def _is_open(given: Any, default: Any) -> bool:
    return given is None or given is default
