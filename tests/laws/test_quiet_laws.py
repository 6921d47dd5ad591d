"""Laws of long quiet spans: whatever the clocks of people do, a profile is written once a day and no more."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.controller.world import Settings
from reconciler.rollout.commands import Clear, Push
from toys import IDENTITIES, ToyFleet, revision

DAYS = 31
kilowatts = st.integers(-11, 11)
powers = st.tuples(st.tuples(kilowatts, kilowatts), st.tuples(st.integers(0, 11), st.integers(0, 11)))


@pytest.mark.parametrize(
    "begin", [datetime(2026, 3, 15, 9, tzinfo=UTC), datetime(2026, 10, 11, 9, tzinfo=UTC)], ids=["spring", "autumn"]
)
@settings(max_examples=4)
@given(made=powers)
def test_a_quiet_month_with_a_switch_of_clocks_writes_each_profile_once_a_day(begin, made):
    fleet = ToyFleet(settings=Settings(read_back=timedelta(hours=6)), now=begin)
    fleet.load(revision(made)).connect().run()
    settled = fleet.now
    fleet.run(timedelta(days=DAYS))
    for identity in IDENTITIES:
        written = Counter(each.profile.id for each in fleet.sent(Push, settled, identity))
        assert max(written.values(), default=0) <= DAYS
        assert not {1000, 1001} & set(written), "the floor and the ceiling are written once and for all"
        assert fleet.state(identity) == "in-sync"
    assert not fleet.sent(Clear)
