"""Templates and names: what a person may write, and what platforms may send."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyvine_cli import naming
from dyvine_cli.errors import ConfigError
from dyvine_cli.models import Asset, Author, Mix, Post, Ref, Rendition, Sound, Statistics, Tag
from dyvine_cli.naming import (
    EXTENSIONS,
    FIELDS,
    STANDARD,
    Line,
    PathLimit,
    Template,
    clean,
    clusters,
    cut,
    extension,
    identifier,
    readable,
    size,
)

ANN = Author(id="MS4wLjABAAAAann", uid="1000042", handle="ann.lee", nickname="安妮")
VIDEO = Asset(id="video", kind="video")


def post(line: str = "A walk", **facts: object) -> Post:
    """A post of our own making; `line` is the first line of its text."""
    base = Post(
        ref=Ref("douyin", "post", "7372484719365098803"),
        kind="video",
        url="https://www.douyin.com/video/7372484719365098803",
        author=ANN,
        created=datetime(2024, 1, 31, 20, 30, 5, tzinfo=UTC),
        text=f"{line}\nsecond line",
        statistics=Statistics(likes=7, comments=2**70),
        tags=(Tag(name="旅行"), Tag(name="food")),
    )
    return replace(base, **facts)  # type: ignore[arg-type]


def picture(index: int, kind: str = "picture") -> Asset:
    """One page of a picture post."""
    return Asset(id=f"{kind}_{index:02}", kind=kind, index=index)  # type: ignore[arg-type]


def path(template: str, post: Post, asset: Asset = VIDEO, ext: str = "mp4", parts: int | None = None) -> str:
    """The path as text."""
    return str(Template.parse(template).path(post, asset, ext, parts=parts))


# --- what a person may write ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param(
            STANDARD,
            "douyin/安妮_1000042/2024-02-01_7372484719365098803_A walk.mp4",
            id="standard, day in China",
        ),
        pytest.param("{id}.{ext}", "7372484719365098803.mp4", id="id alone"),
        pytest.param("{id}", "7372484719365098803.mp4", id="extension is added"),
        pytest.param("{title}.{ext}", "A walk_7372484719365098803.mp4", id="id is added"),
        pytest.param("{title}", "A walk_7372484719365098803.mp4", id="id and extension are added"),
        pytest.param("{id}/{title}.{ext}", "7372484719365098803/A walk.mp4", id="id in a folder"),
        pytest.param("{title:.4}_{id}", "A wa_7372484719365098803.mp4", id="bytes"),
        pytest.param(
            "{date:%Y}/{date:%m-%d %H.%M.%S}_{id}", "2024/02-01 04.30.05_7372484719365098803.mp4", id="date"
        ),
        pytest.param(
            "{date:%y%j %G-W%V-%u %%}_{id}", "24032 2024-W05-4 %_7372484719365098803.mp4", id="other dates"
        ),
        pytest.param("{date}_{id}", "2024-02-01_7372484719365098803.mp4", id="date alone"),
        pytest.param("{likes:05}_{plays}_{id}", "00007_7372484719365098803.mp4", id="numbers, one unknown"),
        pytest.param("{comments}_{id}", "1000000000000000_7372484719365098803.mp4", id="absurd number"),
        pytest.param("{nickname} ({handle})/{id}", "安妮 (ann.lee)/7372484719365098803.mp4", id="people"),
        pytest.param("{user:.20}/{id}", "安妮_1000042/7372484719365098803.mp4", id="user fits"),
        pytest.param(
            "{user:.12}/{id}", "安_1000042/7372484719365098803.mp4", id="user is cut, its id is not"
        ),
        pytest.param("{kind}/{id} {tags}", "video/7372484719365098803 #旅行 #food.mp4", id="kind and tags"),
        pytest.param("{text}_{id}", "A walk second line_7372484719365098803.mp4", id="text on one line"),
        pytest.param("{{{id}}}", "{7372484719365098803}.mp4", id="braces"),
        pytest.param(
            "{mix}/{episode:03}_{id}", "7372484719365098803.mp4", id="empty folder and number vanish"
        ),
        pytest.param(
            "{id} - {mix} - {episode}", "7372484719365098803.mp4", id="empty fields take separators along"
        ),
        pytest.param("_new/_{id}", "_new/_7372484719365098803.mp4", id="separators of one's own stay"),
        pytest.param("{part}.{ext}", "7372484719365098803.mp4", id="nothing but a part"),
        pytest.param("{mix} - {id}", "7372484719365098803.mp4", id="empty field at the start"),
        pytest.param("ab:c?/{id}", "ab：c？/7372484719365098803.mp4", id="reserved characters of one's own"),
        pytest.param(
            "{width}x{height} {codec}_{id}", "1080x1920 h264_7372484719365098803.mp4", id="rendition"
        ),
    ],
)
def test_template_gives_path(template: str, expected: str) -> None:
    """Each form of the template language."""
    chosen = Rendition(mirrors=(), ext="mp4", width=1080, height=1920, codec="h264")

    assert path(template, post(), replace(VIDEO, renditions=(chosen,))) == expected


def test_every_field_can_be_used() -> None:
    """A template of all fields gives a path, with everything and with nearly nothing known."""
    whole = post(
        mix=Mix(ref=Ref("douyin", "mix", "7"), title="Walks"),
        episode=3,
        sound=Sound(ref=Ref("douyin", "sound", "8"), title="Song", author="Bob"),
        duration=float("inf"),
    )
    template = Template.parse("/".join(f"{{{field}}}" for field in FIELDS))
    full = template.path(whole, VIDEO, "mp4", rendition=Rendition(mirrors=(), ext="mp4", fps=29.97))
    bare = template.path(
        post(statistics=Statistics(), author=replace(ANN, uid="", nickname="")), VIDEO, "mp4"
    )

    assert {"Walks", "3", "Song", "29"} <= set(full.parts)
    assert bare.name.endswith(".mp4")


@pytest.mark.parametrize(
    ("template", "says"),
    [
        pytest.param("{titel}", r"unknown field \{titel\}", id="unknown"),
        pytest.param("{0.__class__}", "unknown field", id="attribute"),
        pytest.param("{title.__class__}", "unknown field", id="attribute of a field"),
        pytest.param("{title[0]}", "unknown field", id="index"),
        pytest.param("{title!r}", "unknown field", id="conversion"),
        pytest.param("{}", "unknown field", id="nothing"),
        pytest.param("{title:{id}}", "brace", id="nested"),
        pytest.param("{title", "brace .* column 1", id="open"),
        pytest.param("{id} title}", "brace .* column 11", id="closed twice"),
        pytest.param("{title:80}", "cannot be read", id="width for text"),
        pytest.param("{title:.0}", "cannot be read", id="nothing left"),
        pytest.param("{title:.1000}", "cannot be read", id="longer than a name"),
        pytest.param("{id:.5}", "cannot be read", id="cut id"),
        pytest.param("{ext:.1}", "cannot be read", id="cut extension"),
        pytest.param("{likes:x}", "cannot be read", id="number form"),
        pytest.param("{likes:099999}", "cannot be read", id="huge width"),
        pytest.param("{date:%c}", "cannot be read", id="date in the system's language"),
        pytest.param("{date:%}", "cannot be read", id="half a date"),
        pytest.param("{date:}", "cannot be read", id="empty form"),
        pytest.param("{date:%Y/%m}", "cannot be read", id="folder inside a date"),
        pytest.param("/tmp/{id}", "outside", id="absolute"),
        pytest.param("~/{id}", "outside", id="home"),
        pytest.param("C:/{id}", "outside", id="drive"),
        pytest.param("{site}\\{id}", "backslash", id="backslash"),
        pytest.param("../{id}", "folder '..'", id="parent"),
        pytest.param("{site}/../{id}", "folder '..'", id="parent inside"),
        pytest.param("./{id}", "folder '.'", id="here"),
        pytest.param("{site}//{id}", "empty", id="empty folder"),
        pytest.param("{site}/", "empty", id="no file name"),
        pytest.param("", "empty", id="empty"),
        pytest.param("x" * 200 + "{id}", "fixed text", id="too long by itself"),
    ],
)
def test_wrong_template_is_refused_with_a_cure(template: str, says: str) -> None:
    """The message names the place, the hint what to write."""
    with pytest.raises(ConfigError, match=says) as caught:
        Template.parse(template)

    assert caught.value.hint


def test_unknown_field_lists_the_known_ones() -> None:
    """The hint is the list of fields."""
    with pytest.raises(ConfigError) as caught:
        Template.parse("{author}")

    assert caught.value.hint is not None
    assert all(field in caught.value.hint for field in FIELDS)


def test_fields_of_a_template_are_known() -> None:
    """Also those that were put at the end."""
    assert Template.parse("{title}").fields == {"title", "id", "part", "ext"}


def test_tiktok_dates_are_utc() -> None:
    """The day does not depend on where the program runs."""
    item = post(ref=Ref("tiktok", "post", "7"))

    assert path("{date:%Y-%m-%d %H}_{id}", item) == "2024-01-31 20_7.mp4"


def test_date_at_the_end_of_time_is_shown() -> None:
    """A year that cannot be moved into another zone stays in its own."""
    item = post(created=datetime(9999, 12, 31, 23, tzinfo=UTC))

    assert path("{date}_{id}", item) == "9999-12-31_7372484719365098803.mp4"


# --- the files of one post --------------------------------------------------------------------------------------------

STEM = "2024-02-01_7372484719365098803_A walk"


@pytest.mark.parametrize(
    ("asset", "parts", "ext", "expected"),
    [
        pytest.param(VIDEO, 1, "mp4", ".mp4", id="video"),
        pytest.param(picture(1), 1, "jpeg", ".jpg", id="only picture"),
        pytest.param(picture(1), 9, "webp", "_01.webp", id="first of nine"),
        pytest.param(picture(12), 99, "jpg", "_12.jpg", id="two digits up to 99"),
        pytest.param(picture(12), 100, "jpg", "_012.jpg", id="three digits above"),
        pytest.param(picture(2, "clip"), 9, "mp4", "_02.mp4", id="clip has its still's stem"),
        pytest.param(picture(3), 1, "jpg", "_03.jpg", id="number beyond the count"),
        pytest.param(Asset(id="sound", kind="sound"), 9, "mp3", "_sound.mp3", id="sound"),
        pytest.param(Asset(id="cover", kind="cover"), 1, "jpg", "_cover.jpg", id="cover"),
        pytest.param(
            Asset(id="subtitle.zh-Hans", kind="subtitle"), 1, "vtt", "_sub.zh-Hans.vtt", id="subtitle"
        ),
        pytest.param(Asset(id="text", kind="text"), 9, "md", ".md", id="article"),
    ],
)
def test_parts_of_a_post(asset: Asset, parts: int, ext: str, expected: str) -> None:
    """One stem, told apart by an ending."""
    found = PurePosixPath(path(STANDARD, post(), asset, ext, parts))

    assert found.name == STEM + expected


def test_pages_are_counted_where_the_post_holds_them() -> None:
    """A clip-only page counts although the caller counts pictures."""
    item = post(assets=(picture(1, "clip"), picture(2, "clip")))

    assert path("{id}", item, picture(1, "clip"), "mp4") == "7372484719365098803_01.mp4"


@pytest.mark.parametrize("title", ["", "A walk", "漫" * 300, "x" * 300])
@pytest.mark.parametrize("template", [STANDARD, "{id}_{text}", "{text}_{id}", "{text}/{id}_{text}"])
def test_files_of_a_post_share_one_stem(template: str, title: str) -> None:
    """However long the title: the endings differ in length, the cut does not."""
    item = post(title, title=title)
    names = [
        PurePosixPath(path(template, item, asset, "mp4", 120)).name
        for asset in (picture(7), Asset(id="sound", kind="sound"), Asset(id="subtitle.zh", kind="subtitle"))
    ]
    stems = {
        name.removesuffix(end)
        for name, end in zip(names, ("_007.mp4", "_sound.mp4", "_sub.zh.mp4"), strict=True)
    }
    sidecar = Template.parse(template).sidecar(item, "info.json").name

    assert len(stems) == 1
    assert sidecar == stems.pop() + ".info.json"


def test_unknown_sidecar_is_a_mistake_of_ours() -> None:
    """Endings of files beside the media come from a list, never from data."""
    with pytest.raises(ValueError, match="exe"):
        Template.parse(STANDARD).sidecar(post(), "exe")


def test_empty_title_leaves_no_gap() -> None:
    """A post without a text has its date and id."""
    assert path(STANDARD, post("", text="")).endswith("/2024-02-01_7372484719365098803.mp4")


def test_separate_title_wins_over_the_text() -> None:
    """Notes and articles have a title of their own."""
    assert path("{title}_{id}", post("text", title="Note")).startswith("Note_")


# --- the folder of an account -----------------------------------------------------------------------------------------


def folder_of(*names: str) -> Sequence[str]:
    """Names that stand in every folder."""
    return names


@pytest.mark.parametrize(
    ("template", "standing", "expected"),
    [
        pytest.param(STANDARD, ("Old Name_1000042",), "Old Name_1000042", id="renamed account"),
        pytest.param(STANDARD, ("x_11000042",), "安妮_1000042", id="another account's id ends alike"),
        pytest.param("a/{nickname}_{uid}/{id}", ("Old_1000042",), "Old_1000042", id="spelled out"),
        pytest.param(
            "a/{nickname} {uid}/{id}", ("Old_1000042",), "安妮 1000042", id="another form is not looked for"
        ),
        pytest.param("a/likes_{user}/{id}", ("Old_1000042",), "likes_安妮_1000042", id="beginning must fit"),
        pytest.param("a/likes_{user}/{id}", ("likes_Old_1000042",), "likes_Old_1000042", id="beginning fits"),
        pytest.param(
            "a/{date}_{user}/{id}",
            ("2020-01-01_Old_1000042",),
            "2024-02-01_安妮_1000042",
            id="folder of a day",
        ),
        pytest.param(
            "a/{id}_{user}/{title}",
            ("1_Old_1000042",),
            "7372484719365098803_安妮_1000042",
            id="folder of a post",
        ),
    ],
)
def test_account_keeps_its_folder(template: str, standing: Sequence[str], expected: str) -> None:
    """The folder that ends in the account's id is used, whatever stands before it."""

    def look_up(parent: PurePosixPath, ending: str) -> str | None:
        return next((name for name in standing if name.endswith(ending)), None)

    found = Template.parse(template).path(post(), VIDEO, "mp4", folder=look_up)

    assert found.parts[1] == expected


