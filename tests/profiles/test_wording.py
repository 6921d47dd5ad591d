"""What is told to people: numbers agree with their nouns, and a slip of the pen is answered with what was meant."""

import pytest

from reconciler.profiles.wording import LONGEST_WORD, count, nearest, suggest

KNOWN = ("drifted", "Q3-001", "deferred")


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 stations"), (1, "1 station"), (2, "2 stations"), (1000, "1000 stations")]
)
def test_a_noun_agrees_with_its_number(number, said):
    assert count(number, "station") == said


def test_a_signed_number_agrees_with_its_noun_in_both_directions():
    assert [count(number, "turn", "+") for number in (-2, -1, 1, 2)] == ["-2 turns", "-1 turn", "+1 turn", "+2 turns"]


@pytest.mark.parametrize(("word", "meant"), [("drifting", "drifted"), ("q3-01", "Q3-001"), ("zz", ""), ("", "")])
def test_the_known_word_that_is_most_alike_is_found_in_any_case(word, meant):
    assert nearest(word, KNOWN) == meant


def test_of_a_long_word_no_more_than_its_beginning_is_compared():
    long = "x" * LONGEST_WORD
    assert nearest(long + "y" * 100_000, (long,)) == long


def test_a_suggestion_follows_an_error_and_is_left_out_where_nothing_is_near():
    assert suggest("q3-01", KNOWN) == "; did you mean Q3-001?"
    assert suggest("zz", KNOWN) == ""
