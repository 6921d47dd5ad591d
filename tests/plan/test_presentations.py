"""What people and programs are shown of a plan; the golden files say it in full."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from goldens import check_golden
from reconciler.ocpp.dialects import dialect
from reconciler.plan.fleet_plan import Version, plan_fleet
from reconciler.plan.json_form import write_json
from reconciler.plan.markdown import Link, write_markdown
from reconciler.plan.saved import read_json
from reconciler.plan.sections import total
from reconciler.plan.text import COLUMNS, MOST_GROUPS, Tone, describe_version, summarise, write_text
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.form import write_profile
from reconciler.profiles.profile import Mode
from reconciler.reported.belief import Belief, Held
from reconciler.reported.events import Refused
from revisions import MONDAY, ROOT, revision, state_of

MORE = ("power: -7 kW", "power: -9 kW")
LATER = ("otherwise: 3 kW", "otherwise: 3 kW\n  validity: {from: 2026-01-01, to: 2027-03-01}")

EASED = (
    "discharge: allowed",
    'discharge: allowed\n  guardrails: {reversal: {severity: "off", reason: They rest | well}}',
)


def text_of(plan):
    return "".join(f"{line.text}\n" for line in write_text(plan))


def wire(profile, protocol):
    return dialect(protocol).set_profile(profile, Capability(protocol, negative_limit=True, modes=frozenset(Mode)))


def json_of(plan):
    return write_json(plan, wire)


def troubled_state():
    """Give stations of which one lost a profile, one holds a stranger, one refuses, one is off, one is worn out."""
    state = state_of(revision())
    stranger = replace(state["a-01"].reported.held[810011].profile, id=7, stack_level=3)
    wanted = state_of(revision(MORE))["a-03"].reported.held[810011].profile

    def change(key, **changes):
        state[key] = replace(state[key], reported=replace(state[key].reported, **changes))

    def held(key):
        return dict(state[key].reported.held)

    change("a-01", held={number: each for number, each in held("a-01").items() if number != 810001})
    change("a-02", held=held("a-02") | {7: Held(stranger, Belief.OBSERVED, "EMS")})
    change("a-03", refusals={810011: (wanted, Refused("InvalidSchedule", "too steep"))})
    state["a-04"] = replace(state["a-04"], connected=False)
    del state["b-01"]
    change(
        "b-02",
        held=held("b-02")
        | {810013: replace(held("b-02")[810012], profile=replace(held("b-02")[810012].profile, id=810013))},
    )
    return state


WORDS = "central-setpoint, local-frequency, local-load-balancing, idle"
ABLE = ("capability: {protocol: 2.0.1, negativeLimit: true}", f'capability: {{protocol: "2.1", modes: [{WORDS}]}}')
CURVE = "curve: [{frequency: 49.8 Hz, power: -11 kW}, {frequency: 50.2 Hz, power: 11 kW}]"
STEERED = ('"20:00", power: -7 kW}', f'"20:00", mode: local-frequency, {CURVE}}}')

LOW = ("otherwise: 3 kW", "otherwise: 2 kW")
WAVES = (
    "discharge: allowed",
    'discharge: allowed\n  rollout: {waves: [1, "50%", "100%"], soak: 10m, pace: {writes: 30}}',
)

PLANS = {
    "first": lambda: plan_fleet(revision(), MONDAY),
    "nothing": lambda: plan_fleet(revision(), MONDAY, revision(commit="before")),
    "more-export": lambda: plan_fleet(revision(MORE), MONDAY, revision(commit="before")),
    "next-season": lambda: plan_fleet(revision(LATER), MONDAY, revision(commit="before")),
    "some-later": lambda: plan_fleet(revision(MORE), MONDAY - timedelta(hours=14), revision(commit="before")),
    "smaller-fleet": lambda: plan_fleet(
        revision((", {id: 2, charge: 11 kW}", ""), ("A-{01..04}", "A-{01..02}")), MONDAY, revision(commit="before")
    ),
    "troubled": lambda: plan_fleet(revision(MORE), MONDAY, revision(commit="before"), troubled_state()),
    "troubled-without-base": lambda: plan_fleet(revision(MORE), MONDAY, state=troubled_state()),
    "modes": lambda: plan_fleet(revision(ABLE, STEERED), MONDAY, revision(ABLE, commit="before")),
    "waves": lambda: plan_fleet(revision(WAVES, LOW), MONDAY, revision(commit="before")),
    "eased": lambda: plan_fleet(revision(EASED, MORE), MONDAY, revision(commit="")),
    "renewals": lambda: plan_fleet(revision(), MONDAY.replace(day=24), revision(commit="before"), state_of(revision())),
}


@pytest.mark.parametrize("name", PLANS)
def test_text_golden(name):
    check_golden(f"plan/{name}.txt", text_of(PLANS[name]()))


@pytest.mark.parametrize("name", PLANS)
def test_json_golden(name):
    check_golden(f"plan/{name}.json", json.dumps(json_of(PLANS[name]()), indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", PLANS)
def test_markdown_golden(name):
    plan = replace(PLANS[name](), state_at=MONDAY - timedelta(minutes=5) if name == "troubled" else None)
    check_golden(
        f"plan/{name}.md", write_markdown(plan, [Link("Site quay before and after", "pictures/site-quay.png")])
    )


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_was_saved_is_shown_as_it_was(name):
    plan = PLANS[name]()
    again = read_json(json.loads(json.dumps(json_of(plan))))
    assert json_of(again) == json_of(plan)
    assert text_of(again) == text_of(plan)
    assert write_markdown(again) == write_markdown(plan)
    assert (again.is_empty, again.is_blocked, again.is_drifted) == (plan.is_empty, plan.is_blocked, plan.is_drifted)


@pytest.mark.parametrize("name", PLANS)
def test_no_line_is_wider_than_a_terminal_and_the_last_is_the_summary(name):
    plan = PLANS[name]()
    lines = write_text(plan)
    assert max(len(line.text) for line in lines[:-1]) <= COLUMNS
    assert lines[-1].text == summarise(plan)
    assert lines[-1].text.startswith("Plan: ")
    assert sum(line.text.startswith("Plan: ") for line in lines) == 1


def test_identical_changes_are_told_once():
    lines = [line.text for line in write_text(PLANS["more-export"]())]
    assert "~ 4 stations (A-01..A-04): EVSE 1: Mon-Fri 17:00-20:00 -7 kW -> -9 kW, -8 kW at the peak" in lines


def test_what_is_written_now_and_what_is_later_are_added_up():
    plan = PLANS["some-later"]()
    now, later = len(plan.changed), len(plan.waiting)
    assert (now + later, now > 0, later > 0) == (4, True, True)
    lines = text_of(plan).splitlines()
    together = (
        f"Together: {now} change now, and {later} when their leases are renewed; -8 kW at the peak, now and later"
    )
    assert together in lines
    assert f"; {now} of 6 stations now, {later} later; " in lines[-1]
    page = write_markdown(plan)
    assert f"</code>: {now} of 6 stations change now, {later} later (with their next lease)\n" in page
    assert "(-8 kW at the peak of all together, " in page
    assert f"| 4, {later} of them later | EVSE 1: Mon-Fri 17:00-20:00 -7 kW → -9 kW | -8 kW |" in page


def test_power_at_the_peak_of_all_is_told_only_where_it_is_known_what_all_did_before():
    unknown = plan_fleet(revision(MORE), MONDAY, state=state_of(revision()))
    assert (total(unknown), "of all together" in write_markdown(unknown)) == ((), False)
    assert total(PLANS["nothing"]()) == ()
    plan = PLANS["some-later"]()
    changed = next(each for each in plan.stations if each.changes)
    blind = [replace(each, outlook=None) if each is changed else each for each in plan.stations]
    assert "Together: " in text_of(replace(plan, stations=tuple(blind)))
    assert "now and later" not in text_of(replace(plan, stations=tuple(blind)))


def test_a_crowd_is_told_like_a_few():
    crowd = (("A-{01..04}", "A-{01..60}"), ("import: 200 kW, export: 200 kW", "import: 2 MW, export: 2 MW"))
    lines = [line.text for line in write_text(plan_fleet(revision(MORE, *crowd), MONDAY, revision(*crowd)))]
    assert "~ 60 stations (A-01..A-60): EVSE 1: Mon-Fri 17:00-20:00 -7 kW -> -9 kW, -120 kW at the peak" in lines


def test_the_unchanged_is_hidden():
    changes = [line.text for line in write_text(PLANS["more-export"]()) if line.tone is not Tone.WARN]
    assert "B-01" not in "".join(changes)


def test_tones_follow_what_is_done():
    tones = {line.tone for line in write_text(PLANS["smaller-fleet"]())}
    assert {Tone.REMOVE, Tone.HEADING, Tone.WARN} <= tones


def test_more_groups_than_anyone_reads_are_cut_and_counted():
    state = state_of(revision())
    stranger = state["a-01"].reported.held[810011].profile
    many = {number: Held(replace(stranger, id=number), Belief.OBSERVED, "EMS") for number in range(1, MOST_GROUPS + 3)}
    state["a-01"] = replace(state["a-01"], reported=replace(state["a-01"].reported, held=many))
    assert "and 2 more groups; -o json has all of them" in text_of(plan_fleet(revision(), MONDAY, state=state))


def test_revisions_are_said_by_commit_and_subject():
    assert describe_version(None) == "nothing"
    assert describe_version(Version("", "", "working tree")) == "working tree"
    assert describe_version(Version("0123456789abcdef", "Ann", "More " * 20)).startswith('0123456789ab "More More')
    assert len(describe_version(Version("0123456789abcdef", "Ann", "More " * 20))) < 60


def test_json_says_what_text_says():
    plan = PLANS["troubled"]()
    data = json_of(plan)
    assert data["format_version"] == 1
    assert data["digest"] == plan.digest
    assert data["summary"]["replace"] == sum(change["type"] == "replace" for change in data["changes"])
    assert {change["cause"] for change in data["changes"]} == {"change", "drift"}
    assert data["offline"] == ["A-04", "B-01"]
    assert [(each["station"], each["source"]) for each in data["foreign"]] == [("A-02", "EMS")]
    assert data["refused"][0]["station"] == "A-03"
    assert [each["station"] for each in data["changes"] if each["deferred"]] == ["A-04", *["B-01"] * 4]


def test_json_holds_before_and_after_and_what_goes_out():
    change = json_of(PLANS["more-export"]())["changes"][0]
    assert (change["protocol"], change["evseId"], change["type"]) == ("2.0.1", 1, "replace")
    assert change["after"] == write_profile(PLANS["more-export"]().changed[0].changes[0].new)
    assert change["before"] != change["after"]
    limits = [
        period["limit"]
        for period in change["payload"]["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"]
    ]
    assert min(limits) == -9000


def test_stations_that_share_a_profile_share_its_json():
    crowd = (("A-{01..04}", "A-{01..60}"), ("import: 200 kW, export: 200 kW", "import: 2 MW, export: 2 MW"))
    changes = json_of(plan_fleet(revision(*crowd), MONDAY))["changes"]
    assert len({id(change["after"]) for change in changes}) < len(changes) / 2
    assert len({id(change["payload"]) for change in changes}) < len(changes) / 2


def test_a_later_change_is_there_with_its_days():
    later = json_of(PLANS["next-season"]())["later"]
    assert [(each["station"], each["evseId"]) for each in later][-2:] == [("B-02", 1), ("B-02", 2)]
    assert later[0]["since"] == "2027-03-01"
    assert {"days": [0, 1, 2, 3, 4], "startMinute": 330, "endMinute": 1020, "beforeW": 3000, "afterW": 0} in later[0][
        "stretches"
    ]


def test_a_station_that_can_not_discharge_is_refused_by_name():
    state = state_of(revision())
    state["a-01"] = replace(state["a-01"], capability=Capability(Protocol.V201))
    plan = plan_fleet(revision(), MONDAY, revision(commit="before"), state)
    refused = json_of(plan)["refused"]
    assert [(each["station"], each["profileId"]) for each in refused] == [("A-01", None)]
    assert "! 1 station (A-01): discharge on OCPP 2.0.1" in text_of(plan)


def test_a_station_in_doubt_is_written_again_and_says_why():
    state = state_of(revision())
    held = {key: replace(each, belief=Belief.UNKNOWN) for key, each in state["a-01"].reported.held.items()}
    state["a-01"] = replace(state["a-01"], reported=replace(state["a-01"].reported, held=held, known=False))
    text = text_of(plan_fleet(revision(), MONDAY, state=state))
    assert "~ floor, station maximum, EVSE 1: the same power; its state is not known" not in text
    assert "floor, station maximum, EVSE 1: the same power; its state is not known" in text


def test_a_clear_has_no_payload():
    changes = json_of(PLANS["smaller-fleet"]())["changes"]
    assert [change["payload"] for change in changes if change["type"] == "clear"] == [None, None]
    assert all(change["after"] is None for change in changes if change["type"] == "clear")


def test_what_goes_out_is_in_the_protocol_of_its_station():
    changes = json_of(PLANS["first"]())["changes"]
    by_protocol = {change["protocol"]: change["payload"] for change in changes}
    assert "operationMode" not in json.dumps(by_protocol[Protocol.V201.version])
    assert "operationMode" in json.dumps(by_protocol[Protocol.V21.version])


def test_the_page_shows_waves_as_they_are_told():
    page = (ROOT / "docs" / "plans.md").read_text().splitlines()
    told = [line for line in text_of(PLANS["waves"]()).splitlines() if line.startswith(("Wave", "Cost", "  are"))]
    assert len(told) == 5
    first = page.index(f"  {told[0]}")
    assert page[first : first + 5] == [f"  {line}" for line in told]
