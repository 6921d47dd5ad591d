"""A plan as a comment: it has a size, a place, and nothing foreign in it becomes markup."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.plan.change import Install, Stuck
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.markdown import LIMIT, MOST_PICTURES, Link, write_markdown
from reconciler.plan.page import LONGEST, Page, code, escape, marker, picture
from reconciler.plan.planned import StationPlan, Version
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.belief import Belief, Held
from revisions import MONDAY, revision, state_of

MORE = ("power: -7 kW", "power: -9 kW")
HOSTILE = (
    "@everyone </code></details><img src=x onerror=alert(1)> [x](http://evil) "
    "`|` www.evil.org\n# *a* _b_ \u202e --> ~x~"
)
TAGS = {"<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>", "<br>"}


def plan_of(**changes):
    return replace(plan_fleet(revision(MORE), MONDAY, revision(commit="before")), **changes)


def profile(watts: int) -> Profile:
    schedule = ChargingSchedule(1, Unit.WATT, (Period(0, limit=Decimal(watts)),), MONDAY, 3600)
    return Profile(810011, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


def check_harmless(page: str) -> None:
    first, rest = page.split("\n", 1)
    rest = re.sub(r"!\[([^\]]*)\]\([^()<>\s]*\)", r"\1", rest)
    assert re.fullmatch(r"<!-- reconciler plan [A-Za-z0-9._-]* -->", first)
    assert set(re.findall(r"<[^>]*>", rest)) <= TAGS
    for opened, closed in (("<code>", "</code>"), ("<details>", "</details>"), ("<summary>", "</summary>")):
        assert rest.count(opened) == rest.count(closed)
    assert "@" not in rest
    assert "`" not in rest.replace("`-o json`", "")
    assert "[" not in rest
    assert "www." not in rest
    assert "\u202e" not in rest


@pytest.mark.parametrize("text", [HOSTILE, "a" * 10_000, "", "\x00\x1b[31m", "|", "~~~", "&amp;", "ß→"])
def test_foreign_text_is_one_line_of_code(text):
    shown = code(text)
    check_harmless(f"{marker('x')}\n{shown}")
    assert "\n" not in shown
    assert "|" not in shown
    assert len(shown) < LONGEST * 10


def test_nothing_that_manifests_or_stations_say_becomes_markup():
    plan = plan_fleet(revision(MORE), MONDAY, revision(commit="before"), state_of(revision()))
    stranger = Held(profile(1), Belief.OBSERVED, HOSTILE)
    stations = tuple(
        replace(
            each,
            identity=HOSTILE + each.identity,
            group=HOSTILE,
            site=HOSTILE,
            goal_refusal=HOSTILE,
            foreign=(stranger,),
            connected=False,
            assumed=True,
            verdicts=(*each.verdicts, Stuck(profile(2), HOSTILE)),
        )
        for each in plan.stations
    )
    findings = tuple(replace(each, message=HOSTILE, stations=(HOSTILE,)) for each in plan.findings)
    hostile = replace(
        plan,
        stations=stations,
        findings=findings,
        departed=(HOSTILE,),
        fleet=HOSTILE,
        head=Version(HOSTILE, HOSTILE, HOSTILE),
        base=Version(HOSTILE, HOSTILE, HOSTILE),
    )
    check_harmless(write_markdown(hostile, [Link(HOSTILE, HOSTILE)] * (MOST_PICTURES + 1)))


def test_own_words_stay_readable():
    assert escape("Mon-Fri 17:00-20:00 -7 kW -> -9 kW; EVSE 1, EVSE 2") == (
        "Mon-Fri 17:00-20:00 -7 kW → -9 kW; EVSE 1, EVSE 2"
    )


def test_a_picture_is_referred_to_by_path_or_url():
    assert picture("Site quay", "pictures/site-quay.png") == "![Site quay](pictures/site-quay.png)"
    assert picture("a]b", "https://x.org/a b(1)é.png") == "![a&#93;b](https://x.org/a%20b%281%29%C3%A9.png)"


def test_the_marker_is_first_and_names_the_fleet():
    assert write_markdown(plan_of()).startswith("<!-- reconciler plan yard -->\n\n### Plan for ")


@pytest.mark.parametrize("kinds", [1, 50, 4_000])
def test_a_page_is_never_longer_than_a_comment_may_be(kinds):
    stations = tuple(
        StationPlan(
            f"S-{number:05}", Protocol.V21, (Install(profile(number % kinds), "missing"),), group=f"g{number % 99}"
        )
        for number in range(4_000)
    )
    page = write_markdown(plan_of(stations=stations))
    check_harmless(page)
    assert len(page) <= LIMIT
    assert ("more, which `-o json` has." in page) is (kinds > 1)


def test_a_page_of_many_findings_keeps_its_changes():
    plan = plan_of()
    error = replace(plan.findings[0], message="x" * 5000)
    page = write_markdown(plan_of(findings=(error,) * 500))
    assert len(page) <= LIMIT
    assert "→ -9 kW" in page


def test_it_says_what_is_refused_and_what_is_only_later():
    later = ("otherwise: 3 kW", "otherwise: 3 kW\n  validity: {from: 2026-01-01, to: 2027-03-01}")
    plan = plan_fleet(revision(later), MONDAY, revision(commit="before"))
    assert "</code>: 6 of 6 stations change, on later days only" in write_markdown(plan)
    refused = replace(plan.stations[0], goal_refusal="no")
    assert ", on later days only, 1 refused\n" in write_markdown(replace(plan, stations=(refused, *plan.stations[1:])))
    large = (("A-{01..04}", "A-{01..20}"), ("import: 200 kW, export: 200 kW", "import: 2 MW, export: 2 MW"))
    wide = write_markdown(plan_fleet(revision(MORE, *large), MONDAY, revision(*large)))
    assert "</code>: refused by guardrails: 20 of 22 stations change\n" in wide
    assert wide.index("**What guardrails refuse:**") < wide.index("| group |")


def test_it_says_how_old_the_live_state_is():
    live = plan_fleet(revision(MORE), MONDAY, None, state_of(revision()))
    assert "how old that is was not said" in write_markdown(live)
    old = write_markdown(replace(live, state_at=MONDAY - timedelta(minutes=12)))
    assert "against what stations reported at Mon 2026-11-23 16:48, 12 min before." in old
    assert ", 0 s before." in write_markdown(replace(live, state_at=MONDAY + timedelta(minutes=1)))
    assert "from git alone" in write_markdown(plan_of())


def test_some_pictures_are_shown_and_the_others_are_folded():
    links = [Link(f"Site {number}", f"{number}.png") for number in range(MOST_PICTURES + 2)]
    shown, folded = write_markdown(plan_of(), links).split("More pictures")
    assert (shown.count(".png"), folded.count(".png")) == (MOST_PICTURES, 2)


def test_a_page_that_is_full_takes_no_more():
    page = Page(10)
    assert page.add("12345678")
    assert not page.add("x")
    page.add_lines("head", ["line"])
    assert str(page) == "12345678\n"
