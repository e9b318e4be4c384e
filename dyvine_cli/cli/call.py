"""What a command line means: which verb of which noun, with which words and options, and what that does."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, get_args, get_type_hints

import typer

from dyvine_cli.cli.grammar import Noun, Verb
from dyvine_cli.cli.options import GROUPS, Common, Reach, Show, Take, nearest

Run = Callable[[], int]
"""Does what a command line asks for; the exit status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command line, understood. `verb` is empty where the noun has none; `options` are those that were given."""

    noun: str
    verb: str
    words: tuple[str, ...]
    options: Mapping[str, Any]
    run: Run = field(repr=False, compare=False)


def noun_app() -> typer.Typer:
    """A noun to hang verbs on; the first one is its default."""
    return typer.Typer(cls=Noun, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def alone_app() -> typer.Typer:
    """A noun without verbs, to hang its one command on."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def verb(
    app: typer.Typer, *groups: type, name: str | None = None
) -> Callable[[Callable[..., Run]], Callable[..., Call]]:
    """Make a function a verb that takes these groups of shared options; what it returns does the work later.

    `name` None is the function's own, which cannot be a word of the language such as `list` or `import`.
    """

    def decorate(function: Callable[..., Run]) -> Callable[..., Call]:
        return app.command(name, cls=Verb)(takes(*groups)(function))

    return decorate


def takes(*groups: type) -> Callable[[Callable[..., Any]], Callable[..., Call]]:
    """Give a command the options of these groups, one per field; it receives them, and those before it, as `given`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Call]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        shared = [parameter for group in groups for parameter in _parameters(group)]

        @functools.wraps(function)
        def call(ctx: typer.Context, **values: Any) -> Call:
            near = {
                group: group(**{each.name: values.pop(each.name) for each in fields(group)})
                for group in groups
            }
            ctx.obj = given = _merged(near, ctx.find_object(Common) or Common())
            return _understood(ctx, given, values, function(given, **values))

        context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        parameters = [context, *own, *shared]
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {context.name: context.annotation}  # the others' stand in the signature
        return call

    return decorate


@functools.cache
def _parameters(group: type) -> tuple[inspect.Parameter, ...]:
    """An option for each field, shown under its group's title."""
    hints = get_type_hints(group, include_extras=True)
    titles = {each.name: title for part, title in GROUPS.items() for each in fields(part)}
    return tuple(
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=_titled(hints[each.name], titles[each.name]),
        )
        for each in fields(group)
    )


def _titled(annotation: Any, title: str) -> Any:
    kind, option = get_args(annotation)
    option = copy(option)
    option.rich_help_panel = title
    return Annotated[kind, option]


def _merged(near: Mapping[type, Any], outer: Common) -> Common:
    """What was given at the verb, with what it leaves open as it stands before; a verb may take only parts of a group."""

    def own(whole: type) -> dict[str, Any]:
        parts = [vars(group) for kind, group in near.items() if issubclass(whole, kind)]
        return {name: given for part in parts for name, given in part.items()}

    return Common(
        reach=nearest(Reach(**own(Reach)), outer.reach),
        show=nearest(Show(**own(Show)), outer.show),
        take=nearest(Take(**own(Take)), outer.take),
    )


def _understood(ctx: typer.Context, given: Common, values: Mapping[str, Any], run: Run) -> Call:
    _, noun, *verbs = [*ctx.command_path.split(), ""]
    words = values.get("words") or ()
    more = {name: value for name, value in values.items() if name != "words" and value not in (None, False)}
    return Call(
        noun=noun,
        verb=verbs[0] if verbs else "",
        words=tuple(words),
        options={**given.given(), **more},
        run=run,
    )
