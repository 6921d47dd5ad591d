"""What the end of a SetChargingProfile or ClearChargingProfile means for what is believed of the station."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from reconciler.ocpp.session import Answered, Ending, Failed, Fate, TimedOut
from reconciler.profiles.form import JsonObject
from reconciler.reported.events import Accepted, NotSent, Outcome, OutcomeUnknown, Refused

_GRANTED = {"SetChargingProfile": ("Accepted",), "ClearChargingProfile": ("Accepted", "Unknown")}
"""Unknown on a clear means that it is gone already (K10.FR.01)."""
_LONGEST_WAIT = timedelta(hours=24)


def written(ending: Ending) -> Outcome:
    """Give the outcome of a write; only an answer makes it certain."""
    match ending:
        case Answered(_, action, payload):
            return Accepted() if payload.get("status") in _GRANTED.get(action, ("Accepted",)) else _refused(payload)
        case Failed(_, _, code, description, Fate.REFUSED):
            return Refused(code, description)
        case Failed(_, _, _, description, Fate.UNSENT):
            return NotSent(description)
        case Failed(_, _, code, description, _):
            return OutcomeUnknown(f"{code}: {description}")
        case TimedOut(_, action):
            return OutcomeUnknown(f"{action} was not answered in time")
        case _:  # pragma: no cover
            assert_never(ending)


def _refused(payload: JsonObject) -> Refused:
    info = payload.get("statusInfo")
    if not isinstance(info, Mapping):
        return Refused(str(payload.get("status")))
    code, detail = str(info.get("reasonCode")), str(info.get("additionalInfo") or "")
    return Refused(code, detail, _wait(detail) if code.lower() == "ratelimitexceeded" else None)


def _wait(detail: str) -> timedelta | None:
    """Read "<n> seconds before retry" (K01.FR.57)."""
    number = re.search(r"\d{1,9}", detail)
    return min(timedelta(seconds=int(number[0])), _LONGEST_WAIT) if number else None
