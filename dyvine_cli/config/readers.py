"""What a flag, a variable or TOML gives -> a value; every reader raises Wrong, with the cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from dyvine_cli.errors import InputError
from dyvine_cli.models import PostKind
from dyvine_cli.quantities import Wrong, parse_duration, quoted

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

_LAST_PORT = 65535
_PROXY_SCHEMES = ("http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h")
_SHORTEST_VALUE = 6  # characters of a cookie that is worth hiding
LIST = "list:"
"""What a proxy setting begins with that names a list of them."""


EXPLAINED = "the README explains it"
_EMPTY = "give one that is not empty; in a file it stands in quotes"
_HTTP_PROXY = "write http://host:port, https://host:port or socks5://host:port; none goes without"
_PROXY_LIST = "write list:FILE or list:https://HOST/PATH, without a login in it"


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, None if none is near."""
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(word.lower().replace("-", "_"), tuple(known), n=1)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint for a misspelt word, None if no known one is near."""
    close = near(word, known)
    return f"did you mean '{close}'?" if close else None


def text(value: Any) -> str:
    """One line of text without the space around it."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("needs a text", _EMPTY)
    if not value.strip().isprintable():
        raise Wrong(
            "needs a text of one line without control characters", "take line ends and the like out of it"
        )
    return value.strip()


def expression(value: Any) -> str:
    """What --match takes; in a file it may run over several lines."""
    from dyvine_cli import match  # only for those who use it

    words = text(value.replace("\n", " ") if isinstance(value, str) else value)
    try:
        match.parse(words)
    except InputError as error:
        raise Wrong(error.message, error.hint or EXPLAINED) from None
    return words


def tag(value: Any) -> str:
    """One word."""
    word = text(value)
    if re.search(r"[\s,]", word) or word.startswith("-"):
        raise Wrong(
            f"{quoted(word)} is no tag", "write one word, without blanks or commas, not beginning with -"
        )
    return word


def full_every(value: Any) -> float | None:
    """Seconds, None for `never`."""
    if isinstance(value, str) and value.strip().lower() in ("never", "none"):
        return None
    return parse_duration(value)


def link(value: Any) -> str:
    """A text that is shown without the login and the tokens of the address in it."""
    return text(value)


def mask_link(words: str) -> str:
    """A link or address for people: without user, password and tokens."""
    from dyvine_cli import redact  # only to show settings

    if " " in words:
        return redact.Redactor().text(words)
    if "://" in words:
        return redact.link(words)
    return redact.link(f"https://{words}").removeprefix("https://") if re.search("[/?]|.@", words) else words


def switch(value: Any) -> bool:
    """True or false, also as the words people write into variables."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise Wrong(f"{quoted(value)} is neither true nor false", "write true or false")
    return word in ("1", "true", "yes", "on")


def whole(least: int, most: int, value: Any) -> int:
    """A whole number between two, both included."""
    digits = "" if isinstance(value, (bool, float)) else str(value).strip()
    hint = f"write a whole number from {least} to {most}"
    if not re.fullmatch(r"-?[0-9]{1,18}", digits):
        raise Wrong(f"{quoted(value)} is no whole number", hint)
    if not least <= int(digits) <= most:
        raise Wrong(f"{digits} is out of range: {least} to {most}", hint)
    return int(digits)


def level(most: int, value: Any) -> int:
    """A whole number from 0, where true means 1."""
    if isinstance(value, bool) or (isinstance(value, str) and not value.strip().isdecimal()):
        return int(switch(value))
    return whole(0, most, value)


def one_of(known: tuple[str, ...], value: Any) -> str:
    """One of the known words, in any case."""
    if not isinstance(value, str) or value.strip().lower() not in known:
        hint = did_you_mean(str(value), known) or f"write {' or '.join((', '.join(known[:-1]), known[-1]))}"
        raise Wrong(f"{quoted(value)} is none of {', '.join(known)}", hint)
    return value.strip().lower()


def items(read: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    """A TOML list, a repeated flag or words between commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple, set, frozenset)):
        raise Wrong("needs a list, or words between commas", 'such as "a,b"; in a file also ["a", "b"]')
    return tuple(read(part) for part in parts if not (isinstance(part, str) and not part.strip()))


