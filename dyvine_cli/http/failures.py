"""The one door where httpcore's errors become ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore

from dyvine_cli.errors import DyvineError, InputError, NetworkError, Timeout, Truncated

_CAUSES = {
    errno.ECONNREFUSED: "the connection was refused: nothing listens there, or a firewall turns it away",
    errno.ECONNRESET: "the connection was reset",
    errno.ENETUNREACH: "there is no way to its network",
    errno.EHOSTUNREACH: "there is no way to it",
    errno.EACCES: "a rule of this machine forbids it",
    errno.EPIPE: "the connection was closed",
}
"""What the system says, in words that name no address."""


class BrokenHandshake(httpcore.ConnectError):
    """The other end broke the TLS handshake off: an overloaded one, or one that does not like our way of speaking."""


class Abandoned(httpcore.ReadError):
    """A connection that had served before ended with nothing of an answer: its host had closed it meanwhile."""


def is_abandoned(exc: BaseException) -> bool:
    """Whether an error of ours says that a kept connection had been closed, so that nobody read the request."""
    return isinstance(exc.__cause__, Abandoned)


def is_broken_handshake(exc: BaseException) -> bool:
    """Whether an error of ours says that the other end broke the TLS handshake off."""
    return isinstance(exc.__cause__, BrokenHandshake)


@contextmanager
def mapped(host: str) -> Iterator[None]:
    """Turn errors of connecting, sending and reading a head into ours, naming `host` and nothing secret."""
    try:
        yield
    except httpcore.TimeoutException as exc:
        raise Timeout(f"{host} did not answer in time") from exc
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol):
        # The cause would show the header, which may be a cookie.
        raise InputError(f"a request to {host} has characters that HTTP does not allow") from None
    except BrokenHandshake as exc:
        raise NetworkError(f"{host} broke off the TLS handshake") from exc
    except httpcore.ConnectError as exc:
        raise NetworkError(f"{host} cannot be reached: {reason(exc)}") from exc
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as exc:
        raise NetworkError(f"{host} broke off or does not speak HTTP: {reason(exc)}") from exc


class Progress:
    """How far a body has come; the words for its breaking off."""

    def __init__(self, host: str, promised: int | None) -> None:
        self.host = host
        self.promised = promised
        self.count = 0

    @contextmanager
    def mapped(self) -> Iterator[None]:
        """Turn errors of reading a body into Timeout and Truncated, with the counts."""
        try:
            yield
        except httpcore.TimeoutException as exc:
            raise Timeout(f"{self.host} fell silent after {self}") from exc
        except (httpcore.NetworkError, httpcore.ProtocolError) as exc:
            raise Truncated(f"{self.host} broke off after {self}") from exc

    def __str__(self) -> str:
        whole = "" if self.promised is None else f" of {self.promised}"
        return f"{self.count}{whole} bytes"


def reason(exc: BaseException) -> str:
    """Why a connection failed, in one printable line: the system's cause in our words, else the library's.

    The latter may quote what the server sent.
    """
    if isinstance(exc, DyvineError):
        return exc.message
    number = next((cause.errno for cause in _causes(exc) if isinstance(cause, OSError) and cause.errno), None)
    if number in _CAUSES:
        return _CAUSES[number]
    return printable(str(exc)) or type(exc).__name__


def printable(text: str) -> str:
    """A foreign text as part of one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))[:160]


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """An error and what it came from."""
    found: BaseException | None = exc
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
