"""The command line's grammar: `dyvine NOUN [VERB] WORDS [OPTIONS]`, the verb may be left out, a link may stand alone."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from difflib import get_close_matches
from importlib import import_module
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from dyvine_cli.models import Ref

NOUNS = {
    "get": "Download whatever a link is: a post, a user, a mix.",
    "post": "Download posts, or show what is known about them.",
    "user": "Download whole accounts, or show and list them.",
    "mix": "Download mixes (series of posts), or show them.",
    "login": "Show, add and remove logins.",
    "config": "Show, create, find and check the configuration.",
    "demo": "Download invented posts from the built-in simulator: no account, no internet.",
}
"""Noun to its line in `dyvine --help`; each is a module of this package."""


def takes(*groups: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a command's parameter of one of these dataclasses be filled from options, one per field of the dataclass."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(function, eval_str=True).parameters.values()
        slots = {each.name: each.annotation for each in own if each.annotation in groups}
        parameters = [each for each in own if each.name not in slots]
        for group in slots.values():
            hints = get_type_hints(group, include_extras=True)
            parameters += [
                inspect.Parameter(
                    each.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=each.default,
                    annotation=hints[each.name],
                )
                for each in fields(group)
            ]

        @functools.wraps(function)
        def call(**values: Any) -> Any:
            for name, group in slots.items():
                values[name] = group(**{each.name: values.pop(each.name) for each in fields(group)})
            return function(**values)

        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {each.name: each.annotation for each in parameters}
        return call

    return decorate


class Noun(TyperGroup):
    """A noun whose first verb may be left out: `post URL` is `post get URL`."""

    needs_words = True
    """Whether the default verb is useless without arguments; then a bare noun shows its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb first, the default one if none is named."""
        if args or not (self.needs_words or ctx.resilient_parsing):
            args = self.with_verb(args, ctx)
        return super().parse_args(ctx, args)

    @property
    def default(self) -> str:
        """The verb that may be left out: the first one."""
        return next(iter(self.commands))

    def with_verb(self, args: Sequence[str], ctx: Any) -> list[str]:
        """The arguments with their verb in front of the options."""
        if args and args[0] in ctx.help_option_names:
            return list(args)
        place = first_word(args, self.commands[self.default])
        word = args[place] if place is not None else ""
        if place is not None and word in self.commands:
            return [word, *args[:place], *args[place + 1 :]]
        if place is not None and place == 0:
            self._refuse_misspelt(word, ctx)
        return [self.default, *args]

    def _refuse_misspelt(self, word: str, ctx: Any) -> None:
        alike = get_close_matches(word, self.commands, n=1, cutoff=0.7)
        if alike and word.isascii() and word.isalpha():
            ctx.fail(
                f"'{word}' is neither a verb of '{ctx.info_name}' nor a link; did you mean '{alike[0]}'?"
            )

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The verbs, and what the default verb would offer."""
        first = self.commands[self.default]
        with first.make_context(first.name, [], parent=ctx, resilient_parsing=True) as sub:
            return super().shell_complete(ctx, incomplete) + first.shell_complete(sub, incomplete)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The options of the default verb, then the verbs."""
        first = self.commands[self.default]
        with first.make_context(first.name, [], parent=ctx, resilient_parsing=True) as sub:
            rows = [row for each in first.get_params(sub) if (row := each.get_help_record(sub)) is not None]
        with formatter.section(f"Options of '{self.default}', the default verb"):
            formatter.write_dl([row for row in rows if not row[0].startswith("--help")])
        super().format_commands(ctx, formatter)


class NounAlone(Noun):
    """A noun whose default verb needs no arguments."""

    needs_words = False


def first_word(args: Sequence[str], command: Any) -> int | None:
    """The place of the first argument that is neither an option nor an option's value; None if there is none."""
    valued = {
        name
        for each in command.params
        if not getattr(each, "is_flag", True) and not getattr(each, "count", False)
        for name in each.opts
    }
    skip = False
    for place, arg in enumerate(args):
        if skip:
            skip = False
        elif arg == "--":
            return None
        elif arg.startswith("-") and len(arg) > 1:
            skip = arg in valued
        else:
            return place
    return None


class Root(TyperGroup):
    """The nouns, imported when one is called; a link in their place is `get LINK`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands.update({name: TyperCommand(name, help=line) for name, line in NOUNS.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the noun; words with a link in them belong to `get`."""
        if args and args[0] not in self.commands and any(map(looks_like_link, args)):
            args = ["get", *args]
        if args and args[0] not in self.commands:
            ctx.fail(_not_a_command(args[0], self.commands))
        name, stub, rest = super().resolve_command(ctx, args)
        return (name, stub, rest) if name is None else (name, load(name), rest)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The noun itself where completion asks for it, its stub elsewhere."""
        if ctx.resilient_parsing and cmd_name in self.commands:
            return load(cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Only the options of the program itself; those of the commands are accepted here, too, and shown there."""
        own = [
            each for each in self.get_params(ctx) if each.name in ("version", "help", "install_completion")
        ]
        with formatter.section("Options"):
            formatter.write_dl([row for each in own if (row := each.get_help_record(ctx)) is not None])
        self.format_commands(ctx, formatter)


def _not_a_command(word: str, commands: Iterable[str]) -> str:
    alike = get_close_matches(word, commands, n=1, cutoff=0.6)
    if alike:
        return f"'{word}' is neither a command nor a link; did you mean '{alike[0]}'?"
    if word.isdigit():
        return f"the bare number {word} needs its noun: dyvine post {word}"
    return f"'{word}' is neither a command nor a link; paste the whole link, or see dyvine --help"


def load(noun: str) -> Any:
    """The command of one noun."""
    module = import_module(f"dyvine_cli.cli.{noun}")
    command = typer.main.get_command(module.app)
    command.name = noun
    return command


def looks_like_link(word: str) -> bool:
    """Whether a word can be meant only as a link or ref."""
    return (
        "://" in word or Ref.parse(word) is not None or word.startswith(("v.douyin.com/", "www.douyin.com/"))
    )
