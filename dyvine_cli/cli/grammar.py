"""The command line's grammar: `dyvine NOUN [VERB] WORDS [OPTIONS]`, the verb may be left out, a link may stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from dyvine_cli.cli.options import GROUPS, names_of
from dyvine_cli.errors import InputError

NOUNS = {
    "get": "Download whatever a link is: a post, a user, a mix.",
    "post": "Download posts, or show what is known about them.",
    "user": "Download whole accounts, or show and list them.",
    "mix": "Download mixes (series of posts), or show them.",
    "sync": "Keep accounts and mixes up to date: show, add and remove sources.",
    "login": "Show, add and remove logins.",
    "archive": "See what dyvine remembers; check and repair files, say what may come again.",
    "config": "Show, create, find and check the configuration.",
    "doctor": "Find the stage that fails, with its cause and cure; write a record for a bug report.",
    "demo": "Download invented posts from the built-in simulator: no account, no internet.",
}
"""Noun to its line in `dyvine --help`; each is a module of this package."""


ALIKE = 0.75
"""From which likeness on a word counts as misspelt, 1 being the same."""
PASTE = "paste the whole link, or the share text in single quotes: a shell stops at # and takes & and ? for itself"


class Verb(TyperCommand):
    """A command; its help shows the shared options under their titles."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments and own options first, then each group of shared ones."""
        for title, rows in sections(self, ctx):
            with formatter.section(title):
                formatter.write_dl(rows)


