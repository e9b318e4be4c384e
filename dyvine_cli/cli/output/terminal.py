"""What happens, on a terminal: a line for the whole, one for each of the first active files, failures above."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dyvine_cli.cli.output import checks, words
from dyvine_cli.cli.output.places import Places
from dyvine_cli.events import (
    Advanced,
    Balance,
    Cut,
    Event,
    Failed,
    Finished,
    Listed,
    Saved,
    Skipped,
    SourceBegun,
    Started,
    Summarized,
    Waiting,
    Warned,
)
from dyvine_cli.models import Ref

FILES_SHOWN = 8
PER_SECOND = 4
"""Pictures a second: more costs CPU and shows nothing new (measured: 4 Hz is 2-3 % of a core with 16 bars)."""
PACE_OVER = 5.0
"""Seconds over which the speed of the whole is taken."""
STYLES = {"error:": "red", "warning:": "yellow"}
BAR = 20
SHORT_WAIT = 10.0
"""Seconds below which a wait for the pace does not take the place of what is done."""
NARROW = 72
"""Columns below which the bars go, so that names stay readable."""
LEAST_NOTE = 12
"""Columns without which the reason of a short wait is left out."""
BESIDE_NAME = 42
"""Columns of a line that amount, speed and time left take."""


class Name(ProgressColumn):
    """What the line is about, cut to what the terminal leaves."""

    def __init__(self, console: Console) -> None:
        self._console = console
        super().__init__()

    def render(self, task: Task) -> Text:
        """The end of the file's name, or the state of the whole."""
        beside = BESIDE_NAME + (BAR if self._console.width >= NARROW else 0)
        room = max(20, self._console.width - beside)
        whole = "size" in task.fields
        if not whole:
            return Text(f"  {words.tail(task.description, room - 2)}", no_wrap=True)
        shown = Text(words.fit(task.description, room), no_wrap=True)
        left = room - words.width(shown.plain) - 2
        if task.fields["note"] and left >= LEAST_NOTE:
            shown.append(f"  {words.fit(task.fields['note'], left)}", style="dim")
        return shown


