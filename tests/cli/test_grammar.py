"""Command lines and what they mean: noun, verb, words and options, without doing any of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli import match
from dyvine_cli.cli.app import parse
from dyvine_cli.cli.call import Call
from dyvine_cli.cli.grammar import NOUNS, load
from dyvine_cli.cli.options import Common, Reach, Show, Take
from dyvine_cli.errors import InputError
from dyvine_cli.naming import Line, Template

URL = "https://v.douyin.com/Lsjh2ZvriQo/"
ID = "7691173170486214656"

LINES: list[tuple[str, str, list[str], dict[str, Any]]] = [
    # the default verb and where it goes
    (f"post {URL}", "post get", [URL], {}),
    (f"post get {URL}", "post get", [URL], {}),
    (f"post info {URL}", "post info", [URL], {}),
    (f"post {ID} {URL}", "post get", [ID, URL], {}),
    (f"user {URL}", "user get", [URL], {}),
    (f"user posts {URL}", "user posts", [URL], {}),
    (f"mix info {ID}", "mix info", [ID], {}),
    (f"get {URL}", "get", [URL], {}),
    ("login", "login status", [], {}),
    ("login remove", "login remove", [], {}),
    ("archive", "archive stats", [], {}),
    (f"archive list {URL} --missing -j", "archive list", [URL], {"missing": True, "dump_json": True}),
    ("archive --deep verify", "archive verify", [], {"deep": True}),
    ("config", "config show", [], {}),
    ("config path", "config path", [], {}),
    ("demo", "demo", [], {}),
    # options anywhere, the verb behind them
    (f"post --json {URL}", "post get", [URL], {"json": True}),
    (f"post {URL} --json", "post get", [URL], {"json": True}),
    (f"post -q info {URL}", "post info", [URL], {"quiet": True}),
    (f"user --limit 3 posts {URL}", "user posts", [URL], {"limit": "3"}),
    (f"user --limit=3 posts {URL}", "user posts", [URL], {"limit": "3"}),
    (f"post -R3 info {URL}", "post info", [URL], {"retries": "3"}),
    (f"post -qR 3 info {URL}", "post info", [URL], {"quiet": True, "retries": "3"}),
    (f"post -sN 3 {URL}", "post get", [URL], {"simulate": True, "parallel": "3"}),
    (f"user --match 'likes > 1 or pinned' {URL}", "user get", [URL], {"match": "likes > 1 or pinned"}),
    # a verb takes what means something to it; before the noun everything may stand
    (f"user posts --kind video --since today {URL}", "user posts", [URL], {"kind": "video", "since": "today"}),
    (f"user mixes --limit 3 {URL}", "user mixes", [URL], {"limit": "3"}),
    (f"mix info --raw -a links.txt {URL}", "mix info", [URL], {"raw": True, "batch_file": "links.txt"}),
    (f"--overwrite -N3 user posts {URL}", "user posts", [URL], {"overwrite": True, "parallel": "3"}),
    (f"-a links.txt user posts --limit 5 {URL}", "user posts", [URL], {"batch_file": "links.txt", "limit": "5"}),
    (f"post -qP info {URL}", "post get", [URL], {"quiet": True, "path": Path("info")}),
    (f"post -P info {URL}", "post get", [URL], {"path": Path("info")}),
    (f"user -vv {URL}", "user get", [URL], {"verbose": 2}),
    (f"user --likes {URL}", "user get", [URL], {"likes": True}),
    (f"user posts --likes {URL}", "user posts", [URL], {"likes": True}),
    (f"user --reposts {URL}", "user get", [URL], {"reposts": True}),
    ("user --favorites self", "user get", ["self"], {"favorites": True}),
    ("config --json", "config show", [], {"json": True}),
    ("login --profile second remove", "login remove", [], {"profile": "second"}),
    ("post -a -", "post get", [], {"batch_file": "-"}),
    ("get -a links.txt", "get", [], {"batch_file": "links.txt"}),
    # a verb always wins, unless it is said that it is data
    ("post info get", "post info", ["get"], {}),
    ("post get info", "post get", ["info"], {}),
    ("post -- info", "post get", ["info"], {}),
    ("post -s -- info", "post get", ["info"], {"simulate": True}),
    ("user '#info'", "user get", ["#info"], {}),
    ("user @posts", "user get", ["@posts"], {}),
    ("user -- posts", "user get", ["posts"], {}),
    (f"user posts -- -{ID}", "user posts", [f"-{ID}"], {}),
    # a link in the place of the noun
    (URL, "get", [URL], {}),
    (f"{URL} -s", "get", [URL], {"simulate": True}),
    ("v.douyin.com/Lsjh2ZvriQo/", "get", ["v.douyin.com/Lsjh2ZvriQo/"], {}),
    ("douyin.com/video/7372484719365098803", "get", ["douyin.com/video/7372484719365098803"], {}),
    ("tiktok.com/@a/video/7372484719365098803", "get", ["tiktok.com/@a/video/7372484719365098803"], {}),
    ("www.douyin.com/video/1", "get", ["www.douyin.com/video/1"], {}),
    (f"douyin:post:{ID}", "get", [f"douyin:post:{ID}"], {}),
    ("douyin:user:MS4wLjAB", "get", ["douyin:user:MS4wLjAB"], {}),
    (f"post douyin:post:{ID}", "post get", [f"douyin:post:{ID}"], {}),
    (
        f"7.43 复制打开抖音，看看【北野的院子的作品】 {URL} 清晨在外婆家",
        "get",
        ["7.43", "复制打开抖音，看看【北野的院子的作品】", URL, "清晨在外婆家"],
        {},
    ),
    (
        f"4.30 :0pm 09/03 o@d.nD SLW:/ {URL} --json",
        "get",
        ["4.30", ":0pm", "09/03", "o@d.nD", "SLW:/", URL],
        {"json": True},
    ),
    (f"post 看看 {URL} 复制此链接，打开Dou音搜索！", "post get", ["看看", URL, "复制此链接，打开Dou音搜索！"], {}),
    # a text that begins with a word that is nearly a command's
    (f"Posted by mara: {URL}", "get", ["Posted", "by", "mara:", URL], {}),
    (f"user: {URL}", "get", ["user:", URL], {}),
    (f"'usr {URL}'", "get", [f"usr {URL}"], {}),
    (f"usr {URL} 复制此链接", "get", ["usr", URL, "复制此链接"], {}),
    (f"Usr 看看{URL}", "get", ["Usr", f"看看{URL}"], {}),
    (f"Get ready with me {URL} -P a", "get", ["Get", "ready", "with", "me", URL], {"path": Path("a")}),
    (f"stop {URL}", "get", ["stop", URL], {}),
    (f"Check {URL}", "get", ["Check", URL], {}),
    (f"get usr {URL}", "get", ["usr", URL], {}),
    (f"post Info for you {URL}", "post get", ["Info", "for", "you", URL], {}),
    # options before the noun; the nearest place wins, also for what it turns off
    (f"-s user {URL}", "user get", [URL], {"simulate": True}),
    (f"-q -P a post info {URL}", "post info", [URL], {"quiet": True, "path": Path("a")}),
    (f"-P a post -P b {URL}", "post get", [URL], {"path": Path("b")}),
    (f"--limit 3 user {URL} --limit 5", "user get", [URL], {"limit": "5"}),
    (f"--overwrite post --no-overwrite {URL}", "post get", [URL], {"overwrite": False}),
    (f"--no-sound post --sound {URL}", "post get", [URL], {"no_sound": False}),
    (f"-v post {URL}", "post get", [URL], {"verbose": 1}),
    (f"-v post -vv {URL}", "post get", [URL], {"verbose": 2}),
    (f"--json {URL}", "get", [URL], {"json": True}),
    (f"--config a.toml post {URL}", "post get", [URL], {"config": Path("a.toml")}),
    (f"-R 0 post {URL}", "post get", [URL], {"retries": "0"}),
    # the other names that people type
    (f"post --dry-run {URL}", "post get", [URL], {"simulate": True}),
    (f"user --dateafter 20260131 {URL}", "user get", [URL], {"since": "20260131"}),
    (f"user --datebefore 20260131 {URL}", "user get", [URL], {"until": "20260131"}),
    (f"post -F {URL}", "post get", [URL], {"list_formats": True}),
    (f"post -jr 2M {URL}", "post get", [URL], {"dump_json": True, "limit_rate": "2M"}),
    ("login add - --no-test", "login add", [], {"source": "-", "no_test": True}),
    ("demo -P here", "demo", [], {"path": Path("here")}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "command", "words", "options"), LINES, ids=[line for line, *_ in LINES])
def test_a_line_means_one_thing(line: str, command: str, words: list[str], options: dict[str, Any]) -> None:
    """Each command line is understood as its row says."""
    call = parse(shlex.split(line))

    assert isinstance(call, Call)
    assert f"{call.noun} {call.verb}".strip() == command
    assert list(call.words) == words
    assert dict(call.options) == options


MISTAKES = [
    ("", "nothing to do", "dyvine demo"),
    ("post", "nothing to get: no link, id or batch file", "paste a link"),
    ("get", "nothing to get", "-a FILE"),
    ("user info", "nothing to show", "paste a link"),
    ("user posts --json", "nothing to list", "paste a link"),
    ("mix -s", "nothing to get", "paste a link"),
    ("pots 1", "'pots' is neither a command nor a link", "did you mean 'post'?"),
    (f"usr {URL}", "'usr' is neither a command nor a link", "did you mean 'user'?"),
    (f"Users {URL} @mara 123", "'Users' is neither a command", "dyvine get Users ..."),
    (f"-q gte {URL}", "'gte' is neither a command", "did you mean 'get'?"),
    (f"psot {URL} www.tiktok.com/@a/video/1", "'psot' is neither a command", "did you mean 'post'?"),
    (f"usr posts -P Posted --match 'a b' {URL}", "'usr' is neither a command", "did you mean 'user'?"),
    (f"usr inof {URL}", "'usr' is neither a command", "did you mean 'user'?"),
    (f"snc add --tag daily {URL}", "'snc' is neither a command", "did you mean 'sync'?"),
    (f"mixx '7.43 复制打开抖音 {URL} 看看'", "'mixx' is neither a command", "did you mean 'mix'?"),
    ("usr douyin:user:MS4x", "'usr' is neither a command", "did you mean 'user'?"),
    (f"post inof {URL}", "'inof' is neither a verb of 'dyvine post'", "did you mean 'info'?"),
    ("hello", "'hello' is neither a command nor a link", "dyvine --help"),
    (ID, f"the bare number {ID} needs its noun", f"dyvine post {ID}"),
    ("post inf 1", "'inf' is neither a verb of 'dyvine post' nor a link or id", "did you mean 'info'?"),
    ("user -s psots 1", "'psots' is neither", "did you mean 'posts'?"),
    ("login ad", "'ad' is neither", "did you mean 'add'?"),
    ("post --limt 3 1", "there is no option --limt", "did you mean --limit?"),
    ("post --foo 1", "there is no option --foo", "see: dyvine post get --help"),
    ("--foo post 1", "there is no option --foo", "see: dyvine"),
    ("user info -N 3 1", "-N means nothing to 'dyvine user info'", "see: dyvine user info --help"),
    (
        "user --overwrite posts 1",
        "--overwrite means nothing to 'dyvine user posts'",
        "see: dyvine user posts --help",
    ),
    (
        "user mixes --no-sound 1",
        "--no-sound means nothing to 'dyvine user mixes'",
        "see: dyvine user mixes --help",
    ),
    (
        "login --kind video",
        "--kind means nothing to 'dyvine login status'",
        "see: dyvine login status --help",
    ),
    ("post -y 1", "there is no option -y", "see: dyvine post get --help"),
    ("post 1 --path", "option '--path' requires an argument", "--help"),
    ("post --json=x 1", "'--json'", "--help"),
    ("config path extra", "extra", "see: dyvine config path --help"),
    ("login add", "no cookies are named", "dyvine login add FILE"),
]


@pytest.mark.parametrize(
    ("line", "cause", "cure"), MISTAKES, ids=[line or "nothing" for line, *_ in MISTAKES]
)
def test_a_mistake_is_told_with_its_cure(line: str, cause: str, cure: str) -> None:
    """What cannot be understood is an InputError with cause and cure, in our words and not in a parser's."""
    with pytest.raises(InputError) as caught:
        parse(shlex.split(line))

    assert cause in caught.value.message
    assert cure in (caught.value.hint or "")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("line", ["--help", "-h", "post --help", "post info --help", "--version"])
