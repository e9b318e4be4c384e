"""What a person named: the words of a call and the lines of a batch file, as texts that each mean one thing (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from dyvine_cli import links
from dyvine_cli.errors import UnsupportedURL
from dyvine_cli.redact import Redactor, link

LONGEST_LINE = 20_000
"""Characters of a batch line that are looked at; share texts have a few hundred."""


LONGEST_SHOWN = 200
"""Characters of a batch line that are repeated."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing asked for; `line` is its number in the batch file, None for words of the call."""

    text: str
    line: int | None = None

    @property
    def place(self) -> str:
        """Where a person finds it: the text itself, after its line in a batch file."""
        return self.shown if self.line is None else f"line {self.line}: {self.shown[:LONGEST_SHOWN]}"

    @property
    def shown(self) -> str:
        """The text as it may be repeated: a link without what trackers appended, nothing that looks like a secret."""
        return link(self.text) if "://" in self.text else Redactor().text(self.text)


def from_words(words: Sequence[str], *, is_known: Callable[[str], bool]) -> list[Asked]:
    """The links in the words of one call, joined as they were typed, and the ids and refs among them.

    Words that are neither are ignored if anything was found, because share text comes without quotes; otherwise each
    stands alone, so that it can be complained about.
    """
    text = " ".join(words)
    found = list(links.find(text))
    plain = [word for word in words if "://" not in word and is_known(word) and not links.find(word)]
    if found or plain:
        return [Asked(each) for each in _in_order(text, [*found, *plain])]
    return [Asked(word) for word in words]


def _in_order(text: str, found: Iterable[str]) -> list[str]:
    def place(each: str) -> int:
        bare = each.removeprefix("https://")
        return at if (at := text.find(each)) >= 0 else text.find(bare)

    return sorted(dict.fromkeys(found), key=place)


def from_lines(text: str) -> Iterator[Asked]:
    """The lines of a batch file: one thing each; blank lines, `#` comments, BOM and CRLF are passed over."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        wanted = line.strip()
        if wanted and not wanted.startswith("#"):
            yield Asked(wanted[:LONGEST_LINE], number)


def nothing_asked(noun: str) -> UnsupportedURL:
    """The complaint about a call without anything to do."""
    return UnsupportedURL(
        f"nothing to {noun}: no link, id or batch file",
        hint="paste a link or share text after the command, or -a FILE",
    )
