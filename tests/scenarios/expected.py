"""Holds a plan against what a scenario expects of it: every change is named, and nothing else changes."""

from reconciler.plan.change import Clear, Install, Keep, Replace, Stuck, subject
from reconciler.plan.text import summarise
from scenarios.reported import place_of
from scenarios.words import check_powers, read_names

WORDS = {Install: "install", Replace: "replace", Clear: "clear", Keep: "keep", Stuck: "stuck"}
EVERYWHERE = "everything"
ROW_KEYS = {"stations", "change", "of", "from", "to", "because", "drift", "renewal", "deferred"}
PLAN_KEYS = {"plan", "summary", "foreign", "departed", "findings"}


def check_plan(plan, expect, zone):
    """Hold a whole plan against the section `expect`."""
    rows = {key: row for row in expect.get("plan", ()) for key in _keys(row, plan)}
    actual = {key: found for station in plan.stations for key, found in _found(station)}
    changed = {key for key in actual if key[1] != "keep"} | {key for key in rows if key[1] == "keep"}
    missing, surplus = sorted(rows.keys() - actual.keys()), sorted(changed - rows.keys())
    told = [f"{' '.join(key)}: {found[1]}" for key, found in sorted(actual.items())]
    assert not missing + surplus, f"missing {missing}, surplus {surplus}; the plan is {told}"
    for key, row in rows.items():
        _check_row(key, row, actual[key], plan, zone)
    _check_around(plan, expect)


def _keys(row, plan):
    assert set(row) <= ROW_KEYS, f"plan: unknown {sorted(set(row) - ROW_KEYS)}"
    change = row["change"]
    if change == "refused":
        return [(name, change, "flow") for name in read_names(row["stations"])]
    places = [row["of"]] if isinstance(row["of"], str) else row["of"]
    if places == [EVERYWHERE]:
        return [
            (name, change, place)
            for name in read_names(row["stations"])
            for place in ["floor", "ceiling", *_evses(name, plan)]
        ]
    return [(name, change, place) for name in read_names(row["stations"]) for place in places]


def _evses(name, plan):
    station = next(each for each in plan.stations if each.identity == name)
    places = (place_of(subject(verdict)) for verdict in station.verdicts)
    return [place for place in places if place.startswith("EVSE")]


def _found(station):
    for verdict in station.verdicts:
        yield (station.identity, WORDS[type(verdict)], place_of(subject(verdict))), (station, verdict)
    for evse in station.later:
        yield (station.identity, "later", f"EVSE {evse}"), (station, station.outlook.weeks[evse])
    if station.goal_refusal:
        yield (station.identity, "refused", "flow"), (station, station.goal_refusal)


def _check_row(key, row, found, plan, zone):
    station, verdict = found
    title = " ".join(key)
    reason = verdict if isinstance(verdict, str) else getattr(verdict, "reason", "")
    assert row.get("because", "") in reason, f"{title}: the reason is `{reason}`"
    if isinstance(verdict, str) or key[1] == "later":
        return
    for flag, marked in (("drift", station.drifted), ("renewal", station.renewed)):
        told = subject(verdict).id in marked
        assert told == row.get(flag, False), f"{title}: {flag} is {told}"
    waits = station.connected is False and key[1] in ("install", "replace", "clear")
    assert waits == row.get("deferred", False), f"{title}: deferred is {waits}"
    old = getattr(verdict, "old", None) or getattr(verdict, "held", None)
    new = getattr(verdict, "new", None) or getattr(verdict, "held", None)
    for name, profile in (("from", old), ("to", new)):
        if name in row:
            try:
                check_powers(profile, row[name], plan.at, zone)
            except AssertionError as error:
                raise AssertionError(f"{title}, {name}: {error}") from error


def _check_around(plan, expect):
    strangers = {each.identity: [held.profile.id for held in each.foreign] for each in plan.stations if each.foreign}
    wanted = {name: ids for names, ids in expect.get("foreign", {}).items() for name in read_names(names)}
    assert strangers == wanted, f"foreign profiles are {strangers}"
    assert sorted(plan.departed) == sorted(read_names(expect.get("departed", []))), f"departed are {plan.departed}"
    _check_findings(plan.findings, expect.get("findings", ()))
    if "summary" in expect:
        told = summarise(plan).removeprefix("Plan: ").rpartition("; digest ")[0]
        assert told == expect["summary"], f"the summary is `{told}`"


def _check_findings(findings, expected):
    """Hold what the guardrails say against what is expected: every error is named, and warnings where they matter."""
    told = [f"{each.guardrail} {each.severity}: {each.text}" for each in findings]
    named = {(each["rule"], each.get("severity", "warning")) for each in expected}
    errors = {(each.guardrail, "error") for each in findings if each.is_error}
    assert errors <= named <= {(each.guardrail, str(each.severity)) for each in findings}, f"findings are {told}"
    for each in expected:
        assert any(each.get("says", "") in found.text for found in findings if found.guardrail == each["rule"]), told