@pytest.mark.parametrize("answer", ["../x_1000042", "/x_1000042", "a/b_1000042", "x", ""])
def test_folder_from_a_look_up_cannot_lead_elsewhere(answer: str) -> None:
    """A look-up's answer is one name with the ending that was asked for, or it is not used."""
    found = Template.parse(STANDARD).path(post(), VIDEO, "mp4", folder=lambda parent, ending: answer)

    assert found.parts[1] == "安妮_1000042"


def test_account_without_a_number_is_told_by_its_stable_id() -> None:
    """Stable ids differ by case alone, so they carry their hash."""
    one = path("{user}/{id}", post(author=replace(ANN, uid="", id="MS4wAbc")))
    other = path("{user}/{id}", post(author=replace(ANN, uid="", id="MS4waBC")))

    assert one.startswith("安妮_MS4wAbc_")
    assert one.casefold() != other.casefold()


# --- what platforms may send ------------------------------------------------------------------------------------------

EVERYWHERE = "{site}/{nickname}/{user}/{title}/{mix}/{handle}_{title}_{id}_{text}{part}.{ext}"


def hostile(text: str) -> Post:
    """A post that says `text` wherever a person can write."""
    return post(
        text,
        title=text,
        text=text,
        author=replace(ANN, nickname=text, handle=text),
        mix=Mix(ref=Ref("douyin", "mix", "7"), title=text),
    )


