"""Flags over environment over file over defaults: one value for every setting, with its origin."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from dyvine_cli.config import readers
from dyvine_cli.config.document import Document, check_shape, open_document
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
    what named it if that was no habit of ours. Raises ConfigError that names the flag, the variable or the file and line.
    """
    _check_flags(flags)
    document = open_document(file, named)
    check_shape(document)
    values: dict[str, dict[str, Any]] = {table: {} for table in ("", *tables())}
    origins: dict[str, Origin] = {}
    for place in places():
        found = _resolve(place, flags, env, document)
        if found is not None:
            values[place.table][place.field], origins[place.key] = found
    if origins.get("network.proxy", Origin()).common:
        values["network"]["no_proxy"] = exempt_hosts(env)
    targets = _with_r2(_entries(document, "target", origins), env, origins)
    sources = sources_in(document, origins)
    shaped = {table: shape(**values[table]) for table, shape in tables().items()}
    settings = Settings(
        **values[""],
        **shaped,
        folders=locate(env),
        targets=tuple(Target(**entry) for entry in targets),
        sources=sources,
        origins=origins,
        warnings=tuple(_warnings(env, document, origins)),
    )
    _check_targets(settings)
    return settings


def _check_flags(flags: Mapping[str, Any]) -> None:
    known = {place.option.flag for place in places() if place.option.flag}
    for name in flags:
        if name not in known and name.removeprefix("no_") not in known:
            raise TypeError(f"no setting has the flag {name}")


def _resolve(
    place: Place, flags: Mapping[str, Any], env: Mapping[str, str], document: Document
) -> tuple[Any, Origin] | None:
    """A setting's value from the nearest place that gives one; None leaves the default.

    What no file may set is refused there even if a nearer place hides it: it would hold in the next run without one.
    """
    _check_file_may(place, document)
    return (
        _from_flag(place, flags)
        or _from_env(place, (place.variable, *place.option.variables), env)
        or _from_file(place, document)
        or _from_common(place, env)
    )


def _read(place: Place, raw: Any, where: str) -> Any:
    try:
        return place.option.read(raw)
    except Wrong as exc:
        raise ConfigError(f"{where}: {exc}", hint=exc.hint) from None


def _from_flag(place: Place, flags: Mapping[str, Any]) -> tuple[Any, Origin] | None:
    flag = place.option.flag or ""
    name = flag.replace("_", "-")
    if flags.get(flag) is not None:
        return _read(place, flags[flag], f"--{name}"), Origin("flag", f"--{name}")
    if flags.get(f"no_{flag}"):
        return False, Origin("flag", f"--no-{name}")
    return None


def _from_env(
    place: Place, variables: Iterable[str], env: Mapping[str, str], *, common: bool = False
) -> tuple[Any, Origin] | None:
    """An empty variable counts as not set, as people write it in Compose files."""
    for variable in variables:
        if raw := env.get(variable, "").strip():
            return _read(place, raw, variable), Origin("environment", variable, common)
    negative = place.variable.replace("DYVINE_", "DYVINE_NO_", 1)
    if place.option.read is readers.switch and (raw := env.get(negative, "").strip()):
        return not _read(place, raw, negative), Origin("environment", negative)
    return None


def _from_common(place: Place, env: Mapping[str, str]) -> tuple[Any, Origin] | None:
    variables = proxy_variables(env) if place.key == "network.proxy" else place.option.common
    return _from_env(place, variables, env, common=True)


def _from_file(place: Place, document: Document) -> tuple[Any, Origin] | None:
    table = document.data.get(place.table, {}) if place.table else document.data
    if place.field not in table:
        return None
    keys = (place.table, place.field) if place.table else (place.field,)
    return _from_entry(place, table[place.field], document, keys)


def _check_file_may(place: Place, document: Document) -> None:
    table = document.data.get(place.table, {}) if place.table else document.data
    if place.option.not_in_file and place.field in table:
        where = document.where(*((place.table, place.field) if place.table else (place.field,)))
        raise ConfigError(f"{where}: {place.in_words} cannot be set in a file", hint=place.option.not_in_file)


