"""Words of the invented people: names, ordinary texts, and texts that try to break a file name."""

from __future__ import annotations

import random

NAMES_A = ("青石", "晚舟", "半夏", "木落", "南栀", "听雨", "拾光", "北野", "云归", "小满", "星野", "知秋")  # fmt: skip
NAMES_B = ("的院子", "在路上", "手作", "日记", "和猫", "同学", "工作室", "慢生活", "阿川", "研究所", "🌿", "")  # fmt: skip
_TIMES = ("清晨", "傍晚", "雨后", "立秋那天", "凌晨四点", "周末", "放学路上", "停电的夜里")  # fmt: skip
_PLACES = ("老城墙下", "江边", "阳台上", "山里的小站", "外婆家", "天桥", "菜市场", "旧书店")  # fmt: skip
_DEEDS = ("煮了一锅面", "遇见一只橘猫", "修好了那台收音机", "看完整场日落", "学会了吹口哨", "捡到一枚贝壳", "种下三棵番茄")  # fmt: skip
_TAGS = ("生活记录", "手工", "旅行", "猫", "美食", "日落", "治愈", "乡村")  # fmt: skip


def ordinary_text(draw: random.Random) -> str:
    """When, where and what, with up to two hashtags."""
    words = draw.choice(_TIMES) + "在" + draw.choice(_PLACES) + draw.choice(_DEEDS)
    tags = draw.sample(_TAGS, draw.randrange(3))
    return words + "".join(f" #{tag}" for tag in tags)


def article_text(draw: random.Random) -> str:
    """Markdown of some 1,500 characters with the places of three pictures, `image-0` to `image-2`."""
    paragraphs = [f"{ordinary_text(draw).split(' ')[0]}。" * 12 for _ in range(6)]
    for n in range(3):
        paragraphs.insert(2 * n + 1, f"![](image-{n})")
    return "## 第一章\n\n" + "\n\n".join(paragraphs)


def note_text(draw: random.Random) -> str:
    """A long text as the web gives it: cut, with the sentence that says so (recorded 2026-08)."""
    return "，".join(ordinary_text(draw).split(" ")[0] for _ in range(9)) + "……版本过低，升级后可展示全部信息"


_HOSTILE = (
    "../../../etc/passwd", "..", ".", "...", "", " ", "\u3000", "/etc/shadow", "C:\\Windows\\win.ini", "\\\\host\\share\\a",
    "~", "~root/.ssh", "-rf *", "--output=x", "CON", "nul.mp4", "COM¹", "LPT1.txt", "aux", "a:b:$DATA", "name.", "name ",
    "\u202egnp.exe", "a\u200bb\u2060c", "tab\there", "line\nbreak\r\nmore", "nul\x00byte", "bell\x07\x1b[31mred\x1b[0m",
    "{id}{0.__class__}", "%(title)s %d", "$(reboot) `id` ;&|", "[link=https://example.invalid]x[/link]", "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0", "{\\an8\\p1}m 0 0", "a/b/c.mp4/../../x", "?*|<>\"':", "Straße", "STRASSE", "straße", "é", "e\u0301",
    "ＡＢＣ", "ABC", "abc", "山" * 300, "字" * 26 + "👨‍👩‍👧‍👦" * 3, "a\u0301" * 60, "👍🏽" * 40, "مرحبا بالعالم", "שלום #猫", "同名", "同名", "同名",
    "x.part", "x.mp4", "desktop.ini", "#", "# # #", "\ufeffbom", "｛id｝", "e" * 255,
)  # fmt: skip


def hostile_text(index: int) -> str:
    """Each trick in turn; every fourth post carries its number as well, so that both forms are met."""
    text = _HOSTILE[index % len(_HOSTILE)]
    return f"{text} {index}" if index % 4 == 3 else text