def assert_fits_everywhere(found: PurePosixPath) -> None:
    """Relative, downwards, and each component a valid name on Linux, macOS and Windows, `.part.json` included."""
    text = str(found)
    windows = PureWindowsPath(text)
    assert not found.is_absolute()
    assert not windows.drive
    assert not windows.root
    assert windows.parts == found.parts
    assert not windows.is_reserved()
    for name in found.parts:
        assert name not in ("", ".", "..")
        assert not set(name) & set('<>:"/\\|?*~\0')
        assert name[0] not in "-. "
        assert name[-1] not in ". "
        assert unicodedata.is_normalized("NFC", name)
        assert len(name.encode()) + len(".part.json") <= 255
        kinds = {unicodedata.category(character) for character in name.replace("\u200d", "")}
        assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert "7372484719365098803" in found.name
    assert found.suffix == ".mp4"


def paths_of(text: str) -> list[PurePosixPath]:
    """The paths that a hostile text makes, by the usual template and by one that uses it everywhere."""
    return [Template.parse(template).path(hostile(text), VIDEO, "mp4") for template in (STANDARD, EVERYWHERE)]


@pytest.mark.parametrize(
    "title", ["..", ".", "../../etc/passwd", "..\\..\\x", "a/../../b", "．．／", "%2e%2e%2f"]
)
def test_dotdot_title_stays_inside(title: str) -> None:
    """Parent folders in a title are text."""
    for found in paths_of(title):
        assert ".." not in found.parts
        assert_fits_everywhere(found)


