"""The page about rollouts shows the table that the program runs on, and the words that the command line knows."""

import os
from pathlib import Path

from reconciler.cli.rollout import Word
from reconciler.rollout.progress import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "rollouts.md"
BEGIN = "<!-- drawn from reconciler/rollout/progress.py: begin -->\n"
END = "<!-- drawn from reconciler/rollout/progress.py: end -->\n"


def drawn():
    rows = "".join(f"| {row.name} | {row.why} |\n" for row in TABLE)
    return f"{BEGIN}| row | because |\n|---|---|\n{rows}{END}"


def test_the_page_shows_the_golden_table_of_a_rollout():
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark
    if os.environ.get("GOLDEN") == "write":
        page = before + drawn() + after
        PAGE.write_text(page, "utf-8")
    assert page == before + drawn() + after, f"{PAGE} shows another table; `make golden` draws it anew"


def test_the_page_names_every_word_on_a_rollout():
    page = PAGE.read_text("utf-8")
    for word in Word:
        assert f"reconciler rollout {word.value}" in page
