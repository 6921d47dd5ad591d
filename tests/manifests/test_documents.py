from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml import safe_dump

from reconciler.errors import Place
from reconciler.manifests import documents
from reconciler.manifests.documents import parse


def values(text):
    parsed = parse("a.yaml", text)
    assert parsed.errors == ()
    return [document.value for document in parsed.documents]


def error(text):
    (only,) = parse("a.yaml", text).errors
    return only


def test_plain_scalars_have_the_types_that_every_reader_gives_them():
    text = "[1, -2, 1.50, true, False, null, ~, , word, 'quoted', \"2\", 7 kW, 2026-01-01]"
    assert values(text.replace(", ,", ", '',")) == [
        [1, -2, Decimal("1.50"), True, False, None, None, "", "word", "quoted", "2", "7 kW", "2026-01-01"]
    ]


def test_a_number_beyond_any_use_stays_text():
    assert values("a: " + "9" * 5000) == [{"a": "9" * 5000}]


def test_empty_documents_are_left_out():
    assert values("---\n---\na: 1\n---\n# nothing\n") == [{"a": 1}]
    assert values("") == []


def test_every_key_and_value_has_its_place():
    (document,) = parse("a.yaml", "top:\n  list:\n    - one\n    - {x: 1,  y: 2}\n").documents
    assert document.at() == Place("a.yaml", 1, 1)
    assert document.at("top", "list", 1, "y") == Place("a.yaml", 4, 18)
    assert document.at_key("top", "list", 1, "y") == Place("a.yaml", 4, 15)
    assert document.at_key("top") == Place("a.yaml", 1, 1)


def test_a_path_that_leads_nowhere_has_the_place_of_the_last_thing_on_it():
    (document,) = parse("a.yaml", "top:\n  list: [1]\n").documents
    for path in [("top", "list", 7), ("top", "list", "x"), ("top", "list", 0, "deeper")]:
        assert document.at(*path).line == 2
    assert document.at("none", 3) == Place("a.yaml", 1, 1)


def test_an_alias_has_the_value_and_the_places_of_its_anchor():
    (document,) = parse("a.yaml", "a: &x {k: 1}\nb: [*x, *x]\n").documents
    assert document.value == {"a": {"k": 1}, "b": [{"k": 1}, {"k": 1}]}
    assert document.at("b", 1, "k") == Place("a.yaml", 1, 11)


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: [1\nb: 2", "not-yaml", 2),
        ("a:\n\t- b", "not-yaml", 2),
        ("a: 1\n  b: 2", "not-yaml", 2),
        ("a: \x07", "not-yaml", 0),
        ("a: \ud800", "not-utf-8", 0),
        ("%YAML 2.0\n---\na: 1", "not-yaml", 1),
        ("a: 1\nb: 2\na: 3", "duplicate-key", 3),
        ("a: 1\n? [b]\n: 2", "yaml-key", 2),
        ("a: &x {k: 1}\nb: {<<: *x}", "yaml-key", 2),
        ("a:\n- !!python/object/apply:os.system [ls]", "yaml-tag", 2),
        ("a:\n  - !custom x", "yaml-tag", 2),
        ("a: *nothing", "unknown-alias", 1),
        ("a: &a [*a]", "unknown-alias", 1),
        ("---\na: &a 1\n---\nb: *a", "unknown-alias", 4),
        ("from: 17:00", "unquoted-time", 1),
        ("x: 1\nconsent: no", "ambiguous-value", 2),
        ("id: 007", "ambiguous-value", 1),
        ("on: 1", "ambiguous-value", 1),
        ("[0x1F]", "ambiguous-value", 1),
        ("[1_000]", "ambiguous-value", 1),
        ("[1e3]", "ambiguous-value", 1),
        ("[+5]", "ambiguous-value", 1),
        ("[.5]", "ambiguous-value", 1),
        ("[.inf]", "ambiguous-value", 1),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text, rule, line):
    found = error(text)
    assert (found.rule, found.place.line) == (rule, line)


def test_a_tab_for_indentation_gets_a_hint():
    assert error("a:\n\t- b").hint == "a tab may not indent; use spaces"


def test_a_duplicate_key_names_both_lines():
    assert "first on line 2" in error("x: 1\na: 1\nb: 2\na: 3").message
    assert error("x: 1\na: 1\nb: 2\na: 3").place.line == 4


def test_what_stands_before_a_break_is_kept():
    parsed = parse("a.yaml", "a: 1\n---\nb: [")
    assert [document.value for document in parsed.documents] == [{"a": 1}]
    assert not parsed.whole


def bomb(levels=20, width=9):
    lines = ["a0: &a0 [x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def staircase(steps=60):
    """Each step lies one deeper than the text looks."""
    return "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, steps))])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (bomb(), "yaml-too-large"),
        (staircase(), "yaml-too-deep"),
        ("[" * 1_000_000, "yaml-too-deep"),
        ("- " * 1_000_000, "yaml-too-deep"),
        ("{a: " * 100_000, "yaml-too-deep"),
        ("- a\n" * 600_000, "yaml-too-large"),
        ("- [a]\n" * 300_000, "yaml-too-large"),
    ],
    ids=["bomb", "staircase", "brackets", "dashes", "braces", "scalars", "lists"],
)
def test_what_would_explode_is_refused_before_it_is_built(text, rule):
    assert error(text).rule == rule


def test_aliases_within_the_limits_are_fine(monkeypatch):
    monkeypatch.setattr(documents, "MAX_NODES", 1000)
    assert len(values(bomb(levels=3))) == 1
    assert error(bomb(levels=5)).rule == "yaml-too-large"


def test_a_document_may_be_as_deep_as_the_limit():
    assert values("[" * 49 + "x" + "]" * 49)
    assert error("[" * 50 + "x" + "]" * 50).rule == "yaml-too-deep"


# Control characters and Unicode's line ends are folded by YAML itself.
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff"), max_size=8)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, TREES, min_size=1, max_size=4))
def test_what_a_yaml_writer_writes_is_read_back(tree):
    parsed = parse("a.yaml", safe_dump(tree, allow_unicode=True))
    assert [one.rule for one in parsed.errors if one.rule not in {"ambiguous-value", "yaml-key"}] == []
    if parsed.whole:
        assert parsed.documents[0].value == tree


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    parsed = parse("a.yaml", text)
    assert parsed.whole or parsed.errors
