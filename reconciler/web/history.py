"""The history as the API and the command line give it: questions from words, pages from whoever keeps the lines. Pure.

Whoever keeps them is asked through one function, be it a store or the lines at hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.errors import UsageError
from reconciler.manifests.fleet import Fleet
from reconciler.profiles.form import write_instant
from reconciler.rollout.ledger import Entry
from reconciler.rollout.lines import Line, companions, fold
from reconciler.rollout.question import Page, Question

View: TypeAlias = dict[str, object]
Ask: TypeAlias = Callable[[Question], Awaitable[Page]]
MOST_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class About:
    """Whose lines are wanted; all that are given must hold."""

    station: str = ""
    group: str = ""
    site: str = ""
    commit: str = ""


async def tell(ask: Ask, question: Question) -> tuple[tuple[Line, ...], int]:
    """Give up to `limit` folded lines, newest first, and where the next page begins (0: at its end).

    Several stages make one line, so that it takes several rounds to find as many as asked for.
    """
    told: list[Line] = []
    for _ in range(MOST_ROUNDS):
        page = await ask(replace(question, limit=question.limit - len(told)))
        others = companions(page.entries, question)
        found = (await ask(others)).entries if others else ()
        told += fold(page.entries, question, found)
        question = replace(question, before=page.older)
        if not page.older or len(told) >= question.limit:
            break
    return tuple(told), question.before


def members(fleet: Fleet | None, about: About) -> tuple[str, ...] | None:
    """Give the stations that are meant, None for all lines.

    Raises:
        UsageError: there is no such group or site.
    """
    chosen: list[frozenset[str]] = []
    if about.station:
        chosen.append(frozenset((about.station.casefold(),)))
    if about.group:
        groups = fleet.groups if fleet else {}
        if about.group not in groups:
            raise UsageError(f"there is no group {about.group!r} in the fleet")
        chosen.append(frozenset(each.casefold() for each in groups[about.group].members))
    if about.site:
        chosen.append(_of_site(fleet, about.site))
    return tuple(sorted(frozenset.intersection(*chosen))) if chosen else None


def line_view(line: Line) -> View:
    """Show one line; what it does not have is left out."""
    return dict(_present(line))


def lines_view(lines: Iterable[Line]) -> list[View]:
    """Show lines in their order."""
    return [line_view(line) for line in lines]


def _of_site(fleet: Fleet | None, site: str) -> frozenset[str]:
    if fleet is None or site not in fleet.sites:
        raise UsageError(f"there is no site {site!r} in the fleet")
    return frozenset(key for key, station in fleet.stations.items() if station.site == site)


def _present(line: Line) -> Iterator[tuple[str, object]]:
    entry = line.entry
    yield "at", write_instant(entry.at)
    named: Mapping[str, object] = {
        **_said(entry),
        "sentAt": write_instant(line.sent_at),
        "open": line.open or None,
        "readBack": line.read_back,
        "readBackAt": write_instant(line.read_back_at),
    }
    yield from ((name, value) for name, value in named.items() if value not in (None, ""))


def _said(entry: Entry) -> View:
    return {
        "station": entry.station,
        "action": entry.action,
        "reason": entry.reason,
        "answer": entry.answer,
        "profileId": entry.profile_id,
        "evseId": entry.evse_id,
        "revision": entry.revision,
        "author": entry.author,
        "source": entry.source,
        "digest": entry.digest,
        "plan": entry.plan,
        "who": entry.who,
        "durationMs": entry.duration_ms,
        "write": entry.write,
    }
