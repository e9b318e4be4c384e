"""The request budget: how often a profile may ask a site, and what a refusal costs.

Per site and profile one call is in flight. Per class of call there is a burst, then one call per interval. After a
refusal nothing is asked for a while and everything goes at half the rate; where a class is refused for reasons of its
own (signatures), only this class. With a folder all processes of the machine
that use it keep to one budget together, first come first served.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import random
import secrets
import tomllib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar, get_args

from dyvine_cli import ledger
from dyvine_cli.errors import ConfigError, RateLimited, Refused
from dyvine_cli.events import Report, Waiting, Warned, ignore
from dyvine_cli.ledger import Ledger, LedgerError, OwnLedger, Place, SharedLedger, Sheet, Strain, Times
from dyvine_cli.models import Health

Pace = Literal["slow", "normal", "fast", "off"]
"""`off` never waits for its turn; a refusal's cool-down holds for every pace."""

T = TypeVar("T")

_STRETCH: Mapping[Pace, float] = {"slow": 2.0, "normal": 1.0, "fast": 0.5, "off": 0.0}
_JITTER = 0.2  # an interval is stretched or shortened by up to this part, 0 on average
_FIRST = 60.0  # seconds of the first cool-down, doubled by every further refusal
_PATIENCE = 120.0  # a longer cool-down ends the site for this run
_REFUSALS = 4  # so many end it too, and the rate is halved no further
_FORGIVEN = 30  # calls in a row that are answered take one refusal back
_FORGOTTEN = 3600.0  # so many seconds after a cool-down do too
_NEWS = 60.0  # seconds after which the time of the last good answer is written again
_SHOWN = 1.0  # shorter waits are not reported
_TICK = 1e-4  # seconds that are not worth a wait

# With other processes:
_LOOK = 5.0  # the first of its class looks at the ledger so often at least
_LOOK_BEHIND = 0.1  # those behind it, because one before them may be killed
_POLL = 0.005  # the first that is due looks so often whether the slot is free
_POLL_BEHIND = 0.02
_SILENT = 0.3  # one that is due and did not look for so long is passed; it keeps its place
_STUCK = 120.0  # a call in flight for so long belongs to a run that was suspended
_GLANCE = 1.0  # the pace `off` looks for others' cool-downs so often


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, then one per `interval` seconds.

    `alone` says that its refusals are about calls of this class: the others go on, unless there were too many calls.
    """

    burst: int
    interval: float
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a profile stands with a site, for a class of calls; `call` None is any class.

    `next_try` is when the next call may be made, None for now. `refusals` are those not taken back yet; `used` is the
    time of the profile's last call at the site, None if there is none on record.
    """

    site: str
    profile: str
    call: str | None
    next_try: datetime | None
    refusals: int
    used: datetime | None


@dataclass(frozen=True, slots=True)
class _Pause:
    """`seconds` to wait as a person is told, and after how many to look again; `routine` only keeps to the pace."""

    seconds: float
    reason: str
    look: float
    routine: bool = False


@dataclass(slots=True)
class _Desk:
    """A site and profile in this process. `lines` have one lock per class, so that its calls go in order."""

    site: str
    profile: str
    ledger: Ledger
    in_flight: asyncio.Lock = field(default_factory=asyncio.Lock)
    lines: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    calling: bool = False
    glanced: float = -math.inf


