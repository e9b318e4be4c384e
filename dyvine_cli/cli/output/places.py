"""Where the files of a run went, for its last line."""

from __future__ import annotations

import os
from pathlib import Path

from dyvine_cli.events import Event, Saved, Skipped


class Places:
    """The one file of a run, or the folder that holds all of them; what was there already counts where it was named."""

    def __init__(self) -> None:
        self._common: Path | None = None
        self._count = 0

    def take(self, event: Event) -> None:
        """Note the path of a file that an event tells of."""
        match event:
            case Saved(path=Path() as path):
                self._add(path)
            case Skipped(path=Path() as path, reason="known", source=None):
                self._add(path)

    def _add(self, path: Path) -> None:
        self._count += 1
        if self._common is None:
            self._common = path
        elif self._common != path:
            self._common = Path(os.path.commonpath((self._common, path.parent)))

    def __str__(self) -> str:
        """The path as short as it can be written here, a folder with its slash; empty if there was no file."""
        if self._common is None:
            return ""
        here = Path.cwd()
        below = self._common.is_relative_to(here) and self._common != here
        shown = self._common.relative_to(here) if below else self._common
        return f"{shown}{os.sep}" if self._count > 1 and self._common.suffix == "" else str(shown)
