"""`--print`: one line on stdout for each file that is saved, or that stands already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.errors import ConfigError
from dyvine_cli.events import Event, Saved, Skipped
from dyvine_cli.models import Asset, Post, Rendition
from dyvine_cli.naming import Line, pages

if TYPE_CHECKING:
    from dyvine_cli.cli.output.pipe import Pipe


def _read(template: str) -> Line:
    """The pattern of `--print`. Raises ConfigError."""
    if not template.strip():
        raise ConfigError("--print names nothing", hint="write path, or a template such as '{id} {path}'")
    try:
        return Line.parse("{path}" if template == "path" else template, more=("path", "size", "sha256"))
    except ConfigError as error:
        raise ConfigError(f"--print: {error.message}", hint=error.hint) from None


class PrintedLines:
    """A listener that writes a template's line a file; `path` alone is the absolute path."""

    def __init__(self, pipe: Pipe, template: str) -> None:
        self._pipe = pipe
        self._line = _read(template)
        self._post: Post | None = None
        self._parts = 1
        self._assets: dict[str, Asset] = {}

    def __call__(self, event: Event) -> None:
        """Write the line of a saved file, or of one that was there already."""
        match event:
            case Saved(post=Post() as post):
                facts: Mapping[str, str | int | None] = {"size": event.size, "sha256": event.sha256}
                self._write(post, event.asset, event.path, event.rendition, facts)
            case Skipped(path=Path() as path, post=Post() as post, asset=str() as asset):
                self._write(post, asset, path, event.rendition, {"size": None, "sha256": ""})

    def close(self) -> None:
        """Nothing stays open."""

    def _write(
        self, post: Post, name: str, path: Path, saved: Rendition | None, more: Mapping[str, str | int | None]
    ) -> None:
        if post is not self._post:
            self._post, self._parts = post, pages(post)
            self._assets = {each.id: each for each in post.assets}
        asset = self._assets.get(name)
        facts = {"path": str(path.absolute()), **more}
        ext = path.suffix.lstrip(".")
        self._pipe.write(
            self._line.render(post, asset, ext=ext, parts=self._parts, rendition=saved, more=facts)
        )
