"""`--exec`: a command for every saved post and for the end of the run, started without a shell.

What a platform wrote reaches the command only as an argument of its own, in its environment and on its stdin.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shlex
import shutil
import signal
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path, PurePath
from typing import Literal

from dyvine_cli.encode import dumps, encode, encode_event
from dyvine_cli.errors import ConfigError, InputError
from dyvine_cli.events import Event, Finished, Report, Saved, Summarized, Warned
from dyvine_cli.models import Post, Ref
from dyvine_cli.naming import Line, cut, pages, readable
from dyvine_cli.redact import Redactor

AT_ONCE = 2
"""Commands that run at the same time."""
MOST_TOLD = 20
"""Commands that fail and are told one by one."""
GRACE = 1.0
"""Seconds that a command has to end by itself before it is killed."""
LONGEST_ARGUMENT = 30_000
"""Bytes of an argument with a title in it; systems take 32,767 characters (Windows) or 128 KiB (Linux)."""
LONGEST_PATHS = 120_000
"""Bytes of the variable with the paths; Linux takes 128 KiB in one."""
LONGEST_TITLE = 1_000

Moment = Literal["saved", "finished"]

OURS = ("DYVINE_HOME", "DYVINE_CONFIG")
"""The variables of ours that a command keeps: another dyvine finds its files by them. The others may be secrets."""
SECRETS = frozenset({"DOUYIN_COOKIE", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"})

_TITLE = Line.parse("{title}")
_MORE = ("path", "size", "sha256")
_SHELLS = ["sh", "bash", "zsh", "dash", "ksh", "mksh", "ash", "csh", "tcsh", "fish"]
_LANGUAGES = [
    *("perl", "ruby", "node", "deno", "bun", "php", "osascript", "tclsh", "expect", "r", "rscript", "julia", "guile"),
    *("nu", "elvish", "xonsh", "ghci", "emacs", "vi", "vim", "nvim", "gdb", "lldb", "mysql", "mariadb", "psql", "flock"),
]  # fmt: skip
_INTERPRETER = re.compile(rf"{'|'.join((*_SHELLS, *_LANGUAGES))}|(?:python|pypy|lua)[0-9.]*")
"""Programs that run a text as a program; in such a text the words of a stranger would be code."""
_CODE = re.compile(r"-ex$|-[A-Za-z]*[ceEpr]|--(?:eval|execute|print|command)(?==|$)")
"""The options that such a text follows."""
_FILTERS = frozenset({"awk", "gawk", "mawk", "nawk", "sed"})
"""Programs whose first word is a program."""
_REPARSES = frozenset(
    {"ssh", "rsh", "su", "runuser", "sg", "watch", "parallel", "eval", "cmd", "powershell", "pwsh", "wsl"}
    | {"script", "tmux", "screen", "sqlite3", "duckdb", "lftp"}
)
"""Programs that read all their arguments as a command line."""
_WRAPPERS = frozenset(
    {
        "env",
        "nice",
        "ionice",
        "nohup",
        "sudo",
        "doas",
        "time",
        "timeout",
        "setsid",
        "stdbuf",
        "xargs",
        "busybox",
        "flock",
    }
)
"""Programs that start the program which their arguments name."""
_BATCH = (".bat", ".cmd")


@dataclass(frozen=True, slots=True)
class _Word:
    """One argument as it was written; `line` is None when nothing is put into it."""

    text: str
    line: Line | None = None

    @property
    def is_each(self) -> bool:
        """Whether it stands once for every file."""
        return self.line is not None and any(token.field in _MORE for token in self.line.tokens)

    @property
    def begins_with_data(self) -> bool:
        """Whether its first letter is somebody else's."""
        return self.line is not None and bool(self.line.tokens[0].field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, read once; `moments` says when it runs, `program` is the file that is started.

    In `{}`, `{path}` and the fields of templates a post's words are put in; `{path}` repeats its argument for every
    file. Without any the paths are appended.
    """

    program: str
    words: tuple[_Word, ...]
    moments: frozenset[Moment]

    @classmethod
    def parse(
        cls, text: str, *, find: Callable[[str], str | None] = shutil.which, platform: str = sys.platform
    ) -> Command:
        """Read `[saved:|finished:]COMMAND`; without the first word it runs at both moments.

        A command with placeholders runs for saved posts only: at the end there is nothing to put in. Raises ConfigError
        for what would make code of a post's words, InputError when the program is not there.
        """
        when, rest = _moment(text)
        first, *others = _split(rest)
        words = tuple(map(_word, others))
        has_data = any(word.line for word in words)
        if when == "finished" and has_data:
            raise ConfigError(
                "--exec: there is no post to put in when the run is finished",
                hint="the variables DYVINE_NEW, DYVINE_FAILED and DYVINE_EXIT say how it ended",
            )
        if when != "finished":
            _check(first, words, platform)
        program = find(os.path.expanduser(first))  # noqa: PTH111 - a Path would lose the ./ in front
        if program is None:
            raise InputError(
                f"--exec: there is no program {_shown(first)}",
                hint="name it by its full path, or check PATH (cron's is short)",
            )
        moments: frozenset[Moment] = frozenset(
            {when} if when else {"saved"} if has_data else {"saved", "finished"}
        )
        return cls(program=str(Path(program).absolute()), words=words, moments=moments)

    @property
    def name(self) -> str:
        """The program's name, for messages: arguments may hold secrets."""
        return PurePath(self.program).name

    def saved(self, post: Post, files: Sequence[Saved]) -> list[str]:
        """The arguments for a post and its files."""
        found = [argument for word in self.words for argument in _arguments(word, post, files)]
        if not any(word.line for word in self.words):
            found += [str(each.path.absolute()) for each in files]
        return found

    def finished(self) -> list[str]:
        """The arguments for the end of the run."""
        return [word.text for word in self.words]


def _moment(text: str) -> tuple[Moment | None, str]:
    found = re.match(r"(saved|finished):\s*", text)
    if found is None:
        return None, text
    return ("saved" if found[1] == "saved" else "finished"), text[found.end() :]


def _split(text: str) -> list[str]:
    """The words of a command line, as a shell would group them; nothing else of a shell counts."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise InputError("--exec: a quote is not closed", hint="quotes group words as in a shell") from exc
    if not words or not words[0]:
        raise InputError("--exec: no command is named", hint="for example --exec 'my-program {path}'")
    return words


def _word(text: str) -> _Word:
    line = _line(text)
    if any(token.field for token in line.tokens):
        return _Word(text, line)
    return _Word("".join(token.text for token in line.tokens))


def _line(text: str) -> Line:
    """A word with its placeholders. Raises ConfigError that repeats nothing secret."""
    try:
        return Line.parse(re.sub(r"(?<!\{)\{\}(?!\})", "{path}", text), more=_MORE)
    except ConfigError as error:
        fields = error.hint if error.hint and error.hint.startswith("fields") else None
        raise ConfigError(
            f"--exec: {Redactor().text(error.message)}",
            hint="; ".join(filter(None, ("write {{ and }} for braces themselves", fields))),
        ) from None


def _check(first: str, words: Sequence[_Word], platform: str) -> None:
    """Raise ConfigError where a post's words would be read as code."""
    if any(token.field for token in _line(first).tokens):
        raise ConfigError("--exec: the program itself cannot come from a post")
    if platform == "win32" and first.lower().rstrip(" .").endswith(_BATCH):
        raise ConfigError(
            f"--exec: Windows reads the arguments of {_shown(first)} again, and a title could be a command there",
            hint="start a program (.exe), or: python my-script.py",
        )
    wrapped = _stem(first) in _WRAPPERS
    if wrapped and _is_started_by_wrapper(words):
        raise ConfigError("--exec: the program itself cannot come from a post")
    for number, word in enumerate((_Word(first), *words)):
        if word.line is None:
            _check_program(word.text, words[number:], is_started=number == 0 or wrapped)


def _is_started_by_wrapper(words: Sequence[_Word]) -> bool:
    """Whether a post's words stand where `env`, `nice`, `sudo`, ... expect the program."""
    others = (
        word for word in words if word.line is not None or not re.match(r"-|[0-9.]+[smhd]?$|\w+=", word.text)
    )
    first = next(others, None)
    return first is not None and first.begins_with_data


def _check_program(program: str, words: Sequence[_Word], *, is_started: bool) -> None:
    """One word as a program and those after it; `is_started` is False where the word may be a mere argument.

    Many programs start another (`docker exec box sh -c`), so a shell is looked for everywhere.
    """
    name = _stem(program)
    if is_started and name in _REPARSES:
        raise ConfigError(
            f"--exec: {_shown(program)} reads its arguments as a command line, in which a title could be a command",
            hint="start a script of your own that reads DYVINE_PATHS or its stdin",
        )
    if any(word.line is not None for word in _codes(name, words, is_started=is_started)):
        raise ConfigError(
            "--exec: a placeholder stands in a text that is run as a program, where a title could be code",
            hint="give it as an argument of its own: sh -c 'echo \"$1\"' - {title}",
        )


def _codes(name: str, words: Sequence[_Word], *, is_started: bool) -> Iterator[_Word]:
    """The words after a program of this name that it runs as a program."""
    if is_started and name in _FILTERS:
        yield from [word for word in words if not word.text.startswith("-")][:1]
        yield from [word for word in words if word.text.startswith("--expression=")]
    elif is_started and name == "env":
        yield from _after_split(words)
        return
    elif _INTERPRETER.fullmatch(name) is None:
        return
    for word, following in zip_longest(words, words[1:]):
        option = _CODE.match(word.text)
        if option is not None and option.end() < len(word.text):
            yield word
        elif option is not None and following is not None:
            yield following


def _after_split(words: Sequence[_Word]) -> Iterator[_Word]:
    """The texts that `env -S` splits into words, as a shell does."""
    for word, following in zip_longest(words, words[1:]):
        option = re.match(r"-[A-Za-z]*S|--split-string", word.text)
        if option is not None:
            yield word
            yield from [following] if following is not None else []


def _stem(program: str) -> str:
    """A program's name in small letters, without folders and `.exe`."""
    return re.split(r"[/\\]", program)[-1].lower().removesuffix(".exe")


def _shown(word: str) -> str:
    return repr(cut(readable(Redactor().text(word)), 80))


def _arguments(word: _Word, post: Post, files: Sequence[Saved]) -> list[str]:
    """What stands in a command for one word: itself, filled in, or that once for every file."""
    if word.line is None:
        return [word.text]
    chosen = files if word.is_each else files[:1]
    return [_filled(word, word.line, post, each) for each in chosen]


def _filled(word: _Word, line: Line, post: Post, file: Saved) -> str:
    asset = next((each for each in post.assets if each.id == file.asset), None)
    path = str(file.path.absolute())
    text = line.render(
        post,
        asset,
        ext=file.path.suffix.removeprefix("."),
        parts=pages(post),
        rendition=file.rendition,
        more={"path": path, "size": file.size, "sha256": file.sha256},
    ).replace("\0", "")
    text = text if path in text else cut(text, LONGEST_ARGUMENT)
    # As in names of files: what a stranger wrote is never an option.
    return f"_{text}" if word.begins_with_data and text.startswith("-") else text


# --- running ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """One start of the command; `content` is what it reads, packed because thousands may wait."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    about: str
    ref: Ref | None = None


class Hooks:
    """A run's commands: they start while it goes on, AT_ONCE at a time, and are waited for at its end.

    A command that fails is a warning and changes nothing else. `timeout` is seconds, `output` the descriptor of our
    stderr, where what a command prints goes: stdout is data.
    """

    def __init__(
        self,
        command: Command,
        *,
        timeout: float,
        environment: Mapping[str, str],
        output: int = 2,
    ) -> None:
        self._command = command
        self._timeout = timeout
        self._environment = without_secrets(environment)
        self._output = output
        self._files: dict[Ref, list[Saved]] = {}
        self._queue: asyncio.Queue[_Errand] = asyncio.Queue()
        self._report: Report | None = None
        self._started = self._failed = 0

    def take(self, event: Event) -> None:
        """Take one event in; a post that is complete starts the command."""
        if "saved" not in self._command.moments:
            return
        if isinstance(event, Saved) and event.post is not None:
            self._files.setdefault(event.ref, []).append(event)
        elif isinstance(event, Finished):
            files = self._files.pop(event.ref, [])
            post = files[0].post if files else None
            if event.state == "saved" and post is not None:
                self._queue.put_nowait(self._for_post(post, _in_order(post, files)))

    @asynccontextmanager
    async def at_work(self, report: Report) -> AsyncIterator[None]:
        """Run commands while the block does; what is still to run when it ends is run then.

        When the block is cancelled, the commands that run are ended and the others never start.
        """
        self._report = report
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._work()) for _ in range(AT_ONCE)]
            try:
                yield
                await self._queue.join()
            finally:
                for each in workers:
                    each.cancel()

    async def finish(self, summary: Summarized, code: int, new: int) -> None:
        """Run the command for the end of the run, if it is wanted then, and say how many failed."""
        if "finished" in self._command.moments:
            await self._run(self._for_end(summary, code, new))
        if self._failed > MOST_TOLD:
            self._warn(f"--exec: {self._failed:,} of {self._started:,} commands failed")

    def _for_post(self, post: Post, files: Sequence[Saved]) -> _Errand:
        objects = [encode(post), *map(encode_event, files)]
        paths = "\n".join(str(each.path.absolute()) for each in files)
        variables = {
            "DYVINE_EVENT": "saved",
            "DYVINE_SITE": post.ref.site,
            "DYVINE_ID": post.ref.id,
            "DYVINE_TITLE": _TITLE.render(post, more={}),
            "DYVINE_AUTHOR": post.author.nickname,
        }
        variables = {name: cut(readable(value), LONGEST_TITLE) for name, value in variables.items()}
        if len(os.fsencode(paths)) <= LONGEST_PATHS:
            variables["DYVINE_PATHS"] = paths
        return _Errand(
            arguments=tuple(self._command.saved(post, files)),
            variables=variables,
            content=zlib.compress("".join(f"{dumps(each)}\n" for each in objects).encode()),
            about=f" for {post.ref}",
            ref=post.ref,
        )

    def _for_end(self, summary: Summarized, code: int, new: int) -> _Errand:
        return _Errand(
            arguments=tuple(self._command.finished()),
            variables={
                "DYVINE_EVENT": "finished",
                "DYVINE_NEW": str(new),
                "DYVINE_FAILED": str(summary.failed),
                "DYVINE_EXIT": str(code),
            },
            content=zlib.compress(f"{dumps(encode_event(summary))}\n".encode()),
            about=" at the end of the run",
        )

    async def _work(self) -> None:
        while True:
            errand = await self._queue.get()
            try:
                await self._run(errand)
            finally:
                self._queue.task_done()

    async def _run(self, errand: _Errand) -> None:
        """Start the command and wait for its end; what goes wrong is a warning."""
        self._started += 1
        try:
            status = await self._status(errand)
        except TimeoutError:
            self._complain(errand, f"took longer than {self._timeout:g} s and was ended")
        except OSError as error:
            self._complain(errand, f"could not be started: {_cause(error)}")
        except ValueError:  # a NUL in an argument, or a variable that the system does not take
            self._complain(errand, "could not be started: the system does not take its arguments")
        else:
            if status:
                self._complain(errand, _ended(status))

    async def _status(self, errand: _Errand) -> int:
        process = await asyncio.create_subprocess_exec(
            self._command.program,
            *errand.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            env={**self._environment, **errand.variables},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._timeout):
                await process.communicate(zlib.decompress(errand.content))
                return await process.wait()
        finally:
            if process.returncode is None:
                await _end(process)

    def _complain(self, errand: _Errand, what: str) -> None:
        self._failed += 1
        if self._failed <= MOST_TOLD:
            self._warn(f"--exec: {self._command.name} {what}{errand.about}", errand.ref)

    def _warn(self, message: str, ref: Ref | None = None) -> None:
        if self._report is not None:
            self._report(Warned(message=message, ref=ref))


def _in_order(post: Post, files: Sequence[Saved]) -> list[Saved]:
    """A post's files as their assets stand in it; they arrive as they are done."""
    places = {asset.id: place for place, asset in enumerate(post.assets)}
    return sorted(files, key=lambda file: places.get(file.asset, len(places)))


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a command may have: none of ours that may hold a secret, and none that makes it run again."""
    return {
        name: value
        for name, value in environment.items()
        if name.upper() not in SECRETS and (not name.upper().startswith("DYVINE_") or name.upper() in OURS)
    }


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a command and everything that it started: first it is asked to, after GRACE seconds it is killed."""
    _signal(process, "SIGTERM")
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            await process.wait()
    _signal(process, "SIGKILL")
    await process.wait()


def _signal(process: asyncio.subprocess.Process, name: str) -> None:
    """Send a signal to a command's whole group; where there are no groups, end it."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, getattr(signal, name))


def _cause(error: OSError) -> str:
    if error.errno == errno.E2BIG:
        return "the post has more, or longer, files and texts than the system takes as arguments"
    return str(error.strerror or "the system refused")


def _ended(status: int) -> str:
    if status < 0:
        return f"was ended by signal {-status}"
    return f"ended with status {status}"
