"""Proof that what people wrote can flow through the hardware: within its rating, and not where no vehicle follows.

Judges the powers as written, so that each finding stands at its own window, even where another schedule covers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.manifests.fleet import Current, Evse, Fleet
from reconciler.manifests.quantity import Quantity
from reconciler.manifests.schedules import powers
from reconciler.plan.guardrails.finding import Fact
from reconciler.plan.guardrails.tracks import Track, Tracks
from reconciler.profiles.fit import LEAST_AMPERES

ZERO = Decimal(0)


def check_ratings(tracks: Tracks) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    """Give a fact for each power that a rating clips or that no vehicle follows."""
    for track in tracks:
        for fact in _facts(track, tracks.fleet):
            yield fact, track.stations


def _facts(track: Track, fleet: Fleet) -> Iterator[Fact]:
    schedules = (each for assignment in track.station.assignments for each in assignment.schedule.lineage())
    for power, place, field in (each for schedule in schedules for each in powers(schedule)):
        for name, message in check_power(power, track.evse, fleet):
            yield Fact(name, message, place, field)


def check_power(power: Quantity, evse: Evse, fleet: Fleet) -> Iterator[tuple[str, str]]:
    """Give guardrail and sentence for each trouble of one power on one EVSE."""
    watts = power.to_watts(evse.phases, fleet.nominal_voltage, evse.current)
    held = min(max(watts, -evse.discharge_w), evse.charge_w)
    if held != watts:
        yield "evse-rating", f"{power} is more than EVSE {evse.id} carries; it is held at {Quantity(held, 'W')}"
    if evse.current is Current.AC:
        yield from _below_six(power, watts, evse, fleet)
        return
    rating = evse.charge_w if watts > 0 else evse.discharge_w
    if ZERO < abs(watts) < rating * fleet.guardrails.dead_band:
        share = f"{fleet.guardrails.dead_band:.1%}".replace(".0%", "%")
        yield "dead-band", f"{power} is less than {share} of the {Quantity(rating, 'W')} of EVSE {evse.id}"


def _below_six(power: Quantity, watts: Decimal, evse: Evse, fleet: Fleet) -> Iterator[tuple[str, str]]:
    if power.unit == "A" and ZERO < abs(power.value) < LEAST_AMPERES:
        yield "least-current", f"{power} lies between 0 and {LEAST_AMPERES} A, where no vehicle charges"
    least = LEAST_AMPERES * fleet.nominal_voltage * evse.phases
    if power.unit == "W" and ZERO < abs(watts) < least:
        phases = f"{evse.phases} phase{'s' if evse.phases > 1 else ''}"
        yield (
            "least-power",
            f"{power} is less than {LEAST_AMPERES} A on the {phases} of EVSE {evse.id}: {Quantity(least, 'W')}",
        )