def names(value: Any) -> tuple[str, ...]:
    """Names between commas, at least one; a list in a file may be empty."""
    return items(text, value) or _none_of(value, "write a name, or several between commas")


def kinds(value: Any) -> frozenset[str]:
    """Kinds of posts, at least one; a list in a file may be empty."""
    known = get_args(PostKind)
    found = items(partial(one_of, known), value)
    return frozenset(found or _none_of(value, f"write one or several of {','.join(known)}"))


def _none_of(value: Any, hint: str) -> tuple[str, ...]:
    """Nothing, as a list says it; words that say nothing were meant to say something: a variable that is empty."""
    if isinstance(value, str):
        raise Wrong("names nothing", hint)
    return ()


def browser(known: tuple[str, ...], value: Any) -> str:
    """`BROWSER[:PROFILE]` of a known browser."""
    words = text(value)
    one_of(known, words.partition(":")[0])
    return words


def template(value: Any) -> str:
    """Names for files with fields in braces."""
    from dyvine_cli.naming import Template  # only for those who use it

    words = text(value)
    try:
        Template.parse(words)
    except InputError as error:
        raise Wrong(error.message, error.hint or EXPLAINED) from None
    return words


def quality(value: Any) -> str:
    """`best`, `worst`, `original` or the short edge in pixels, with or without `p`."""
    word = "" if isinstance(value, bool) else str(value).strip().lower()
    if word in ("best", "worst", "original"):
        return word
    if not re.fullmatch(r"[1-9][0-9]{1,4}p?", word):
        words = ("best", "worst", "original")
        raise Wrong(
            f"{quoted(value)} is no quality",
            did_you_mean(word, words) or "write best, worst, original or a height such as 1080",
        )
    return word.removesuffix("p")


def path(value: Any) -> Path:
    """A path with `~` replaced; variables in it are not."""
    words = text(str(value) if isinstance(value, Path) else value)
    try:
        return Path(words).expanduser()
    except RuntimeError:
        raise Wrong(f"{quoted(words)}: this user has no home folder", "write the path from / on") from None


def cookie_file(value: Any) -> Path:
    """A file of cookies; cookies themselves, or one's value, are refused and never repeated."""
    words = str(value).strip() if isinstance(value, (str, Path)) else ""
    if words and not is_file_name(words) and not stands(words):
        raise Wrong("needs a file of cookies, and there is none of this name", NO_COOKIE_FILE)
    return path(value)


NO_COOKIE_FILE = "a Cookie header goes to `dyvine login add -`, or into DOUYIN_COOKIE for one run"
"""What to do with cookies that were given where a file is meant."""


def is_file_name(words: str) -> bool:
    """Whether a text can only be meant as the name of a file, so that it may be shown: no cookies, no cookie's value."""
    if re.match(r"(?:~\w*[/\\]|\.{0,2}[/\\]|[A-Za-z]:[/\\])", words):
        return True
    if re.search(r"[=;|%]", words):
        return False
    return len(words) < _SHORTEST_VALUE or re.search(r"\.[A-Za-z][A-Za-z0-9]{0,7}$", words) is not None


def stands(name: str) -> bool:
    """Whether something of this name is there; a whole cookie header is longer than any name may be."""
    try:
        return Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, or with a zero in it, or of an unknown user
        return False


def network(value: Any) -> IPv4Network | IPv6Network:
    """A range of addresses, or one address."""
    from ipaddress import ip_network

    try:
        return ip_network(text(value), strict=False)
    except ValueError:
        raise Wrong(f"{quoted(value)} is no address range", "write 10.0.0.0/8 or fd00::/8") from None


