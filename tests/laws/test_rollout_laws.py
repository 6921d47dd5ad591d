"""Laws of rollouts: whatever happens, they end, and nothing goes out too soon, too fast or to the wrong station."""

from collections import deque
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.controller.world import Verb
from reconciler.rollout.progress import Phase
from toys import FAULTS
from yards import SITES, Draft, Yards

MINUTE = timedelta(minutes=1)
PAUSES = (0.0, 0.05, 0.25, 5.0, 90.0, 700.0, 4000.0)
ROLLOUTS = (
    "",
    "waves: [1, 100%], soak: 2m",
    "waves: [1, 50%, 100%], soak: 5m, gate: {sample: 1}",
    "waves: [{canary: {labels: {row: b}}}, 100%], soak: 0s, onAbort: hold",
    'waves: [50%, 100%], soak: 1m, windows: [{deny: "0 */2 * * *", for: 1h}]',
    "waves: [2, 100%], soak: 1m, concurrency: {perSite: 1}",
)
ROLLED_BACK = tuple(each for each in ROLLOUTS if "hold" not in each)
GONE = ((), (), ("A-1",), ("A-2", "B-1"))
PACES = ("pace: {writes: 3}", "pace: {writes: 30, perSite: 6}", "pace: {writes: 60, perSite: 2}")

stations = st.integers(0, 9)
kilowatts = st.integers(-11, 11)
two = st.tuples(kilowatts, kilowatts)
sizes = st.tuples(st.integers(2, 4), st.integers(2, 4))
numbers = st.sampled_from((1000, 1001, 1011))
fates = st.lists(st.sampled_from(("answer", "request", "")), max_size=3)
verbs = st.sampled_from((Verb.PAUSE, Verb.RESUME, Verb.ABORT, Verb.SUSPEND, Verb.UNSUSPEND))


def commits(rollouts=ROLLOUTS, gone=((),)):
    fields = {
        "powers": st.tuples(two, two),
        "slack": st.sampled_from((0, 5)),
        "rollout": st.sampled_from(rollouts),
        "discharge": st.booleans(),
        "levels": st.tuples(st.sampled_from((10, 10, 20)), st.just(10)),
        "gone": st.sampled_from(gone),
    }
    return st.tuples(st.just("commit"), st.fixed_dictionaries(fields))


losses = st.one_of(
    st.tuples(st.just("lose"), stations, fates),
    st.tuples(st.just("disconnect"), stations),
    st.tuples(st.just("reconnect"), stations),
    st.tuples(st.just("boot"), stations, st.just(True)),
    st.tuples(st.just("refuse"), stations, numbers, st.sampled_from(sorted(FAULTS))),
    st.tuples(st.just("mute"), stations, st.just(True)),
)
worse = st.one_of(
    st.tuples(st.just("boot"), stations, st.just(False)),
    st.tuples(st.just("forget"), stations, numbers),
    st.tuples(st.just("fault"), stations, st.booleans()),
)
orders = st.tuples(st.just("order"), verbs, stations)
crashes = st.just(("crash",))


def scripts(*kinds, most=8):
    """Draw what happens, and how long each time until the next."""
    return st.lists(st.tuples(st.one_of(*kinds), st.sampled_from(PAUSES)), min_size=1, max_size=most)


def live(yards, script):
    for what, pause in script:
        yards.happen(what)
        yards.run(timedelta(seconds=pause))
    return yards


@settings(max_examples=60)
@given(sizes, scripts(commits(), losses, worse, orders, crashes))
def test_whatever_happens_every_station_holds_in_the_end_what_it_should_and_no_rollout_is_left_open(rows, script):
    yards = live(Yards(Draft(rows)), script)
    yards.heal().run(
        timedelta(hours=9)
    )  # longer than two leases: what waits for a site's cap and a window has its turn
    rollout = yards.world.rollout
    if rollout is not None and rollout.open and all("the site's cap" in yards.why(key.upper()) for key in rollout.open):
        return  # a named stall: the lower cap counts while a wave raises it, and a person promotes
    assert rollout is None or rollout.is_over
    assert all(map(yards.holds, yards.stations))
    left = [each for each in yards.stations if yards.state(each) != "in-sync"]
    assert all(yards.station(each).goal.refusal in yards.why(each) != "" for each in left), "a stall without a name"
    held = set() if rollout is None or rollout.phase is not Phase.ABORTED else set(rollout.previous)
    assert set(yards.world.placed) <= held, "who is not named by an abort follows the head"


