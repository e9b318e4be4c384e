"""What happens, on a terminal: a line for the whole, one for each of the first active files, failures above."""

from __future__ import annotations

import threading
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from dyvine_cli.cli.output import words
from dyvine_cli.events import (
    Advanced,
    Balance,
    Cut,
    Event,
    Failed,
    Finished,
    Listed,
    Saved,
    SourceBegun,
    Started,
    Summarized,
    Waiting,
    Warned,
)

FILES_SHOWN = 8
PER_SECOND = 4
"""Pictures a second: more costs CPU and shows nothing new (measured: 4 Hz is 2-3 % of a core with 16 bars)."""


class Amount(ProgressColumn):
    """Bytes so far and promised."""

    def render(self, task: Task) -> Text:
        """`1.2 / 3.4 MB`, or only the bytes so far where nothing was promised."""
        done = words.size(task.completed)
        return Text(f"{done} / {words.size(task.total)}" if task.total else done)


class Pace(ProgressColumn):
    """Bytes a second."""

    def render(self, task: Task) -> Text:
        """`2.1 MB/s`, empty while unknown."""
        speed = task.finished_speed or task.speed
        return Text(f"{words.size(speed)}/s" if speed else "")


class Terminal:
    """A listener that draws; counts are plain numbers, pushed to the screen by one timer."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            Amount(),
            Pace(),
            console=self._console,
            refresh_per_second=PER_SECOND,
            auto_refresh=False,
            transient=True,
        )
        self._all = self._progress.add_task("starting", total=None)
        self._files: dict[tuple[str, str], TaskID] = {}
        self._gained: dict[tuple[str, str] | None, int] = {}
        self._posts = self._listed = self._saved = self._failed = 0
        self._note = ""
        self._ended = threading.Event()
        self._progress.start()
        self._timer = threading.Thread(target=self._tick, daemon=True)
        self._timer.start()

    def __call__(self, event: Event) -> None:
        """Take the event in; the next picture shows it."""
        match event:
            case Advanced():
                key = (str(event.ref), event.asset)
                self._gained[key] = self._gained.get(key, 0) + event.count
                self._gained[None] = self._gained.get(None, 0) + event.count
            case Started():
                self._begin(event)
            case Saved():
                self._saved += 1
                self._end(str(event.ref), event.asset)
            case Listed():
                self._listed = event.total
            case Finished():
                self._posts += 1
            case Waiting():
                self._note = words.waiting(event)
            case _:
                self._say(event)

    def close(self) -> None:
        """Give the screen back."""
        self._ended.set()
        self._timer.join()
        self._progress.stop()

    def _begin(self, event: Started) -> None:
        self._note = ""
        if len(self._files) < FILES_SHOWN:
            name = words.clean(event.path.name, 44)
            task = self._progress.add_task(f"  {name}", total=event.size, completed=event.begun)
            self._files[str(event.ref), event.asset] = task

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
                self._lines(words.failed(event), "red")
            case Cut():
                self._lines(words.complaint(event.error), "red")
            case Warned():
                self._lines(words.warned(event), "yellow")
            case Summarized():
                self._conclude(event)

    def _begin_source(self, event: SourceBegun) -> None:
        if event.title:
            declared = f", {event.declared:,} posts declared" if event.declared is not None else ""
            self._lines((f"{words.clean(event.title)}{declared}",), "bold")
        if event.estimate is not None and event.calls is not None:
            self._lines((f"about {event.calls:,} calls, {words.duration(event.estimate)} at this pace",), "")

    def _conclude(self, event: Summarized) -> None:
        self.close()
        if event.balances:
            self._console.print(table(event.balances))
        self._lines((words.summary(event),), "")

    def _lines(self, lines: tuple[str, ...], style: str) -> None:
        for line in lines:
            self._console.print(Text(line, style=style if not line.startswith("hint:") else "dim"))

    def _tick(self) -> None:
        while not self._ended.wait(1 / PER_SECOND):
            self._push()
            self._progress.refresh()

    def _push(self) -> None:
        gained, self._gained = self._gained, {}
        total = gained.pop(None, 0)
        self._progress.update(self._all, advance=total, description=self._headline())
        for key, count in gained.items():
            if key is not None and key in self._files:
                self._progress.update(self._files[key], advance=count)

    def _headline(self) -> str:
        of = f" / {self._listed:,}" if self._listed else ""
        failed = f", {self._failed} failed" if self._failed else ""
        return self._note or f"{self._posts:,}{of} posts, {words.count(self._saved, 'file')}{failed}"


def table(balances: tuple[Balance, ...]) -> Table:
    """The balances of the listings, one a row."""
    columns = ("listed", "declared", "saved", "known", "filtered", "hidden", "failed")
    drawn = Table(box=None, pad_edge=False)
    drawn.add_column("account or list", overflow="ellipsis", max_width=32, no_wrap=True)
    for name in columns:
        drawn.add_column(name, justify="right")
    drawn.add_column("end", overflow="fold")
    for each in balances:
        values = (getattr(each, name) for name in columns)
        numbers = ("?" if value is None else f"{value:,}" for value in values)
        ending = "complete" if each.complete else each.stopped or "cut short"
        drawn.add_row(Text(words.clean(each.title) or str(each.ref)), *numbers, Text(words.clean(ending)))
    return drawn
