"""The READMEs say what the program does: their command lines run, their tables equal the code."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from dyvine_cli import config, errors, match, quantities
from dyvine_cli.cli import app as program
from dyvine_cli.cli.call import Call
from dyvine_cli.cli.grammar import NOUNS, load
from dyvine_cli.cli.options import Reach, Show, Take
from dyvine_cli.naming import FIELDS, STANDARD
from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.world import World
from tests.firefox import firefox

TOP = Path(__file__).parent.parent
ENGLISH = (TOP / "README.md").read_text(encoding="utf-8")
CHINESE = (TOP / "README.zh-CN.md").read_text(encoding="utf-8")
READMES = pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["english", "chinese"])

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(dyvine (?:LINK|[a-z-][^`\n]*))`")
WHEN = re.compile(r"(?:[0-9*]+ ){5}")
"""The five fields in which cron says when."""


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language."""
    return [body for kind, body in BLOCK.findall(text) if kind == language]


def lines(text: str) -> list[str]:
    """The command lines of the blocks that begin with `dyvine`, or that lead into it."""
    found = "".join(blocks(text, "sh")).splitlines()
    return [line for line in found if re.match(r"(dyvine|printf) ", line)]


def cron_lines(text: str) -> list[str]:
    """What cron is told to run."""
    return [WHEN.sub("", line, count=1) for line in "".join(blocks(text, "cron")).splitlines()]


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of every call of the program in a shell line."""
    words = shlex.shlex(line, posix=True, punctuation_chars="|;<>&")
    words.whitespace_split = True
    for is_call, group in itertools.groupby(words, key=lambda word: not set(word) <= set("|;<>&")):
        command = list(group)
        if is_call and Path(command[0]).name == "dyvine":
            yield command[1:]


def shown(text: str) -> list[str]:
    """Every command line of a README, in blocks, in cron's and within sentences."""
    return [*lines(text), *cron_lines(text), *INLINE.findall(text)]


def every_call() -> list[list[str]]:
    """Each command line of both READMEs once."""
    return [
        list(call)
        for call in dict.fromkeys(
            tuple(call) for text in (ENGLISH, CHINESE) for line in shown(text) for call in calls(line)
        )
    ]


@pytest.mark.parametrize("arguments", every_call(), ids=" ".join)
def test_a_command_line_is_understood(arguments: list[str]) -> None:
    """Every `dyvine …` of the READMEs is a call that the grammar takes."""
    given = ["douyin:post:7691173170486214656" if each == "LINK" else each for each in arguments]

    assert isinstance(program.parse(given), Call)


def test_both_languages_show_the_same_code() -> None:
    """Whoever reads Chinese gets the same examples."""
    assert BLOCK.findall(ENGLISH) == BLOCK.findall(CHINESE)


def commands() -> list[str]:
    """Every noun with each of its verbs, as a person would write it."""
    nouns = {noun: load(noun) for noun in NOUNS}
    return [
        f"dyvine {noun} {verb}".rstrip()
        for noun, command in nouns.items()
        for verb in getattr(command, "commands", [""])
    ]


@READMES
@pytest.mark.parametrize("command", commands())
def test_a_command_stands_in_the_readme(text: str, command: str) -> None:
    """No command exists without its line in the table of commands."""
    assert re.search(rf"^\| `{command}[ `]", text, re.MULTILINE)


def options() -> list[str]:
    """Every name of every option that commands share."""
    names: list[str] = []
    for group in (Reach, Show, Take):
        hints = get_type_hints(group, include_extras=True)
        for each in fields(group):
            option = get_args(hints[each.name])[1]
            decls = (option.default, *option.param_decls)
            names += [usual for usual, _, _ in (decl.partition("/") for decl in decls)]
    return names


@READMES
@pytest.mark.parametrize("name", options())
def test_an_option_stands_in_the_readme(text: str, name: str) -> None:
    """No option exists without its line in the tables of options."""
    assert re.search(rf"`{name}[ `]", text)


def statuses() -> dict[int, set[str]]:
    """The error classes by their exit status."""
    found: dict[int, set[str]] = {}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.DyvineError) and kind is not errors.SiteError:
            found.setdefault(kind.exit_code, set()).add(kind.__name__)
    return found


