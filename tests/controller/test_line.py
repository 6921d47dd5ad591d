"""Who waits for room to send is served in order, in every process alike."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.line import Line

KEYS = st.sampled_from("abcdef")
MOVES = st.lists(st.tuples(st.booleans(), KEYS), max_size=60)


@given(MOVES)
def test_a_line_is_a_list_without_doubles(moves):
    line, expected = Line(), []
    for joins, key in moves:
        if joins:
            line = line.join(key)
            expected += [key] if key not in expected else []
        else:
            line = line.leave(key)
            expected = [each for each in expected if each != key]
        assert line.first == (expected[0] if expected else None)
        assert len(line) == len(expected)
        assert all(each in line for each in expected)
    served = []
    while line.first is not None:
        served.append(line.first)
        line = line.leave(line.first)
    assert served == expected


def test_several_join_in_the_order_given():
    assert Line().join("b", "a", "b").join("c").leave("b").first == "a"
