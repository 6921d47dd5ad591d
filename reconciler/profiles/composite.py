"""What a stack of profiles commands at each instant: the rules of precedence of OCPP's smart charging.

The planner asks it what is in force, the simulated station obeys it, `explain` shows who wins. Sources: K01.FR.17, .30,
.36, .101; K02.FR.04, .08; K04; K08; V2X.03-05. It refuses to know how a profile came to be installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.profiles.profile import Kind, Mode, Period, Profile, Purpose, Unit

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a station knows beside its profiles; all of it may be absent.

    `transaction_id` and `transaction_start` are of the EVSE asked about; `offline_since` is when the station lost us;
    `watts_per_ampere` turns amperes per phase into watts (230 V, three phases, unless the EVSE is known better).
    """

    transaction_id: str | None = None
    transaction_start: datetime | None = None
    offline_since: datetime | None = None
    priority_charging: bool = False
    watts_per_ampere: Decimal = Decimal(690)


@dataclass(frozen=True, slots=True)
class Flow:
    """What is commanded at one instant, in W: charge at most `limit_w` (None = without limit), or follow `setpoint_w`.

    `leader` is the id of the profile that leads the transaction layer, None where nothing does: then an EVSE charges as
    it likes, which is why a floor lies under everything.
    """

    limit_w: Decimal | None = None
    setpoint_w: Decimal | None = None
    discharge_limit_w: Decimal | None = None
    leader: int | None = None

    @property
    def most_import_w(self) -> Decimal | None:
        """Give the most that may be drawn; None = without limit."""
        if self.setpoint_w is not None:
            return max(self.setpoint_w, ZERO)
        return None if self.limit_w is None else max(self.limit_w, ZERO)

    @property
    def most_export_w(self) -> Decimal:
        """Give the most that may be fed back, as a magnitude."""
        signed = self.setpoint_w if self.setpoint_w is not None else self.limit_w
        return max(-(signed or ZERO), ZERO)


UNLIMITED = Flow()


@dataclass(frozen=True, slots=True)
class Span:
    """A flow that holds from `start` until the next span."""

    start: datetime
    flow: Flow


def begin(profile: Profile, situation: Situation, at: datetime) -> datetime | None:
    """Give the instant from which the profile's periods count, as seen at `at`; None while it has none."""
    start = profile.schedule.start
    match profile.kind:
        case Kind.ABSOLUTE:
            return start or profile.valid_from
        case Kind.RECURRING:
            if start is None or profile.recurrency is None or at < start:
                return start
            return start + (at - start) // profile.recurrency.length * profile.recurrency.length
        case Kind.RELATIVE:
            return situation.transaction_start
        case Kind.DYNAMIC:
            return profile.dyn_update_time


def period_at(profile: Profile, at: datetime, situation: Situation) -> Period | None:
    """Give the period that the profile defines for an instant, or None in a gap (K01.FR.11, .12, .13, .30)."""
    if not _valid(profile, at, situation):
        return None
    start = begin(profile, situation, at)
    if start is None or at < start:
        return None
    elapsed = (at - start).total_seconds()
    schedule = profile.schedule
    if schedule.duration is not None and elapsed >= schedule.duration:
        return None
    return next((period for period in reversed(schedule.periods) if period.start <= elapsed), None)


def flow_at(profiles: Iterable[Profile], evse_id: int, at: datetime, situation: Situation | None = None) -> Flow:
    """Give what the profiles of a station command one EVSE at an instant (facts of K01, K02, K04, V2X)."""
    known = situation or Situation()
    here = [profile for profile in profiles if profile.evse_id in (0, evse_id)]
    leaders = {purpose: _lead(here, purpose, at, known) for purpose in Purpose}
    transaction = _transaction_layer(leaders, known)
    ceilings = (leaders[Purpose.STATION_MAX], leaders[Purpose.EXTERNAL])
    flows = [_flow(*led, known) for led in (transaction, *ceilings) if led]
    limit = _least(flow.limit_w for flow in flows)
    setpoint = flows[0].setpoint_w if transaction else None
    discharge = [flow.discharge_limit_w for flow in flows if flow.discharge_limit_w is not None]
    lowest = max(discharge) if discharge else None
    return Flow(
        limit_w=limit,
        setpoint_w=_between(setpoint, lowest, limit),
        discharge_limit_w=lowest,
        leader=transaction[0].id if transaction else None,
    )


