"""What a station makes its EVSEs do: from the command of its profiles to watts at each EVSE.

`station` asks it whenever something changed. Without a profile an EVSE charges as fast as it can (K02.FR.08): nobody
else in this package softens that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.profiles.capability import Protocol
from reconciler.profiles.composite import Flow, Situation, changes, flow_at, period_at
from reconciler.profiles.profile import Kind, Mode, Period, Profile, Purpose
from reconciler.simulator.bay import Bay
from reconciler.simulator.nameplate import Nameplate, NegativeLimit

FAR = timedelta(days=3650)
RECURRING_FAR = timedelta(days=8)
"""How far ahead profiles are searched for their next change; one that recurs has no last."""
TRANSACTION = frozenset({Purpose.TX, Purpose.TX_DEFAULT})
STATION_WIDE = frozenset({Purpose.STATION_MAX, Purpose.EXTERNAL})


def understood(profile: Profile, plate: Nameplate, policy: NegativeLimit) -> Profile:
    """Give what a station makes of a profile when it runs it, which may be less than it stores and reports."""
    offline = profile.max_offline if plate.max_offline and plate.protocol is Protocol.V21 else None
    schedules = tuple(
        replace(schedule, periods=tuple(_understood(period, policy) for period in schedule.periods))
        for schedule in profile.schedules
    )
    return replace(profile, schedules=schedules, max_offline=offline)


def _understood(period: Period, policy: NegativeLimit) -> Period:
    if period.limit is None or period.limit >= 0:
        return period
    match policy:
        case NegativeLimit.CLAMP:
            return replace(period, limit=Decimal(0))
        case NegativeLimit.UNLIMITED:
            return replace(period, limit=None)
        case _:
            return period


def targets_w(
    profiles: Sequence[Profile], bays: Iterable[tuple[Bay, Situation]], at: datetime, whole: Situation
) -> tuple[float, ...]:
    """Give what each EVSE shall do; together they keep under the station's own ceilings (K04.FR.05)."""
    wishes = tuple(target_w(flow_at(profiles, bay.plate.id, at, known), bay) for bay, known in bays)
    ceiling_w = station_limit_w(profiles, at, whole)
    drawn_w = sum(wish for wish in wishes if wish > 0)
    if ceiling_w is None or drawn_w <= ceiling_w:
        return wishes
    return tuple(wish * ceiling_w / drawn_w if wish > 0 else wish for wish in wishes)


def station_limit_w(profiles: Iterable[Profile], at: datetime, whole: Situation) -> float | None:
    """Give the ceiling on what the whole station may draw, None where there is none."""
    shared = [profile for profile in profiles if profile.evse_id == 0 and profile.purpose in STATION_WIDE]
    most = flow_at(shared, 0, at, whole).most_import_w
    return None if most is None else float(most)


def target_w(flow: Flow, bay: Bay) -> float:
    """Give the watts for one EVSE: what is commanded, within what EVSE, vehicle and IEC 61851 can do."""
    most, least = bay.most_charge_w, -bay.most_discharge_w
    if flow.setpoint_w is not None:
        wish = min(max(float(flow.setpoint_w), least), most)
    elif flow.limit_w is not None:
        wish = min(max(float(flow.limit_w), least), most)
    else:
        wish = most
    return wish if wish <= 0 or wish >= bay.plate.least_charge_w else 0.0


def mode_at(runs: Iterable[Profile], evse_id: int, at: datetime, known: Situation) -> Mode | None:
    """Give the operation mode of the profile that leads an EVSE's transaction (K01.FR.110), None without one."""
    mine = (run for run in runs if run.purpose in TRANSACTION and run.evse_id in (0, evse_id))
    ordered = sorted(mine, key=lambda run: (run.purpose is Purpose.TX, run.stack_level, run.evse_id), reverse=True)
    periods = (period_at(run, at, known) for run in ordered)
    return next((period.mode for period in periods if period is not None), None)


def next_edge(runs: Iterable[Profile], situations: Sequence[Situation], at: datetime) -> datetime | None:
    """Give the next instant after `at` at which a profile may begin to command something else."""
    return min((edge for run in runs for known in situations for edge in _edges(run, known, at)), default=None)


def _edges(profile: Profile, known: Situation, at: datetime) -> Iterator[datetime]:
    recurring = profile.kind is Kind.RECURRING
    yield from changes(profile, known, at, at + (RECURRING_FAR if recurring else FAR))
    if recurring:
        yield at + RECURRING_FAR