@pytest.mark.parametrize(
    "title",
    [
        "/etc/passwd",
        "\\\\server\\share",
        "C:\\x",
        "C:x",
        "//server/share",
        "\\\\?\\C:\\x",
        "\\\\.\\PhysicalDrive0",
    ],
)
def test_absolute_title_stays_inside(title: str) -> None:
    """Roots, drives and network shares in a title are text."""
    for found in paths_of(title):
        assert_fits_everywhere(found)


@pytest.mark.parametrize(
    "title", ["~", "~root/.ssh/x", "-rf", "--exec=x", "-", ".bashrc", ".htaccess", " -x"]
)
def test_option_or_home_or_hidden_title_begins_harmlessly(title: str) -> None:
    """No name begins like an option, a home folder or a hidden file."""
    for found in paths_of(title):
        assert_fits_everywhere(found)


@pytest.mark.parametrize(
    "title", ["", " ", "...", ". . .", "\u3164", "\u200b", "\u0301", "\u2800\u115f", "\n\n"]
)
def test_title_of_nothing_is_left_out(title: str) -> None:
    """Blanks, dots, invisible letters and lone marks leave date and id."""
    found = paths_of(title)[0]

    assert found.name == "2024-02-01_7372484719365098803.mp4"
    for each in paths_of(title):
        assert_fits_everywhere(each)


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("a\0b", id="NUL"),
        pytest.param("a\r\nb", id="line break"),
        pytest.param("\x1b[31mred\x1b]0;title\x07", id="terminal escape"),
        pytest.param("\x7f\x80\x9f", id="other controls"),
        pytest.param("a\u202egpj.exe", id="right-to-left override"),
        pytest.param("\u2066a\u2069\u200e\u200f\u061c", id="direction marks"),
        pytest.param("a\u200bb\ufeffc\u00add\u2060", id="zero width"),
        pytest.param("a\u2028b\u2029c\u0085d", id="other line ends"),
        pytest.param("a\ud83db", id="half a character"),
        pytest.param("\ue000\uf02f\U0010ffff\ufffe\u0378", id="private and undefined"),
        pytest.param("\U000e0041\U000e0042", id="tags"),
    ],
)
def test_invisible_characters_do_not_reach_the_disk(title: str) -> None:
    """Controls, direction marks, zero-width and undefined characters."""
    for found in paths_of(title):
        assert_fits_everywhere(found)


