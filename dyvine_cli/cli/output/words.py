"""Sentences and numbers for people (pure). Everything a platform wrote passes `clean` before it is shown."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from dyvine_cli.errors import DyvineError
from dyvine_cli.events import Balance, Failed, Skipped, Summarized, Waiting, Warned


def clean(text: str, width: int | None = None) -> str:
    """`text` on one line without control, bidirectional or escape characters, cut to `width` characters."""
    kept = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text
        if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn")
    )
    kept = " ".join(kept.split())
    return kept if width is None or len(kept) <= width else kept[: max(0, width - 1)] + "…"


def width(text: str) -> int:
    """Columns that a text takes on a terminal: a Chinese character has two, an accent none."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


_UNSTEADY = re.compile("[\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\ufe00-\ufe0f\u20e3]")
"""Skin tones, flags, variants and key caps of emoji: terminals do not agree on how many columns they take."""


def steady(text: str) -> str:
    """`text`, cleaned, without what makes a line wider on one terminal than on another: it is drawn over and over."""
    return clean(_UNSTEADY.sub("", text))


def fit(text: str, columns: int) -> str:
    """`text`, cleaned and cut to so many columns of a terminal."""
    text = steady(text)
    if width(text) <= columns:
        return text
    kept, used = "", 1
    for char in text:
        used += _columns(char)
        if used > columns:
            break
        kept += char
    return f"{kept}…"


def tail(text: str, columns: int) -> str:
    """`text`, cleaned and cut at its front to so many columns: the end of a file's name says more."""
    text = steady(text)
    if width(text) <= columns:
        return text
    kept, used = "", 1
    for char in reversed(text):
        used += _columns(char)
        if used > columns:
            break
        kept = char + kept
    return f"…{kept}"


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows whose columns stand below each other; the last column is as wide as it is."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)]
        yield "  ".join((*cells[:-1], row[-1]))


COLOURS = {"error:": "31", "warning:": "33", "hint:": "2"}
"""What begins a line for a person, and its colour on a terminal."""


def styled(line: str) -> str:
    """A line as a terminal shows it, its first word coloured and a hint dim; as it is where colour is not wanted."""
    first, _, rest = line.partition(" ")
    if first not in COLOURS or not _coloured():
        return line
    if first == "hint:":
        return f"\x1b[{COLOURS[first]}m{line}\x1b[0m"
    return f"\x1b[{COLOURS[first]}m{first}\x1b[0m {rest}"


def strong(text: str) -> str:
    """A line in bold, as it is where that is not wanted."""
    return f"\x1b[1m{text}\x1b[0m" if _coloured() else text


def _coloured() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def size(count: float) -> str:
    """Bytes as people read them: 1.7 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds as people read them: 0.4 s, 3 min 40 s, 4 h 40 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, thing: str) -> str:
    """A number with its noun: 1 post, 1,204 posts."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def called(name: str, title: str, columns: int = 60) -> str:
    """A source by its name, and by what its account calls itself if that is something else and there is room for it."""
    both = f"{name} ({title})"
    differs = name and title and name != title
    return fit(both if differs and width(steady(both)) <= columns else name or title, columns)


def complaint(
    error: DyvineError, about: str = "", *, named: bool = False, traced: bool = False
) -> tuple[str, ...]:
    """An error in one line, and its hint in another; `named` adds its name, `traced` the route that it came from."""
    message = clean(error.message)
    if about:
        message = f"{about}: {message.removeprefix(about.partition(' ')[0] + ': ')}"
    line = f"error: {message}"
    endpoint = getattr(error, "endpoint", None) if traced else None
    line += f" [{clean(endpoint)}]" if endpoint else ""
    line += f" ({error.name})" if named else ""
    return (line, f"hint: {clean(error.hint)}") if error.hint else (line,)


def failed(event: Failed, *, named: bool = False, traced: bool = False) -> tuple[str, ...]:
    """A failure in the words of its error, with its line in the batch file and what was asked for if they do not say."""
    line, what = _LINE.fullmatch(event.text or str(event.ref or "")).groups()  # type: ignore[union-attr]
    if event.asset:
        what = f"{what} {event.asset}"
    if event.title:
        return complaint(event.error, called(what, event.title), named=named, traced=traced)
    message = clean(event.error.message)
    known = not what or _bare(what) in message
    if event.ref is not None and not _NAME.fullmatch(event.text):
        is_named = event.asset is None or re.search(rf"\b{re.escape(event.asset)}\b", message) is not None
        known = known or (event.ref.id in message and is_named)
    about = ": ".join(filter(None, (line, "" if known else clean(what, 120))))
    return complaint(event.error, about, named=named, traced=traced)


