"""Rollouts and drift in a Fleet: what people write becomes values, what makes no sense is told with its place."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.manifests.rollouts import MOST_WAVES, write_wave
from reconciler.manifests.strategy import DriftPolicy, ForeignRule, Gate, Strategy, Wave, Window
from reconciler.plan.fingerprint import Fingerprints

SPEC = "spec: {timezone: Europe/Amsterdam, profileIds: {from: 1000, to: 1999}, discharge: allowed"
BERLIN = "Europe/Berlin"
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def text_of(base):
    """Give the small fleet with more keys in its Fleet, which begin at line 5."""

    def written(keys):
        return {"base.yaml": base.replace(SPEC, f"{SPEC},\n  {keys}\n ")} if keys else {"base.yaml": base}

    return written


@pytest.fixture
def load_keys(text_of, load_files):
    return lambda keys: load_files(text_of(keys))


@pytest.fixture
def error_of(text_of, errors_of):
    def refused(keys):
        (error,) = errors_of(text_of(keys))
        return error

    return refused


def share(percent):
    return Wave(share=Decimal(percent) / 100)


def test_a_fleet_that_says_nothing_has_the_defaults(load_keys):
    fleet = load_keys("")
    assert (fleet.strategy, fleet.drift) == (Strategy(), DriftPolicy())
    assert fleet.station("B-1").settings.read_back is None


def test_everything_that_is_written_becomes_a_value(load_keys):
    fleet = load_keys(
        "rollout: {waves: [{canary: {labels: {line: night}}}, 1, 10%, '50 %', 100%], soak: 5m,"
        " pace: {writes: unlimited, perSite: 60}, concurrency: {stations: 90, perSite: 10},"
        " gate: {failures: 0%, sample: 7, power: 2.5%}, onAbort: hold, deferral: 2d,"
        " windows: [{allow: '0 9 * * mon-fri', for: 8h}, {deny: '0 16 * * *', for: 4h, timezone: Europe/Berlin}]},"
        " drift: {storm: {share: 30%, least: 4}, rounds: 2,"
        " foreign: [{levels: 0-4, policy: ignore}, {levels: 8, policy: clear}]}"
    )
    assert fleet.strategy == Strategy(
        waves=(Wave(labels={"line": "night"}), Wave(count=1), share(10), share(50), share(100)),
        soak=5 * MINUTE,
        gate=Gate(Decimal(0), 7, Decimal("0.025")),
        on_abort="hold",
        deferral=2 * DAY,
        writes_per_minute=None,
        site_writes_per_minute=60,
        in_flight=90,
        site_in_flight=10,
        windows=(
            Window(True, "0 9 * * mon-fri", 8 * HOUR, "Europe/Amsterdam"),
            Window(False, "0 16 * * *", 4 * HOUR, BERLIN),
        ),
    )
    rules = (ForeignRule(0, 4, "ignore"), ForeignRule(8, 8, "clear"))
    assert fleet.drift == DriftPolicy(Decimal("0.3"), 4, 2, rules)


@pytest.mark.parametrize(
    ("waves", "soak"), [("[100%]", timedelta(0)), ("[1, 100%]", 10 * MINUTE), ("[1, 100%], soak: 0s", timedelta(0))]
)
def test_a_soak_that_is_not_written_is_there_where_there_are_waves(load_keys, waves, soak):
    assert load_keys(f"rollout: {{waves: {waves}}}").strategy.soak == soak


def test_a_storm_may_be_written_as_its_share(load_keys):
    drift = load_keys("drift: {storm: 45%}").drift
    assert (drift.storm, drift.storm_minimum) == (Decimal("0.45"), DriftPolicy().storm_minimum)


@pytest.mark.parametrize(
    "waves",
    [
        "[100%]",
        "[1, 2, 100%]",
        "[10%, 30, 20%, 100%]",
        "[5, {canary: {labels: {line: night}}}, 10%, 100%]",
        "[1, 0.5%, 100%]",
    ],
)
def test_waves_that_grow_are_taken(load_keys, waves):
    assert len(load_keys(f"rollout: {{waves: {waves}}}").strategy.waves) == waves.count(",") + 1


def test_a_wave_is_written_as_people_write_it():
    waves = (Wave(labels={"ring": "first", "line": "night"}), Wave(count=3), share(100), share(Decimal("2.5")))
    assert [write_wave(wave) for wave in waves] == ["ring=first, line=night", "3", "100%", "2.5%"]


FIRST = "{canary: {labels: {line: night}}}"
WAVES = [
    ("[1, 1, 100%]", "shrinking-waves", ("waves",), "after the wave `1`, the wave `1` adds nothing"),
    ("[2, 50%, 1, 100%]", "shrinking-waves", ("waves",), "after the wave `2`, the wave `1` adds nothing"),
    ("[20%, 1, 10%, 100%]", "shrinking-waves", ("waves",), "after the wave `20%`, the wave `10%` adds nothing"),
    ("[100%, 100%]", "shrinking-waves", ("waves",), "after the wave `100%`, the wave `100%` adds nothing"),
    (f"[100%, {FIRST}]", "shrinking-waves", ("waves",), "after the wave `100%`, the wave `line=night` adds nothing"),
    (f"[{FIRST}, {FIRST}, 100%]", "shrinking-waves", ("waves",), None),
    ("[1]", "unfinished-waves", ("waves",), "the last wave, `1`, may leave stations out"),
    (f"[{FIRST}]", "unfinished-waves", ("waves",), None),
    ("[1, 99.9%]", "unfinished-waves", ("waves",), None),
    ("[0, 100%]", "out-of-range", ("waves", 0), "a wave has one station at least"),
    ("[0%, 100%]", "out-of-range", ("waves", 0), "a share of nothing is none"),
    ("[101%]", "wrong-share", ("waves", 0), "`101%` is not a share"),
    ("['10', 100%]", "wrong-share", ("waves", 0), "`10` is not a share"),
    ("[true, 100%]", "wrong-wave", ("waves", 0), "this is not a wave"),
    ("[[1], 100%]", "wrong-wave", ("waves", 0), "this is not a wave"),
    ("[{canary: {labels: {}}}, 100%]", "out-of-range", ("waves", 0, "canary", "labels"), None),
    (f"{[1] * (MOST_WAVES + 1)}", "out-of-range", ("waves",), None),
]


def path_of(steps):
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


@pytest.mark.parametrize(("waves", "rule", "path", "message"), WAVES)
def test_waves_that_make_no_sense_are_refused(error_of, waves, rule, path, message):
    error = error_of(f"rollout: {{waves: {waves}}}")
    assert (error.rule, error.place.line, error.field) == (rule, 5, "spec.rollout" + path_of(path))
    assert message in (None, error.message)


REST = [
    ("rollout: {wave: []}", "unknown-key", "rollout.wave", "did you mean `waves`?"),
    ("rollout: {soak: 32d}", "out-of-range", "rollout.soak", ""),
    ("rollout: {soak: 10}", "missing-unit", "rollout.soak", None),
    ("rollout: {deferral: 59m}", "out-of-range", "rollout.deferral", ""),
    ("rollout: {onAbort: roll-back}", "unknown-value", "rollout.onAbort", "did you mean `rollback`?"),
    ("rollout: {pace: {writes: 0}}", "out-of-range", "rollout.pace.writes", "or `unlimited`"),
    ("rollout: {pace: {writes: 1000001}}", "out-of-range", "rollout.pace.writes", "or `unlimited`"),
    ("rollout: {pace: {perSite: none}}", "wrong-type", "rollout.pace.perSite", "such as 60, or `unlimited`"),
    ("rollout: {concurrency: {perSite: true}}", "wrong-type", "rollout.concurrency.perSite", None),
    ("rollout: {gate: {sample: 0}}", "out-of-range", "rollout.gate.sample", None),
    ("rollout: {gate: {failure: 1%}}", "unknown-key", "rollout.gate.failure", "did you mean `failures`?"),
    ("rollout: {gate: {power: 0.1}}", "wrong-share", "rollout.gate.power", "such as 30 %"),
    ("rollout: {windows: [{allow: '0 9 *', for: 8h}]}", "wrong-cron", "rollout.windows[0].allow", None),
    ("rollout: {windows: [{deny: '0 25 * * *', for: 8h}]}", "wrong-cron", "rollout.windows[0].deny", None),
    ("rollout: {windows: [{allow: '0 9 * * *', for: 59s}]}", "out-of-range", "rollout.windows[0].for", ""),
    ("rollout: {windows: [{allow: '0 9 * * *'}]}", "missing-key", "rollout.windows[0].for", ""),
    ("rollout: {windows: [{for: 8h}]}", "wrong-window", "rollout.windows[0]", None),
    (
        "rollout: {windows: [{allow: '0 9 * * *', deny: '0 9 * * *', for: 8h}]}",
        "wrong-window",
        "rollout.windows[0]",
        "make two windows of it",
    ),
    (
        "rollout: {windows: [{allow: '0 9 * * *', for: 8h, timezone: Europe/Berln}]}",
        "unknown-timezone",
        "rollout.windows[0].timezone",
        None,
    ),
    (
        "rollout: {windows: [{allow: '0 9 * * *', for: 8h}, {deny: '0 8 * * *', for: 9h}]}",
        "never-open",
        "rollout.windows",
        None,
    ),
    ("drift: {storm: 0%}", "out-of-range", "drift.storm", None),
    ("drift: {storm: 3}", "wrong-share", "drift.storm", None),
    ("drift: {storm: {leest: 3}}", "unknown-key", "drift.storm.leest", "did you mean `least`?"),
    ("drift: {rounds: 0}", "out-of-range", "drift.rounds", None),
    ("drift: {foreign: [{levels: 4-0, policy: warn}]}", "wrong-levels", "drift.foreign[0].levels", "such as 8 or 0-4"),
    ("drift: {foreign: [{levels: -1, policy: warn}]}", "wrong-levels", "drift.foreign[0].levels", None),
    ("drift: {foreign: [{levels: 1-2-3, policy: warn}]}", "wrong-levels", "drift.foreign[0].levels", None),
    ("drift: {foreign: [{levels: true, policy: warn}]}", "wrong-levels", "drift.foreign[0].levels", None),
    ("drift: {foreign: [{levels: 1, policy: wran}]}", "unknown-value", "drift.foreign[0].policy", None),
    (
        "drift: {foreign: [{levels: 0-2, policy: warn}, {levels: 3-9, policy: clear}, {levels: 1-4, policy: warn}]}",
        "idle-rule",
        "drift.foreign",
        None,
    ),
    ("readBack: 59s", "out-of-range", "readBack", None),
    ("readBack: 25h", "out-of-range", "readBack", None),
]


@pytest.mark.parametrize(("keys", "rule", "field", "hint"), REST)
def test_what_can_not_be_meant_is_refused(error_of, keys, rule, field, hint):
    error = error_of(keys)
    assert (error.rule, error.place.line, error.field) == (rule, 5, f"spec.{field}")
    assert hint in (None, error.hint)


@pytest.mark.parametrize(
    ("labels", "hint"), [("{line: nigth}", "did you mean `line=night`?"), ("{zzz: q}", ""), ("{lime: night}", None)]
)
def test_a_wave_of_labels_needs_a_station_that_carries_them(error_of, labels, hint):
    error = error_of(f"rollout: {{waves: [{{canary: {{labels: {labels}}}}}, 100%]}}")
    expected = ("empty-selection", 5, "spec.rollout.waves[0].canary.labels")
    assert (error.rule, error.place.line, error.field) == expected
    assert hint in (None, error.hint)


def test_labels_that_no_station_carries_together_are_refused_without_a_guess(text_of, errors_of):
    files = text_of("rollout: {waves: [{canary: {labels: {line: night, gate: one}}}, 100%]}")
    gate = "kind: Station\nmetadata: {name: G-1, labels: {gate: one}}\nspec: {evses: [{id: 1, charge: 1 kW}]}\n"
    (error,) = errors_of({**files, "gate.yaml": f"apiVersion: v2g.fleet/v1alpha1\n{gate}"})
    assert (error.rule, error.hint) == ("empty-selection", "")


def test_labels_are_not_missed_while_stations_are_broken(text_of, errors_of):
    files = text_of("rollout: {waves: [{canary: {labels: {ring: first}}}, 100%]}")
    broken = "apiVersion: v2g.fleet/v1alpha1\nkind: Station\nmetadata: {name: G-1, labels: {ring: first}}\nspec: {}\n"
    assert {error.rule for error in errors_of({**files, "gate.yaml": broken})} == {"missing-key"}


def test_the_nearest_read_back_holds_and_is_explained(text_of, load_files):
    one = "kind: Group\nmetadata: {name: one}\nspec: {parent: buses, select: {names: [B-2]}, readBack: 5m}\n"
    fleet = load_files({**text_of("readBack: 20m"), "one.yaml": f"apiVersion: v2g.fleet/v1alpha1\n{one}"})
    found = {
        name: next((each.value, each.level) for each in fleet.station(name).origins if each.field == "readBack")
        for name in ("B-1", "B-2")
    }
    assert [fleet.station(name).settings.read_back for name in ("B-1", "B-2")] == [20 * MINUTE, 5 * MINUTE]
    assert found == {"B-1": ("20m", "Fleet pier"), "B-2": ("5m", "Group one")}


CHANGES = [
    "rollout: {waves: [1, 100%], soak: 1h, pace: {writes: 5}, gate: {sample: 9}, onAbort: hold}",
    "rollout: {windows: [{allow: '0 9 * * *', for: 8h}], concurrency: {perSite: 2}, deferral: 1d}",
    "drift: {storm: 50%, rounds: 9, foreign: [{levels: 1, policy: clear}]}",
    "readBack: 5m",
]


@pytest.mark.parametrize("keys", CHANGES)
def test_the_way_to_the_stations_is_not_part_of_what_they_hold(load_keys, keys):
    before, after = load_keys(""), load_keys(keys)
    assert (before.strategy, before.drift, before.station("B-1")) != (after.strategy, after.drift, after.station("B-1"))
    first, second = (Fingerprints(fleet, {}).of(fleet.station("B-1")) for fleet in (before, after))
    assert first == second
    assert before.station("B-1").settings.meaning == after.station("B-1").settings.meaning
