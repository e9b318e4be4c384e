"""Template + post + asset -> relative path that fits Linux, macOS and Windows at once (pure).

Everything that a platform sends is data here: it is cleaned, cut and put in once, never read as a template, a folder
or an extension. What makes a name unique (ids, part numbers, the extension) is never cut.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal, Self

from dyvine_cli.errors import ConfigError
from dyvine_cli.models import Asset, AssetKind, Post, Rendition

STANDARD = "{site}/{user}/{date:%Y-%m-%d}_{id}_{title:.80}{part}.{ext}"

FolderLookup = Callable[[PurePosixPath, str], str | None]
"""Given a folder (relative) and an ending, the name of a folder in it that ends so; None if there is none."""

EXTENSIONS = frozenset(
    {"mp4", "mov", "webm", "mkv", "flv", "ts"}
    | {"jpg", "png", "webp", "gif", "heic", "avif"}
    | {"mp3", "m4a", "aac", "ogg", "wav"}
    | {"md", "txt", "vtt", "srt", "ass", "json"}
)
SIDECARS = frozenset({"info.json", "comments.jsonl", "chat.jsonl", "nfo", "md", "txt", "ass"})

_USUAL_EXTENSION: Mapping[AssetKind, str] = {
    "video": "mp4",
    "picture": "jpg",
    "clip": "mp4",
    "sound": "mp3",
    "cover": "jpg",
    "subtitle": "vtt",
    "text": "md",
}

# A Douyin day is a day in China; TikTok has no zone of its own.
_ZONES: Mapping[str, timezone] = {"douyin": timezone(timedelta(hours=8))}

_TEMPORARY = len(".part.json")
_TAIL = 40
"""Bytes kept for part and extension, the same for every file of a post, so that all have one stem."""
_COMPONENT = 255 - _TEMPORARY - len("_") - len("_")
_SHORTEST_COMPONENT = 90
_LONGEST_ID = 64
_LONGEST_WORD = 40
_LARGEST_NUMBER = 10**15


def no_folder(parent: PurePosixPath, ending: str) -> str | None:
    """The look-up of those who have no folders yet."""
    return None


# --- cleaning ---------------------------------------------------------------------------------------------------------

_ZWJ = "\u200d"
_REPLACED = {
    # Not full-width: Windows programs of the ANSI kind turn full-width quotes and slashes back into plain ones.
    "/": "_",
    "\\": "_",
    '"': "'",
    "<": "＜",
    ">": "＞",
    ":": "：",
    "|": "｜",
    "?": "？",
    "*": "＊",
    "~": "～",
}
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DEVICE = re.compile(
    r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$|clock\$)\s*([.:]|$)", re.IGNORECASE
)


@lru_cache(maxsize=256)  # nickname and title come back for every file of a post
def clean(text: str) -> str:
    """`text` with nothing that a file system, a shell window or the eye could take for something else.

    Reserved characters are replaced, control characters and line breaks become spaces, invisible and direction marks
    go (joined emoji stay joined), what Unicode does not define becomes `_`. In NFC, blanks collapsed, no blank or dot
    at the end.
    """
    text = unicodedata.normalize("NFC", text)
    text = "".join(_clean_character(text, at) for at in range(len(text)))
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return _without_leading_marks(text).rstrip(" .")


def readable(text: str) -> str:
    """`text` on one line, without what moves a cursor, hides or turns the direction of what follows."""
    shown = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(
        "".join(c for c in shown if c == _ZWJ or unicodedata.category(c) not in ("Cf", "Cs")).split()
    )


def _clean_character(text: str, at: int) -> str:
    character = text[at]
    if character in _REPLACED:
        return _REPLACED[character]
    if character in _BLANK_LETTERS:
        return " "
    match unicodedata.category(character):
        case "Cc" | "Zs" | "Zl" | "Zp":
            return " "
        case "Cf":
            return character if character == _ZWJ and _joins_emoji(text, at) else ""
        case "Cs" | "Co" | "Cn":
            return "_"
        case _:
            return character


def _joins_emoji(text: str, at: int) -> bool:
    """Whether the joiner at `at` stands between two pictures: elsewhere it would only be invisible."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not before or not after:
        return False
    picture = unicodedata.category(before) in ("So", "Sk", "Sm") or before == "\ufe0f"
    return picture and unicodedata.category(after) in ("So", "Sm")


