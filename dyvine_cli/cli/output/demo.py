"""What `dyvine demo` shows: each command line, what it prints, and the files it made."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dyvine_cli.cli.output import say, words
from dyvine_cli.errors import ListingIncomplete
from dyvine_cli.operations.stage import Stage

MOST_FILES = 6
"""Files of one folder that the tree shows."""
CUT = ListingIncomplete.exit_code


class Tour:
    """The acts of the demo, one command line each."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._surprises = 0

    def show(self) -> int:
        """Run them all; 0 when each ended as it should, else 1."""
        account, guest = self._stage.link("account"), self._stage.link("guest")
        say(
            "This is dyvine against a small copy of Douyin on this machine:",
            "invented people, no account, no internet.",
        )
        self._act("A whole account, listed to its end:", ["user", account])
        self._act("The same again. What is there already is not fetched twice:", ["user", account])
        self._act(
            "A post, named by share text as the app copies it. stdout has the path of its file:",
            ["-q", "--print", "path", self._stage.link("post")],
        )
        self._act(
            "An account with 63 posts, of which Douyin shows a guest the newest only:",
            ["user", guest],
            ends=CUT,
        )
        say(
            f"(Exit status {CUT}: a list that was cut short is never called done. A login goes on from there:",
            " dyvine login add cookies.txt)",
        )
        say("", f"What is in {self._stage.folder} now:", *tree(self._stage.folder))
        return self._end()

    def _act(self, title: str, arguments: Sequence[str], *, ends: int = 0) -> None:
        """Show a command line and run it; say so when it ends with another exit status than it should."""
        say("", self._strong(title), self._strong(f"$ dyvine {' '.join(map(quoted, arguments))}"))
        code = self._stage.run(arguments)
        if code != ends:
            self._surprises += 1
            say(f"!! This ended with exit status {code}, and should have ended with {ends}.")

    def _end(self) -> int:
        if self._surprises:
            say(
                "",
                f"!! {words.count(self._surprises, 'command')} of the demo did not end as it should: something is wrong"
                " with this installation.",
            )
            return 1
        say(
            "",
            "Now with a link of yours (put share text in single quotes: # & ? mean something to a shell):",
            "  dyvine https://v.douyin.com/...",
            "  dyvine --help",
        )
        return 0

    def _strong(self, text: str) -> str:
        return words.strong(text) if sys.stdout.isatty() else text


def quoted(argument: str) -> str:
    """An argument as a person would type it: in quotes only where a shell needs them."""
    return (
        argument
        if all(char.isalnum() or char in "-_./:@%+=," for char in argument)
        else shlex.quote(argument)
    )


def tree(folder: Path, indent: str = "") -> Iterator[str]:
    """What is in a folder, drawn as a tree: every folder, the first files of each with their sizes."""
    entries = sorted(folder.iterdir(), key=lambda each: (each.is_file(), each.name))
    files = [each for each in entries if each.is_file()]
    shown = [each for each in entries if each.is_dir()] + files[:MOST_FILES]
    more = files[MOST_FILES:]
    for place, each in enumerate(shown, start=1):
        last = place == len(shown) and not more
        yield _branch(each, f"{indent}{'└── ' if last else '├── '}")
        if each.is_dir():
            yield from tree(each, f"{indent}{'    ' if last else '│   '}")
    if more:
        size = words.size(sum(each.stat().st_size for each in more))
        yield f"{indent}└── … and {words.count(len(more), 'file')} more, {size}"


def _branch(each: Path, lead: str) -> str:
    if each.is_dir():
        return f"{lead}{words.clean(each.name)}/"
    size = words.size(each.stat().st_size)
    room = max(40, shutil.get_terminal_size().columns) - words.width(lead) - len(size) - 2
    return f"{lead}{words.fit(each.name, room)}  {size}"