def secret(value: Any) -> str:
    """A text that no error may quote."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("needs a text", _EMPTY)
    return value.strip()


def addresses(value: Any) -> tuple[str, ...]:
    """Addresses of services, `kind://…`, between commas or blanks in a variable; no error quotes one."""
    parts = re.split(r"[\s,]+(?=[A-Za-z0-9]+://)", value.strip()) if isinstance(value, str) else value
    found: tuple[str, ...] = items(secret, parts)
    for number, each in enumerate(found, start=1):
        if not re.match(r"[A-Za-z0-9]+://\S", each) or not each.isprintable():
            raise Wrong(
                f"number {number} is no address of a service: write ntfy://TOPIC, tgram://TOKEN/CHAT, mailto://…",
                "all kinds: https://appriseit.com/services/",
            )
    return found


def webhook(value: Any) -> str:
    """An http or https address that no error quotes."""
    from urllib.parse import urlsplit

    words = secret(value)
    try:
        parts = urlsplit(words)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not words.isprintable() or re.search(r"[\s\\]", words):
        raise Wrong("needs an address like https://HOST/PATH", "copy all of it, from http:// or https:// on")
    return words


def time_of_day(value: Any) -> str:
    """`08:00`, from 00:00 to 23:59, also as TOML's own time."""
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?", str(value).strip())
    if found is None:
        raise Wrong(f"{quoted(value)} is no time of day", "write 08:00, from 00:00 to 23:59")
    return f"{int(found[1]):02}:{found[2]}"


def command(value: Any) -> str | None:
    """A command line that splits into words; None for `none`. No error quotes it."""
    import shlex

    words = text(value)
    if words.lower() == "none":
        return None
    try:
        parts = shlex.split(words)
    except ValueError:
        raise Wrong("has a quote that is not closed", "quotes group words as in a shell") from None
    if not parts or not parts[0]:
        raise Wrong("names no command", "write a program and its arguments, or none")
    return words


def mask_command(words: str) -> str:
    """A command line for people: without what looks like a token."""
    from dyvine_cli import redact  # only to show settings

    return redact.Redactor().text(words)


def proxy(value: Any) -> str | None:
    """A proxy's address, or `list:` with a file or address, as the network takes it; None for `none`.

    Errors never show a password.
    """
    words = text(value)
    if words.startswith(LIST):
        return _proxy_list(words.removeprefix(LIST).strip())
    if words.lower() in ("none", "direct"):
        return None
    if "://" not in words and not re.search(r":[0-9]+/?$", words):
        raise Wrong(f"{_quoted_proxy(words)} is no proxy address", _HTTP_PROXY)
    address = words if "://" in words else f"http://{words}"
    scheme, _, rest = address.partition("://")
    scheme = {"socks": "socks5"}.get(scheme.lower(), scheme.lower())
    shown = _quoted_proxy(f"{scheme}://{rest}")
    if scheme not in ("http", "https", "socks5", "socks5h"):
        raise Wrong(f"{shown} is no proxy we can use: http, https and socks5 are known", _HTTP_PROXY)
    if not re.fullmatch(r"(?:[^@/?#\s]*@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?", rest):
        raise Wrong(f"{shown} is no proxy address", _HTTP_PROXY)
    port = re.search(r":([0-9]+)/?$", rest)
    if port and not 0 < int(port[1]) <= _LAST_PORT:
        raise Wrong(f"{shown} has no possible port", "a port is a number from 1 to 65535: http://host:8080")
    return f"{scheme}://{rest.removesuffix('/')}"


def _quoted_proxy(address: str) -> str:
    """What was given as a proxy, for errors; nothing of it where the login cannot be told from the rest."""
    scheme, _, rest = address.partition("://")
    is_clear = scheme.lower() in _PROXY_SCHEMES and "://" not in rest
    return quoted(mask_proxy(address) if is_clear or "@" not in address else "***")


def _proxy_list(source: str) -> str:
    if source.startswith(("http://", "https://")):
        if not re.fullmatch(
            r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?]\S*)?", source
        ):
            raise Wrong("this is no address of a list of proxies", _PROXY_LIST)
        return LIST + source
    if not source or "://" in source:
        raise Wrong("this names no list of proxies", _PROXY_LIST)
    return f"{LIST}{path(source)}"


def is_relative_list(value: Any) -> bool:
    """Whether a proxy setting is a list in a file that is not named from / or ~ on."""
    if not isinstance(value, str) or not value.startswith(LIST) or "://" in value:
        return False
    return not Path(value.removeprefix(LIST)).is_absolute()


def mask_proxy(address: str) -> str:
    """A proxy's address without user and password, for people; of a list's address only the host."""
    if address.startswith(f"{LIST}http"):
        return re.sub(r"(//[^/?#]*).+$", r"\1/***", address)
    return re.sub(r"//.*@", "//***@", address)