def _without_leading_marks(text: str) -> str:
    """Combining marks at the start would stick to whatever stands before."""
    start = 0
    while start < len(text) and (unicodedata.category(text[start])[0] == "M" or text[start] in _ZWJ + " "):
        start += 1
    return text[start:]


def _safe_component(text: str) -> str:
    """A cleaned component without the beginnings and ends that a shell or a system reads in its own way."""
    text = unicodedata.normalize("NFC", text).strip(" ").rstrip(" .")
    compared = unicodedata.normalize("NFKC", text)
    if text.startswith(("-", ".", "~")) or _DEVICE.match(compared):
        return "_" + text
    return text


def identifier(value: str) -> str:
    """An id as part of a name: itself if it is digits and small letters, else cleaned and with 8 hex of its hash.

    So two ids that differ by case alone, or are too long for a name, stay apart on every file system.
    """
    if len(value) <= _LONGEST_ID and re.fullmatch(r"[0-9a-z]+", value):
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = cut(clean(value), _LONGEST_WORD)
    return f"{readable}_{digest}" if readable else digest


def extension(ext: str, kind: AssetKind) -> str:
    """`ext` if it is one of ours, else the usual one of the asset's kind; never what a server made up."""
    ext = ext.lower().lstrip(".")
    ext = "jpg" if ext == "jpeg" else ext
    return ext if ext in EXTENSIONS else _USUAL_EXTENSION[kind]


# --- cutting ----------------------------------------------------------------------------------------------------------


