"""The station's table as people read it: a diagram and the reasons, in Markdown. Pure.

`docs/architecture.md` shows what is drawn here, and a test holds the two together, so that the page can't grow old.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.rollout.table import Row

BEGIN = "<!-- drawn from reconciler/rollout/table.py: begin -->"
END = "<!-- drawn from reconciler/rollout/table.py: end -->"


def draw(table: Sequence[Row]) -> str:
    """Draw a table of decisions: a Mermaid flowchart of the rows from the top, and why each stands where it stands."""
    lines = [BEGIN, "```mermaid", *_flowchart(table), "```", "", *_reasons(table), END]
    return "\n".join(lines) + "\n"


def put_into(page: str, drawing: str) -> str:
    """Put a drawing between its marks in a page, in place of the one that is there.

    Raises:
        ValueError: the page has no marks.
    """
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END + "\n")
    if not mark:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return before + drawing + after


def _flowchart(table: Sequence[Row]) -> Iterator[str]:
    yield "flowchart TD"
    yield "    event([an event, or the time to ask again]) --> row0"
    for number, row in enumerate(table):
        yield f'    row{number}{{"{row.name}?"}} -- yes --> does{number}["{_outcome(row)}"]'
        if number + 1 < len(table):
            yield f"    row{number} -- no --> row{number + 1}"


def _outcome(row: Row) -> str:
    return "<br>".join(filter(None, (", ".join(row.asks), " or ".join(row.states))))


def _reasons(table: Sequence[Row]) -> Iterator[str]:
    yield "| row | may ask | shown as | because |"
    yield "|---|---|---|---|"
    for row in table:
        yield f"| {row.name} | {', '.join(row.asks)} | {', '.join(row.states)} | {row.why} |"
