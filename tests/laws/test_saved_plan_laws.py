"""Whatever is read as a saved plan is either refused as none, or can be shown."""

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.ocpp.dialects import dialect
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.json_form import write_json
from reconciler.plan.markdown import LIMIT, write_markdown
from reconciler.plan.saved import MalformedPlan, read_json
from reconciler.plan.text import write_text
from reconciler.profiles.capability import Capability
from reconciler.profiles.profile import Mode
from revisions import MONDAY, revision, state_of


def wire(profile, protocol):
    return dialect(protocol).set_profile(profile, Capability(protocol, negative_limit=True, modes=frozenset(Mode)))


BASE, HEAD = revision(), revision(("power: -7 kW", "power: -9 kW"))
TEXTS = [json.dumps(write_json(plan_fleet(HEAD, MONDAY, BASE, state), wire)) for state in (None, state_of(revision()))]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(
        ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2.1", "W", "Recurring", [], {}, [None], [{}]]
    ),
)


def places(data, path=()):
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


PLACES = [list(places(json.loads(text))) for text in TEXTS]


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_plan_is_refused_or_shown(data):
    number = data.draw(st.integers(0, len(TEXTS) - 1))
    document = json.loads(TEXTS[number])
    for path in data.draw(st.lists(st.sampled_from(PLACES[number]), min_size=1, max_size=2)):
        document = damage(document, path, data.draw(leaves))
    try:
        plan = read_json(document)
    except MalformedPlan:
        return
    assert write_text(plan)
    assert len(write_markdown(plan)) <= LIMIT
    write_json(plan, lambda *_: {})


def damage(document, path, value):
    """Put a value at a place, if that is still there."""
    if not path:
        return value
    with suppress(KeyError, IndexError, TypeError):
        at = document
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
    return document