def size(text: str) -> int:
    """Bytes of `text` in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def cut(text: str, limit: int) -> str:
    """The beginning of `text` of at most `limit` bytes, cut between characters as a reader sees them.

    No blank, dot or lone `#` is left at a cut.
    """
    if size(text) <= limit:
        return text
    kept: list[str] = []
    for cluster in clusters(text):
        limit -= size(cluster)
        if limit < 0:
            break
        kept.append(cluster)
    return re.sub(r"(?:^|[ .])#$", "", "".join(kept).rstrip(" .")).rstrip(" .")


def clusters(text: str) -> Iterator[str]:
    """The characters of `text` as a reader sees them.

    Near enough to the grapheme clusters of Unicode (UAX #29) for cutting: never between a letter and its marks, within
    joined emoji, flags, skin tones or Korean syllables.
    """
    start = 0
    flags = 0
    for at in range(1, len(text) + 1):
        flags = flags + 1 if _is_flag_letter(text[at - 1]) else 0
        if at == len(text) or not _belongs_together(text[at - 1], text[at], flags):
            yield text[start:at]
            start = at


def _belongs_together(before: str, after: str, flags: int) -> bool:
    """Whether no cut may fall between two code points; `flags` counts the flag letters up to `before`."""
    if before == "\r":
        return after == "\n"
    if unicodedata.category(before) in ("Cc", "Zl", "Zp"):
        return False
    return (
        unicodedata.category(after) in ("Mn", "Me", "Mc")
        or after in (_ZWJ, "\u200c", "\uff9e", "\uff9f")
        or before == _ZWJ
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\U000e0020" <= after <= "\U000e007f"
        or (_is_flag_letter(after) and flags % 2 == 1)
        or _continues_syllable(before, after)
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _continues_syllable(before: str, after: str) -> bool:
    """Whether two Korean letters form one syllable (roughly: any letter after a letter or syllable)."""
    first = "\u1100" <= before <= "\u11ff" or "\ua960" <= before <= "\ua97c" or "\ud7b0" <= before <= "\ud7fb"
    first = first or "\uac00" <= before <= "\ud7a3"
    leading = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    letter = "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb"
    start = "\u1100" <= after <= "\u115f" or "\ua960" <= after <= "\ua97c" or "\uac00" <= after <= "\ud7a3"
    return (first and letter) or (leading and start)


# --- fields -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the fields of one name are read from; `asset` is None for a file beside the media."""

    post: Post
    asset: Asset | None
    rendition: Rendition | None
    part: str
    ext: str


_Value = str | int | datetime | None
_Kind = Literal["text", "word", "id", "user", "number", "date", "tail"]
"""`text` may be cut, `word`, `id` and `tail` never; `user` is a nickname that may be cut and an id that may not."""


def _own_title(post: Post) -> str:
    lines = (line.strip() for line in post.text.splitlines())
    return post.title.strip() or next((line for line in lines if line), "")


def _zoned(post: Post) -> datetime:
    try:
        return post.created.astimezone(_ZONES.get(post.ref.site, UTC))
    except OverflowError:
        return post.created


def _tags(post: Post) -> str:
    return " ".join(f"#{tag.name}" for tag in post.tags)


def _whole(value: float | None) -> int | None:
    return None if value is None or not math.isfinite(value) else int(value)


_FIELDS: Mapping[str, tuple[_Kind, Callable[[_Facts], _Value]]] = {
    "site": ("word", lambda facts: facts.post.ref.site),
    "user": ("user", lambda facts: facts.post.author.nickname),
    "nickname": ("text", lambda facts: facts.post.author.nickname),
    "uid": ("id", lambda facts: facts.post.author.uid or facts.post.author.id),
    "handle": ("text", lambda facts: facts.post.author.handle),
    "id": ("id", lambda facts: facts.post.ref.id),
    "title": ("text", lambda facts: _own_title(facts.post)),
    "text": ("text", lambda facts: facts.post.text),
    "tags": ("text", lambda facts: _tags(facts.post)),
    "kind": ("word", lambda facts: facts.post.kind),
    "date": ("date", lambda facts: _zoned(facts.post)),
    "mix": ("text", lambda facts: facts.post.mix.title if facts.post.mix else None),
    "episode": ("number", lambda facts: facts.post.episode),
    "sound": ("text", lambda facts: facts.post.sound.title if facts.post.sound else None),
    "duration": ("number", lambda facts: _whole(facts.post.duration)),
    "likes": ("number", lambda facts: facts.post.statistics.likes),
    "comments": ("number", lambda facts: facts.post.statistics.comments),
    "favorites": ("number", lambda facts: facts.post.statistics.favorites),
    "shares": ("number", lambda facts: facts.post.statistics.shares),
    "plays": ("number", lambda facts: facts.post.statistics.plays),
    "asset": ("word", lambda facts: facts.asset.id if facts.asset else None),
    "width": ("number", lambda facts: facts.rendition.width if facts.rendition else None),
    "height": ("number", lambda facts: facts.rendition.height if facts.rendition else None),
    "fps": ("number", lambda facts: _whole(facts.rendition.fps if facts.rendition else None)),
    "codec": ("word", lambda facts: facts.rendition.codec if facts.rendition else None),
    "part": ("tail", lambda facts: facts.part),
    "ext": ("tail", lambda facts: facts.ext),
}

FIELDS = tuple(_FIELDS)
"""The names that may stand in braces."""

_DATE_PARTS: Mapping[str, Callable[[datetime], str]] = {
    "Y": lambda time: f"{time.year:04}",
    "y": lambda time: f"{time.year % 100:02}",
    "m": lambda time: f"{time.month:02}",
    "d": lambda time: f"{time.day:02}",
    "H": lambda time: f"{time.hour:02}",
    "M": lambda time: f"{time.minute:02}",
    "S": lambda time: f"{time.second:02}",
    "j": lambda time: f"{time.timetuple().tm_yday:03}",
    "G": lambda time: f"{time.isocalendar().year:04}",
    "V": lambda time: f"{time.isocalendar().week:02}",
    "u": lambda time: str(time.isoweekday()),
    "%": lambda time: "%",
}
"""Written out because `strftime` asks the system: other results elsewhere, and other languages."""

_STANDARD_DATE = "%Y-%m-%d"
_NICKNAME_LIMIT = 40


def _dated(time: datetime, form: str) -> str:
    return re.sub(r"%(.)", lambda match: _DATE_PARTS[match[1]](time), form)


def pages(post: Post) -> int:
    """The number of pages of a post: pictures, and clips that stand with a picture or instead of one."""
    return max((asset.index for asset in post.assets if asset.kind in ("picture", "clip")), default=1)


def part_of(asset: Asset, parts: int) -> str:
    """What tells this file of a post from its others; empty for the only one or the main one.

    `parts` is the number of pages of the whole post. A clip has the number of its still.
    """
    match asset.kind:
        case "picture" | "clip":
            alone = parts <= 1 and asset.index <= 1
            return "" if alone else f"_{asset.index:0{max(2, len(str(parts)))}}"
        case "sound" | "cover":
            return f"_{asset.kind}"
        case "subtitle":
            return f"_sub.{_language(asset)}"
        case "video" | "text":
            return ""


def _language(asset: Asset) -> str:
    language = asset.id.partition(".")[2] or asset.language or "und"
    if re.fullmatch(r"[A-Za-z0-9-]{1,24}", language):
        return language
    return identifier(language)[-8:]


# --- templates --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    """A field with what follows its colon, or literal text when `field` is empty."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """One value within a component; `cuttable` values give way when the name is too long."""

    text: str
    cuttable: bool = False
    tail: bool = False
    literal: bool = False


@dataclass(frozen=True, slots=True)
class PathLimit:
    """The room for a relative path, in bytes, or in UTF-16 units if `wide`."""

    length: int = 1000
    wide: bool = False

    @classmethod
    def below(cls, root: str, system: str = sys.platform) -> Self:
        """The room that the system leaves below the folder `root` (absolute)."""
        if system == "win32":
            return cls(259 - len(root.encode("utf-16-le", "surrogatepass")) // 2 - 1, wide=True)
        whole = 1023 if system == "darwin" else 4095
        return cls(whole - size(root) - 1)

    def holds(self, path: PurePosixPath, spare: int) -> bool:
        """Whether `path` and `spare` more characters fit."""
        text = str(path)
        needed = len(text.encode("utf-16-le", "surrogatepass")) // 2 if self.wide else size(text)
        return needed + spare <= self.length


@dataclass(frozen=True, slots=True)
class Line:
    """A pattern for one line of output (`--print`), in the same language, for people and pipes: nothing is added."""

    tokens: tuple[_Token, ...]

    @classmethod
    def parse(cls, text: str, *, more: Collection[str] = ()) -> Self:
        """Read a pattern; `more` are names beside FIELDS that `render` will be given. Raises ConfigError."""
        return cls(tuple(_tokens(text, more)))

    def render(
        self,
        post: Post,
        asset: Asset | None = None,
        *,
        ext: str = "",
        parts: int | None = None,
        rendition: Rendition | None = None,
        more: Mapping[str, str | int | None],
    ) -> str:
        """The line, without a line break; a value that spans lines is put on one. Values of `more` stay as they are.

        `parts` is the post's number of pages, None counts them.
        """
        part = part_of(asset, parts or pages(post)) if asset else ""
        facts = _Facts(post=post, asset=asset, rendition=rendition, part=part, ext=ext)
        return "".join(_plain(token, facts, more) for token in self.tokens)


def _plain(token: _Token, facts: _Facts, more: Mapping[str, str | int | None]) -> str:
    if not token.field:
        return token.text
    if token.field in more:
        value = more[token.field]
        return "" if value is None else str(value)
    kind, read = _FIELDS[token.field]
    if kind == "user":
        return "".join(piece.text for piece in _user_pieces(facts.post.author.nickname, token.text, facts))
    return _shown(kind, read(facts), token.text, tidy=readable, id_of=str)


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern for paths, as a person writes it; `Template.parse` reads it."""

    text: str
    components: tuple[tuple[_Token, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a template.

        `{field}` or `{field:.80}` (at most 80 bytes), `{date:%Y-%m}`, `{episode:03}`; `/` separates folders, `{{` and
        `}}` are braces. Where `{id}`, `{part}` or `.{ext}` are missing they are put at the end, since names without
        them would not be unique. Raises ConfigError.
        """
        _refuse_rooted(text)
        components = _split(_tokens(text))
        for component in components:
            _check_literals(component, text)
        used = {token.field for component in components for token in component}
        components[-1] = _completed(components[-1], used)
        return cls(text, tuple(tuple(component) for component in components))

    @property
    def fields(self) -> frozenset[str]:
        """The fields that are used, those put at the end included."""
        return frozenset(token.field for component in self.components for token in component if token.field)

    def path(
        self,
        post: Post,
        asset: Asset,
        ext: str,
        *,
        parts: int | None = None,
        rendition: Rendition | None = None,
        folder: FolderLookup = no_folder,
        limit: PathLimit = PathLimit(),
    ) -> PurePosixPath:
        """The relative path of one file.

        `parts` is the post's number of pages; None counts them, which takes long when it is done for every file of a
        long post. `rendition` is the one chosen (the asset's first when None). `folder` finds the folder that an account has already, whatever stands before its id. Raises
        ConfigError when the path cannot be made to fit into `limit`.
        """
        chosen = rendition or next(iter(asset.renditions), None)
        ext = extension(ext, asset.kind)
        facts = _Facts(
            post=post, asset=asset, rendition=chosen, part=part_of(asset, parts or pages(post)), ext=ext
        )
        return self._fit(facts, folder, limit)

    def sidecar(
        self,
        post: Post,
        ending: str,
        *,
        folder: FolderLookup = no_folder,
        limit: PathLimit = PathLimit(),
    ) -> PurePosixPath:
        """The relative path of a file beside the media: the post's stem and `ending`, one of SIDECARS."""
        if ending not in SIDECARS:
            raise ValueError(ending)
        facts = _Facts(post=post, asset=None, rendition=None, part="", ext=ending)
        return self._fit(facts, folder, limit)

    def _fit(self, facts: _Facts, folder: FolderLookup, limit: PathLimit) -> PurePosixPath:
        """Shorten the components together until the whole path fits."""
        spare = _TAIL - size(facts.part + facts.ext) + _TEMPORARY
        with contextlib.suppress(_TooLong):
            for length in range(_COMPONENT, _SHORTEST_COMPONENT, -8):
                path = self._render(facts, folder, length)
                if limit.holds(path, spare):
                    return path
        raise ConfigError(
            f"a path of the template {self.text!r} does not fit into the {limit.length} characters left for it, "
            f"or a name in it into {_COMPONENT}",
            hint="use fewer fields between two slashes, or a download folder with a shorter path",
        )

    def _render(self, facts: _Facts, folder: FolderLookup, length: int) -> PurePosixPath:
        path = PurePosixPath()
        for component in self.components[:-1]:
            name = _existing(component, facts, path, folder) or _component(component, facts, length)
            path = path / name if name else path
        return path / _component(self.components[-1], facts, length - _TAIL, spare_tail=True)


class _TooLong(ValueError):
    """What must not be cut is longer than a name may be."""


_OF_ACCOUNT = frozenset({"site", "user", "nickname", "handle", "uid", ""})


def _existing(
    tokens: Sequence[_Token], facts: _Facts, parent: PurePosixPath, folder: FolderLookup
) -> str | None:
    """The folder that the account has already, if this component is one folder per account, told by its id."""
    ending = _account_ending(tokens, facts)
    if ending is None or not _OF_ACCOUNT.issuperset(token.field for token in tokens):
        return None
    found = folder(parent, ending)
    beginning = "" if tokens[0].field else tokens[0].text
    if (
        found
        and found.startswith(beginning)
        and found.endswith(ending)
        and PurePosixPath(found).name == found
    ):
        return found
    return None


def _account_ending(tokens: Sequence[_Token], facts: _Facts) -> str | None:
    """`_{uid}` if the component ends so, else None."""
    last = tokens[-1].field
    before = tokens[-2].text if len(tokens) > 1 and not tokens[-2].field else ""
    if last == "user" or (last == "uid" and before.endswith("_")):
        return _account_suffix(facts)
    return None


def _account_suffix(facts: _Facts) -> str:
    return "_" + identifier(facts.post.author.uid or facts.post.author.id)


def _component(tokens: Sequence[_Token], facts: _Facts, length: int, *, spare_tail: bool = False) -> str:
    """One component of at most `length` bytes; with `spare_tail` part and extension are not counted.

    Empty if all its fields are. Raises _TooLong.
    """
    pieces = [piece for token in tokens for piece in _pieces(token, facts)]
    fixed = [piece for piece in pieces if not piece.cuttable and not (piece.tail and spare_tail)]
    room = length - sum(size(piece.text) for piece in fixed)
    if room < 0:
        raise _TooLong
    level = _level([size(piece.text) for piece in pieces if piece.cuttable], room)
    return _safe_component(_joined(_cut_piece(piece, level) for piece in pieces))


def _cut_piece(piece: _Piece, limit: int) -> _Piece:
    return _Piece(cut(piece.text, limit), cuttable=True) if piece.cuttable else piece


def _level(sizes: Sequence[int], room: int) -> int:
    """The length to which the longest of several texts must be cut so that all fit into `room`."""
    left = room
    for count, length in zip(range(len(sizes), 0, -1), sorted(sizes), strict=True):
        if length * count > left:
            return left // count
        left -= length
    return room


_SEPARATORS = "_- "


def _joined(pieces: Iterable[_Piece]) -> str:
    """The pieces in a row; an empty one takes the separators before it along, or those after it at the start."""
    text = ""
    begins_empty = False
    for piece in pieces:
        if piece.literal and begins_empty:
            text += piece.text.lstrip(_SEPARATORS)
        else:
            text += piece.text
        if not (piece.text or piece.tail):
            text = text.rstrip(_SEPARATORS)
            begins_empty = True
        begins_empty = begins_empty and not text
    return text


def _pieces(token: _Token, facts: _Facts) -> list[_Piece]:
    if not token.field:
        return [_Piece(token.text, literal=True)]
    kind, read = _FIELDS[token.field]
    if kind == "user":
        return _user_pieces(facts.post.author.nickname, token.text, facts)
    text = _shown(kind, read(facts), token.text, tidy=clean, id_of=identifier)
    return [_Piece(text, cuttable=kind == "text", tail=kind == "tail")]


def _user_pieces(nickname: str, form: str, facts: _Facts) -> list[_Piece]:
    suffix = _account_suffix(facts)
    limit = int(form[1:]) - size(suffix) if form else _NICKNAME_LIMIT
    name = cut(clean(nickname), max(limit, 0))
    return [_Piece(name or "user", cuttable=bool(name)), _Piece(suffix)]


def _shown(
    kind: _Kind, value: _Value, form: str, *, tidy: Callable[[str], str], id_of: Callable[[str], str]
) -> str:
    """A value as text, in the form that stands after the field's colon."""
    match value:
        case None:
            return ""
        case datetime():
            return tidy(_dated(value, form or _STANDARD_DATE))
        case int():
            return format(max(0, min(value, _LARGEST_NUMBER)), form)
    match kind:
        case "id":
            return id_of(value)
        case "word":
            return cut(tidy(value), _LONGEST_WORD)
        case "text" if form:
            return cut(tidy(value), int(form[1:]))
        case "tail":
            return value
        case _:
            return tidy(value)


# --- reading templates ------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<field>[^{}]*)\}|(?P<stray>[{}])|(?P<literal>[^{}]+)")
_FORMS: Mapping[_Kind, re.Pattern[str]] = {
    "text": re.compile(r"\.[1-9][0-9]{0,2}"),
    "user": re.compile(r"\.[1-9][0-9]{0,2}"),
    "number": re.compile(r"0?[1-9]"),
    "date": re.compile(rf"([^%/\\{{}}]|%[{''.join(_DATE_PARTS)}])+"),
}


def _tokens(text: str, more: Collection[str] = ()) -> Iterator[_Token]:
    """The tokens of a template; `more` are names beside FIELDS. Raises ConfigError."""
    for match in _TOKEN.finditer(text):
        if match["stray"]:
            raise ConfigError(
                f"a brace without its other half at column {match.start() + 1} of the template {text!r}",
                hint="write {{ or }} for a brace itself",
            )
        if match["field"] is not None:
            yield _field(match["field"], text, more)
        else:
            yield _Token("", match["literal"] or match["brace"][0])


def _field(inside: str, template: str, more: Collection[str]) -> _Token:
    if inside in more:
        return _Token(inside, "")
    name, colon, form = inside.partition(":")
    if name not in _FIELDS:
        names = ", ".join((*FIELDS, *more))
        raise ConfigError(f"unknown field {{{inside}}} in the template {template!r}", hint=f"fields: {names}")
    if colon:
        _check_form(name, form, template)
    return _Token(name, form)


def _check_form(name: str, form: str, template: str) -> None:
    kind, _ = _FIELDS[name]
    allowed = _FORMS.get(kind)
    if allowed is not None and allowed.fullmatch(form):
        return
    hint = {
        "text": f"write {{{name}:.80}} for at most 80 bytes",
        "user": f"write {{{name}:.80}} for at most 80 bytes; the id in it is never cut",
        "number": f"write {{{name}:03}} for at least three digits",
        "date": f"use %{' %'.join(_DATE_PARTS)}; for folders write {{date:%Y}}/{{date:%m}}",
    }.get(kind, f"{{{name}}} is never cut, write it alone")
    raise ConfigError(f"{{{name}:{form}}} cannot be read in the template {template!r}", hint=hint)


def _split(tokens: Iterator[_Token]) -> list[list[_Token]]:
    """The tokens by folder."""
    components: list[list[_Token]] = [[]]
    for token in tokens:
        if token.field:
            components[-1].append(token)
            continue
        first, *others = token.text.split("/")
        for number, literal in enumerate((first, *others)):
            if number:
                components.append([])
            if literal:
                components[-1].append(_Token("", _literal(literal)))
    return components


def _literal(text: str) -> str:
    """Fixed text of a template: cleaned character by character, blanks and dots kept."""
    text = unicodedata.normalize("NFC", text)
    return "".join(_clean_character(text, at) for at in range(len(text)))


def _refuse_rooted(text: str) -> None:
    if not text.strip():
        raise ConfigError("the template is empty", hint=f"the default is {STANDARD}")
    if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
        raise ConfigError(
            f"the template {text!r} begins outside of the download folder", hint="give the folder with --path"
        )
    if "\\" in text:
        raise ConfigError(
            f"a backslash in the template {text!r}", hint="write / between folders, on Windows too"
        )


def _check_literals(component: Sequence[_Token], template: str) -> None:
    if not component:
        raise ConfigError(
            f"an empty folder or file name in the template {template!r}", hint="write one / between two"
        )
    literal = "".join(token.text for token in component if not token.field)
    if all(not token.field for token in component) and literal.strip(" .") == "":
        raise ConfigError(
            f"the folder {literal!r} in the template {template!r}", hint="templates only lead downwards"
        )
    if size(literal) > _SHORTEST_COMPONENT:
        raise ConfigError(
            f"a name with {size(literal)} bytes of fixed text in the template {template!r}",
            hint=f"use at most {_SHORTEST_COMPONENT} between two slashes",
        )


def _completed(tokens: Sequence[_Token], used: set[str]) -> list[_Token]:
    """The last component with id, part and extension at its end, in this order, where they are missing."""
    stem, ending = list(tokens), [_Token("", "."), _Token("ext", "")]
    if stem[-1].field == "ext" and len(stem) > 1 and not stem[-2].field and stem[-2].text.endswith("."):
        stem[-2:] = [_Token("", stem[-2].text[:-1])] if stem[-2].text != "." else []
    if stem and stem[-1].field == "part":
        ending.insert(0, stem.pop())
    elif "part" not in used:
        ending.insert(0, _Token("part", ""))
    if "id" not in used:
        stem += [_Token("", "_"), _Token("id", "")] if stem else [_Token("id", "")]
    return stem + ending
