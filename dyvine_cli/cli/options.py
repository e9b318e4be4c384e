"""The options that commands share. Every field is None (or empty) when not given, so that the nearest place wins:
the verb's own option, then the same option before the noun, then environment, configuration file and default.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from typer import Argument, Option

Words = Annotated[
    list[str] | None,
    Argument(metavar="TEXT...", help="Links, ids or refs (site:kind:id); pasted share text works as it is."),
]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How the platforms are reached, and where settings come from."""

    config: Annotated[Path | None, Option("--config", metavar="FILE", help="Configuration file to use.")] = (
        None
    )
    no_config: Annotated[bool | None, Option("--no-config", help="Read no configuration file.")] = None
    site: Annotated[
        str | None, Option("--site", metavar="SITE", help="Site of bare ids: douyin or tiktok.")
    ] = None
    profile: Annotated[
        str | None, Option("--profile", metavar="NAME", help="Login to use; guest uses none.")
    ] = None
    cookies: Annotated[
        Path | None,
        Option("--cookies", metavar="FILE", help="Cookies for this run only (any export format)."),
    ] = None
    proxy: Annotated[
        str | None, Option("--proxy", metavar="URL", help="http, https or socks5 proxy; none for none.")
    ] = None
    connect_to: Annotated[
        str | None,
        Option(
            "--connect-to", metavar="HOST:PORT:ADDR:PORT", help="Open the socket elsewhere, as curl does."
        ),
    ] = None
    ca_file: Annotated[
        Path | None, Option("--ca-file", metavar="FILE", help="Certificates to trust besides.")
    ] = None
    no_check_certificates: Annotated[
        bool | None, Option("--no-check-certificates", help="Do not verify TLS (dangerous).")
    ] = None
    pace: Annotated[str | None, Option("--pace", metavar="PACE", help="slow, normal, fast or off.")] = None
    retries: Annotated[
        int | None, Option("-R", "--retries", metavar="N", help="Tries after a failed one.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Show:
    """What is said, where, and how much of it."""

    quiet: Annotated[bool | None, Option("-q", "--quiet", help="Only warnings and errors.")] = None
    verbose: Annotated[
        int, Option("-v", "--verbose", count=True, show_default=False, help="More; -vv even more.")
    ] = 0
    json: Annotated[bool | None, Option("--json", help="Events (or objects) as JSON lines on stdout.")] = None
    no_progress: Annotated[bool | None, Option("--no-progress", help="No progress display.")] = None
    print_traffic: Annotated[
        bool | None, Option("--print-traffic", help="Requests and answers, redacted.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Take:
    """What is taken of what is there, and where it goes."""

    path: Annotated[Path | None, Option("-P", "--path", metavar="DIR", help="Folder to save in.")] = None
    output: Annotated[
        str | None, Option("-o", "--output", metavar="TEMPLATE", help="Names below that folder.")
    ] = None
    batch_file: Annotated[
        str | None, Option("-a", "--batch-file", metavar="FILE", help="Links from a file, - for stdin.")
    ] = None
    simulate: Annotated[bool | None, Option("-s", "--simulate", "--dry-run", help="Download nothing.")] = None
    parallel: Annotated[int | None, Option("-N", "--parallel", metavar="N", help="Files at once.")] = None
    limit_rate: Annotated[
        str | None, Option("-r", "--limit-rate", metavar="RATE", help="Bytes a second: 500K, 2M.")
    ] = None
    since: Annotated[
        str | None,
        Option(
            "--since",
            "--dateafter",
            metavar="DATE",
            help="Published then or later: 2026-01-31, today-2weeks.",
        ),
    ] = None
    until: Annotated[
        str | None, Option("--until", "--datebefore", metavar="DATE", help="Published then or before.")
    ] = None
    limit: Annotated[
        int | None, Option("--limit", metavar="N", help="At most N posts, after the filters.")
    ] = None
    kind: Annotated[
        str | None,
        Option("--kind", metavar="KINDS", help="Only these: video,images,live_photo,slides,article,note."),
    ] = None
    stop_at_known: Annotated[
        bool | None, Option("--stop-at-known", help="End a listing at the first post known already.")
    ] = None
    full: Annotated[bool | None, Option("--full", help="List to the end, whatever is known already.")] = None
    quality: Annotated[
        str | None, Option("--quality", metavar="WISH", help="best, worst, original, or a height: 1080, 720.")
    ] = None
    codec: Annotated[str | None, Option("--codec", metavar="CODEC", help="h264, h265 or any.")] = None
    max_height: Annotated[int | None, Option("--max-height", metavar="N", help="Nothing above Np.")] = None
    max_filesize: Annotated[
        str | None, Option("--max-filesize", metavar="SIZE", help="No larger file: 50M.")
    ] = None
    list_formats: Annotated[
        bool | None, Option("-F", "--list-formats", help="Show what there is; no download.")
    ] = None
    get_url: Annotated[bool | None, Option("-g", "--get-url", help="Print media addresses; no download.")] = (
        None
    )
    print_: Annotated[
        str | None, Option("--print", metavar="TEMPLATE", help="Print per saved file: path, or a template.")
    ] = None
    dump_json: Annotated[
        bool | None, Option("-j", "--dump-json", help="Post objects on stdout; no download.")
    ] = None
    raw: Annotated[bool | None, Option("--raw", help="With -j: the platform's own object.")] = None
    write_info_json: Annotated[
        bool | None, Option("--write-info-json", help="Metadata beside the files.")
    ] = None
    write_thumbnail: Annotated[bool | None, Option("--write-thumbnail", help="The cover, too.")] = None
    write_subs: Annotated[bool | None, Option("--write-subs", help="Subtitles, too.")] = None
    write_sound: Annotated[bool | None, Option("--write-sound", help="The sound of videos, too.")] = None
    no_sound: Annotated[bool | None, Option("--no-sound", help="Pictures without their sound.")] = None
    no_mtime: Annotated[bool | None, Option("--no-mtime", help="Leave the files' time at now.")] = None
    overwrite: Annotated[bool | None, Option("--overwrite", help="Fetch and replace what is there.")] = None
    no_archive: Annotated[bool | None, Option("--no-archive", help="Neither read nor write the archive.")] = (
        None
    )
    fail_if_nothing_new: Annotated[
        bool | None, Option("--fail-if-nothing-new", help="Exit status 15 when nothing was saved.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Common:
    """All shared options of one call."""

    reach: Reach = Reach()
    show: Show = Show()
    take: Take = Take()


Group = TypeVar("Group", Reach, Show, Take)


def nearest(own: Group, outer: Group) -> Group:
    """`own` with what it leaves open taken from `outer`."""
    gaps: dict[str, Any] = {
        each.name: getattr(outer, each.name)
        for each in fields(own)
        if getattr(own, each.name) in (None, each.default)
    }
    return replace(own, **gaps)
