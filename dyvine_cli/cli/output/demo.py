"""What `dyvine demo` shows: each command line, what it prints, and the files it made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dyvine_cli.cli.output import words
from dyvine_cli.operations.stage import Stage

MOST_LINES = 24
CUT = 7


class Tour:
    """The acts of the demo, one command line each."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def show(self) -> int:
        """Run them all; 0 when each ended as it should."""
        self._say(
            "This is dyvine against a small copy of Douyin on this machine: invented people, no account, no internet.",
            f"The files go to {self._stage.folder}",
        )
        whole = self._act("A whole account, listed to its end:", ["user", self._stage.link("account")])
        single = self._act(
            "One post named by pasted share text; stdout has its paths:",
            ["post", "--print", "path", self._stage.link("post")],
        )
        cut = self._act(
            "An account of 63 posts, seen as a guest. Douyin shows guests only the newest:",
            ["user", self._stage.link("guest")],
        )
        self._say(
            f"Exit status {cut}: the listing was cut short, so it is not called done. A login continues it:"
            if cut == CUT
            else f"Exit status {cut}.",
            "  dyvine login add cookies.txt",
        )
        self._say("", "What is there now:", *tree(self._stage.folder))
        self._say("", "Next, with a real link:", "  dyvine 'https://v.douyin.com/…'", "  dyvine --help")
        return 0 if (whole, single, cut) == (0, 0, CUT) else 1

    def _act(self, title: str, arguments: Sequence[str]) -> int:
        shown = " ".join(f"'{each}'" if " " in each else each for each in arguments)
        self._say("", title, f"$ dyvine {shown}")
        return self._stage.run(arguments)

    def _say(self, *lines: str) -> None:
        for line in lines:
            print(line, flush=True)


def tree(folder: Path) -> Iterator[str]:
    """The files below a folder, the first ones by name, with their sizes."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    above: Path | None = None
    for file in files[:MOST_LINES]:
        if file.parent != above:
            above = file.parent
            yield f"  {above.relative_to(folder)}/"
        yield f"    {words.clean(file.name)}  {words.size(file.stat().st_size)}"
    if len(files) > MOST_LINES:
        rest = sum(file.stat().st_size for file in files[MOST_LINES:])
        yield f"    … and {len(files) - MOST_LINES:,} more, {words.size(rest)}"
