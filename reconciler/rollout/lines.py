"""Lines of history as people read them: one for each write, whatever stages it has left. Pure.

The web's API and the command line ask a store or the lines at hand, page by page, and fold what they get here. A write
whose stages lie on two pages is shown once, on the page that has the newest of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from reconciler.rollout.ledger import Entry, Stage
from reconciler.rollout.question import Page, Question

MOST_COMPANIONS = 10_000
Write: TypeAlias = tuple[str, int | None]
FAR = timedelta(days=1)
"""How far from a page other stages of its writes are looked for, where their names do not say it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what was done and how it ended; `open` where an intent has no answer yet.

    `sent_at` is when a write was announced, `read_back` what was read of it and `read_back_at` when; None without.
    """

    entry: Entry
    open: bool = False
    sent_at: datetime | None = None
    read_back: str = ""
    read_back_at: datetime | None = None


def recent(history: Sequence[Entry], recorded: int, question: Question) -> Page:
    """Answer from the lines at hand, oldest first, which are the last of all that were `recorded`."""
    first = recorded - len(history) + 1
    numbered = ((first + at, history[at]) for at in range(len(history) - 1, -1, -1))
    wanted = set(map(str.casefold, question.stations)) if question.stations is not None else None
    found: list[tuple[int, Entry]] = []
    for number, entry in numbered:
        if _is_wanted(entry, question, wanted) and (not question.before or number < question.before):
            if len(found) == question.limit:
                return Page(tuple(each for _, each in found), found[-1][0])
            found.append((number, entry))
    return Page(tuple(each for _, each in found))


def companions(entries: Iterable[Entry], question: Question) -> Question | None:
    """Give the question for other stages of a page's writes; None where the page has all of them."""
    found = [each for each in entries if each.write]
    announced = {_write(each) for each in found if each.stage is Stage.INTENT}
    checked = {_write(each) for each in found if each.stage is Stage.READ_BACK}
    is_first = not question.before and not question.revision
    lacking = [each for each in found if _write(each) not in (announced if is_first else announced & checked)]
    if not lacking:
        return None
    stations = tuple(sorted({each.station for each in lacking}))
    since = min(_sent_at(each) for each in lacking)
    until = max(each.at for each in lacking) + FAR
    until = until if question.until is None else min(until, question.until)
    return Question(stations, since=since, until=until, limit=MOST_COMPANIONS)


def fold(entries: Sequence[Entry], question: Question, others: Iterable[Entry] = ()) -> tuple[Line, ...]:
    """Fold a page's lines, newest first, with other stages of its writes; what a newer page has shown is left out."""
    shown, stages = set(entries), dict[Write, list[Entry]]()
    for each in sorted({*entries, *others}, key=_order):
        stages.setdefault(_write(each), []).append(each)
    lines: list[Line] = []
    told: set[Write] = set()
    for each in entries:
        if not each.write:
            lines.append(Line(each))
        elif (write := _write(each)) not in told:
            told.add(write)
            matching = [one for one in stages[write] if one.revision.startswith(question.revision)]
            if matching[-1] in shown:
                lines.append(_join(stages[write]))
    return tuple(lines)


def _join(stages: Sequence[Entry]) -> Line:
    """Make one line of a write's stages: the answer has all that the intent has."""
    by = {each.stage: each for each in stages}
    answer, intent, checked = by.get(Stage.ANSWER), by.get(Stage.INTENT), by.get(Stage.READ_BACK)
    entry = answer or intent or stages[-1]
    return Line(
        entry if answer is None else replace(entry, stage=Stage.ANSWER),
        open=answer is None and checked is None,
        sent_at=intent.at if intent else None,
        read_back=checked.reason if checked else "",
        read_back_at=checked.at if checked else None,
    )


def _is_wanted(entry: Entry, question: Question, stations: set[str] | None) -> bool:
    return (
        (stations is None or entry.station.casefold() in stations)
        and entry.revision.startswith(question.revision)
        and (question.since is None or entry.at >= question.since)
        and (question.until is None or entry.at < question.until)
    )


def _write(entry: Entry) -> Write:
    """Give what the stages of one write have in common; a coarse clock gives two writes of a station one name."""
    return entry.write, entry.profile_id


def _order(entry: Entry) -> tuple[datetime, int]:
    return entry.at, _STAGES.index(entry.stage)


def _sent_at(entry: Entry) -> datetime:
    """Read when a write was sent from its name; where that can't be read, look back far enough."""
    try:
        return datetime.fromisoformat(entry.write.rpartition("@")[2])
    except ValueError:
        return entry.at - FAR


_STAGES = tuple(Stage)
