from datetime import timedelta

import pytest

from reconciler.errors import (
    ManifestError,
    Place,
    ProtocolError,
    ReconcilerError,
    Rejected,
    RevisionError,
    StationError,
    Transient,
    UnsafePlan,
    Unsupported,
    UsageError,
)

HERE = Place("fleet.yaml", 3, 7)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("fleet.yaml"), "fleet.yaml"),
        (Place("fleet.yaml", 3), "fleet.yaml:3"),
        (HERE, "fleet.yaml:3:7"),
    ],
)
def test_a_place_names_only_what_is_known_of_it(place, text):
    assert str(place) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ManifestError("is cyclic", HERE), "fleet.yaml:3:7: is cyclic [manifest]"),
        (
            ManifestError("unknown key", HERE, "spec.powr", "unknown-key", "did you mean power?"),
            "fleet.yaml:3:7: spec.powr: unknown key (did you mean power?) [unknown-key]",
        ),
        (Rejected("InvalidSchedule"), "InvalidSchedule"),
        (Rejected("RateLimitExceeded", "30 seconds before retry"), "RateLimitExceeded: 30 seconds before retry"),
        (Unsupported("stack level 3", "the highest is 1"), "stack level 3: the highest is 1"),
        (ProtocolError("TypeConstraintViolation", "id is no text"), "TypeConstraintViolation: id is no text"),
        (UnsafePlan(("too many", "too soon")), "too many\ntoo soon"),
        (UsageError("give a path"), "give a path"),
        (Transient("git is away"), "git is away"),
    ],
)
def test_an_error_says_in_one_line_a_reason_what_is_wrong(error, text):
    assert str(error) == text
    assert isinstance(error, ReconcilerError)


def test_a_revision_error_lists_every_error_in_order_of_place():
    late, early = ManifestError("late", Place("b.yaml", 1)), ManifestError("early", Place("a.yaml", 10))
    first = ManifestError("first", Place("a.yaml", 9))
    error = RevisionError((late, early, first))
    assert error.errors == (first, early, late)
    assert str(error) == "a.yaml:9: first [manifest]\na.yaml:10: early [manifest]\nb.yaml:1: late [manifest]"


def test_what_a_station_refuses_is_told_from_what_it_cannot_take():
    assert isinstance(Rejected("x"), StationError)
    assert isinstance(Unsupported("x", "y"), StationError)
    assert not isinstance(Transient("x"), StationError)


def test_a_message_that_has_no_readable_id_is_answered_with_minus_one():
    assert ProtocolError("RpcFrameworkError", "no array").message_id == "-1"


def test_what_time_cures_is_tried_again_after_half_a_minute_unless_told_otherwise():
    assert Transient("x").retry_after == timedelta(seconds=30)
    assert Transient("x", timedelta(hours=1)).retry_after == timedelta(hours=1)


def test_two_errors_of_the_same_words_stay_two_errors():
    assert len({Rejected("x"), Rejected("x")}) == 2
