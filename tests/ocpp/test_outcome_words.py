import pytest

from reconciler.ocpp.session import Answered, Failed, Fate, TimedOut, outcome


@pytest.mark.parametrize(
    ("ending", "word"),
    [
        (Answered("1", "Reset", {"status": "Accepted"}), "accepted"),
        (Answered("1", "Heartbeat", {}), "accepted"),
        (Answered("1", "Reset", {"status": "Rejected"}), "rejected"),
        (Failed("1", "Reset", "InternalError", ""), "error"),
        (Failed("1", "Reset", "GenericError", "", Fate.UNKNOWN), "lost"),
        (Failed("1", "Reset", "GenericError", "", Fate.UNSENT), "unsent"),
        (TimedOut("1", "Reset"), "timeout"),
    ],
)
def test_every_end_of_a_call_has_one_word(ending, word):
    assert outcome(ending) == word