def load_rates(path: Path) -> dict[str, Rate]:
    """The rates of a pace.toml by class of call. Raises ConfigError naming the file and the class."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{path}: the pace cannot be read: {exc}") from exc
    return {call: _rate(path, call, table) for call, table in tables.items()}


class Budget:
    """Hands out turns. `rates` are by site, then by class of call.

    `folder` is the state folder that shares the budget with other processes, None keeps it in this one. State that
    cannot be read or written is reported as Warned, and the budget goes on in this process.
    `clock` counts seconds and is the same for all processes, `boot` names the start of the machine that it counts from,
    None asks the system; `now` is the time of day, `random` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        rates: Mapping[str, Mapping[str, Rate]],
        *,
        pace: Pace = "normal",
        folder: Path | None = None,
        report: Report = ignore,
        clock: Callable[[], float] = ledger.boot_clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        boot: str | None = None,
    ) -> None:
        if pace not in get_args(Pace):
            raise ConfigError(f"there is no pace {pace!r}, only {', '.join(get_args(Pace))}")
        self._rates = rates
        self._stretch = _STRETCH[pace]
        self._folder = folder / "budget" if folder else None
        self._report = report
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._now = now
        self._boot = boot
        self._run = secrets.token_hex(6)
        self._desks: dict[tuple[str, str], _Desk] = {}
        self._warned: set[str] = set()

    @asynccontextmanager
    async def turn(self, site: str, profile: str, call: str) -> AsyncIterator[None]:
        """Wait until one call of this class may be made; no other of the profile is made inside, in no process.

        Waits of a second and more are reported. Raises RateLimited, naming the next try, when the cool-down is longer
        than two minutes or the site refused four times.
        """
        desk = self._desk(site, profile)
        granted = await self._admit(desk, call)
        desk.calling = True
        try:
            yield
        finally:
            desk.calling = False
            granted.free_slot()
            desk.in_flight.release()

    def refused(self, site: str, profile: str, call: str, error: Refused) -> None:
        """Note a refusal: half the rate from now on, and a pause.

        The pause is what the server asked for (at most an hour), else 60 s, doubled by each refusal up to an hour. It
        holds for all calls; in a class that is refused alone for those of the class, unless there were too many calls.
        """
        concerns_all = isinstance(error, RateLimited) or not self._rates[site][call].alone
        asked = error.retry_after if isinstance(error, RateLimited) else None

        def note(sheet: Sheet) -> None:
            now = self._clock()
            strain = sheet if concerns_all else sheet.alone.setdefault(call, Strain())
            strain.refusals = min(_refusals(strain, now) + 1, _REFUSALS)
            strain.answered = 0
            sheet.refused = self._now().timestamp()
            strain.closed_until = max(_closed_until(strain, now), now + _cool_down(strain.refusals, asked))

        self._on_sheet(self._desk(site, profile), note, flush=True)

    def accepted(self, site: str, profile: str, call: str) -> None:
        """Note an answer: thirty in a row take one refusal back, and the rate rises again.

        The pace `off` keeps no time of it unless there are refusals to take back.
        """
        desk = self._desk(site, profile)
        sheet, now = desk.ledger.last, self._now().timestamp()
        news = sheet.accepted is None or not sheet.accepted <= now < sheet.accepted + _NEWS
        if any(_refusals(strain, self._clock()) for strain in _strains(sheet, call)):
            self._on_sheet(desk, lambda sheet: _forgive(sheet, call, now))
        elif news and self._stretch:
            self._on_sheet(desk, lambda sheet: _note(sheet, now))

    def estimate(self, site: str, call: str, calls: int) -> float:
        """Seconds that so many calls of a class will wait at this pace, from a full burst and without refusals."""
        rate = self._rates[site][call]
        return max(0, calls - rate.burst) * rate.interval * self._stretch

    def next_try(self, site: str, profile: str) -> datetime | None:
        """When this site may be asked again for everything after a refusal; None if it may now."""
        sheet, now = self._glance(self._desk(site, profile)), self._clock()
        return self._when(max(_closed_until(strain, now) for strain in (sheet, *sheet.alone.values())))

    def health(self, site: str, profile: str) -> Health:
        """How a profile gets on with a site, in this run and before."""
        sheet, now = self._glance(self._desk(site, profile)), self._clock()
        left = _closed_until(sheet, now) - now
        refusals = _refusals(sheet, now)
        return Health(
            accepted=self._time(sheet.accepted),
            refused=self._time(sheet.refused),
            used=self._time(sheet.used),
            closed_until=self._when(now + left),
            ended=_ends(left, refusals),
            refusals=refusals,
        )

    def standings(self) -> tuple[Standing, ...]:
        """How every profile on record stands with the sites of `rates`, one row per class of call that was used."""
        known = set(ledger.kept(self._folder) if self._folder else ()) | self._desks.keys()
        return tuple(
            row
            for site, name in sorted(known)
            if site in self._rates
            for row in self._rows(self._desk(site, name))
        )

    def _rows(self, desk: _Desk) -> list[Standing]:
        sheet = self._glance(desk)
        now = self._clock()
        starts: dict[str | None, float] = {
            call: self._start(sheet, desk.site, call, now)
            for call in sorted(sheet.due)
            if call in self._rates[desk.site]
        }
        return [
            Standing(
                site=desk.site,
                profile=desk.profile,
                call=call,
                next_try=self._when(
                    max(start, *(_closed_until(each, now) for each in _strains(sheet, call)))
                ),
                refusals=max(_refusals(each, now) for each in _strains(sheet, call)),
                used=self._time(sheet.used),
            )
            for call, start in (starts or {None: now}).items()
        ]

    def _time(self, at: float | None) -> datetime | None:
        return None if at is None else datetime.fromtimestamp(at, self._now().tzinfo)

    def _when(self, at: float) -> datetime | None:
        left = at - self._clock()
        return self._now() + timedelta(seconds=left) if left > _TICK else None

    # --- one turn -------------------------------------------------------------------------------------------------

    async def _admit(self, desk: _Desk, call: str) -> Ledger:
        """Wait for the turn; the ledger whose slot it has. No other call of this process is in flight then."""
        told: set[str] = set()
        async with desk.lines[call]:
            try:
                while True:
                    await desk.in_flight.acquire()
                    pause = self._try(desk, call)
                    if pause is None:
                        return desk.ledger
                    if pause.seconds >= _SHOWN and pause.reason not in told:
                        told.add(pause.reason)
                        self._report(
                            Waiting(
                                seconds=pause.seconds,
                                reason=pause.reason,
                                site=desk.site,
                                routine=pause.routine,
                            )
                        )
                    await self._sleep(pause.look)
            except BaseException:
                self._leave(desk, call)
                raise

    def _try(self, desk: _Desk, call: str) -> _Pause | None:
        """Look once whether the call may be made; if not, the lock on `in_flight` is given back."""
        try:
            if self._stretch:
                pause = self._on_sheet(desk, lambda sheet: self._ask(desk, sheet, call))
            else:
                pause = self._closed(desk, self._glance(desk, every=_GLANCE), call)
        except BaseException:
            desk.in_flight.release()
            raise
        if pause is not None:
            desk.in_flight.release()
        return pause

    def _ask(self, desk: _Desk, sheet: Sheet, call: str) -> _Pause | None:
        """None if the call may be made now: it is counted then, and the slot is taken."""
        now = self._clock()
        if pause := self._closed(desk, sheet, call):
            if desk.ledger.shared:
                sheet.join(self._run, call, now + pause.seconds, now)
            return pause
        sheet.prune(now)
        ahead = [place for place in sheet.ahead(self._run, call) if _lives(place, now)]
        same = sum(place.call == call for place in ahead)
        interval = self._interval(sheet, desk.site, call, now)
        at = self._start(sheet, desk.site, call, now) + same * interval
        if at - now > _TICK:
            pause = self._behind(desk, call, at - now, same)
        elif due := sum(place.at <= now for place in ahead):
            pause = self._busy(desk, sheet, now, due)
        elif not self._take(desk, sheet, now):
            pause = self._busy(desk, sheet, now, 0)
        if pause is None:
            self._count(desk, sheet, call, now)
        elif desk.ledger.shared:
            sheet.join(self._run, call, max(at, now), now)
        return pause

    def _closed(self, desk: _Desk, sheet: Sheet, call: str) -> _Pause | None:
        """The rest of a cool-down, None if there is none. Raises RateLimited when it is too long to be waited out."""
        now = self._clock()
        left = 0.0
        for strain in _strains(sheet, call):
            strain.closed_until = _closed_until(strain, now)
            rest = strain.closed_until - now
            if rest > _TICK and _ends(rest, refusals := _refusals(strain, now)):
                raise self._ended(desk, refusals, rest, None if strain is sheet else call)
            left = max(left, rest)
        if left <= _TICK:
            return None
        reason = f"{desk.site} refused a request and asks for a pause"
        return _Pause(left, reason, min(left, _LOOK) if desk.ledger.shared else left)

    def _behind(self, desk: _Desk, call: str, seconds: float, same: int) -> _Pause:
        often = (_LOOK_BEHIND if same else _LOOK) if desk.ledger.shared else math.inf
        reason = f"keeping to the pace of {desk.site} ({call} calls)"
        return _Pause(seconds, reason, min(seconds, often), routine=True)

    def _busy(self, desk: _Desk, sheet: Sheet, now: float, due: int) -> _Pause:
        """Until the slot is free; the first in the line tells of a call that takes long."""
        held = now - sheet.taken if sheet.taken is not None else 0.0
        left = _STUCK - held if held > _LOOK and not due else 0.0
        reason = f"another run is asking {desk.site} as {desk.profile!r}"
        return _Pause(left, reason, _POLL_BEHIND if due else _POLL)

    def _take(self, desk: _Desk, sheet: Sheet, now: float) -> bool:
        if desk.ledger.take_slot():
            return True
        if sheet.taken is None or sheet.taken > now:
            sheet.taken = now
        return now - sheet.taken > _STUCK and desk.ledger.break_slot()

    def _count(self, desk: _Desk, sheet: Sheet, call: str, now: float) -> None:
        interval = self._interval(sheet, desk.site, call, now)
        jitter = 1 + _JITTER * (2 * self._random() - 1)
        sheet.due[call] = max(self._due(sheet, desk.site, call, now), now) + interval * jitter
        sheet.taken = now
        sheet.used = self._now().timestamp()
        sheet.leave(self._run, call)

    def _leave(self, desk: _Desk, call: str) -> None:
        """Give up the place in the line after an error; where that fails, the others will pass it."""
        if desk.ledger.shared and desk.ledger.last.has(self._run, call):
            self._on_sheet(desk, lambda sheet: sheet.leave(self._run, call))

    # --- rates ----------------------------------------------------------------------------------------------------

    def _interval(self, sheet: Sheet, site: str, call: str, now: float) -> float:
        refusals = max(_refusals(each, now) for each in _strains(sheet, call))
        return math.ldexp(self._rates[site][call].interval * self._stretch, refusals)

    def _due(self, sheet: Sheet, site: str, call: str, now: float) -> float:
        """A clock that jumped, or a damaged file, must not make a wait that no calls justify."""
        if call not in sheet.due:
            return now
        most = (self._rates[site][call].burst + _JITTER) * self._interval(sheet, site, call, now)
        sheet.due[call] = min(sheet.due[call], now + most)
        return sheet.due[call]

    def _start(self, sheet: Sheet, site: str, call: str, now: float) -> float:
        """When the rate allows the next call of a class."""
        tolerance = (self._rates[site][call].burst - 1) * self._interval(sheet, site, call, now)
        return self._due(sheet, site, call, now) - tolerance

    # --- the ledger -----------------------------------------------------------------------------------------------

    def _desk(self, site: str, profile: str) -> _Desk:
        if (site, profile) not in self._desks:
            self._desks[site, profile] = _Desk(site, profile, self._ledger(site, profile))
        return self._desks[site, profile]

    def _ledger(self, site: str, profile: str) -> Ledger:
        if self._folder is None:
            return OwnLedger()
        if self._boot is None:
            self._boot = ledger.boot_name()
        times = Times(self._clock, lambda: self._now().timestamp(), self._boot)
        return SharedLedger(self._folder, site, profile, times)

    def _on_sheet(self, desk: _Desk, work: Callable[[Sheet], T], *, flush: bool = False) -> T:
        """What `work` gives for the sheet, which it may change; where the file fails, for a sheet of our own."""
        results: list[T] = []
        try:
            with desk.ledger.open(flush=flush) as sheet:
                results.append(work(sheet))
        except LedgerError as exc:
            self._go_alone(desk, exc)
            return results[0] if results else work(desk.ledger.last)
        if desk.ledger.damaged:
            desk.ledger.damaged = False
            self._warn(f"the request budget of {desk.site}:{desk.profile} was damaged and begins anew")
        return results[0]

    def _glance(self, desk: _Desk, *, every: float = 0.0) -> Sheet:
        """The sheet to read, looked up again after `every` seconds."""
        if not 0 <= self._clock() - desk.glanced < every:
            desk.glanced = self._clock()
            try:
                return desk.ledger.glance()
            except LedgerError as exc:
                self._go_alone(desk, exc)
        return desk.ledger.last

    def _go_alone(self, desk: _Desk, cause: LedgerError) -> None:
        self._warn(f"the request budget is not shared with other runs: {cause}")
        if not desk.calling:
            desk.ledger.free_slot()
        desk.ledger = OwnLedger(dataclasses.replace(desk.ledger.last, line=[]))

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._report(Warned(message=message))

    def _ended(self, desk: _Desk, refusals: int, left: float, call: str | None) -> RateLimited:
        """The error of a cool-down that is not waited out; `call` is the class that it is about, None for all."""
        when = self._now() + timedelta(seconds=left)
        times = "once" if refusals <= 1 else f"{refusals} times"
        what = f" {call.replace('_', ' ')} calls to" if call else ""
        return RateLimited(
            f"{desk.site} refused{what} the profile {desk.profile!r} {times};"
            f" the next try makes sense after {when:%H:%M}",
            hint="use --pace slow next time, or add another login: dyvine login add FILE --profile NAME",
            retry_after=left,
            endpoint=call,
            call=call,
        )