def table_rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, without the headings."""
    tables = re.findall(r"^\|[^\n]+\n\|[-|]+\n((?:\|[^\n]+\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in row[1:-1].split("|")] for body in tables for row in body.splitlines()]


@READMES
def test_the_exit_statuses_are_those_of_the_errors(text: str) -> None:
    """The table of statuses equals the classes, and names those that no class has."""
    rows = [row for row in table_rows(text) if row[0][0].isdigit()]
    with_class = {int(status): set(names.split(", ")) for status, names, _ in rows if names}
    without = {int(one) for status, names, _ in rows if not names for one in status.split(",")}

    assert with_class == statuses()
    assert without == {0, 3, 15, 130, 141, 143}


def troubles(text: str) -> dict[str, str]:
    """The error names of the table of troubles, with what a person sees."""
    return {row[0]: row[1] for row in table_rows(text) if row[0].split(",")[0] in vars(errors)}


@READMES
def test_troubles_have_names_of_errors(text: str) -> None:
    """What the table of troubles explains is what the program says."""
    named = {name for row in troubles(text) for name in row.split(", ")}

    assert {"RiskControl", "SignatureRejected", "LoginExpired", "ListingIncomplete", "LinkExpired"} <= named
    assert named <= vars(errors).keys()


@READMES
def test_the_words_of_errors_are_those_of_the_program(text: str) -> None:
    """The sentences quoted among the troubles stand in the code."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(errors.__file__).parent.rglob("*.py"))
    quoted = [
        piece
        for seen in troubles(text).values()
        for each in re.findall(r"`([^`]+)`", seen)
        for piece in pieces(each)
    ]

    assert len(quoted) > 8
    assert [piece for piece in quoted if piece not in code] == []


def pieces(sentence: str) -> list[str]:
    """What of an example sentence is the same for everyone."""
    return [
        each.strip() for each in re.split(r"…|[0-9]+(?:[:][0-9]+| of [0-9]+:)?", sentence) if len(each) > 8
    ]