@pytest.mark.parametrize(
    "title",
    [
        "CON",
        "con",
        "nul.mp4",
        "COM1",
        "com¹",
        "LPT9.x.y",
        "AUX ",
        "PRN.",
        "CONIN$",
        "clock$",
        "ＣＯＮ",
        "nul . x",
        "NUL:x",
    ],
)
def test_device_name_as_a_folder_is_a_folder(title: str) -> None:
    """Windows devices are not opened, also with an extension, blanks or superscript digits."""
    found = Template.parse("{title}/{mix}/{id}").path(hostile(title), VIDEO, "mp4")

    assert_fits_everywhere(found)
    assert found.parts[0].startswith("_")


@pytest.mark.parametrize("title", ["a.", "a ", "a. . ", "a…", "a\u00a0", "a．"])
def test_trailing_dot_or_blank_of_a_folder_goes(title: str) -> None:
    """Windows drops them, and two names become one."""
    found = Template.parse("{title}/{id}").path(hostile(title), VIDEO, "mp4")

    assert found.parts[0][0] == "a"
    assert_fits_everywhere(found)


@pytest.mark.parametrize("title", ["a:b", "a.mp4:hidden:$DATA", "ABCDEF~1", "PROGRA~1.EXE"])
def test_alternate_stream_and_short_name_are_text(title: str) -> None:
    """`:` opens a stream of another file on NTFS, `~1` is another file's short name."""
    for found in paths_of(title):
        assert_fits_everywhere(found)


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("漫" * 300, id="300 CJK characters"),
        pytest.param("x" * 1000, id="ASCII"),
        pytest.param("😀" * 200, id="emoji of four bytes"),
        pytest.param("x" + "👨‍👩‍👧‍👦" * 60, id="families"),
        pytest.param("e" + "\u0301" * 500, id="one letter with 500 marks"),
        pytest.param("ab " + "e\u0323\u0301" * 200, id="letters with marks"),
        pytest.param("🇩🇪" * 100, id="flags"),
        pytest.param("가" * 200, id="Korean"),
        pytest.param("\u1100\u1161\u11a8" * 100, id="Korean in letters"),
    ],
)
def test_endless_title_is_cut_and_the_id_survives(title: str) -> None:
    """Every component keeps its limit with all endings, and the cut leaves whole characters."""
    for found in paths_of(title):
        assert_fits_everywhere(found)