@settings(max_examples=60)
@given(sizes, scripts(commits(gone=GONE), losses, orders, crashes))
def test_no_write_brings_a_site_over_a_cap_of_any_revision_that_it_follows(rows, script):
    yards = Yards(Draft(rows))
    truth = [yards.sums(row) for row in range(len(SITES))]

    def hold(yards):
        for row, site in enumerate(SITES):
            after = yards.sums(row)
            followed = [yards.world.target(each.casefold()).caps[site] for each in yards.draft.names(row)]
            lowest = min(each.import_w for each in followed), min(each.export_w for each in followed)
            for now, before, cap in zip(after, truth[row], lowest, strict=True):
                assert not rises(before, now, cap, yards.now), f"{site} goes over a cap of {cap} W"
            truth[row] = after

    yards.watch = hold
    live(yards, script)
    yards.heal()


def rises(before, after, cap_w, now):
    """Give the first instant from now on at which a sum is over a cap and more than it was."""
    for at in (now, *(each for each in after.starts() if each > now)):
        power = after.at(at) or Decimal(0)
        if power > max(cap_w, before.at(at) or Decimal(0)):
            return at
    return None


@settings(max_examples=60)
@given(sizes, st.sampled_from(PACES), scripts(commits(("",)), losses, worse, orders, crashes))
def test_no_minute_has_more_writes_than_the_pace_says_but_for_those_that_only_lower_flow(rows, pace, script):
    most = dict(each.split(": ") for each in pace.removeprefix("pace: {").removesuffix("}").split(", "))
    yards = Yards(Draft(rows, rollout=pace))
    written = {"": deque(), "yard": deque(), "quay": deque()}

    def hold(yards, write):
        if write.lowers:
            return
        for name, limit in (("", most["writes"]), (SITES["ab".index(write.key[0])], most.get("perSite", 999))):
            written[name].append(yards.now)
            while written[name][0] <= yards.now - MINUTE:
                written[name].popleft()
            assert len(written[name]) <= int(limit)

    yards.laws.append(hold)
    live(yards, [((kind, *more), pause) for (kind, *more), pause in paced(script, pace)])
    yards.heal()


def paced(script, pace):
    """Let each commit of a script say the same pace."""
    for (kind, *more), pause in script:
        yield ((kind, {**more[0], "rollout": pace}) if kind == "commit" else (kind, *more)), pause


@settings(max_examples=60)
@given(sizes, scripts(commits(), losses, worse, orders, crashes), st.sets(stations, min_size=1, max_size=4))
def test_a_suspended_station_is_not_written_but_to_withdraw_discharge(rows, script, suspended):
    yards = Yards(Draft(rows))

    def hold(yards, write):
        both = set(yards.before.suspended) & set(yards.world.suspended)
        assert write.key not in both or write.withdraws

    yards.laws.append(hold)
    for number in sorted(suspended):
        yards.happen(("order", Verb.SUSPEND, number))
    live(yards, script)
    yards.run(timedelta(hours=4))


@settings(max_examples=60)
@given(sizes, scripts(commits(ROLLED_BACK), losses, worse, orders, crashes))
def test_what_is_in_quarantine_is_not_written_and_nobody_is_left_with_it(rows, script):
    yards = Yards(Draft(rows))
    excused = {}

    def note(yards, event):
        rollout = yards.world.rollout
        if rollout is not None and rollout.phase is Phase.ABORTED:
            excused[rollout.commit] = set(rollout.urgent)

    def hold(yards, write):
        late = write.commit in yards.before.quarantined and write.commit in yards.world.quarantined
        assert not late or write.key in excused.get(write.commit, ())

    yards.steps.append(note)
    yards.laws.append(hold)
    live(yards, script)
    yards.order(Verb.ABORT)
    yards.heal()
    for key, station in yards.world.stations.items():
        followed = yards.world.target(key).commit
        assert followed not in yards.world.quarantined or key in excused.get(followed, ())
        assert station.goal.revision == followed


@settings(max_examples=60)
@given(sizes, scripts(commits(), losses, worse, orders, crashes))
def test_no_wave_is_let_out_before_every_member_of_the_last_that_is_online_has_shown_the_new_revision(rows, script):
    yards = Yards(Draft(rows))

    def release(yards, event):
        before, rollout = yards.before.rollout, yards.world.rollout
        if before is None or before.commit != rollout.commit or before.began_at != rollout.began_at:
            return
        for key in before.released if rollout.wave > before.wave else ():
            station = yards.world.stations[key]
            out = station.session is None or key in yards.world.suspended or key in rollout.failed
            assert out or key in rollout.forgiven or (key, rollout.commit) in yards.shown or yards.holds(key.upper())

    def hold(yards, write):
        rollout = yards.before.rollout
        if rollout is None or rollout.commit != write.commit or write.key not in yards.before.placed:
            return
        assert write.key in rollout.released or rollout.is_over, "written before its wave"

    yards.steps.append(release)
    yards.laws.append(hold)
    live(yards, script)
    yards.heal()
