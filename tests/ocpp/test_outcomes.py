from datetime import timedelta

import pytest

from reconciler.ocpp.outcomes import written
from reconciler.ocpp.session import Answered, Failed, Fate, TimedOut
from reconciler.reported.events import Accepted, NotSent, OutcomeUnknown, Refused

SET, CLEAR = "SetChargingProfile", "ClearChargingProfile"


def rejected(reason, detail=None):
    info = {"reasonCode": reason} | ({"additionalInfo": detail} if detail else {})
    return written(Answered("1", SET, {"status": "Rejected", "statusInfo": info}))


def test_only_accepted_is_accepted():
    assert written(Answered("1", SET, {"status": "Accepted"})) == Accepted()
    assert written(Answered("1", SET, {"status": "Rejected"})) == Refused("Rejected")
    assert written(Answered("1", SET, {"status": "Unknown"})) == Refused("Unknown")


def test_clearing_what_is_gone_already_is_accepted():
    assert written(Answered("1", CLEAR, {"status": "Unknown"})) == Accepted()


def test_a_refusal_carries_the_stations_words():
    assert rejected("DuplicateProfile", "slot taken") == Refused("DuplicateProfile", "slot taken")


@pytest.mark.parametrize(
    ("detail", "wait"),
    [
        ("30 seconds before retry", timedelta(seconds=30)),
        ("soon", None),
        (None, None),
        ("999999999999 seconds", timedelta(days=1)),
    ],
)
def test_a_station_may_ask_to_wait(detail, wait):
    assert rejected("ratelimitexceeded", detail).retry_after == wait


def test_numbers_in_other_refusals_are_no_wait():
    assert rejected("InvalidSchedule", "period 3").retry_after is None


def test_a_callerror_is_a_refusal_with_its_code():
    assert written(Failed("1", SET, "NotImplemented", "no")) == Refused("NotImplemented", "no")


def test_what_was_cut_off_or_not_answered_is_unknown():
    for ending in (Failed("1", SET, "GenericError", "closed", Fate.UNKNOWN), TimedOut("1", SET)):
        assert isinstance(written(ending), OutcomeUnknown)


def test_what_never_left_was_not_sent():
    assert written(Failed("1", SET, "GenericError", "closed", Fate.UNSENT)) == NotSent("closed")
