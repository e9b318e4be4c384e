"""Flags over environment over file over defaults: one value for every setting, with its origin."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from dyvine_cli.config import readers
from dyvine_cli.config.document import Document, Keys, misplaced, open_document
from dyvine_cli.config.folders import locate
from dyvine_cli.config.proxies import exempt_hosts
from dyvine_cli.config.proxies import variables as proxy_variables
from dyvine_cli.config.readers import did_you_mean, near
from dyvine_cli.config.settings import (
    LISTS,
    Origin,
    Place,
    Settings,
    Source,
    Target,
    places,
    places_of,
    tables,
)
from dyvine_cli.errors import ConfigError
from dyvine_cli.quantities import Wrong, quoted


def load(flags: Mapping[str, Any], env: Mapping[str, str], file: Path | None, *, named: str = "") -> Settings:
    """The settings of a run.

    `flags` are the options given on the command line by their long name with `_` for `-` (`limit_rate`); None is not
    given, and `no_archive` may stand for `archive` turned off. `file` None means no file (see `find`), `named` is
    what named it if that was no habit of ours. Raises ConfigError for the first mistake: it names the flag, the variable
    or the file and line, and says how many more there are.
    """
    document = open_document(file, named)
    settings, mistakes = _read_all(flags, env, document, thorough=False)
    if mistakes:
        raise _first(mistakes)
    return settings


def survey(
    flags: Mapping[str, Any], env: Mapping[str, str], file: Path | None, *, named: str = ""
) -> tuple[Settings, list[ConfigError]]:
    """What can be read of the settings of a run, and everything that is wrong, in the order of the file.

    What a nearer place hides is looked at, too. Raises ConfigError for a file that cannot be read, or is no TOML.
    """
    return _read_all(flags, env, open_document(file, named), thorough=True)


def _first(mistakes: list[ConfigError]) -> ConfigError:
    """The first mistake, with the number of those in the file that come after it."""
    first, *others = mistakes
    more = sum(each.line is not None for each in others)
    if more:
        told = f"{more} more mistake{'s' if more > 1 else ''} in the configuration: dyvine config check"
        first.hint = f"{first.hint}; {told}"
    return first


class _Mistakes:
    """What is wrong with a configuration, gathered so that the rest can be looked at."""

    def __init__(self) -> None:
        self.found: list[ConfigError] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the ConfigError that this one thing raises."""
        try:
            yield
        except ConfigError as error:
            self.found.append(error)

    def sorted(self) -> list[ConfigError]:
        """Those of flags and variables first, then as they stand in the file."""
        return sorted(self.found, key=lambda each: each.line or 0)


def _read_all(
    flags: Mapping[str, Any], env: Mapping[str, str], document: Document, *, thorough: bool
) -> tuple[Settings, list[ConfigError]]:
    """The settings without what is wrong, and that; `thorough` reads what a nearer place hides as well."""
    _check_flags(flags)
    mistakes = _Mistakes()
    _drop_misplaced(document, mistakes)
    values: dict[str, dict[str, Any]] = {table: {} for table in ("", *tables())}
    origins: dict[str, Origin] = {}
    for place in places():
        found = _resolve(place, flags, env, document, mistakes, thorough=thorough)
        if found is not None:
            values[place.table][place.field], origins[place.key] = found
    if origins.get("network.proxy", Origin()).common:
        values["network"]["no_proxy"] = exempt_hosts(env)
    targets = _entries(document, "target", origins, mistakes)
    with mistakes.kept():
        targets = _with_r2(targets, env, origins)
    sources = _sources(document, origins, mistakes)
    mistakes.found += _wrong_targets(document, targets, values["storage"].get("to", ()), sources, origins)
    shaped = {table: shape(**values[table]) for table, shape in tables().items()}
    settings = Settings(
        **values[""],
        **shaped,
        folders=locate(env),
        targets=tuple(Target(**entry) for entry in targets.values()),
        sources=tuple(Source(**entry) for entry in sources.values()),
        origins=origins,
        warnings=tuple(_warnings(env, document, origins)),
    )
    return settings, mistakes.sorted()


def _drop_misplaced(document: Document, mistakes: _Mistakes) -> None:
    """Take out of the file what has no place there. Raises ConfigError for what is nested too deep."""
    for keys, mistake in list(misplaced(document)):
        document.drop(keys)
        mistakes.found.append(mistake)


def _check_flags(flags: Mapping[str, Any]) -> None:
    known = {place.option.flag for place in places() if place.option.flag}
    for name in flags:
        if name not in known and name.removeprefix("no_") not in known:
            raise TypeError(f"no setting has the flag {name}")


_Found = tuple[Any, Origin]


