"""What a stack of profiles commands at each instant: the rules of precedence of OCPP's smart charging.

The planner asks it what is in force, the simulated station obeys it, `explain` shows who wins. Sources: K01.FR.17, .30,
.36, .101; K02.FR.04, .08; K04; K08; V2X.03-05. It refuses to know how a profile came to be installed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import assert_never

from reconciler.profiles.profile import Kind, Mode, Period, Profile, Purpose, Unit, later

ZERO = Decimal(0)
STEERED_WITHIN = frozenset({Mode.LOCAL_LOAD_BALANCING, Mode.EXTERNAL_SETPOINT, Mode.EXTERNAL_LIMITS})
"""Modes in which a station or others decide, within `limit` and `dischargeLimit` where those are given."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a station knows beside its profiles; all of it may be absent.

    `transaction_id` and `transaction_start` are of the EVSE asked about; `offline_since` is when the station lost us;
    `watts_per_ampere` turns amperes on all of the EVSE's phases into watts (230 V, three phases, unless the EVSE is
    known better; 0 where that is unknown, as on DC), `voltage` those on a single phase.
    """

    transaction_id: str | None = None
    transaction_start: datetime | None = None
    offline_since: datetime | None = None
    priority_charging: bool = False
    watts_per_ampere: Decimal = Decimal(690)
    voltage: Decimal = Decimal(230)


@dataclass(frozen=True, slots=True)
class Flow:
    """What is commanded at one instant, in W: charge at most `limit_w` (None = without limit), or follow `setpoint_w`.

    `leader` is the id of the profile that leads the transaction layer, None where nothing does: then an EVSE charges as
    it likes, which is why a floor lies under everything. `swing_w` is the least and the most that may flow where not we
    but the grid's frequency or someone else steers within it.
    """

    limit_w: Decimal | None = None
    setpoint_w: Decimal | None = None
    discharge_limit_w: Decimal | None = None
    leader: int | None = None
    swing_w: tuple[Decimal, Decimal | None] | None = None

    @property
    def most_import_w(self) -> Decimal | None:
        """Give the most that may be drawn; None = without limit."""
        if self.swing_w is not None:
            return None if self.swing_w[1] is None else max(self.swing_w[1], ZERO)
        if self.setpoint_w is not None:
            return max(self.setpoint_w, ZERO)
        return None if self.limit_w is None else max(self.limit_w, ZERO)

    @property
    def most_export_w(self) -> Decimal:
        """Give the most that may be fed back, as a magnitude."""
        if self.swing_w is not None:
            return max(-self.swing_w[0], ZERO)
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
        case never:
            assert_never(never)


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
    index = bisect_right(schedule.periods, elapsed, key=_period_start)
    return schedule.periods[index - 1] if index else None


def flow_at(profiles: Iterable[Profile], evse_id: int, at: datetime, situation: Situation | None = None) -> Flow:
    """Give what the profiles of a station command one EVSE at an instant (K01, K02, K04, V2X)."""
    return _flow_at(_rank(profiles, evse_id), at, situation or Situation())


def compose(
    profiles: Iterable[Profile], evse_id: int, start: datetime, end: datetime, situation: Situation | None = None
) -> tuple[Span, ...]:
    """Give every change of what is commanded in [start, end); neighbours differ."""
    known = situation or Situation()
    ranked = _rank(profiles, evse_id)
    instants = {start, *(at for profile in ranked for at in changes(profile, known, start, end))}
    spans: list[Span] = []
    for instant in sorted(instants):
        flow = _flow_at(ranked, instant, known)
        if not spans or spans[-1].flow != flow:
            spans.append(Span(instant, flow))
    return tuple(spans)


def changes(profile: Profile, situation: Situation, start: datetime, end: datetime) -> Iterable[datetime]:
    """Give the instants within (start, end) at which a profile may begin to command something else.

    There are as many as the profile has periods, times the recurrences that the window spans.
    """
    edges = [edge for edge in (profile.valid_from, profile.valid_to, _offline_end(profile, situation)) if edge]
    first = begin(profile, situation, start)
    length = profile.recurrency.length if profile.kind is Kind.RECURRING and profile.recurrency else None
    while first is not None and first < end:
        edges += _edges(profile, first)
        first = later(first, int(length.total_seconds())) if length else None
    return (edge for edge in edges if start < edge < end)


def _edges(profile: Profile, start: datetime) -> Iterable[datetime]:
    seconds = [period.start for period in profile.schedule.periods]
    if profile.schedule.duration is not None:
        seconds.append(profile.schedule.duration)
    return (later(start, second) for second in seconds)


def _offline_end(profile: Profile, situation: Situation) -> datetime | None:
    if profile.max_offline is None or situation.offline_since is None:
        return None
    return later(situation.offline_since, profile.max_offline)


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


_period_start = attrgetter("start")


def _rank(profiles: Iterable[Profile], evse_id: int) -> tuple[Profile, ...]:
    """Give the profiles of an EVSE, those first that lead their purpose when they define a period.

    That is the highest stack level (K01.FR.17), then an EVSE's own before the station's; the id only keeps the order of
    input from mattering.
    """
    here = (profile for profile in profiles if profile.evse_id in (0, evse_id))
    return tuple(sorted(here, key=lambda profile: (profile.stack_level, profile.evse_id, profile.id), reverse=True))


def _flow_at(ranked: tuple[Profile, ...], at: datetime, situation: Situation) -> Flow:
    leaders: dict[Purpose, Profile] = {}
    flows: dict[Purpose, Flow] = {}
    for profile in ranked:
        if profile.purpose in leaders:
            continue
        period = period_at(profile, at, situation)
        if period is not None:
            leaders[profile.purpose] = profile
            flows[profile.purpose] = _flow(profile, period, situation)
    layer = next((purpose for purpose in _transaction_layer(situation) if purpose in leaders), None)
    return _join(flows, layer, leaders[layer].id if layer else None)


def _transaction_layer(situation: Situation) -> tuple[Purpose, ...]:
    """Give the purposes that lead a transaction, the strongest first (K02.FR.04, .08)."""
    first = (Purpose.PRIORITY,) if situation.priority_charging else ()
    return (*first, Purpose.TX, Purpose.TX_DEFAULT)


def _join(flows: dict[Purpose, Flow], layer: Purpose | None, leader: int | None) -> Flow:
    """Take the least of the ceilings and the transaction layer, and what is generated locally on top (K08.FR.04)."""
    external = flows.get(Purpose.EXTERNAL, UNLIMITED)
    commanding = flows[layer] if layer else UNLIMITED
    joined = (commanding, external, flows.get(Purpose.STATION_MAX, UNLIMITED))
    limit = min((flow.limit_w for flow in joined if flow.limit_w is not None), default=None)
    if limit is not None:
        limit += flows.get(Purpose.LOCAL_GENERATION, UNLIMITED).limit_w or ZERO
    lowest = max((flow.discharge_limit_w for flow in joined if flow.discharge_limit_w is not None), default=None)
    setpoint = commanding.setpoint_w if external.setpoint_w is None else external.setpoint_w
    return Flow(limit, _between(setpoint, lowest, limit), lowest, leader, _clipped(commanding.swing_w, lowest, limit))


def _clipped(
    swing: tuple[Decimal, Decimal | None] | None, lowest: Decimal | None, highest: Decimal | None
) -> tuple[Decimal, Decimal | None] | None:
    """Clip what others may steer to the limits, as a setpoint would be (V2X.03, V2X.04)."""
    if swing is None:
        return None
    most = highest if swing[1] is None else _between(swing[1], lowest, highest)
    return _between(swing[0], lowest, highest) or ZERO, most


def _flow(profile: Profile, period: Period, situation: Situation) -> Flow:
    if period.mode is Mode.IDLE:
        return Flow(limit_w=ZERO, discharge_limit_w=ZERO)
    if period.mode is Mode.LOCAL_FREQUENCY:
        return _by_frequency(period)
    factor = Decimal(1) if profile.schedule.unit is Unit.WATT else _watts_per_ampere(period, situation)
    limit, lowest = _times(period.limit, factor), _times(period.discharge_limit, factor)
    return Flow(
        limit_w=limit,
        setpoint_w=_times(period.setpoint, factor),
        discharge_limit_w=lowest,
        swing_w=(lowest, limit) if period.mode in STEERED_WITHIN and lowest is not None else None,
    )


def _by_frequency(period: Period) -> Flow:
    """Give the baseline as what is followed at nominal frequency, and how far the curve leads from it (Q08.FR.06)."""
    baseline = period.v2x_baseline or ZERO
    powers = [baseline + point.power_w for point in period.freq_watt_curve] or [baseline]
    return Flow(setpoint_w=baseline, swing_w=(min(powers), max(powers)))


def _watts_per_ampere(period: Period, situation: Situation) -> Decimal:
    if not period.number_phases:
        return situation.watts_per_ampere
    return min(situation.watts_per_ampere, situation.voltage * period.number_phases)


def _times(value: Decimal | None, factor: Decimal) -> Decimal | None:
    """Turn a number into watts; one that can't be told is no limit, except zero, which is zero in every unit."""
    return value * factor if value is not None and (factor or not value) else None


def _between(value: Decimal | None, lowest: Decimal | None, highest: Decimal | None) -> Decimal | None:
    """Clip a setpoint: positive to the limit, negative to the discharge limit (V2X.03, V2X.04, K08.FR.08).

    Clipping ends at zero: whatever a station reports as its limits, it never turns charge into discharge or back.
    """
    if value is None:
        return None
    if value > 0 and highest is not None:
        return min(value, max(highest, ZERO))
    if value < 0 and lowest is not None:
        return max(value, min(lowest, ZERO))
    return value
