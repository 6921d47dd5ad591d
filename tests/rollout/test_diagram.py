"""The page about the architecture shows the table that the program runs on, and no other."""

import os
from pathlib import Path

import pytest

from reconciler.rollout.diagram import BEGIN, END, draw, put_into
from reconciler.rollout.table import TABLE, Row

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_page_shows_the_golden_drawing_of_the_table():
    page = PAGE.read_text(encoding="utf-8")
    drawn = put_into(page, draw(TABLE))
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(drawn, encoding="utf-8")
        page = drawn
    assert page == drawn, f"{PAGE} shows another table; `make golden` draws it anew"


def test_rows_are_drawn_from_the_top_with_what_they_ask_and_show():
    rows = (Row("first", "it is first", lambda _: None, ("a", "b"), ("Ask", "Tell")), Row("last", "so", min, ("c",)))
    assert draw(rows).splitlines() == [
        BEGIN,
        "```mermaid",
        "flowchart TD",
        "    event([an event, or the time to ask again]) --> row0",
        '    row0{"first?"} -- yes --> does0["Ask, Tell<br>a or b"]',
        "    row0 -- no --> row1",
        '    row1{"last?"} -- yes --> does1["c"]',
        "```",
        "",
        "| row | may ask | shown as | because |",
        "|---|---|---|---|",
        "| first | Ask, Tell | a, b | it is first |",
        "| last |  | c | so |",
        END,
    ]


def test_a_drawing_replaces_the_one_before_and_nothing_else():
    page = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    assert put_into(page, draw(TABLE)) == f"above\n{draw(TABLE)}below\n"
    for lacking in ("above\n", f"{BEGIN}\n", f"{END}\n"):
        with pytest.raises(ValueError, match="lacks"):
            put_into(lacking, draw(TABLE))
