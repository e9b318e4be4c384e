"""The selection language of `--match`: a text -> a test over posts (pure; a small grammar, nothing is evaluated).

```text
expression = all { "or" all }              also ||
all        = one { "and" one }             also &&
one        = { "not" } ( "(" expression ")" | test )    also !
test       = FIELD                         known, and neither zero nor empty
           | FIELD COMPARISON VALUE        == != < <= > >=, with another field of its kind on the right, too
           | FIELD ["not"] "in" VALUES     (a, b), the brackets may be left out
           | FIELD "~" PATTERN             or !~; a regular expression, found anywhere, in any case
```
Whatever compares a field that is unknown for a post is false, also `!=`, `not in` and `!~`. Texts are equal in any
case. Signs and quotation marks may be full-width.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from dyvine_cli.errors import InputError
from dyvine_cli.match.fields import FIELDS
from dyvine_cli.match.grammar import Reader
from dyvine_cli.match.tree import Node, Test, fields_of
from dyvine_cli.match.words import EXAMPLE
from dyvine_cli.models import Post

__all__ = ["FIELDS", "LONGEST", "Match", "parse"]

LONGEST = 10_000
"""Characters of an expression."""


@dataclass(frozen=True, slots=True)
class Match:
    """A test over posts, read from `text`. Two are equal when they ask the same.

    As a string it is written out the same way whatever the person wrote, relative dates as days.
    """

    text: str = field(compare=False)
    tree: Node = field(repr=False)
    _test: Test = field(compare=False, repr=False)

    def __call__(self, post: Post) -> bool:
        """Whether the post fits. Raises InputError for a regular expression that takes too long on it."""
        return self._test(post)

    def __str__(self) -> str:
        return str(self.tree)

    def lacks(self, post: Post) -> bool:
        """Whether a list did not say what is asked for: it is not known, a text is cut, a date is that of the upload."""
        names = set(fields_of(self.tree))
        unsure = {"text"} if post.text_is_cut else set()
        unsure |= {"date"} if post.partial else set()
        return bool(names & unsure) or any(FIELDS[name].read(post) is None for name in names)


def parse(text: str, *, now: datetime | None = None) -> Match:
    """The test that an expression means; `now` (aware) is what its relative dates count from, None the present.

    Raises InputError that names the column.
    """
    if len(text) > LONGEST:
        raise InputError(
            f"the expression has {len(text):,} characters; it may have {LONGEST:,}", hint=EXAMPLE
        )
    if not text.strip():
        raise InputError("the expression is empty", hint=EXAMPLE)
    tree = Reader(text, now or datetime.now(UTC)).read()
    return Match(text, tree, tree.test())
