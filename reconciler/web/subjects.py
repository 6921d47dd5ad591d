"""What a word means that the history is asked about: a station, a group, a site or a commit, or nothing at all. Pure.

Called by `orders` and by the command line's `history`. Whoever keeps the lines, and knows which commits were kept, is
asked through functions; stations that left the fleet are known by their lines alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeAlias

from reconciler.errors import ReconcilerError
from reconciler.manifests.fleet import Fleet
from reconciler.profiles.wording import LONGEST_WORD, suggest
from reconciler.rollout.question import Question
from reconciler.web.history import About, Ask
from reconciler.web.ports import WorldLike

Knows: TypeAlias = Callable[[str], Awaitable[bool]]
SHORTEST_COMMIT = 4


class UnknownName(ReconcilerError):
    """Neither the fleet nor its history has anything of that name."""


async def find(word: str, fleet: Fleet | None, ask: Ask, knows: Knows) -> About:
    """Tell what a word means: what the fleet calls so, else a commit that begins so, else a station with lines.

    Raises:
        UnknownName: it means nothing; the message has the name that may have been meant.
    """
    if listed := _of_fleet(word, fleet):
        return listed
    commit = word.lower()
    if _may_be_commit(commit) and (await knows(commit) or await _is_told(ask, Question(revision=commit, limit=1))):
        return About(commit=commit)
    if await _is_told(ask, Question((word.casefold(),), limit=1)):
        return About(station=word)
    raise UnknownName(_describe_unknown(word, fleet))


def commits(world: WorldLike) -> Iterator[str]:
    """Give the commits that a controller has to do with now."""
    yield from (each.commit for each in (world.revision, world.refused) if each is not None)
    yield from (world.rollout.commit, world.rollout.base) if world.rollout is not None else ()
    yield from world.quarantined


def _of_fleet(word: str, fleet: Fleet | None) -> About | None:
    if fleet is None:
        return None
    if word.casefold() in fleet.stations:
        return About(station=word)
    if word in fleet.groups:
        return About(group=word)
    return About(site=word) if word in fleet.sites else None


def _may_be_commit(word: str) -> bool:
    return len(word) >= SHORTEST_COMMIT and not set(word) - set("0123456789abcdef")


async def _is_told(ask: Ask, question: Question) -> bool:
    return bool((await ask(question)).entries)


def _describe_unknown(word: str, fleet: Fleet | None) -> str:
    words = f"neither the fleet nor its history has a station, group, site or commit {word[:LONGEST_WORD]}"
    if fleet is None:
        return f"{words}; without a good revision, groups and sites have no names"
    return words + suggest(word, (*(each.identity for each in fleet.stations.values()), *fleet.groups, *fleet.sites))
