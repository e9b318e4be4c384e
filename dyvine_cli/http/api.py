"""The API client: one identity, the request budget, repeated tries, answers read whole."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dyvine_cli import cookies
from dyvine_cli.budget import Budget
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import (
    AddressRefused,
    DyvineError,
    LoginExpired,
    NetworkError,
    RateLimited,
    Refused,
    UnexpectedResponse,
)
from dyvine_cli.events import Report, Warned, ignore
from dyvine_cli.http.addresses import Address, safe_url, split
from dyvine_cli.http.body import ACCEPTED, LARGEST, read_body
from dyvine_cli.http.exchange import Exchange, Trace
from dyvine_cli.http.failures import is_broken_handshake
from dyvine_cli.http.network import Network, Response
from dyvine_cli.http.redirects import STATUSES, carried, follow
from dyvine_cli.identity import Profile
from dyvine_cli.models import Ref

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, RetryCallState

__all__ = ["Answer", "ApiClient", "Exchange", "Request", "safe_url"]

log = logging.getLogger(__name__)

_TROUBLE = frozenset({500, 502, 503, 504})
_MOST_BRACKETS = 500_000
"""Lists and objects in one answer, each some 200 bytes when decoded.

Recorded answers have 3 to 8 in 1000 bytes, so the largest known, below 5 MB, has some 40,000 at most.
"""

_CLOCK_TOLERANCE = 120.0  # seconds; a signature carries the time, and an older or future one may be refused
CLOCK_HINT = "set the clock of this machine (date, time and time zone), then run the same command again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as a site makes it. `login` False sends no cookie and keeps none of the answer."""

    method: str = "GET"
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    login: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, read whole and unpacked. `headers` have lower-case names; `url` is where redirects ended."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    set_cookie_headers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """The body as UTF-8 without a byte order mark; bytes that are none become U+FFFD."""
        return self.body.decode("utf-8-sig", errors="replace")

    def json(self, what: str) -> Any:
        """The body as JSON; NaN and infinite numbers are None. Raises UnexpectedResponse naming `what`."""
        if self.body.count(b"[") + self.body.count(b"{") > _MOST_BRACKETS:
            raise UnexpectedResponse(f"{what}: JSON of more than {_MOST_BRACKETS} lists and objects")
        try:
            return json.loads(self.text, parse_constant=_nothing, parse_float=_finite)
        except RecursionError:
            raise UnexpectedResponse(f"{what}: JSON nested too deep") from None
        except ValueError:
            # Not chained: the cause would hold the whole text.
            kind = "an empty answer" if not self.body else f"no JSON ({len(self.body)} bytes)"
            raise UnexpectedResponse(f"{what}: {kind}") from None

    def set_cookies(self, name: str) -> tuple[str, ...]:
        """The values that this answer sets for a cookie, in their order, undecoded."""
        pairs = (text.partition(";")[0].partition("=") for text in self.set_cookie_headers)
        return tuple(value.strip() for key, _, value in pairs if key.strip() == name)

    @property
    def retry_after(self) -> float | None:
        """Seconds until the server wants to be asked again, never negative; None if it does not say."""
        return _retry_after(self.headers.get("retry-after", ""), datetime.now(UTC))


class ApiClient:
    """Sends a site's requests as one identity.

    `store` is called with the profile whenever its cookies change. `trace` receives every exchange. `clock` gives the
    time for cookies; that it differs by minutes from what the answers say is told once to `report`.
    """

    def __init__(
        self,
        network: Network,
        profile: Profile,
        budget: Budget,
        *,
        retries: int = 3,
        store: Callable[[Profile], None] | None = None,
        trace: Trace | None = None,
        report: Report = ignore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.profile = profile
        self._network = network
        self._budget = budget
        self._retries = retries
        self._store = store
        self._trace = trace
        self._report = report
        self._sleep = sleep
        self._clock = clock
        self._clock_fault = ""

    async def send(
        self,
        make: Callable[[], Request],
        *,
        call: str,
        endpoint: str,
        judge: Callable[[Answer], None] | None = None,
        ref: Ref | None = None,
        redirects: int = 0,
    ) -> Answer:
        """Send what `make` gives and return the answer, any status that `judge` lets pass.

        `make` is called anew for every try, so a signature is fresh. `call` is the budget's class, `endpoint` the name
        in errors and logs. `redirects` is how many are followed (to listed hosts only). Errors that another try can
        mend are tried again; an error status 500 to 504 counts as one until the last try, which `judge` sees.
        Raises what `judge` raises, RateLimited when the budget has ended this site, UnexpectedResponse, NetworkError.
        """

        async def once(*, last: bool) -> Answer:
            answer = await self._once(make(), endpoint, ref, redirects)
            self._judge(answer, judge, call, endpoint, last=last)
            return answer

        async with self._budget.turn(self.profile.site, self.profile.desk, call):
            try:
                return await once(last=not self._retries)
            except DyvineError as error:
                if not (self._retries and error.retryable):
                    raise
                first = error
        async for attempt in self._tries():
            number = attempt.retry_state.attempt_number
            if number == 1:
                with attempt:
                    raise first
            else:
                async with self._budget.turn(self.profile.site, self.profile.desk, call):
                    with attempt:
                        return await once(last=number > self._retries)
        raise AssertionError("tenacity raises after the last try")

    def refused(self, call: str, error: Refused) -> None:
        """Tell the budget of a refusal that was found in an answer outside of `send`.

        If the clock of this machine is off, the error's hint says so: it may be the reason.
        """
        if self._clock_fault:
            error.hint = f"{self._clock_fault}: {CLOCK_HINT}"
        self._budget.refused(self.profile.site, self.profile.desk, call, error)

    def imitate(self) -> bool:
        """Speak like the browser of the user agent from now on, after a refusal that may be about how we speak.

        False if that changes nothing: it is so already, is not wanted, or the extra for it is not installed.
        """
        return self._network.imitation.begin(self.profile.site, self.profile.user_agent or "")

    def explain(self, error: DyvineError) -> None:
        """Name in the hint of a refusal that may be about how we speak what is missing to imitate a browser."""
        self._network.imitation.explain(error)

    def cookie(self, name: str, *, url: str) -> str | None:
        """The value of the cookie of this name that goes to `url`, None if there is none."""
        now = self._clock()
        return next(
            (each.value for each in self.profile.cookies if each.name == name and each.goes_to(url, now)),
            None,
        )

    def set_cookie(self, name: str, value: str, *, url: str, domain: str | None = None) -> None:
        """Keep a cookie for the host of `url`, or for all of `domain`; it replaces those of its name that go there."""
        now = self._clock()
        address = split(url)
        made = Cookie(
            name, value, domain or address.host, secure=address.scheme == "https", host_only=domain is None
        )
        others = [each for each in self.profile.cookies if each.name != name or not each.goes_to(url, now)]
        self._keep((*others, made))

    def drop_cookies(self, *names: str) -> None:
        """Forget the cookies of these names."""
        self._keep(tuple(each for each in self.profile.cookies if each.name not in names))

    def set_device(self, device: Mapping[str, str]) -> None:
        """Keep the device ids that belong to the cookies, instead of those before."""
        self._put(self.profile.replace(device=dict(device)))

    @property
    def login_age(self) -> timedelta | None:
        """How long ago the login was last found alive, whichever way the clock went since; None if it is not known."""
        alive = self.profile.alive
        return abs(self._clock() - alive) if alive else None

    def found_alive(self) -> None:
        """Note that the login is alive."""
        self._put(self.profile.replace(alive=self._clock(), dead=None))

    def found_dead(self) -> None:
        """Note that the login is dead."""
        if self.profile.alive or not self.profile.dead:
            self._put(self.profile.replace(alive=None, dead=self._clock()))

    def _tries(self) -> AsyncRetrying:
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt  # most calls need one try

        return AsyncRetrying(
            stop=stop_after_attempt(self._retries + 1),
            retry=retry_if_exception(lambda exc: isinstance(exc, DyvineError) and exc.retryable),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )

    def _judge(
        self, answer: Answer, judge: Callable[[Answer], None] | None, call: str, endpoint: str, *, last: bool
    ) -> None:
        if answer.status in _TROUBLE and "retry-after" not in answer.headers and not last:
            raise NetworkError(f"{endpoint}: the server failed with status {answer.status}")
        try:
            if judge is not None:
                judge(answer)
        except Refused as exc:
            self.refused(call, exc)
            raise
        except LoginExpired:
            self.found_dead()
            raise
        if answer.status < 400:
            self._budget.accepted(self.profile.site, self.profile.desk, call)

    async def _once(self, request: Request, endpoint: str, ref: Ref | None, redirects: int) -> Answer:
        """One try with its redirects."""
        address = split(request.url)
        headers = dict(request.headers)
        for _ in range(redirects + 1):
            answer = await self._exchange(request, address, headers, endpoint, ref)
            location = answer.headers.get("location") if answer.status in STATUSES else None
            if not redirects or location is None or request.method != "GET":
                return answer
            after = follow(address, location)
            if not self._network.is_listed(after.host):
                raise AddressRefused(
                    f"{endpoint}: redirected to {after.host}, which is none of the platform's hosts"
                )
            headers, address = carried(headers, address, after), after
        raise AddressRefused(f"{endpoint}: redirected more than {redirects} times")

    async def _exchange(
        self, request: Request, address: Address, headers: Mapping[str, str], endpoint: str, ref: Ref | None
    ) -> Answer:
        """One request with its cookies, one answer read whole."""
        begun = time.perf_counter()
        sent = self._headers(request, address, headers)
        made = Exchange(
            endpoint=endpoint,
            method=request.method,
            url=safe_url(str(address)),
            status=None,
            size=0,
            seconds=0,
            full_url=str(address),
            sent=sent,
            content=request.content,
        )
        try:
            like = self._network.imitation.browser(self.profile.site, _agent(sent))
            sending = self._network.send(request.method, address, sent, request.content, like=like)
            async with sending as response:
                made = replace(made, status=response.status)
                answer = await self._read(response, address, endpoint)
            made = _answered(made, answer)
        except DyvineError as exc:
            made = replace(made, fault=exc.name)
            if is_broken_handshake(exc) and not self.imitate():
                self.explain(exc)
            if isinstance(exc, UnexpectedResponse):
                exc.ref, exc.endpoint = ref, endpoint
            raise
        finally:
            self._tell(replace(made, seconds=time.perf_counter() - begun))
        self._mind_clock(answer)
        if request.login:
            self._receive(answer)
        return answer

    async def _read(self, response: Response, address: Address, endpoint: str) -> Answer:
        return Answer(
            status=response.status,
            headers={
                name: response.header(name) or "" for name, _ in response.headers if name != "set-cookie"
            },
            body=await read_body(response, endpoint, largest=LARGEST),
            url=str(address),
            set_cookie_headers=tuple(value for name, value in response.headers if name == "set-cookie"),
        )

    def _headers(self, request: Request, address: Address, headers: Mapping[str, str]) -> dict[str, str]:
        """What is sent: the request's own, the identity's user agent, and cookies where they belong, over https."""
        names = {name.lower() for name in headers}
        sent = {name: value for name, value in headers.items() if name.lower() not in ("cookie", "host")}
        if "user-agent" not in names and self.profile.user_agent:
            sent["User-Agent"] = self.profile.user_agent
        if "accept-encoding" not in names:
            sent["Accept-Encoding"] = ACCEPTED
        if request.login and address.scheme == "https":
            jar = cookies.header(self.profile.cookies, str(address), self._clock())
            if jar:
                sent["Cookie"] = jar
        return sent

    def _mind_clock(self, answer: Answer) -> None:
        """Compare our clock with the answer's; a difference of minutes is told once."""
        theirs = _date(answer.headers.get("date", ""))
        ahead = (self._clock() - theirs).total_seconds() if theirs else 0.0
        if abs(ahead) <= _CLOCK_TOLERANCE or self._clock_fault:
            return
        way = "ahead of" if ahead > 0 else "behind"
        self._clock_fault = (
            f"the clock of this machine is {abs(ahead) / 60:.0f} min {way} that of the platform"
        )
        self._report(Warned(message=self._clock_fault, hint=CLOCK_HINT))

    def _receive(self, answer: Answer) -> None:
        """Keep the cookies that an answer sets; nobody logs a guest in but the person."""
        if not answer.set_cookie_headers:
            return
        jar = cookies.merge(self.profile.cookies, answer.set_cookie_headers, answer.url, self._clock())
        if self.profile.is_guest:
            session = cookies.SITES[self.profile.site].session
            jar = tuple(each for each in jar if each.name not in session)
        self._keep(jar)

    def _keep(self, jar: tuple[Cookie, ...]) -> None:
        if jar != self.profile.cookies:
            self._put(self.profile.replace(cookies=jar))

    def _put(self, profile: Profile) -> None:
        self.profile = profile
        if self._store is not None:
            self._store(profile)

    def _tell(self, made: Exchange) -> None:
        log.info(
            "%s: %s %s: status %s, %d bytes, %.0f ms",
            made.endpoint,
            made.method,
            made.url,
            made.status or made.fault or "none",
            made.size,
            made.seconds * 1000,
        )
        if self._trace is not None:
            self._trace(made)


