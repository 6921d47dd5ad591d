import dataclasses
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.world import World
from reconciler.profiles.values import replace
from reconciler.rollout.station import Station


@dataclass(frozen=True, slots=True)
class Pair:
    one: int = 1
    other: int = 2


@dataclass(frozen=True)
class Roomy:
    one: int = 1
    other: int = 2


@dataclass(frozen=True, slots=True)
class Alone:
    one: int = 1


@dataclass(frozen=True, slots=True)
class Careful:
    one: int = 1
    other: int = 2

    def __post_init__(self):
        if self.one > self.other:
            raise ValueError("one is more than the other")


@given(st.sampled_from((Pair, Roomy, Careful)), st.dictionaries(st.sampled_from(("one", "other")), st.integers(1, 2)))
def test_a_copy_is_what_dataclasses_make_of_it(kind, changes):
    value = kind(1, 2)
    if kind is Careful and changes.get("one", 1) > changes.get("other", 2):
        return
    copy = replace(value, **changes)
    assert copy == dataclasses.replace(value, **changes)
    assert (type(copy), value) == (kind, kind(1, 2))


def test_the_largest_values_are_copied_whole():
    assert replace(World(), in_flight=3) == dataclasses.replace(World(), in_flight=3)
    assert replace(Station("A"), failures=2) == dataclasses.replace(Station("A"), failures=2)


def test_a_value_with_one_field_is_copied_as_well():
    assert replace(Alone(), one=2) == Alone(2)


def test_what_a_class_checks_is_checked_on_copies():
    with pytest.raises(ValueError, match="more than the other"):
        replace(Careful(), one=3)


@pytest.mark.parametrize("kind", [Pair, Roomy])
def test_there_are_no_other_fields(kind):
    with pytest.raises((TypeError, KeyError)):
        replace(kind(), third=3)