def _from_entry(
    place: Place, raw: Any, document: Document, keys: tuple[str | int, ...]
) -> tuple[Any, Origin]:
    where = document.where(*keys)
    try:
        value = place.option.read(raw)
    except Wrong as exc:
        raise ConfigError(f"{where}: {place.in_words}: {exc}", hint=exc.hint) from None
    if (isinstance(value, Path) and not value.is_absolute()) or _is_relative_list(place, value):
        raise ConfigError(
            f"{where}: {place.in_words}: {quoted(value)} is not absolute",
            hint="a run may start in any folder, so a path in the file begins with / or ~",
        )
    return value, Origin("file", where)


def _is_relative_list(place: Place, value: Any) -> bool:
    return place.option.read is readers.proxy and readers.is_relative_list(value)


def _entries(document: Document, name: str, origins: dict[str, Origin]) -> list[dict[str, Any]]:
    """The entries of a list of tables, read; a required setting that is missing is an error."""
    known = {place.field: place for place in places_of(LISTS[name], name)}
    needed = [place.field for place in known.values() if place.default is MISSING]
    entries = []
    for number, raw in enumerate(document.data.get(name, [])):
        entry = {}
        for field, value in raw.items():
            found = _from_entry(known[field], value, document, (name, number, field))
            entry[field], origins[f"{name}.{number}.{field}"] = found
        for field in needed:
            if field not in entry:
                raise ConfigError(f"{document.where(name, number)}: this [[{name}]] has no {field}")
        entries.append(entry)
    return entries


def sources_in(document: Document, origins: dict[str, Origin]) -> tuple[Source, ...]:
    """The sources of a file; `origins` gets the place of everything they say. Raises ConfigError."""
    entries = _entries(document, "source", origins)
    _check_sources(entries, document)
    return tuple(Source(**entry) for entry in entries)


def _check_sources(sources: list[dict[str, Any]], document: Document) -> None:
    """Refuse two sources of one name, in any case, or of one link and listing, and dates between which nothing is."""
    names: dict[str, int] = {}
    links: dict[tuple[str, str], int] = {}
    for number, source in enumerate(sources):
        name, url = source.get("name"), source["url"]
        if name is not None and (other := names.setdefault(name.casefold(), number)) != number:
            raise ConfigError(
                f"{document.where('source', number, 'name')}: two sources are called {quoted(name)}",
                hint=f"the other stands at {document.where('source', other)}: rename one of them",
            )
        if (other := links.setdefault((url, source.get("listing") or "posts"), number)) != number:
            raise ConfigError(
                f"{document.where('source', number, 'url')}: {quoted(readers.mask_link(url))} is a source already",
                hint=f"the other stands at {document.where('source', other)}: remove one, or give them different listings",
            )
        if "since" in source and "until" in source and source["since"] > source["until"]:
            raise ConfigError(
                f"{document.where('source', number, 'until')}: until lies before since",
                hint="nothing can be between them: exchange the two",
            )


def _with_r2(
    targets: list[dict[str, Any]], env: Mapping[str, str], origins: dict[str, Origin]
) -> list[dict[str, Any]]:
    """The targets with the `R2_…` variables, which complete the file's only r2 target or make one called r2."""
    found = {}
    for place in places_of(Target, "target"):
        if given := _from_env(place, place.option.variables, env):
            found[place.field] = given
    ours = [number for number, target in enumerate(targets) if target["kind"] == "r2"]
    if not found or len(ours) > 1 or (not ours and "bucket" not in found):
        return targets
    number = ours[0] if ours else len(targets)
    base = targets[number] if ours else {"name": "r2", "kind": "r2"}
    origins |= {f"target.{number}.{name}": origin for name, (_, origin) in found.items()}
    changed = base | {name: value for name, (value, _) in found.items()}
    return [*targets[:number], changed, *targets[number + 1 :]]


def _check_targets(settings: Settings) -> None:
    names = [target.name for target in settings.targets]
    for number, name in enumerate(names):
        if name in names[:number]:
            where = settings.origins.get(f"target.{number}.name", Origin())
            raise ConfigError(f"{where.name or 'R2_BUCKET_NAME'}: two targets are called {quoted(name)}")
    wanted = [(settings.storage.to, "storage.to")]
    wanted += [(source.to or (), f"source.{number}.to") for number, source in enumerate(settings.sources)]
    for used, key in wanted:
        for name in used:
            if name not in names:
                hint = did_you_mean(name, names) or f"targets are: {', '.join(names) or 'none'}"
                raise ConfigError(
                    f"{settings.origins[key].name}: there is no target {quoted(name)}", hint=hint
                )


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