def test_cut_shares_the_room_between_long_fields() -> None:
    """Short fields stay whole, long ones are cut to the same length."""
    item = post("x" * 300, author=replace(ANN, nickname="y" * 300, handle="short"))
    name = path("{nickname}_{handle}_{title}_{id}", item)

    assert "_short_" in name
    assert abs(name.count("x") - name.count("y")) <= 1


@pytest.mark.parametrize(
    ("limit", "longest"),
    [
        pytest.param(PathLimit(160), 160, id="bytes"),
        pytest.param(
            PathLimit.below("C:\\Users\\somebody\\Videos\\dyvine of mine", "win32"), 220, id="Windows"
        ),
        pytest.param(PathLimit.below("/Users/" + "x" * 800, "darwin"), 216, id="macOS"),
        pytest.param(PathLimit.below("/" + "x" * 3900, "linux"), 195, id="Linux"),
    ],
)
def test_total_path_limit_is_kept(limit: PathLimit, longest: int) -> None:
    """The whole path fits below the folder it goes to, with `.part.json` behind it."""
    found = Template.parse(STANDARD).path(hostile("漫" * 300), VIDEO, "mp4", limit=limit)
    text = str(found) + ".part.json"
    needed = len(text.encode("utf-16-le")) // 2 if limit.wide else len(text.encode())

    assert limit.length <= longest
    assert needed <= limit.length
    assert_fits_everywhere(found)


def test_path_that_cannot_fit_says_so() -> None:
    """Where not even date and id fit, the person hears it before anything is written."""
    with pytest.raises(ConfigError, match="does not fit") as caught:
        Template.parse(STANDARD).path(post(), VIDEO, "mp4", limit=PathLimit(40))

    assert "shorter path" in str(caught.value.hint)


def test_too_many_ids_in_one_name_say_so() -> None:
    """What is never cut can be too long by itself."""
    with pytest.raises(ConfigError, match="does not fit"):
        path("{id}" * 20, post())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Title", "TITLE", id="case"),
        pytest.param("é", "e\u0301", id="NFC and NFD"),
        pytest.param("ａｂｃ", "abc", id="full width"),
        pytest.param("ß", "SS", id="long folding"),
        pytest.param("x" * 300 + "1", "x" * 300 + "2", id="difference behind the cut"),
        pytest.param("a/b", "a_b", id="difference in a replaced character"),
        pytest.param("same", "same", id="equal"),
    ],
)
def test_names_equal_after_folding_are_two_files(one: str, other: str) -> None:
    """Two posts of one second and like titles never share a name."""
    first = path(STANDARD, hostile(one))
    second = path(STANDARD, replace(hostile(other), ref=Ref("douyin", "post", "7372484719365098804")))

    def folded(name: str) -> str:
        return unicodedata.normalize("NFKC", name).casefold()

    assert folded(first) != folded(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("MS4wAbc", "MS4wabc", id="case"),
        pytest.param("a/b", "a_b", id="cleaned"),
        pytest.param("x" * 300 + "1", "x" * 300 + "2", id="long"),
        pytest.param("..", ".", id="dots"),
        pytest.param("", " ", id="blank"),
        pytest.param("\ud800", "\ud801", id="half characters"),
    ],
)
def test_hostile_ids_stay_apart_on_every_file_system(one: str, other: str) -> None:
    """An id that is not plain carries its hash."""
    assert identifier(one).casefold() != identifier(other).casefold()
    for value in (one, other):
        assert_is_short_and_clean(identifier(value))


def assert_is_short_and_clean(name: str) -> None:
    """An identifier can stand in any name."""
    assert name
    assert size(name) <= 64
    assert clean(name) == name


def test_plain_id_stays_as_it_is() -> None:
    """Posts can be found on disk by the id in their link."""
    assert identifier("7372484719365098803") == "7372484719365098803"


@pytest.mark.parametrize(
    "ext",
    [
        "exe",
        "desktop",
        "url",
        "webloc",
        "html",
        "svg",
        "php",
        "mp4/../../x",
        "mp4\0.exe",
        "MP4 ",
        "",
        "lnk",
        "scr",
        "..",
    ],
)
def test_extension_from_the_server_is_not_believed(ext: str) -> None:
    """Only extensions of media and texts are used; else the usual one of the asset's kind."""
    assert extension(ext, "video") == "mp4"
    assert path("{id}", post(), Asset(id="cover", kind="cover"), ext) == "7372484719365098803_cover.jpg"


@pytest.mark.parametrize(
    ("ext", "expected"), [("MP4", "mp4"), (".webp", "webp"), ("jpeg", "jpg"), ("HEIC", "heic")]
)
def test_extension_of_media_is_kept(ext: str, expected: str) -> None:
    """In small letters, without a dot, `jpg` for both spellings."""
    assert extension(ext, "picture") == expected
    assert expected in EXTENSIONS


