"""Hypothesis strategies for the vocabulary: what the laws of every package draw from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from reconciler.profiles.capability import Rating
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Recurrency, Unit
from reconciler.profiles.timeline import Timeline, timeline

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""The day before Europe's clocks go forward."""
DAY = 86_400
PERMANENT = (Purpose.TX_DEFAULT, Purpose.STATION_MAX)

seconds = st.integers(-2 * DAY, 2 * DAY)
instants = seconds.map(lambda offset: NOON + timedelta(seconds=offset))
tenths = st.integers(0, 250_000).map(lambda number: Decimal(number) / 10)
"""Magnitudes up to 25 kW, as exact as 2.0.1 has them."""
signed = st.integers(-250_000, 250_000).map(lambda number: Decimal(number) / 10)
powers = st.one_of(st.none(), st.integers(-22, 22).map(lambda number: Decimal(number * 500)))

timelines = st.lists(st.tuples(instants, powers), max_size=8).map(timeline)
"""Timelines within two days of noon, now and then silent; the last power holds for ever."""
ratings = st.builds(
    Rating,
    charge_w=st.integers(0, 500).map(lambda number: Decimal(number * 100)),
    discharge_w=st.integers(0, 500).map(lambda number: Decimal(number * 100)),
    phases=st.integers(1, 3),
)


@st.composite
def commands(draw: st.DrawFn, *, discharge: bool = True, phases: bool = False) -> Period:
    """Draw what one period commands, with all that its mode needs and nothing that it forbids."""
    number = draw(st.sampled_from((None, 1, 2, 3))) if phases else None
    mode = draw(st.sampled_from((Mode.CHARGING_ONLY, Mode.CENTRAL_SETPOINT))) if discharge else Mode.CHARGING_ONLY
    if mode is Mode.CHARGING_ONLY:
        return Period(0, limit=draw(tenths), number_phases=number)
    return Period(0, setpoint=draw(signed), mode=mode, number_phases=number)


@st.composite
def schedules(draw: st.DrawFn, *, unit: Unit | None = None, phases: bool = False, discharge: bool = True):
    """Draw a schedule that keeps the rules: periods from zero, all before its end."""
    starts = [0, *sorted(draw(st.sets(st.integers(1, DAY - 1), max_size=5)))]
    command = commands(discharge=discharge, phases=phases)
    return ChargingSchedule(
        id=draw(st.integers(0, 3)),
        unit=unit or draw(st.sampled_from(Unit)),
        periods=tuple(replace(draw(command), start=start) for start in starts),
        start=draw(instants),
        duration=draw(st.one_of(st.none(), st.integers(starts[-1] + 1, DAY))),
    )


@st.composite
def profiles(draw: st.DrawFn, *, kinds=(Kind.ABSOLUTE, Kind.RECURRING), unit: Unit | None = None, phases: bool = False):
    """Draw a profile that keeps the rules of combination."""
    kind = draw(st.sampled_from(kinds))
    purpose = draw(st.sampled_from(PERMANENT))
    begin = draw(st.one_of(st.none(), instants))
    end = draw(st.one_of(st.none(), instants.filter(lambda instant: begin is None or instant > begin)))
    return Profile(
        id=draw(st.integers(1, 9)),
        evse_id=0 if purpose is Purpose.STATION_MAX else draw(st.integers(0, 2)),
        stack_level=draw(st.integers(0, 3)),
        purpose=purpose,
        kind=kind,
        schedules=(draw(schedules(unit=unit, phases=phases, discharge=purpose is Purpose.TX_DEFAULT)),),
        recurrency=draw(st.sampled_from(Recurrency)) if kind is Kind.RECURRING else None,
        valid_from=begin,
        valid_to=end,
        max_offline=draw(st.sampled_from((None, 0, 900))),
    )


def absolute(line: Timeline, *, first_id: int, stack_level: int, evse_id: int = 1) -> tuple[Profile, ...]:
    """Make one TxDefaultProfile for each run of a timeline that says something without a break."""
    runs: list[list[tuple[datetime, Decimal]]] = []
    ends: list[datetime | None] = []
    for step in line.steps:
        if step.power_w is None:
            ends.append(step.start)
        elif len(runs) > len(ends):
            runs[-1].append((step.start, step.power_w))
        else:
            runs.append([(step.start, step.power_w)])
    ends += [None] * (len(runs) - len(ends))
    return tuple(
        _run(run, end, profile_id=first_id + number, stack_level=stack_level, evse_id=evse_id)
        for number, (run, end) in enumerate(zip(runs, ends, strict=True))
    )


def _run(run, end, *, profile_id: int, stack_level: int, evse_id: int) -> Profile:
    first = run[0][0]
    periods = tuple(
        Period(int((at - first).total_seconds()), setpoint=power, mode=Mode.CENTRAL_SETPOINT) for at, power in run
    )
    duration = int((end - first).total_seconds()) if end else None
    schedule = ChargingSchedule(1, Unit.WATT, periods, first, duration)
    # Profiles of one level follow each other, so their validity must not overlap (K01.FR.06).
    return Profile(
        profile_id, evse_id, stack_level, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,), valid_from=first, valid_to=end
    )