def test_help_and_version_do_nothing_else(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Help and version are shown on stdout, and the exit status is 0."""
    outcome = parse(shlex.split(line))

    assert outcome == 0
    assert capsys.readouterr().out


def verbs() -> dict[str, list[str]]:
    """Every noun in code with its verbs, the default one first."""
    return {noun: list(getattr(load(noun), "commands", {})) for noun in NOUNS}


def test_nouns_and_verbs_are_those_of_the_readme() -> None:
    """The README's table of commands and the program have the same nouns and verbs."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `dyvine ([a-z]+)(?: ([a-z]+))?(?: [A-Z]+)?` \|", readme, flags=re.MULTILINE)
    told: dict[str, list[str]] = {}
    for noun, verb in rows:
        told.setdefault(noun, []).extend([verb] if verb else [])

    assert told == verbs()


COMMANDS = [[noun, *([verb] if verb else [])] for noun, found in verbs().items() for verb in found or [""]]


@pytest.mark.parametrize("command", [["get"], *COMMANDS], ids=" ".join)
def test_every_command_has_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command says what it does and explains every option of its own."""
    parse([*command, "--help"])
    help = capsys.readouterr().out

    assert help.startswith(f"Usage: dyvine {' '.join(command)}")
    assert re.search(r"^  [A-Z][^.]+[.:]", help, flags=re.MULTILINE), "no sentence about the command"
    assert not re.search(r"^  (-\S+, )?--[a-z-]+( [A-Z]+)?$", help, flags=re.MULTILINE), (
        "an option without help"
    )


@pytest.mark.parametrize(
    "command", [[], ["get"], *COMMANDS], ids=lambda command: " ".join(command) or "dyvine"
)
def test_help_fits_into_80_columns(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider, also of those that are not folded."""
    monkeypatch.setenv("COLUMNS", "80")
    parse([*command, "--help"])
    help = capsys.readouterr().out

    assert [line for line in help.splitlines() if len(line) > 80] == []


def valued() -> list[tuple[str, str, str, str]]:
    """Each option with a value: its command, name, metavar and help."""
    found = []
    for noun in NOUNS:
        command = load(noun)
        for verb, each in getattr(command, "commands", {"": command}).items():
            for option in each.params:
                if option.param_type_name == "option" and not option.is_flag and not option.count:
                    name = next(name for name in option.opts if name.startswith("--"))
                    found.append((f"{noun} {verb}", name, option.metavar, option.help))
    return found


def test_an_option_is_called_alike_everywhere() -> None:
    """One option has one word for its value, a sentence, and, where that is a number, its bounds or what holds else."""
    words: dict[str, set[str]] = {}
    for command, name, metavar, _ in valued():
        if (command, name) != ("archive list", "--print"):  # a word that stands for itself
            words.setdefault(name, set()).add(metavar)

    assert {name: found for name, found in words.items() if len(found) > 1} == {}
    assert [row for row in valued() if not row[3].endswith(".")] == []
    assert [
        row
        for row in valued()
        if row[2] in ("N", "RATE", "SIZE", "TIME", "PACE", "WISH", "CODEC", "FORMAT", "DEPTH")
        and not re.search("else|default", row[3])
    ] == []


def test_the_examples_of_help_are_understood() -> None:
    """Whoever copies one gets what it promises."""
    examples = {name: re.findall("'([^']+)'", help) for _, name, _, help in valued()}

    assert match.parse(*examples["--match"])
    assert Template.parse(*examples["--output"])
    assert Line.parse(*examples["--print"], more=("path",))


def test_every_shared_option_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """No shared option is missing from the help of the commands that take it."""
    parse(["get", "--help"])
    help = capsys.readouterr().out
    names = [name.rstrip("_") for group in (Reach, Show, Take) for name in group.__dataclass_fields__]

    assert [name for name in names if f"--{name.replace('_', '-')}" not in help] == []


def test_help_of_a_noun_shows_its_verbs_and_the_options_of_the_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`dyvine user --help` lists the verbs with their sentences and what `user get` takes."""
    parse(["user", "--help"])
    help = capsys.readouterr().out

    assert re.search(r"^  posts +List an account's posts", help, flags=re.MULTILINE)
    assert "(the default)" in help
    assert "--likes" in help
    assert "--batch-file" in help


def test_options_left_open_are_not_given() -> None:
    """A line without options gives none, so environment and file decide."""
    assert Common().given() == {}


COMPLETIONS: list[tuple[str, set[str]]] = [
    ("dyvine ", set(NOUNS)),
    ("dyvine us", {"user"}),
    ("dyvine post ", {"get", "info"}),
    ("dyvine user p", {"posts"}),
    ("dyvine post --overw", {"--overwrite"}),
    ("dyvine post info --js", {"--json"}),
    ("dyvine user --li", {"--likes", "--limit", "--limit-rate", "--list-formats"}),
    ("dyvine post --codec ", {"h264", "h265", "any"}),
    ("dyvine post get --pace n", {"normal"}),
    ("dyvine --pace s", {"slow"}),
]


@pytest.mark.parametrize(("line", "known"), COMPLETIONS, ids=[line for line, *_ in COMPLETIONS])
def test_the_shell_completes(
    line: str,
    known: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Verbs, options of the default verb and known values are offered to bash as it asks for them."""
    monkeypatch.setenv("_DYVINE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit):
        parse([])
    offered = set(capsys.readouterr().out.split())

    assert offered == known