def _strains(sheet: Sheet, call: str | None) -> list[Strain]:
    """What holds for a class of calls: what holds for all, and what is its own."""
    own = sheet.alone.get(call) if call else None
    return [sheet, own] if own else [sheet]


def _closed_until(strain: Strain, now: float) -> float:
    """No cool-down is longer than an hour, whatever clocks and files say."""
    return min(strain.closed_until, now + ledger.LONGEST)


def _refusals(strain: Strain, now: float) -> int:
    """The refusals that time has not taken back."""
    forgotten = (
        (now - strain.closed_until) // _FORGOTTEN if strain.refusals and now > strain.closed_until else 0
    )
    return max(0, min(strain.refusals, _REFUSALS) - int(min(forgotten, _REFUSALS)))


def _cool_down(refusals: int, asked: float | None) -> float:
    if refusals >= _REFUSALS:
        return ledger.LONGEST
    if asked is not None and not math.isnan(asked):
        return min(max(asked, 1.0), ledger.LONGEST)
    return math.ldexp(_FIRST, refusals - 1)


def _ends(left: float, refusals: int) -> bool:
    """Whether a cool-down ends a site for this run."""
    return left > _PATIENCE or (left > _TICK and refusals >= _REFUSALS)


def _note(sheet: Sheet, now: float) -> None:
    sheet.accepted = now


def _forgive(sheet: Sheet, call: str, now: float) -> None:
    sheet.accepted = now
    for strain in _strains(sheet, call):
        strain.answered += 1
        if strain.answered >= _FORGIVEN and strain.refusals:
            strain.refusals -= 1
            strain.answered = 0


def _lives(place: Place, now: float) -> bool:
    """Whether a place's owner looks as often as it must."""
    return now - max(place.at, place.seen) < _SILENT


def _rate(path: Path, call: str, table: object) -> Rate:
    match table:
        case {"burst": int(burst), "interval": int() | float() as interval, **others}:
            if burst >= 1 and 0 <= interval < math.inf:
                return Rate(burst, float(interval), alone=others.get("alone") is True)
    raise ConfigError(f"{path}: [{call}] needs a burst of 1 or more and an interval in seconds")
