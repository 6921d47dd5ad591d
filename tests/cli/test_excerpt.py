"""A person sees the line, the word, and the way out, whatever stands in the file."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.excerpt import WIDTH, Excerpts, span
from reconciler.cli.terminal import COLUMNS
from reconciler.errors import ManifestError, Place


def quote(text, line, column, hint="write it so"):
    return Excerpts({"a.yaml": text}).quote(ManifestError("is wrong", Place("a.yaml", line, column), hint=hint))


def shown(text, line, column, hint="write it so"):
    return "\n".join(f"{row.margin}{row.text}" for row in quote(text, line, column, hint))


def underlined(line, column):
    start, end = span(line, column)
    return line[start:end]


def test_the_line_before_the_line_and_a_caret_with_the_fix_are_shown():
    assert shown("spec:\n  identites: 12\n", 2, 3) == (
        "1 | spec:\n"  # the numbers stand right-aligned
        "2 |   identites: 12\n"
        "  |   ^^^^^^^^^ write it so"
    )


def test_numbers_of_lines_stand_below_one_another():
    assert shown("\n" * 8 + "a: 1\nb: 2\n", 10, 1, "") == " 9 | a: 1\n10 | b: 2\n   | ^"


def test_an_empty_line_before_is_left_out():
    assert shown("a: 1\n\nb: 2", 3, 4).startswith("3 | b: 2\n")


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        ("power: -7 kWh", 8, "-7 kWh"),
        ("power: 7 kW   # the least", 8, "7 kW"),
        ("  identites: x", 3, "identites"),
        ('from: "17:00 # no"', 7, '"17:00 # no"'),
        (r'name: "a\"b" ', 7, r'"a\"b"'),
        ("name: 'it''s' ", 7, "'it''s'"),
        ('name: "open', 7, '"open'),
        ("- {days: weekdays, power: 12}", 27, "12"),
        ("- {days: [mon, tu], power: 12}", 16, "tu"),
        ("- {days: [mon, tu], power: 12}", 4, "days"),
        ("select: {labels: {a: b}}  # all", 9, "{labels: {a: b}}"),
        ("select: {labels:", 9, "{labels:"),
        ("text: a, b", 7, "a, b"),
        ("  Q3-001,15 kW  ", 0, "Q3-001,15 kW"),
        ("  short", 99, "short"),
        ("", 0, ""),
        ("url: http://x", 6, "http://x"),
    ],
)
def test_the_caret_is_under_the_word_that_begins_at_the_column(line, column, word):
    assert underlined(line, column) == word


def test_nothing_is_quoted_without_a_line_or_a_file():
    assert quote("a: 1", 0, 0) == ()
    assert quote("a: 1", 2, 1) == ()
    assert Excerpts({}).quote(ManifestError("is wrong", Place("b.yaml", 1))) == ()


def test_a_long_line_is_cut_on_both_sides_and_the_caret_stays_under_its_word():
    line = "x" * 500 + " wrong " + "y" * 500
    row, caret, hint = quote(line, 1, 502)
    assert hint.text.strip() == "write it so"
    assert row.text.startswith("…xxx")
    assert row.text.endswith("yyy…")
    assert len(row.text) <= WIDTH + 2
    assert row.text[caret.text.index("^") :].startswith("wrong ")
    assert caret.text.count("^") < len(row.text)


def test_a_hint_that_does_not_fit_beside_its_caret_goes_on_below_it():
    long = "write it so and so, or so and so, or leave it out where the group above says the same already"
    rows = [row.text for row in quote("    identites: 12", 1, 5, long)]
    assert rows[1].startswith("    ^^^^^^^^^ write it so")
    assert rows[2].index(rows[2].strip()) == 4
    assert " ".join(row.strip() for row in rows[1:]) == f"^^^^^^^^^ {long}"
    wide = [row.text for row in quote("x" * 80, 1, 1, long)]
    assert (wide[1], wide[2]) == ("^" * 80, long)


@given(st.integers(0, 120), st.integers(1, 60), st.text(st.sampled_from("ab- "), max_size=300))
def test_no_line_below_an_error_is_wider_than_a_terminal(before, word, hint):
    rows = quote(" " * before + "w" * word, 1, before + 1, hint.strip())
    assert all(len(f"  {row.margin}{row.text}") <= COLUMNS for row in rows)


def test_the_caret_counts_the_columns_that_a_terminal_takes():
    assert shown("充電: wrong", 1, 5, "") == "1 | 充電: wrong\n  |       ^^^^^"
    assert shown("e\u0301: wrong", 1, 5, "") == "1 | e\u0301: wrong\n  |    ^^^^^"
    assert shown("\ta: wrong", 1, 5, "") == "1 |  a: wrong\n  |     ^^^^^"


def test_what_could_move_or_turn_text_on_a_terminal_is_shown_by_its_number():
    assert shown("a: \x1b[2J\u202e", 1, 4, "") == "1 | a: \\u001b[2J\\u202e\n  |    ^^^^^^^^^^^^^^^"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_lines_end_where_yaml_ends_them(end):
    assert quote(f"a: 1{end}b: 2", 2, 1)[1].text == "b: 2"
    assert len(quote("a: 1\x0b\x0c\x1cb: 2", 1, 1)) == 2


@given(st.text(max_size=200), st.integers(0, 9), st.integers(0, 250))
def test_whatever_a_file_says_the_caret_lies_within_what_is_shown(text, line, column):
    for row in quote(text, line, column):
        assert not any(unicodedata.category(each) in ("Cc", "Cf") for each in row.text)
        assert len(row.text) <= 2 * WIDTH
        assert row.is_caret == row.text.lstrip().startswith("^") or not row.is_caret


@given(st.text(st.characters(categories=["L", "N", "P", "Z"]), min_size=1, max_size=300), st.integers(0, 400))
def test_a_span_is_never_empty_and_begins_in_its_line(line, column):
    start, end = span(line, column)
    assert 0 <= start < end
    assert start == column - 1 or not 0 < column <= len(line)