@READMES
def test_the_configuration_of_the_readme_is_valid(text: str, tmp_path: Path) -> None:
    """Every TOML block is a file that the program takes; the named tables exist."""
    known = {each.key for each in config.load({}, {}, None).shown()}
    named = re.findall(r"`\[([a-z]+)\] ([a-z_]+)`", text)

    for number, block in enumerate(blocks(text, "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        file.chmod(0o600)  # as `config init` makes it, since some hold secrets
        assert not config.load({}, {}, file).warnings
    assert named
    assert {f"{table}.{key}" for table, key in named} <= known


@READMES
def test_the_template_and_its_fields_are_those_of_the_program(text: str) -> None:
    """The default names and the list of fields equal the code."""
    assert f"`{STANDARD}`" in text
    assert f"`{' '.join(FIELDS)}`" in text


@READMES
def test_the_expressions_and_their_fields_are_those_of_the_program(text: str) -> None:
    """The examples of --match are expressions, the table has every field and each of its values can be read."""
    rows = [(re.findall(r"`(\w+)`", row[0]), re.findall(r"`([^`]*)`", row[-1])) for row in table_rows(text)]
    fields = [(names, values) for names, values in rows if names and set(names) <= match.FIELDS.keys()]
    examples = "".join(blocks(text, "match")).splitlines()
    tests = [f"{name} == {value}" for names, values in fields for name in names for value in values]

    assert {name for names, _ in fields for name in names} == match.FIELDS.keys()
    assert len(tests) > 30
    assert all(match.parse(each) for each in (*examples, *tests) if not each.endswith(("--kind", "--site")))


@READMES
def test_sizes_and_dates_of_the_options_can_be_read(text: str) -> None:
    """The examples of values in the tables of options are values."""
    row = next(line for line in text.splitlines() if "--since DATE" in line and line.startswith("|"))
    dates = re.findall(r"`(2026-[0-9-]+|today-[0-9a-z]+)`", row)
    rates = re.findall(
        r"`([0-9]+[KM])`", next(line for line in text.splitlines() if "--limit-rate" in line and "|" in line)
    )

    assert all(map(quantities.parse_date, dates))
    assert list(map(quantities.parse_rate, rates))
    assert len(dates) == len(rates) == 2


@READMES
def test_links_inside_the_readme_lead_somewhere(text: str) -> None:
    """Files that are linked exist, and so do the headings."""
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", text)
    headings = {
        "#" + line.removeprefix("## ").lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("## ")
    }

    for target in targets:
        assert target in headings if target.startswith("#") else (TOP / target).exists()


def test_ci_runs_what_the_readme_says() -> None:
    """The command that passes the tests is, word for word, the one that CI runs."""
    command = next(block.strip() for block in blocks(ENGLISH, "sh") if "pytest" in block)

    assert command in (TOP / ".ci" / "run").read_text(encoding="utf-8").splitlines()


# --- the command lines, run -------------------------------------------------------------------------------------------

FOREIGN = re.compile(r"\b(jq)\b")
"""Programs of the examples that may not be installed; such lines are only parsed."""

RUNNABLE = [line for line in lines(ENGLISH) if not FOREIGN.search(line)]


@pytest.fixture(scope="module")
def platform() -> Iterator[Simulator]:
    """Douyin in small."""
    with running() as simulator:
        yield simulator


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home folder with what the examples read, and with `dyvine` where pipx puts it."""
    jar = f".douyin.com\tTRUE\t/\tTRUE\t0\tsessionid\t{World.SESSION}\n"
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n" + jar, encoding="utf-8")
    (tmp_path / "cookies.json").write_text(
        f'[{{"name": "sessionid", "value": "{World.SESSION}", "domain": ".douyin.com", "path": "/"}}]',
        encoding="utf-8",
    )
    (tmp_path / "links.txt").write_text(
        f"# two posts\nhttps://www.douyin.com/video/{World.SMALL}\n\n{World.NOTE}\n", encoding="utf-8"
    )
    firefox(tmp_path, World.SESSION)
    script = tmp_path / ".local" / "bin" / "dyvine"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dyvine_cli "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return tmp_path


def surroundings(place: Path, platform: Simulator) -> Mapping[str, str]:
    """The variables of a person who has only dyvine, told to meet the stand-in."""
    return {
        "PATH": f"{place / '.local' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(place),
        "DYVINE_HOME": str(place / "home"),
        "DYVINE_CONNECT_TO": platform.connect_to,
        "DYVINE_PACE": "off",
        "LC_ALL": "C.UTF-8",
    }


def run(line: str, place: Path, platform: Simulator) -> subprocess.CompletedProcess[str]:
    """Give a line to a shell, with a login's header on stdin for those who read it."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=place,
        env=surroundings(place, platform),
        input=f"sessionid={World.SESSION}\n",
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def media(place: Path) -> list[Path]:
    """The files that a line has saved."""
    return [each for each in place.rglob("*") if each.suffix in (".mp4", ".jpg", ".mp3", ".md", ".webp")]


@pytest.mark.slow
@pytest.mark.parametrize("line", RUNNABLE)
def test_an_example_works(line: str, place: Path, platform: Simulator) -> None:
    """Each command line of the README ends well, and a download leaves whole files."""
    done = run(line, place, platform)
    looks = re.search(r" (info|posts|login|-F|-j|-s) ?", line)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert bool(media(place)) != bool(looks)
    assert not list(place.rglob("*.part*"))


@pytest.mark.slow
@pytest.mark.parametrize("line", cron_lines(ENGLISH))
def test_the_cron_line_prints_nothing(line: str, place: Path, platform: Simulator) -> None:
    """A good run under cron does not print one byte, the first time and the second."""
    added = run(f"dyvine -q sync add -P ~/videos douyin:user:{World.OPEN}", place, platform)
    first, second = run(line, place, platform), run(line, place, platform)

    assert added.returncode == 0, added.stderr
    assert [(done.returncode, done.stdout, done.stderr) for done in (first, second)] == [(0, "", "")] * 2
    assert media(place)


@pytest.mark.slow
def test_the_guest_sees_what_the_readme_says(place: Path, platform: Simulator) -> None:
    """`listed 20 of 63`, its hint and status 7; with a login the same command brings the rest."""
    link = f"https://www.douyin.com/user/{World.ACCOUNTS[63]}"
    guest = run(f"dyvine user {link}", place, platform)
    before = len(media(place))
    login = run(f"dyvine -q login add cookies.txt && dyvine user {link}", place, platform)

    assert guest.returncode == 7
    assert "listed 20 of 63: Douyin shows guests only the newest posts" in guest.stderr
    assert "hint: " in guest.stderr
    assert login.returncode == 0, login.stderr
    assert len(media(place)) > before


@pytest.mark.slow
def test_the_library_example_works(place: Path, platform: Simulator) -> None:
    """The Python block runs as it stands, but for the way to the platform."""
    (block,) = blocks(ENGLISH, "python")
    script = place / "example.py"
    script.write_text(
        block.replace("Client()", f"Client(connect_to={platform.connect_to!r}, pace='off')"), encoding="utf-8"
    )
    done = run(f'"{sys.executable}" -W error example.py', place, platform)

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 25


@pytest.mark.slow
def test_the_demo_of_the_readme_works(place: Path, platform: Simulator) -> None:
    """`dyvine demo` needs nothing but the program, and ends well."""
    done = run("env -u DYVINE_CONNECT_TO dyvine demo -P shown", place, platform)

    assert done.returncode == 0, done.stderr
    assert "listed 20 of 63" in done.stdout + done.stderr
    assert media(place / "shown")