def _resolve(
    place: Place,
    flags: Mapping[str, Any],
    env: Mapping[str, str],
    document: Document,
    mistakes: _Mistakes,
    *,
    thorough: bool,
) -> _Found | None:
    """A setting's value from the nearest place that gives one; None leaves the default.

    What no file may set is refused there even if a nearer place hides it: it would hold in the next run without one.
    """
    nearest: _Found | None = None
    ours: tuple[Callable[[], _Found | None], ...] = (
        lambda: _from_flag(place, flags),
        lambda: _from_env(place, (place.variable, *place.option.variables), env),
        lambda: _from_file(place, document),
    )
    with mistakes.kept():
        _check_file_may(place, document)
    for level in ours:
        if nearest is None or thorough:
            with mistakes.kept():
                found = level()
                nearest = nearest or found
    if nearest is None:
        with mistakes.kept():
            nearest = _from_common(place, env)
    return nearest


def _read(place: Place, raw: Any, where: str) -> Any:
    try:
        return place.option.read(raw)
    except Wrong as exc:
        raise ConfigError(f"{where}: {exc}", hint=exc.hint) from None


def _from_flag(place: Place, flags: Mapping[str, Any]) -> _Found | None:
    flag = place.option.flag or ""
    name = flag.replace("_", "-")
    if flags.get(flag) is not None:
        return _read(place, flags[flag], f"--{name}"), Origin("flag", f"--{name}")
    if flags.get(f"no_{flag}"):
        return False, Origin("flag", f"--no-{name}")
    return None


def _from_env(
    place: Place, variables: Iterable[str], env: Mapping[str, str], *, common: bool = False
) -> _Found | None:
    """An empty variable counts as not set, as people write it in Compose files."""
    for variable in variables:
        if raw := env.get(variable, "").strip():
            return _read(place, raw, variable), Origin("environment", variable, common)
    negative = place.variable.replace("DYVINE_", "DYVINE_NO_", 1)
    if place.option.read is readers.switch and (raw := env.get(negative, "").strip()):
        return not _read(place, raw, negative), Origin("environment", negative)
    return None


def _from_common(place: Place, env: Mapping[str, str]) -> _Found | None:
    variables = proxy_variables(env) if place.key == "network.proxy" else place.option.common
    return _from_env(place, variables, env, common=True)


def _from_file(place: Place, document: Document) -> _Found | None:
    table = document.data.get(place.table, {}) if place.table else document.data
    if place.field not in table or place.option.not_in_file:
        return None
    keys = (place.table, place.field) if place.table else (place.field,)
    return _from_entry(place, table[place.field], document, keys)


def _check_file_may(place: Place, document: Document) -> None:
    table = document.data.get(place.table, {}) if place.table else document.data
    if place.option.not_in_file and place.field in table:
        keys = (place.table, place.field) if place.table else (place.field,)
        raise document.mistake(keys, f"{place.in_words} cannot be set in a file", place.option.not_in_file)


def _from_entry(place: Place, raw: Any, document: Document, keys: Keys) -> _Found:
    try:
        value = place.option.read(raw)
    except Wrong as exc:
        raise document.mistake(keys, f"{place.in_words}: {exc}", exc.hint) from None
    if (isinstance(value, Path) and not value.is_absolute()) or _is_relative_list(place, value):
        raise document.mistake(
            keys,
            f"{place.in_words}: {quoted(value)} is not absolute",
            "a run may start in any folder, so a path in the file begins with / or ~",
        )
    return value, Origin("file", document.where(*keys))


def _is_relative_list(place: Place, value: Any) -> bool:
    return place.option.read is readers.proxy and readers.is_relative_list(value)


_Entries = dict[int, dict[str, Any]]
"""The entries of a list of tables by their number in the file, counted from 0."""


def _entries(document: Document, name: str, origins: dict[str, Origin], mistakes: _Mistakes) -> _Entries:
    """The entries of a list of tables, read; those that lack a required setting are a mistake and left out."""
    known = {place.field: place for place in places_of(LISTS[name], name)}
    needed = [place.field for place in known.values() if place.default is MISSING]
    entries: _Entries = {}
    for number, raw in enumerate(document.data.get(name, [])):
        entry: dict[str, Any] = {}
        for field, value in raw.items():
            with mistakes.kept():
                found = _from_entry(known[field], value, document, (name, number, field))
                entry[field], origins[f"{name}.{number}.{field}"] = found
        mistakes.found += [
            document.mistake(
                (name, number), f"this [[{name}]] has no {field}", f'add below it: {field} = "..."'
            )
            for field in needed
            if field not in raw
        ]
        if all(field in entry for field in needed):
            entries[number] = entry
    return entries


def sources_in(document: Document) -> tuple[Source, ...]:
    """The sources of a file. Raises ConfigError for the first mistake in them."""
    mistakes = _Mistakes()
    entries = _sources(document, {}, mistakes)
    for mistake in mistakes.sorted():
        raise mistake
    return tuple(Source(**entry) for entry in entries.values())


def _sources(document: Document, origins: dict[str, Origin], mistakes: _Mistakes) -> _Entries:
    """The sources of a file; `origins` gets the place of everything they say."""
    entries = _entries(document, "source", origins, mistakes)
    mistakes.found += _wrong_sources(document, entries)
    return entries


