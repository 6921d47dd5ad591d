from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reconciler.profiles.timeline import Step, Timeline, bound, clip, combine, overlay, timeline, total

T = datetime(2026, 1, 1, tzinfo=UTC)
SILENCE = Timeline()


def at(hours):
    return T + timedelta(hours=hours)


def line(*steps):
    return timeline((at(hours), None if power is None else Decimal(power)) for hours, power in steps)


def test_a_timeline_says_nothing_before_its_first_step():
    assert line((1, 5)).at(at(0)) is None


def test_a_step_holds_from_its_start_until_the_next():
    held = line((1, 5), (2, 7))
    assert [held.at(at(1)), held.at(at(2) - timedelta(seconds=1)), held.at(at(2))] == [5, 5, 7]


def test_the_last_step_holds_for_ever():
    assert line((1, 5)).at(at(100_000)) == 5


def test_steps_are_sorted_and_equal_neighbours_are_one():
    assert line((3, 7), (1, 5), (2, 5)).steps == (Step(at(1), Decimal(5)), Step(at(3), Decimal(7)))


def test_silence_before_the_first_word_is_no_step():
    assert line((1, None), (2, 5)).starts() == (at(2),)


def test_of_two_steps_at_one_instant_the_later_given_wins():
    assert line((1, 5), (1, 7)).at(at(1)) == 7


def test_the_first_timeline_that_says_something_wins():
    joined = overlay((line((1, 5), (2, None)), line((0, 1))))
    assert joined == line((0, 1), (1, 5), (2, 1))


def test_an_overlay_of_nothing_is_silent():
    assert overlay(()) == SILENCE


def test_zero_is_said_and_hides_what_lies_below():
    assert overlay((line((1, 0)), line((0, 3)))).at(at(1)) == 0


def test_bounds_cut_both_directions_and_leave_silence_alone():
    cut = bound(line((0, -9), (1, 9), (2, 3), (3, None)), Decimal(-5), Decimal(5))
    assert cut == line((0, -5), (1, 5), (2, 3), (3, None))


def test_a_clipped_timeline_is_silent_outside():
    assert clip(line((0, 5), (2, 7), (9, 1)), at(1), at(3)) == line((1, 5), (2, 7), (3, None))


def test_a_clipped_timeline_stays_silent_where_nothing_was_said():
    assert clip(line((2, 7)), at(1), at(3)) == line((2, 7), (3, None))


def test_a_window_that_ends_before_it_begins_holds_nothing():
    assert clip(line((0, 5)), at(2), at(1)) == SILENCE
    assert clip(line((0, 5)), at(2), at(2)) == SILENCE


def test_a_sum_counts_silence_as_zero():
    assert total(((line((0, 5), (2, None)), 3), (line((1, -2)), 1))) == line((0, 15), (1, 13), (2, -2))


def test_a_sum_of_nothing_is_silent():
    assert total(()) == SILENCE


def test_joined_powers_come_in_the_order_of_their_timelines():
    joined = combine((line((0, 9)), line((0, 4))), lambda powers: powers[0] - powers[1])
    assert joined == line((0, 5))