def _agent(sent: Mapping[str, str]) -> str:
    """The user agent that goes along, empty for none."""
    return next((value for name, value in sent.items() if name.lower() == "user-agent"), "")


def _answered(made: Exchange, answer: Answer) -> Exchange:
    """The exchange with its answer."""
    return replace(
        made,
        size=len(answer.body),
        received=answer.headers,
        set_cookies=answer.set_cookie_headers,
        body=answer.body,
    )


def _pause(state: RetryCallState) -> float:
    """Seconds before the next try; after a refusal the budget's cool-down does the waiting."""
    from tenacity import wait_random_exponential

    error = state.outcome.exception() if state.outcome else None
    pauses = wait_random_exponential(multiplier=0.5, max=20)
    return 0.0 if isinstance(error, RateLimited) else float(pauses(state))


def _retry_after(text: str, now: datetime) -> float | None:
    """RFC 9110, section 10.2.3: seconds or a date."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:18])
    when = _date(text)
    return None if when is None else max(0.0, (when - now).total_seconds())


def _date(text: str) -> datetime | None:
    """The time that a header names; None if it names none."""
    from email.utils import parsedate_to_datetime  # nothing is read before the first answer

    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _nothing(text: str) -> None:
    """NaN and Infinity are no JSON; what they stand for was not said."""