@pytest.mark.parametrize("language", ["../x", "zh/..", "a" * 300, "zh\0", "", "中文"])
def test_subtitle_language_cannot_leave_its_place(language: str) -> None:
    """A language that is no plain tag becomes a hash of itself."""
    name = path("{id}", post(), Asset(id=f"subtitle.{language}", kind="subtitle", language=language), "vtt")

    assert name.startswith("7372484719365098803_sub.")
    assert "/" not in name
    assert len(name) < 60


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        *(
            (same, same)
            for same in ("{id}", "{0.__class__}", "{title}", "%(id)s", "%Y", "$HOME", "{{", "}", "`id`")
        ),
        ("{date:%Y}", "{date：%Y}"),
        ("\\1", "_1"),
        ("\\g<0>", "_g＜0＞"),
    ],
)
def test_template_syntax_in_a_title_is_not_expanded(title: str, expected: str) -> None:
    """Values are put in once and never read again."""
    assert path("{title}_{id}", hostile(title)) == f"{expected}_7372484719365098803.mp4"


# --- properties -------------------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(), max_size=400)
NASTY = st.text(
    st.sampled_from(
        './\\:~-_ \0\r\n"*?<>|aCON1é漫😀\u0301\u200d\ufe0f\u202e\ud83d🇩🇪👨👩\u1100\u1161\u0958\u226e{}%'
    ),
    max_size=200,
)


@given(text=ANY_TEXT | NASTY)
def test_any_text_gives_valid_names_on_all_three_systems(text: str) -> None:
    """Nothing that a platform can send leads outside or makes a name that a system refuses."""
    for found in paths_of(text):
        assert_fits_everywhere(found)


@given(text=ANY_TEXT | NASTY, number=st.integers(1, 2000), limit=st.integers(170, 1200))
def test_any_text_keeps_every_limit(text: str, number: int, limit: int) -> None:
    """Component and path limits hold with part number and temporary ending, and number and id are whole."""
    found = Template.parse(STANDARD).path(
        hostile(text), picture(number), "jpg", parts=2000, limit=PathLimit(limit)
    )

    assert size(str(found)) + len(".part.json") <= limit
    assert all(size(name) + len(".part.json") <= 255 for name in found.parts)
    assert found.name.endswith(f"_{number:04}.jpg")
    assert "_7372484719365098803" in found.name


@given(value=ANY_TEXT | NASTY)
def test_any_id_gives_a_short_clean_word(value: str) -> None:
    """Ids of any content can stand in a name uncut."""
    assert_is_short_and_clean(identifier(value))


@given(text=ANY_TEXT | NASTY)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    """A cleaned text is clean."""
    assert clean(clean(text)) == clean(text)


@given(text=ANY_TEXT | NASTY, limit=st.integers(0, 100))
def test_cut_keeps_the_limit_and_whole_characters(text: str, limit: int) -> None:
    """What is left is a beginning made of whole characters, apart from blanks and dots at its end."""
    kept = cut(text, limit)
    borders = {""}
    for cluster in clusters(text):
        borders.add(max(borders, key=len) + cluster)

    assert size(kept) <= limit
    assert kept in borders | {border.rstrip(" .") for border in borders}


@given(text=ANY_TEXT | NASTY)
def test_clusters_put_together_are_the_text(text: str) -> None:
    """Nothing is lost between them."""
    assert "".join(clusters(text)) == text


@given(
    words=st.lists(st.sampled_from([f"{{{field}}}" for field in FIELDS] + ["_", "-", "x", " "]), max_size=8)
)
def test_any_template_of_known_fields_gives_a_unique_valid_name(words: list[str]) -> None:
    """Id, part and extension are in the path of whatever template is accepted."""
    template = Template.parse("x" + "".join(words))
    found = template.path(hostile("漫" * 30), picture(2), "jpg", parts=3)

    assert found.suffix == ".jpg"
    assert "7372484719365098803" in str(found)
    assert "_02" in str(found)


