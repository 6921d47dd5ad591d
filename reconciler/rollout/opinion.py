"""The second opinion: whether a composite schedule allows no more than the profiles that a station has accepted.

Asked where a station does not report its profiles. Only equal or less is evidence; what a station shows
beyond that says nothing about which profile it lacks.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter

from reconciler.profiles.composite import Flow, Situation, compose, flow_at
from reconciler.profiles.profile import Profile, Unit, later
from reconciler.reported.events import CompositeRead, CompositeStep

SPAN = timedelta(hours=1)
"""How far ahead composite schedules are asked for."""
GRACE = 3
"""Seconds after a change before which two schedules are not compared: starts drift by one or two."""
TOLERANCES = {Unit.WATT: Decimal(50), Unit.AMPERE: Decimal("0.2")}
"""How far a composite schedule may be off by rounding."""
ONE = Decimal(1)
SITUATIONS = {Unit.WATT: Situation(), Unit.AMPERE: Situation(watts_per_ampere=ONE, voltage=ONE)}
"""A station that answers in amperes was sent amperes: they are compared as they are, for it alone knows its volts."""


def allows_no_more(read: CompositeRead, accepted: tuple[Profile, ...]) -> bool:
    """Tell whether an EVSE's composite schedule stays within what the accepted profiles allow, both ways."""
    if not read.steps:
        return False
    situation, tolerance = SITUATIONS[read.unit], TOLERANCES[read.unit]
    shown = sorted(((later(read.start, step.start), step) for step in read.steps), key=itemgetter(0))
    end = later(read.start, int(SPAN.total_seconds()))
    spans = compose(accepted, read.evse_id, read.start, end, situation)
    instants = sorted({later(at, GRACE) for at in (*(at for at, _ in shown), *(span.start for span in spans))})
    return all(
        _within(_shown_at(shown, at), flow_at(accepted, read.evse_id, at, situation), tolerance)
        for at in instants
        if shown[0][0] <= at < end
    )


def _shown_at(shown: list[tuple[datetime, CompositeStep]], at: datetime) -> CompositeStep:
    return shown[bisect_right(shown, at, key=itemgetter(0)) - 1][1]


def _within(step: CompositeStep, allowed: Flow, tolerance: Decimal) -> bool:
    signed = step.setpoint if step.setpoint is not None else step.limit
    most = allowed.most_import_w
    if signed is None:
        return most is None
    return (most is None or signed <= most + tolerance) and signed >= -allowed.most_export_w - tolerance