_LINE = re.compile(r"(?:(line [0-9]+): )?(.*)", re.DOTALL)
"""What a person asked for, after the line of a batch file on which it stands."""


_NAME = re.compile(r"[^/:]+")
"""What may be the name of a source, which no message of the platform has: no link, ref or share text."""


def _bare(link: str) -> str:
    """A link without scheme and query, as messages name it."""
    return link.partition("://")[2].partition("?")[0].rstrip("/") if "://" in link else link


def unsaid(lines: tuple[str, ...], told: set[str]) -> tuple[str, ...]:
    """The lines without those hints that `told` has; the new ones are added to it."""
    kept = tuple(line for line in lines if line not in told)
    told.update(line for line in lines if line.startswith("hint: "))
    return kept


def warned(event: Warned) -> tuple[str, ...]:
    """A warning in one line, and its hint in another."""
    line = f"{'note' if event.notice else 'warning'}: {clean(event.message)}"
    return (line, f"hint: {clean(event.hint)}") if event.hint else (line,)


def waiting(event: Waiting) -> str:
    """Why the run pauses, and for how long."""
    return f"waiting {duration(event.seconds)}: {clean(event.reason)}"


def skipped(event: Skipped) -> tuple[str, ...]:
    """What a person should know about a post they named, or a file of it, that is left out; nothing about what they know."""
    if event.source is not None:
        return ()
    if event.asset is None:
        unfit = "it does not fit --kind, --since, --until or --match"
        return (f"{event.ref} is left out: {unfit}",) if event.reason == "filtered" else ()
    if event.reason == "unavailable":
        return (f"warning: {event.ref} {event.asset}: the platform does not give it out",)
    if event.reason == "filtered":
        return (f"warning: {event.ref} {event.asset}: there is nothing within the limits asked for",)
    return ()


def reasons(counts: Mapping[str, int]) -> str:
    """Error names with their numbers, 3 Private, 1 Timeout; a single name alone."""
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items(), key=lambda each: -each[1]))


def balance(event: Balance, *, cut: bool = False, simulated: bool = False) -> str:
    """One listing's balance in a line; `cut` says that its cause was told already, `simulated` that nothing was saved."""
    declared = f" of {event.declared:,} declared" if event.declared is not None else ""
    earlier = f" ({event.earlier:,} listed by an earlier run)" if event.earlier else ""
    parts = [
        f"listed {event.listed:,}{declared}{earlier}",
        f"{'would save' if simulated else 'saved'} {event.saved:,}",
    ]
    parts += [f"known {event.known:,}"]
    parts += [f"filtered {event.filtered:,}"] if event.filtered else []
    parts += [f"hidden {event.hidden:,}"] if event.hidden else []
    parts += [f"failed {event.failed:,} ({reasons(event.reasons)})"] if event.failed else []
    return f"{clean(event.title, 60) or event.ref}: {', '.join(parts)}; {ending(event, cut=cut)}"


def ending(event: Balance, *, cut: bool) -> str:
    """How a listing ended: complete, cut short, or where a person wanted it to end."""
    if event.complete:
        return "complete"
    return "cut short" if cut or not event.stopped else clean(event.stopped)


def summary(event: Summarized, place: str = "", *, simulated: bool = False) -> str:
    """The whole run in a line; `place` is where its files are."""
    if simulated:
        failed = f", {event.failed:,} failed ({reasons(event.reasons)})" if event.failed else ""
        return f"nothing was saved, as asked: {count(event.posts, 'post')} to save, {event.known:,} known{failed}"
    saved = f"saved {count(event.files, 'file')} ({size(event.size)})"
    is_known = (event.known or event.sources is not None) and not event.failed
    parts = [saved if event.files else "nothing new" if is_known else "nothing saved"]
    parts += [f"{count(event.known, 'post')} known already"] if event.known else []
    parts += [f"{event.failed:,} failed ({reasons(event.reasons)})"] if event.failed else []
    return f"{', '.join(parts)} in {duration(event.seconds)}{': ' if place else ''}{clean(place)}"