class Bar(ProgressColumn):
    """How much of it is done; empty while its size is unknown, and on a narrow terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        super().__init__()

    def render(self, task: Task) -> RenderableType:
        """A bar that stands still between two pictures."""
        if not task.total or self._console.width < NARROW:
            return Text("")
        return ProgressBar(total=task.total, completed=min(task.completed, task.total), width=BAR)


class Amount(ProgressColumn):
    """Bytes so far and promised."""

    def render(self, task: Task) -> Text:
        """`1.2 MB / 3.4 MB`, or only the bytes so far where nothing was promised."""
        if "size" in task.fields:
            return Text(words.size(task.fields["size"]), justify="right")
        done = words.size(task.completed)
        return Text(f"{done} / {words.size(task.total)}" if task.total else done, justify="right")


class Pace(ProgressColumn):
    """Bytes a second."""

    def render(self, task: Task) -> Text:
        """`2.1 MB/s`, empty while unknown."""
        speed = task.fields.get("pace", task.finished_speed or task.speed)
        return Text(f"{words.size(speed)}/s" if speed else "", justify="right")


class Left(ProgressColumn):
    """Time left."""

    def render(self, task: Task) -> Text:
        """`3 min 20 s`, empty while unknown."""
        left = task.fields.get("left", task.time_remaining)
        if not left or left < 1:
            return Text("")
        return Text(words.duration(left) if left >= 10 else f"{left:.0f} s", style="dim")


class Drawing(Progress):
    """Drawn by our timer alone: rich would draw all of it at once for every line that is added."""

    def refresh(self) -> None:
        """Wait for the timer."""

    def draw(self) -> None:
        """The next picture."""
        super().refresh()


class Terminal:
    """A listener that draws; counts are plain numbers, pushed to the screen by one timer."""

    def __init__(self, stream: TextIO, *, summed: bool = False) -> None:
        """`summed` says that several sources are told of together at the end."""
        self._summed = summed
        self._titles: dict[Ref, str] = {}
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._progress = Drawing(
            Name(self._console),
            Bar(self._console),
            Amount(),
            Pace(),
            Left(),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )
        self._all = self._progress.add_task("starting", total=None, size=0, pace=0.0, left=0.0, note="")
        self._files: dict[tuple[str, str], TaskID] = {}
        self._gained: dict[tuple[str, str], int] = {}
        self._places = Places()
        self._cut: set[Ref] = set()
        self._source: Ref | None = None
        self._posts = self._listed = self._declared = self._saved = self._failed = self._size = 0
        self._began = time.monotonic()
        self._sizes: deque[tuple[float, int]] = deque([(self._began, 0)])
        self._wait = Waiting(seconds=0, reason="")
        self._wait_until = self._estimate = 0.0
        self._hints: set[str] = set()
        self._ended = threading.Event()
        self._progress.start()
        self._timer = threading.Thread(target=self._tick, daemon=True)
        self._timer.start()

    def __call__(self, event: Event) -> None:
        """Take the event in; the next picture shows it."""
        self._places.take(event)
        match event:
            case Advanced():
                key = (str(event.ref), event.asset)
                self._gained[key] = self._gained.get(key, 0) + event.count
                self._size += event.count
            case Started():
                self._begin(event)
            case Saved():
                self._saved += 1
                self._end(str(event.ref), event.asset)
            case Listed():
                if self._is_shown(event.ref):
                    self._listed = event.total
            case Finished():
                self._posts += self._is_shown(event.source)
            case Waiting():
                self._wait, self._wait_until = event, time.monotonic() + event.seconds
            case _:
                self._say(event)

    def close(self) -> None:
        """Give the screen back."""
        self._ended.set()
        self._timer.join()
        self._progress.stop()

    def _begin(self, event: Started) -> None:
        key = (str(event.ref), event.asset)
        self._end(*key)
        if len(self._files) < FILES_SHOWN:
            self._files[key] = self._progress.add_task(
                event.path.name, total=event.size, completed=event.begun
            )

    def _end(self, ref: str, asset: str) -> None:
        task = self._files.pop((ref, asset), None)
        if task is not None:
            self._progress.remove_task(task)

    def _say(self, event: Event) -> None:
        match event:
            case SourceBegun():
                self._begin_source(event)
            case Failed():
                self._failed += 1
                if event.ref and event.asset:
                    self._end(str(event.ref), event.asset)
                self._lines(*words.failed(event))
            case Cut():
                self._cut.add(event.ref)
                title = self._titles.get(event.ref, "" if event.name else str(event.ref))
                about = words.called(event.name, title) if self._summed else ""
                self._lines(*words.complaint(event.error, about))
            case Warned():
                self._lines(*words.warned(event))
            case Skipped():
                self._lines(*words.skipped(event))
            case Summarized():
                self._conclude(event)

    def _is_shown(self, source: Ref | None) -> bool:
        """Whether the headline counts posts of this listing: with several at once, only those of the one that began last."""
        return None in (source, self._source) or source == self._source

    def _begin_source(self, event: SourceBegun) -> None:
        self._source = event.ref
        self._titles[event.ref] = words.clean(event.title, 60)
        self._declared = min(event.declared or 0, event.limit or event.declared or 0)
        self._estimate = event.estimate or 0.0
        self._posts = self._listed = 0
        self._began = time.monotonic()
        if event.title:
            declared = (
                f": {words.count(event.declared, 'post')} declared" if event.declared is not None else ""
            )
            self._console.print(Text(f"{words.clean(event.title)}{declared}", style="bold"))
        if event.estimate is not None and event.calls is not None:
            self._lines(f"about {event.calls:,} calls, {words.duration(event.estimate)} at this pace")

    def _conclude(self, event: Summarized) -> None:
        self.close()
        if event.sources is not None:
            self._lines(*checks.lines(event.sources))
        elif event.balances:
            self._console.print(table(event.balances, self._cut))
        self._lines(words.summary(event, str(self._places)))

    def _lines(self, *lines: str) -> None:
        for line in words.unsaid(lines, self._hints):
            first, _, rest = line.partition(" ")
            if first == "hint:":
                shown = Text(line, style="dim")
            elif first in STYLES:
                shown = Text.assemble((first, STYLES[first]), f" {rest}")
            else:
                shown = Text(line)
            self._console.print(shown, soft_wrap=True)

    def _tick(self) -> None:
        while not self._ended.wait(1 / PER_SECOND):
            self._push()
            self._progress.draw()

    def _push(self) -> None:
        gained, self._gained = self._gained, {}
        for key, count in gained.items():
            if (task := self._files.get(key)) is not None:
                self._progress.update(task, advance=count)
        self._progress.update(
            self._all,
            description=self._headline(),
            completed=self._posts,
            total=self._declared or None,
            size=self._size,
            pace=self._pace(),
            left=self._left(),
            note=words.waiting(self._wait) if self._waits and not self._waits_long else "",
        )

    def _pace(self) -> float:
        now = time.monotonic()
        self._sizes.append((now, self._size))
        while now - self._sizes[0][0] > PACE_OVER:
            self._sizes.popleft()
        then, size = self._sizes[0]
        return (self._size - size) / (now - then) if now > then else 0.0

    def _left(self) -> float:
        """Seconds until a listing is done, as fast as its posts came so far; 0 for unknown.

        Never less than what is left of the estimate: the first pages come faster than the pace allows in the long run.
        """
        if not self._posts or self._declared <= self._posts:
            return 0.0
        usual = (time.monotonic() - self._began) / self._posts * (self._declared - self._posts)
        unlisted = max(0, self._declared - self._listed) / self._declared
        return max(usual, self._estimate * unlisted)

    @property
    def _waits(self) -> bool:
        return time.monotonic() < self._wait_until

    @property
    def _waits_long(self) -> bool:
        return self._waits and (self._wait.seconds >= SHORT_WAIT or not self._wait.routine)

    def _headline(self) -> str:
        if self._waits_long:
            return words.waiting(self._wait)
        most = max(self._listed, self._declared)
        if not most and not self._posts and not self._saved:  # a post that was named
            return f"fetching {words.count(len(self._files), 'file')}" if self._files else "asking the site"
        posts = (
            f"{self._posts:,} of {words.count(most, 'post')}" if most else words.count(self._posts, "post")
        )
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{posts}, {words.count(self._saved, 'file')}{failed}"


def table(balances: tuple[Balance, ...], cut: set[Ref]) -> Table:
    """The balances of the listings, one a row; columns in which nothing stands are left out."""
    usual = ("listed", "declared", "saved", "known")
    columns = [
        *usual,
        *(
            name
            for name in ("filtered", "hidden", "failed", "earlier")
            if any(getattr(each, name) for each in balances)
        ),
    ]
    drawn = Table(box=None, pad_edge=False)
    drawn.add_column("list", overflow="ellipsis", max_width=32, no_wrap=True)
    for name in columns:
        drawn.add_column(name, justify="right")
    drawn.add_column("end", overflow="fold")
    for each in balances:
        values = (getattr(each, name) for name in columns)
        numbers = ("?" if value is None else f"{value:,}" for value in values)
        title = words.clean(each.title) or str(each.ref)
        drawn.add_row(Text(title), *numbers, Text(words.ending(each, cut=each.ref in cut)))
    return drawn
