"""Every error that dyvine raises, with its exit status and whether another try can help.

```text
DyvineError                 1    unexpected; keeps the cause with `from`
  InputError                2    UnsupportedURL, ConfigError, MissingExtra
  SiteError                      says which ref and which endpoint
    LoginNeeded             4    LoginExpired
    NotFound                5    Deleted, Private, Banned, InReview, Paid, NotInRegion
    Refused                 6    RateLimited, RiskControl, SignatureRejected
    ListingIncomplete       7    keeps the cursor to go on from, and the cut's cause
    UnexpectedResponse      8    the platform changed; names the field
    NotLive                13    the room is off air
  NetworkError              9    Timeout, TLSFailure, ProxyFailure, AddressRefused, LinkExpired, Truncated,
                                 ContentChanged
  DiskError                10    DiskFull, NotWritable
  StorageError             11    the copy at the target failed; the local file is kept
  ArchiveError             12
  Busy                     14    another run holds the lock
```

Exit statuses that no class has: 0 all done or nothing new, 3 some of several things failed, 15 nothing new under
`--fail-if-nothing-new`, 130 and 143 signals, 141 stdout closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from dyvine_cli.models import Cursor, Ref


class DyvineError(Exception):
    """Anything that went wrong in a way dyvine knows; `hint` is the cure in one line, None if there is none.

    `cure` is the hint of the whole class, for an error that brings none of its own.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    cure: ClassVar[str | None] = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.cure

    @property
    def name(self) -> str:
        """The class name: the one word for this cause in the terminal, JSON lines, archive and HTTP answers."""
        return type(self).__name__

    def __str__(self) -> str:
        return self.message


class InputError(DyvineError):
    """The person asked for something that cannot be done as written."""

    exit_code = 2


class UnsupportedURL(InputError):
    """No site of ours knows this link, or the link's kind is not supported."""


class ConfigError(InputError):
    """A setting in the file, the environment or an option is invalid; names the file and line where it can.

    `line` is that of the file, None for what does not stand in one.
    """

    def __init__(self, message: str, *, hint: str | None = None, line: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.line = line


class MissingExtra(InputError):
    """An optional part is not installed; the hint is its pip line."""


class SiteError(DyvineError):
    """A platform answered something other than what was asked for.

    `ref` is what was asked for (None outside of a ref), `endpoint` the short name of the route.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, ref: Ref | None = None, endpoint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.ref = ref
        self.endpoint = endpoint


class LoginNeeded(SiteError):
    """The platform shows this only to a logged-in account."""

    exit_code = 4
    cure = "add a login: dyvine login add FILE"


class LoginExpired(LoginNeeded):
    """The login that was given is no longer accepted."""

    cure = "log in again in the browser, then run: dyvine login add FILE"


class NotFound(SiteError):
    """The thing does not exist or cannot be seen by anyone we can be."""

    exit_code = 5
    cure = "check the link or id: copy it again from the app; what is gone stays gone"


class Deleted(NotFound):
    """Removed by its author or the platform."""

    cure = "nothing can be done: nobody gets it any more; files that you saved before stay"


class Private(NotFound):
    """Only its author, or people its author chose, may see it."""

    cure = "only a login that may see it gets it: dyvine login add FILE"


class Banned(NotFound):
    """The account was banned or cancelled."""

    cure = "nothing can be done: the platform shows nothing of it any more; files that you saved before stay"


class InReview(NotFound):
    """The platform still reviews it, or its review took it down."""

    cure = "try again in some hours or days: it may come out of review"


class Paid(NotFound):
    """Only for those who bought it."""

    cure = "a login that bought it gets it: dyvine login add FILE"


class NotInRegion(NotFound):
    """Not shown in the region of our address, or withheld for rights."""

    cure = "a network of another region may see it: --proxy URL"


class Refused(SiteError):
    """The platform does not serve us now; others are served."""

    exit_code = 6
    cure = "try again in some minutes; if it stays, use --pace slow, a login or another network"


class RateLimited(Refused):
    """Too many requests; `retry_after` in seconds as the server said, None if it did not.

    `call` is the class of calls that the request budget makes no more of, None where it is about all of them.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        ref: Ref | None = None,
        endpoint: str | None = None,
        retry_after: float | None = None,
        call: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, ref=ref, endpoint=endpoint)
        self.retry_after = retry_after
        self.call = call


class RiskControl(Refused):
    """The platform takes us for a robot: empty answers, captcha pages."""


class SignatureRejected(Refused):
    """The platform did not accept a signature or a device id."""


class ListingIncomplete(SiteError):
    """A listing ended before its end; `cursor` goes on from there, `cause` is what cut it.

    `cursor` is None when there is no place to go on from (the next run starts at the top). `reason` is the why without
    the numbers. `missing` is how many declared entries a walk from the top lacked when the platform's own end came, without
    anything odd on the way; 0 for any other cut.
    """

    exit_code = 7

    def __init__(
        self,
        message: str,
        *,
        cursor: Cursor | None,
        cause: DyvineError | None = None,
        reason: str = "",
        missing: int = 0,
        hint: str | None = None,
        ref: Ref | None = None,
        endpoint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, ref=ref, endpoint=endpoint)
        self.cursor = cursor
        self.cause = cause
        self.reason = reason or message
        self.missing = missing


class UnexpectedResponse(SiteError):
    """The platform answered in a shape we do not know; the message names the field."""

    exit_code = 8
    cure = "the platform may have changed: run `dyvine doctor`, and look for a newer dyvine"


class NotLive(SiteError):
    """The room is off air."""

    exit_code = 13
    cure = "try again when it is on air"


class NetworkError(DyvineError):
    """No connection, or it broke."""

    exit_code = 9
    retryable = True
    cure = "check the connection, a firewall, and --proxy if you need one; then run the same command again"


class Timeout(NetworkError):
    """The server was silent, or too slow to be of use."""

    cure = "run the same command again: it goes on where it stopped; on a slow line -N 2 helps, else try --proxy URL"


class TLSFailure(NetworkError):
    """The server's certificate could not be verified."""

    retryable = False


class ProxyFailure(NetworkError):
    """The proxy refused or could not be reached."""

    retryable = False


class AddressRefused(NetworkError):
    """Data led to an address that we do not open: a private network, another scheme, HTTPS to HTTP, a circle."""

    retryable = False
    cure = "check the link, and what stands between you and the platform: a proxy, a captive portal"


class LinkExpired(NetworkError):
    """Every address of a file has run out; ask the site for fresh ones."""

    retryable = False
    cure = "run the same command again in some minutes: it asks for fresh addresses"


class Truncated(NetworkError):
    """Fewer or more bytes than promised arrived, or they are not a whole file of their type."""

    cure = "run the same command again: it goes on where it stopped; if it stays, try -N 2 or another network"


class ContentChanged(NetworkError):
    """The file behind the address is no longer the one that was begun."""

    cure = "run the same command again: the file is begun anew"


class DiskError(DyvineError):
    """The disk did not take a file."""

    exit_code = 10
    cure = "check the disk and this folder, or choose another folder with -P"


class DiskFull(DiskError):
    """No space, or no quota, left."""


class NotWritable(DiskError):
    """The folder or file cannot be written: permissions, a read-only volume, something of another kind in the way."""


class StorageError(DyvineError):
    """The copy at the target failed; the local file is kept."""

    exit_code = 11


class ArchiveError(DyvineError):
    """The archive cannot be read or written."""

    exit_code = 12


class Busy(DyvineError):
    """Another run holds the lock; the message names its process id and start."""

    exit_code = 14