def sections(command: Any, ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The rows of a command's help by title; of a switch only its usual form is shown."""
    found: dict[str, list[tuple[str, str]]] = {
        title: [] for title in ("Arguments", "Options", *GROUPS.values())
    }
    for each in command.get_params(ctx):
        row = each.get_help_record(ctx)
        if row is None:
            continue
        title = "Arguments" if each.param_type_name == "argument" else each.rich_help_panel or "Options"
        found[title].append((row[0].partition(" / ")[0], row[1]))
    yield from ((title, rows) for title, rows in found.items() if rows)


class Noun(TyperGroup):
    """A noun whose first verb may be left out: `post URL` is `post get URL`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb first, the default one if none is named; completion of an empty line offers the verbs."""
        if args or not ctx.resilient_parsing:
            args = self.with_verb(args, ctx)
        return super().parse_args(ctx, args)

    @property
    def default(self) -> str:
        """The verb that may be left out: the first one."""
        return next(iter(self.commands))

    def with_verb(self, args: Sequence[str], ctx: Any) -> list[str]:
        """The arguments with their verb in front of the options. Raises InputError for a misspelt verb."""
        if args and args[0] in ctx.help_option_names:
            return list(args)
        place = first_word(args, self.commands[self.default])
        if place is None:
            return [self.default, *args]
        if args[place] in self.commands:
            return [args[place], *args[:place], *args[place + 1 :]]
        if not ctx.resilient_parsing:
            self._refuse_misspelt(args[place:], ctx)
        return [self.default, *args]

    def _refuse_misspelt(self, args: Sequence[str], ctx: Any) -> None:
        word, *rest = args
        verb = near(word, self.commands) if _PLAIN.fullmatch(word) else None
        if verb is None:
            return
        words = [rest[place] for place in _places_of_words(rest, *self.commands.values())]
        if not _is_text(words):
            raise InputError(
                f"'{word}' is neither a verb of 'dyvine {ctx.info_name}' nor a link or id",
                hint=f"did you mean '{verb}'? To say that it is an id: dyvine {ctx.info_name} -- {word}",
            )

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`[VERB]` and what the default verb takes."""
        first = self.commands[self.default]
        with first.make_context(first.name, [], parent=ctx, resilient_parsing=True) as sub:
            return ["[VERB]", *first.collect_usage_pieces(sub)]

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The verbs, and what the default verb would offer."""
        first = self.commands[self.default]
        with first.make_context(first.name, [], parent=ctx, resilient_parsing=True) as sub:
            return super().shell_complete(ctx, incomplete) + first.shell_complete(sub, incomplete)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The verbs, then the options of the default one."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, self._line(name)) for name in self.commands])
        first = self.commands[self.default]
        with first.make_context(first.name, [], parent=ctx, resilient_parsing=True) as sub:
            for title, rows in sections(first, sub):
                with formatter.section(
                    f"{title} ({self.default})" if title in ("Arguments", "Options") else title
                ):
                    formatter.write_dl(rows)

    def _line(self, name: str) -> str:
        line = self.commands[name].get_short_help_str(limit=200)
        return f"{line.removesuffix('.')} (the default)." if name == self.default else line


def first_word(args: Sequence[str], command: Any) -> int | None:
    """The place of the first argument that is neither an option nor an option's value; None if there is none."""
    return next(_places_of_words(args, command), None)


def _places_of_words(args: Sequence[str], *commands: Any) -> Iterator[int]:
    """Where the arguments stand that are neither options of these commands nor an option's value, up to `--`."""
    valued = {
        name
        for command in commands
        for each in command.params
        if not getattr(each, "is_flag", True) and not getattr(each, "count", False)
        for name in each.opts
    }
    skip = False
    for place, arg in enumerate(args):
        if skip:
            skip = False
        elif arg == "--":
            return
        elif arg.startswith("-") and len(arg) > 1:
            skip = _waits(arg, valued)
        else:
            yield place


def _waits(arg: str, valued: Iterable[str]) -> bool:
    """Whether an option's value is the next argument: not in `--limit=3`, `-N3`, `-s`; but in `--limit`, `-N`, `-sN`."""
    if arg.startswith("--"):
        return arg in valued
    place = next((place for place, letter in enumerate(arg) if f"-{letter}" in valued), None)
    return place == len(arg) - 1


class Root(TyperGroup):
    """The nouns, imported when one is called; a link in their place is `get LINK`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands.update({name: TyperCommand(name, help=line) for name, line in NOUNS.items()})

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The options before the noun. Raises InputError when there is no noun."""
        rest = super().parse_args(ctx, args)
        if not ctx._protected_args and ctx.params.get("batch_file"):  # noqa: SLF001
            ctx._protected_args = ["get"]  # noqa: SLF001 - `dyvine -a FILE` names no noun
        if not ctx.resilient_parsing and not ctx._protected_args:  # noqa: SLF001 - where typer keeps the noun
            raise InputError(
                "nothing to do: no link and no command",
                hint="`dyvine LINK` downloads what it is, `dyvine demo` shows how, `dyvine --help` shows all commands",
            )
        return rest

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the noun; words with a link in them belong to `get`. Raises InputError for what is neither."""
        if args and args[0] not in self.commands and any(map(looks_like_link, args)):
            if not ctx.resilient_parsing:
                _refuse_misspelt(args, self.commands)
            args = ["get", *args]
        if args and args[0] not in self.commands and not ctx.resilient_parsing:
            raise _not_a_command(args[0], self.commands)
        name, stub, rest = super().resolve_command(ctx, args)
        return (name, stub, rest) if name is None else (name, load(name), rest)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The noun itself where completion asks for it, its stub elsewhere."""
        if ctx.resilient_parsing and cmd_name in self.commands:
            return load(cmd_name)
        return super().get_command(ctx, cmd_name)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What a call consists of."""
        return ["LINK | NOUN [VERB] TEXT... [OPTIONS]"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Only the options of the program itself; those of the commands are accepted here, too, and shown there."""
        with formatter.section("Commands"):
            formatter.write_dl(list(NOUNS.items()))
        own = [
            each for each in self.get_params(ctx) if each.name in ("version", "help", "install_completion")
        ]
        with formatter.section("Options"):
            formatter.write_dl([row for each in own if (row := each.get_help_record(ctx)) is not None])


def _not_a_command(word: str, commands: Iterable[str]) -> InputError:
    if holds_cookie(word):
        return InputError("these are cookies, and neither a command nor a link", hint=_TO_ADD)
    message = f"'{word}' is neither a command nor a link"
    noun = near(word, commands)
    if noun is not None:
        return InputError(message, hint=f"did you mean '{noun}'?")
    if word.isdigit():
        return InputError(f"the bare number {word} needs its noun", hint=f"dyvine post {word}")
    return InputError(message, hint=f"{PASTE}; all commands: dyvine --help")


def _refuse_misspelt(args: Sequence[str], nouns: Iterable[str]) -> None:
    """Raise InputError where the first word is a noun misspelt, and not the beginning of a text that was pasted."""
    word, *rest = args
    noun = near(word, nouns) if _PLAIN.fullmatch(word) else None
    if noun is None:
        return
    command = load(noun)
    verbs = getattr(command, "commands", {})
    words = [rest[place] for place in _places_of_words(rest, *(verbs.values() or [command]))]
    if words and near(words[0], verbs):
        words = words[1:]
    if not _is_text(words):
        raise InputError(
            f"'{word}' is neither a command nor a link",
            hint=f"did you mean '{noun}'? If it belongs to a text that you paste: dyvine get {word} ...",
        )


_PLAIN = re.compile(r"[A-Za-z]{2,10}")
"""A word that may be a command's name with a slip in it."""
_ID = re.compile(r"[0-9]+|@[\w.-]+")


def _is_text(words: Sequence[str]) -> bool:
    """Whether words behind one that is nearly a command's belong to a text with a link in it: some are no data."""
    from dyvine_cli import links  # only on the way to an error

    def is_data(word: str) -> bool:
        found = links.find(word)
        if found:  # alone, or in a text that stands in quotes
            return len(word.split()) > 1 or found[0].endswith(word)
        return looks_like_link(word) or _ID.fullmatch(word) is not None

    return any(map(links.find, words)) and not all(map(is_data, words))


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, in any case; None if none is near."""
    known, lower = tuple(known), word.lower()
    alike = get_close_matches(lower, known, n=1, cutoff=ALIKE)
    swapped = (lower[:at] + lower[at : at + 2][::-1] + lower[at + 2 :] for at in range(len(lower) - 1))
    return next(iter(alike), None) or next((each for each in swapped if each in known), None)


def load(noun: str) -> Any:
    """The command of one noun."""
    module = import_module(f"dyvine_cli.cli.{noun}")
    command = typer.main.get_command(module.app)
    command.name = noun
    return command


BARE_LINKS = (
    "v.douyin.com/", "www.douyin.com/", "douyin.com/", "www.iesdouyin.com/", "www.tiktok.com/", "tiktok.com/",
    "vm.tiktok.com/", "vt.tiktok.com/", "tiktokuser:",
)  # fmt: skip
"""How links begin that people paste without `https://`."""


def looks_like_link(word: str) -> bool:
    """Whether a word can be meant only as a link or ref."""
    if "://" in word or word.startswith(BARE_LINKS):
        return True
    from dyvine_cli.models import Ref  # only for a word that may be one

    return Ref.parse(word) is not None


_TO_ADD = "to add a login, give its cookies to `dyvine login add -`, or a file: dyvine login add FILE"
_COOKIE = re.compile(r"(?<![^\s;('\"])(?:cookie:\s*)?[\w.-]+=[^\s]", re.IGNORECASE)


def holds_cookie(text: str) -> bool:
    """Whether words outside of links have the form `name=value`, as cookies do: their values are not repeated."""
    return _COOKIE.search(text) is not None


def misuse(error: typer.TyperException) -> InputError:
    """A mistake that typer found in the options, in our words."""
    ctx: Any = getattr(error, "ctx", None)
    place = ctx.command_path if ctx is not None else "dyvine"
    name = getattr(error, "option_name", "")
    if name and hasattr(error, "possibilities"):
        if any(name in names_of(group) for group in GROUPS):
            return InputError(f"{name} means nothing to '{place}'", hint=f"see: {place} --help")
        known = [option for each in ctx.command.params for option in each.opts] if ctx is not None else []
        alike = get_close_matches(name, [each for each in known if each.startswith("--")], n=1, cutoff=ALIKE)
        see = f"did you mean {alike[0]}?" if alike else f"see: {place} --help"
        return InputError(f"there is no option {name}", hint=see)
    text = error.format_message().rstrip(".")
    if "extra argument" in text and (" login" in place or holds_cookie(text)):
        return InputError(f"there is a word too many after '{place}'", hint=_TO_ADD)
    return InputError(text[:1].lower() + text[1:], hint=f"see: {place} --help")
