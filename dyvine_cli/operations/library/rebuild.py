"""A new archive in the place of a damaged or lost one: what can be read of the old one, then what the files tell.

What cannot be rebuilt from files: which posts were ignored or gone, what failed and when it is tried again, how far
listings got, the names that accounts had, codecs and pixels, files that were moved away or saved under another
template, and files that were deleted on purpose. So the next run of each source lists it to its end; it fetches what
is neither on record nor on disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from dyvine_cli.archive.base import Archive, SavedAsset
from dyvine_cli.archive.batch import Batch
from dyvine_cli.archive.salvage import damage, in_use, replace_damaged
from dyvine_cli.errors import Busy
from dyvine_cli.events import Report, Warned
from dyvine_cli.operations.library import tree
from dyvine_cli.operations.library.tree import Found

LARGEST_SIDECAR = 8 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Rebuilt:
    """How a rebuilding came out.

    `damage` is what was wrong, None if the archive was whole or not there; then `aside` is None, too, else where the
    damaged file is now. `rows` were read from it, by table. `files` and `size` were recorded from the tree, `known`
    stood on record already, `flawed` are not whole, with the reason.
    """

    damage: str | None = None
    aside: Path | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    files: int = 0
    size: int = 0
    known: int = 0
    flawed: list[tuple[Path, str]] = field(default_factory=list)


Watch = Callable[[Rebuilt], None]


async def rebuild(
    place: Path,
    roots: Sequence[Path],
    sites: Sequence[str],
    *,
    opened: Callable[[], Archive],
    watch: Watch,
    report: Report,
) -> Rebuilt:
    """Rebuild the archive at `place` from itself and from the files below `roots`; a whole one only gains rows.

    `opened` opens the archive at that place. Nobody else may use it meanwhile. Raises Busy where another process has it
    open, ArchiveError, DiskFull.
    """
    if in_use(place):
        raise Busy(
            f"another process has the archive {place} open",
            hint="wait until it ends, or stop it, and try again",
        )
    outcome = Rebuilt(damage=await asyncio.to_thread(damage, place))
    if outcome.damage is not None:
        outcome.aside, outcome.rows = await asyncio.to_thread(replace_damaged, place, datetime.now(UTC))
    archive = opened()
    try:
        async with Batch(archive) as rows:
            for site, uid, folder in chain.from_iterable(tree.accounts(root, sites) for root in roots):
                user = await _user(archive, site, uid, folder)
                for found in await asyncio.to_thread(lambda: list(tree.read(site, uid, folder))):  # noqa: B023
                    await _take(found, user, archive, rows, outcome)
                    watch(outcome)
    finally:
        await archive.aclose()
    for path, reason in outcome.flawed:
        report(Warned(message=f"{path} is not recorded: {reason}", hint=_FLAWED))
    return outcome


_FLAWED = "move it away, and the next run fetches it again"


async def _take(found: Found, user: str, archive: Archive, rows: Batch, outcome: Rebuilt) -> None:
    """Record one file, unless it is on record or not whole."""
    if await archive.saved(found.ref, found.asset) is not None:
        outcome.known += 1
        return
    row = await asyncio.to_thread(_row, found, user)
    if isinstance(row, str):
        outcome.flawed.append((found.path, row))
        return
    await rows.add(row)
    outcome.files += 1
    outcome.size += row.size


def _row(found: Found, user: str) -> SavedAsset | str:
    """The file as a row, or why it is not whole."""
    try:
        flaw = tree.flaw(found.path)
        if flaw is not None:
            return flaw
        with found.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        status = found.path.stat()
    except OSError as exc:
        return (exc.strerror or str(exc)).lower()
    return SavedAsset(
        ref=found.ref,
        asset=found.asset,
        user=user,
        path=found.path.absolute(),
        size=status.st_size,
        sha256=digest,
        saved=datetime.fromtimestamp(int(status.st_ctime), UTC),
    )


async def _user(archive: Archive, site: str, uid: str, folder: Path) -> str:
    """The stable id of an account: on record, or in metadata beside its files; else its number stands for it.

    `Archive.add_user` puts that right when the account is met again.
    """
    known = await archive.find_users(site, uid)
    if known:
        return known[0]
    return await asyncio.to_thread(lambda: next(_named_in(folder, site, uid), uid))


def _named_in(folder: Path, site: str, uid: str) -> Iterator[str]:
    """The account's id as the metadata files say it."""
    for path in sorted(folder.glob("*.info.json")):
        try:
            if path.is_symlink() or path.stat().st_size > LARGEST_SIDECAR:
                continue
            found = json.loads(path.read_bytes())
            if (
                found["site"] == site
                and found["author"]["uid"] == uid
                and isinstance(found["author"]["id"], str)
            ):
                yield found["author"]["id"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            continue
