"""What happens, counted: calls and their times, writes, refusals, turns of direction, fetches, notices, history.

The command line feeds it with what the shells report; `metrics` shows it. Labels are words of fixed lists, never what a
station or a person has written, so that the number of series does not grow with the fleet.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from prometheus_client import CollectorRegistry, Counter, Histogram

from reconciler.reported.events import (
    Accepted,
    Metered,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Refused,
    StationEvent,
    Written,
)
from reconciler.rollout.absorb import MOST_EVSES
from reconciler.rollout.table import ACTIONS
from reconciler.rollout.wear import Counts

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds of a call's round trip; a call is given up after 30."""
OTHER = "other"
CALLS = frozenset(ACTIONS.values())
REASONS = frozenset(
    (
        "CSNotAccepted",
        "DuplicateProfile",
        "FormatViolation",
        "FormationViolation",
        "GenericError",
        "InternalError",
        "InvalidMessageSeq",
        "InvalidOperationMode",
        "InvalidProfile",
        "InvalidProfileId",
        "InvalidSchedule",
        "InvalidStackLevel",
        "InvalidValue",
        "NoFreqWattCurve",
        "NoPhaseForDC",
        "NoSignalWattCurve",
        "NotImplemented",
        "NotSupported",
        "OccurrenceConstraintViolation",
        "OutOfMemory",
        "OutOfStorage",
        "PhaseConflict",
        "PropertyConstraintViolation",
        "ProtocolError",
        "RateLimitExceeded",
        "Rejected",
        "SecurityError",
        "TooLargeElement",
        "TooManyElements",
        "TxNotFound",
        "TypeConstraintViolation",
        "UnknownEvse",
        "Unspecified",
        "UnsupportedKind",
        "UnsupportedParam",
        "UnsupportedPurpose",
        "UnsupportedRateUnit",
        "ValueOutOfRange",
        "ValueTooHigh",
        "ValueTooLow",
    )
)
"""The reason codes and error codes by which stations refuse profiles (OCPP appendix 5, OCPP-J 4.3)."""
_BY_CASE = {reason.casefold(): reason for reason in REASONS}


class Measures:
    """Counters of one process, in a registry of its own."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry(auto_describe=False)
        self.fetched_at: datetime | None = None
        self._calls = self._histogram("call_seconds", "Round trip of calls to stations", ("action", "outcome"))
        self._writes = self._counter("writes", "Profiles set or cleared, by what came of it", ("outcome",))
        self._refusals = self._counter("refusals", "Writes that stations refused, by reason code", ("reason",))
        self._turns = self._counter("direction_changes", "Turns between import and export, as metered", ())
        self._fetches = self._counter("fetches", "Looks for new commits, by what came of it", ("result",))
        self._notices = self._counter("notifications", "Notices to other systems, by what came of them", ("result",))
        self._rows = self._counter("history_rows", "Lines of history written", ())
        self._worn: dict[tuple[str, int], Counts] = {}

    def call(self, action: str, outcome: str, seconds: float) -> None:
        """Count a call that has ended."""
        self._calls.labels(action if action in CALLS else OTHER, outcome).observe(seconds)

    def take(self, event: StationEvent) -> None:
        """Count what an event of a station tells."""
        match event:
            case Written(outcome=outcome):
                self._written(outcome)
            case Metered() if 0 < event.evse_id <= MOST_EVSES:
                self._metered(event)
            case _:
                pass

    def fetched(self, at: datetime) -> None:
        """Count a look for new commits that went well."""
        self.fetched_at = at
        self._fetches.labels("ok").inc()

    def missed(self) -> None:
        """Count a look for new commits that did not."""
        self._fetches.labels("failed").inc()

    def notified(self, result: str) -> None:
        """Count a notice that was sent, given up or dropped."""
        self._notices.labels(result).inc()

    def recorded(self, lines: int) -> None:
        """Count lines of history that were written."""
        self._rows.inc(lines)

    def _written(self, outcome: Outcome) -> None:
        match outcome:
            case Accepted():
                word = "accepted"
            case Refused(reason_code=code):
                word = "refused"
                self._refusals.labels(_BY_CASE.get(code.casefold(), OTHER)).inc()
            case OutcomeUnknown():
                word = "unknown"
            case NotSent():
                word = "not-sent"
            case _:  # pragma: no cover
                assert_never(outcome)
        self._writes.labels(word).inc()

    def _metered(self, event: Metered) -> None:
        """Count a turn as it is counted for good; the main meter, which is EVSE 0, has none of its own."""
        evse = (event.station.casefold(), event.evse_id)
        before = self._worn.get(evse, Counts())
        after = self._worn[evse] = before.metered(event.power_w)
        self._turns.inc(after.turns - before.turns)

    def _counter(self, name: str, about: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, f"{about}.", labels, namespace="reconciler", registry=self.registry)

    def _histogram(self, name: str, about: str, labels: tuple[str, ...]) -> Histogram:
        words = f"{about}."
        return Histogram(name, words, labels, namespace="reconciler", registry=self.registry, buckets=BUCKETS)
