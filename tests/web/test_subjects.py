"""A word that the history is asked about means something, or it is an error that says what may have been meant."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.controller.world import RevisionLoaded, RevisionRefused, World
from reconciler.rollout.ledger import Entry
from reconciler.rollout.lines import recent
from reconciler.web.history import About
from reconciler.web.subjects import UnknownName, commits, find

ROLLOUT = ("  discharge: allowed\n", "  discharge: allowed\n  rollout: {waves: [1, 100%], soak: 40m}\n")
AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
LEFT = Entry(AT, "GONE-7", "verified", "x", revision="feedbeef")
HEXADECIMAL = Entry(AT, "100234", "verified", "x", revision="feedbeef")


async def meaning(word, fleet, *lines, kept=()):
    async def ask(question):
        return recent(lines, len(lines), question)

    async def knows(commit):
        return any(each.startswith(commit) for each in kept)

    return await find(word, fleet, ask, knows)


@pytest.fixture
def fleet(yard):
    return yard.world.revision.fleet


@pytest.mark.parametrize(
    ("word", "meant"),
    [("a1", About(station="a1")), ("night", About(group="night")), ("quay", About(site="quay"))],
)
async def test_what_the_fleet_calls_so_is_meant_also_without_a_line(fleet, word, meant):
    assert await meaning(word, fleet) == meant


async def test_a_station_that_left_the_fleet_is_known_by_its_lines(fleet):
    assert await meaning("gone-7", fleet, LEFT) == await meaning("gone-7", None, LEFT) == About(station="gone-7")


async def test_a_station_whose_name_could_be_a_commit_is_known_by_its_lines(fleet):
    assert await meaning("100234", fleet, LEFT, HEXADECIMAL) == About(station="100234")


async def test_a_commit_is_known_by_its_lines_or_because_it_is_kept(fleet):
    assert await meaning("FEED", fleet, LEFT) == About(commit="feed")
    assert await meaning("dead", fleet, kept=("deadbeef",)) == About(commit="dead")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("nigth", "; did you mean night?"), ("quays", "; did you mean quay?"), ("c0ff", ""), ("fee", ""), ("x" * 100, "")],
)
async def test_a_word_that_means_nothing_is_an_error_with_what_may_be_meant(fleet, word, hint):
    with pytest.raises(UnknownName) as caught:
        await meaning(word, fleet, LEFT)
    assert str(caught.value).endswith(f"station, group, site or commit {word[:80]}{hint}")


async def test_without_a_good_revision_the_error_says_why_names_mean_nothing():
    with pytest.raises(UnknownName, match="without a good revision, groups and sites have no names"):
        await meaning("night", None, LEFT)


def test_the_commits_of_a_controller_are_those_it_follows_refuses_or_has_put_in_quarantine(yard, edited):
    assert set(commits(yard.world)) == {"c0ffee"}
    yard.take(RevisionLoaded(edited("5ec0nd", ROLLOUT)))
    yard.take(RevisionRefused("badbad", "Oops", ()))
    world = replace(yard.world, quarantined={"0ld": "noise"})
    assert set(commits(world)) == {"c0ffee", "5ec0nd", "badbad", "0ld"}
    assert set(commits(World())) == set()