def _wrong_sources(document: Document, sources: _Entries) -> Iterator[ConfigError]:
    """Two sources of one name, in any case, or of one link and listing without names that tell them apart, and dates
    between which nothing is.
    """
    names: dict[str, int] = {}
    links: dict[tuple[str, str], int] = {}
    for number, source in sources.items():
        name, url = source.get("name"), source["url"]
        if name is not None and (other := names.setdefault(name.casefold(), number)) != number:
            yield document.mistake(
                ("source", number, "name"),
                f"two sources are called {quoted(name)}",
                f"the other stands at {document.where('source', other)}: rename one of them",
            )
        other = links.setdefault((url, source.get("listing") or "posts"), number)
        if other != number and None in (name, sources[other].get("name")):
            yield document.mistake(
                ("source", number, "url"),
                f"{quoted(readers.mask_link(url))} is a source already",
                f"the other stands at {document.where('source', other)}: remove one, or give each a name if they want different posts",
            )
        if "since" in source and "until" in source and source["since"] > source["until"]:
            yield document.mistake(
                ("source", number, "until"),
                "until lies before since",
                "nothing can be between them: exchange the two",
            )


def _with_r2(targets: _Entries, env: Mapping[str, str], origins: dict[str, Origin]) -> _Entries:
    """The targets with the `R2_…` variables, which complete the file's only r2 target or make one called r2."""
    found = {}
    for place in places_of(Target, "target"):
        if given := _from_env(place, place.option.variables, env):
            found[place.field] = given
    ours = [number for number, target in targets.items() if target["kind"] == "r2"]
    if not found or len(ours) > 1 or (not ours and "bucket" not in found):
        return targets
    number = ours[0] if ours else len(targets)
    base = targets[number] if ours else {"name": "r2", "kind": "r2"}
    origins |= {f"target.{number}.{name}": origin for name, (_, origin) in found.items()}
    return {**targets, number: base | {name: value for name, (value, _) in found.items()}}


def _wrong_targets(
    document: Document,
    targets: _Entries,
    wanted: Iterable[str],
    sources: _Entries,
    origins: Mapping[str, Origin],
) -> Iterator[ConfigError]:
    """Two targets of one name, and names of targets that there are not; one that is only half right is there."""
    written = [str(entry["name"]) for entry in document.data.get("target", []) if "name" in entry]
    names = [target["name"] for target in targets.values()]
    for place, (number, target) in enumerate(targets.items()):
        if target["name"] in names[:place]:
            cause = f"two targets are called {quoted(target['name'])}"
            yield _mistake_of(
                document, ("target", number, "name"), origins, "R2_BUCKET_NAME", cause, "rename one of them"
            )
    uses: list[tuple[Iterable[str], Keys]] = [(wanted, ("storage", "to"))]
    uses += [(source.get("to") or (), ("source", number, "to")) for number, source in sources.items()]
    for used, keys in uses:
        for name in used:
            if name not in (*names, *written):
                known = list(dict.fromkeys((*names, *written)))
                hint = did_you_mean(name, known) or f"targets are: {', '.join(known) or 'none'}"
                yield _mistake_of(document, keys, origins, "", f"there is no target {quoted(name)}", hint)


def _mistake_of(
    document: Document, keys: Keys, origins: Mapping[str, Origin], usual: str, cause: str, hint: str
) -> ConfigError:
    """What is wrong with a setting, told by the place that gave it; `usual` is that of one without an origin."""
    origin = origins.get(".".join(map(str, keys)), Origin())
    if origin.kind == "file":
        return document.mistake(keys, cause, hint)
    return ConfigError(f"{origin.name or usual}: {cause}", hint=hint)


def _warnings(env: Mapping[str, str], document: Document, origins: Mapping[str, Origin]) -> Iterator[str]:
    known = {place.variable for place in places()} | {"DYVINE_HOME", "DYVINE_CONFIG", "DYVINE_RECORDINGS"}
    known |= {
        place.variable.replace("DYVINE_", "DYVINE_NO_", 1)
        for place in places()
        if place.option.read is readers.switch
    }
    for variable in sorted(env):
        if variable.startswith("DYVINE_") and variable not in known:
            close = near(variable, (name.lower() for name in known))
            yield f"the variable {variable} is not used" + (
                f"; did you mean {close.upper()}?" if close else ""
            )
    if env.get("http_proxy", "").strip() and "network.proxy" not in origins:
        yield "http_proxy alone is not used: both sites speak HTTPS; set https_proxy, too"
    if document.path and _holds_secrets(document) and _is_open(document.path):
        yield f"{document.path} holds secrets and can be read by other users of this machine: chmod 600 it"


def _holds_secrets(document: Document) -> bool:
    """Whether the file gives a value that `config show` would mask."""
    tables = [(place, document.data.get(place.table, {})) for place in places() if place.table]
    for name, shape in LISTS.items():
        tables += [
            (place, entry) for place in places_of(shape, name) for entry in document.data.get(name, [])
        ]
    return any(
        place.field in table
        and (place.option.read is not readers.proxy or re.search("@|^list:http", str(table[place.field])))
        for place, table in tables
        if place.option.secret
    )


def _is_open(path: Path) -> bool:
    return os.name != "nt" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