# --- single characters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("abc", 3, id="letters"),
        pytest.param("e\u0301x", 2, id="mark"),
        pytest.param("👨‍👩‍👧‍👦x", 2, id="family"),
        pytest.param("👍🏽x", 2, id="skin tone"),
        pytest.param("❤️x", 2, id="variation selector"),
        pytest.param("🇩🇪🇫🇷x", 3, id="flags"),
        pytest.param("🇩🇪🇫", 2, id="half a flag"),
        pytest.param("\u1100\u1161\u11a8\u1100\u1161", 2, id="Korean letters"),
        pytest.param("각가", 2, id="Korean syllables"),
        pytest.param("नि", 1, id="Hindi vowel"),
        pytest.param("1\ufe0f\u20e3x", 2, id="key cap"),
        pytest.param("ｶﾞx", 2, id="half-width voiced"),
        pytest.param("🏴\U000e0067\U000e0062\U000e007fx", 2, id="flag of tags"),
        pytest.param("a\r\nb", 3, id="line break"),
        pytest.param("\n\u0301", 2, id="mark after a control"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_clusters_are_what_a_reader_counts(text: str, count: int) -> None:
    """Characters that are drawn as one are one."""
    assert len(list(clusters(text))) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("A/B\\C", "A_B_C", id="slashes"),
        pytest.param('say "x"', "say 'x'", id="quotes"),
        pytest.param("a<b>c:d|e?f*g~", "a＜b＞c：d｜e？f＊g～", id="reserved"),
        pytest.param("a \t\n b", "a b", id="blanks"),
        pytest.param("e\u0301", "é", id="NFC"),
        pytest.param("👨‍👩‍👧 ❤️‍🔥 🏳️‍🌈", "👨‍👩‍👧 ❤️‍🔥 🏳️‍🌈", id="joined emoji stay"),
        pytest.param("a\u200db", "ab", id="joiner between letters goes"),
        pytest.param("e\u200b\u0301", "é", id="mark behind an invisible one"),
        pytest.param("漢字 العربية עברית ไทย", "漢字 العربية עברית ไทย", id="scripts stay"),
    ],
)
def test_clean_text(text: str, expected: str) -> None:
    """What becomes of single characters."""
    assert clean(text) == expected


# --- lines of output --------------------------------------------------------------------------------------------------


def test_line_shows_values_as_they_are() -> None:
    """Nothing is replaced for a file system and nothing is added, but a line stays a line."""
    line = Line.parse("{id} {title} | {path} {size} {user:.12} {date:%d.%m.}", more=("path", "size"))
    item = post(title='a/b: "c"\x1b[31m\rd\u202e')

    assert line.render(item, VIDEO, more={"path": "/v/ä b.mp4", "size": 5}) == (
        '7372484719365098803 a/b: "c" [31m d | /v/ä b.mp4 5 安_1000042 01.02.'
    )


def test_line_with_an_unknown_field_lists_all() -> None:
    """The hint names the fields of the command too."""
    with pytest.raises(ConfigError) as caught:
        Line.parse("{nope}", more=("path",))

    assert "path" in str(caught.value.hint)


def test_value_that_is_not_known_is_empty() -> None:
    """A line has a place for it nevertheless."""
    assert Line.parse("{size}|{mix}|{likes}", more=("size",)).render(post(), more={"size": None}) == "||7"


def test_readable_text_cannot_steer_a_terminal() -> None:
    """Escapes lose their first character, directions their marks."""
    assert readable("\x1b]8;;http://x\x07a\x9b\u202eb\rc") == "]8;;http://x a b c"


def test_a_day_later_is_another_name() -> None:
    """Dates come from the post, not from the clock."""
    one, other = post(), post(created=post().created + timedelta(days=1))

    assert path(STANDARD, one) != path(STANDARD, other)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("a day #sea", 7, "a day"), ("a day #sea", 8, "a day #s"), ("#sea", 1, ""), ("a day #", 7, "a day #")],
    ids=["at the mark", "behind it", "nothing else", "not cut"],
)
def test_a_cut_leaves_no_lone_hash(text: str, limit: int, expected: str) -> None:
    """A hashtag that is cut at its mark goes with it."""
    assert cut(text, limit) == expected


class Counted(tuple[Asset, ...]):
    """Files of a post that count how often somebody goes through all of them."""

    __slots__ = ()
    rounds = 0

    def __iter__(self) -> Iterator[Asset]:
        Counted.rounds += 1
        return super().__iter__()


def test_a_post_of_nine_thousand_pictures_is_not_counted_for_each() -> None:
    """Given the number of pages, a name does not go through the post."""
    pictures = [picture(number) for number in range(1, 9001)]
    long = post(assets=Counted(pictures))
    template = Template.parse("{id}{part}.{ext}")
    parts = naming.pages(long)
    Counted.rounds = 0
    names = {str(template.path(long, each, "jpg", parts=parts)) for each in pictures}

    assert len(names) == 9000
    assert Counted.rounds == 0