def compose(
    profiles: Iterable[Profile], evse_id: int, start: datetime, end: datetime, situation: Situation | None = None
) -> tuple[Span, ...]:
    """Give every change of what is commanded in [start, end); neighbours differ."""
    known = situation or Situation()
    held = tuple(profiles)
    instants = {start, *(at for profile in held for at in changes(profile, known, start, end))}
    spans: list[Span] = []
    for instant in sorted(instants):
        flow = flow_at(held, evse_id, instant, known)
        if not spans or spans[-1].flow != flow:
            spans.append(Span(instant, flow))
    return tuple(spans)


def changes(profile: Profile, situation: Situation, start: datetime, end: datetime) -> Iterable[datetime]:
    """Give the instants within (start, end) at which a profile may begin to command something else."""
    edges = [edge for edge in (profile.valid_from, profile.valid_to, _offline_end(profile, situation)) if edge]
    first = begin(profile, situation, start)
    length = profile.recurrency.length if profile.kind is Kind.RECURRING and profile.recurrency else None
    while first is not None and first < end:
        edges += _edges(profile, first)
        first = first + length if length else None
    return (edge for edge in edges if start < edge < end)


def _edges(profile: Profile, start: datetime) -> Iterable[datetime]:
    seconds = [period.start for period in profile.schedule.periods]
    if profile.schedule.duration is not None:
        seconds.append(profile.schedule.duration)
    return (start + timedelta(seconds=second) for second in seconds)


def _offline_end(profile: Profile, situation: Situation) -> datetime | None:
    if profile.max_offline is None or situation.offline_since is None:
        return None
    return situation.offline_since + timedelta(seconds=profile.max_offline)


def _valid(profile: Profile, at: datetime, situation: Situation) -> bool:
    if profile.valid_from and at < profile.valid_from:
        return False
    if profile.valid_to and at >= profile.valid_to:
        return False
    offline_end = _offline_end(profile, situation)
    if offline_end is not None and at >= offline_end:
        return False
    return profile.purpose is not Purpose.TX or (
        situation.transaction_id is not None and profile.transaction_id in (None, situation.transaction_id)
    )


Led = tuple[Profile, Period] | None
"""The profile that leads a purpose, with the period it defines now."""


def _lead(profiles: list[Profile], purpose: Purpose, at: datetime, situation: Situation) -> Led:
    """Give the highest stack level that defines a period now; an EVSE's own profile goes before the station's."""
    ordered = sorted(
        (profile for profile in profiles if profile.purpose is purpose),
        key=lambda profile: (profile.stack_level, profile.evse_id),
        reverse=True,
    )
    for profile in ordered:
        period = period_at(profile, at, situation)
        if period is not None:
            return profile, period
    return None


def _transaction_layer(leaders: dict[Purpose, Led], situation: Situation) -> Led:
    first = (Purpose.PRIORITY,) if situation.priority_charging else ()
    order = (*first, Purpose.TX, Purpose.TX_DEFAULT)
    return next((leaders[purpose] for purpose in order if leaders[purpose] is not None), None)


def _flow(profile: Profile, period: Period, situation: Situation) -> Flow:
    factor = Decimal(1) if profile.schedule.unit is Unit.WATT else _watts_per_ampere(period, situation)
    if period.mode is Mode.IDLE:
        return Flow(limit_w=ZERO, discharge_limit_w=ZERO)
    return Flow(
        limit_w=_times(period.limit, factor),
        setpoint_w=_times(period.setpoint, factor),
        discharge_limit_w=_times(period.discharge_limit, factor),
    )


def _watts_per_ampere(period: Period, situation: Situation) -> Decimal:
    if period.number_phases is None:
        return situation.watts_per_ampere
    return situation.watts_per_ampere * min(period.number_phases, 3) / 3


def _times(value: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if value is None else value * factor


def _least(values: Iterable[Decimal | None]) -> Decimal | None:
    return min((value for value in values if value is not None), default=None)


def _between(value: Decimal | None, lowest: Decimal | None, highest: Decimal | None) -> Decimal | None:
    """Clip a setpoint: positive to the limit, negative to the discharge limit (V2X.03, V2X.04, K08.FR.08)."""
    if value is None:
        return None
    if value > 0 and highest is not None:
        return min(value, max(highest, ZERO))
    if value < 0 and lowest is not None:
        return max(value, lowest)
    return value
