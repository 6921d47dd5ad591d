"""The rollout's table, row by row, and laws that hold whatever stations show."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from reconciler.manifests.strategy import Gate, Strategy
from reconciler.rollout.progress import (
    TABLE,
    Abort,
    Finish,
    Phase,
    Release,
    Rollout,
    Sight,
    Withhold,
    advance,
    end,
    observe,
    pause,
    promote,
    resume,
    untried,
)
from reconciler.rollout.windows import Verdict
from toys import NOON

OPEN = Verdict(open=True, why="", until=None)
SHUT = Verdict(open=False, why="denied", until=None)
SOAK = timedelta(minutes=5)
KEYS = tuple("abcdefghij")


def begun(waves=(("a",), ("b", "c"), ("d", "e", "f")), **fields):
    strategy = Strategy(soak=SOAK, gate=Gate(failures=Decimal("0.2"), sample=3))
    previous = Map({key: "old" for wave in waves for key in wave})
    return Rollout("new", "old", "", strategy, waves, previous, NOON, NOON, **fields)


def ask(rollout, now=NOON, opening=OPEN, off=None):
    return advance(rollout, opening, lambda: off or {}, now)


def seen(rollout, **shown):
    for key, sight in shown.items():
        rollout = observe(rollout, key, sight)
    return rollout


GOOD, THERE, AWAY = Sight(True, True), Sight(True, False), Sight(False, False)


def bad(why="no"):
    return Sight(True, False, why)


def test_the_first_wave_goes_out_when_the_window_is_open():
    after, move = ask(begun())
    assert move == Release(("a",))
    assert (after.phase, after.wave, set(after.deferred)) == (Phase.RELEASING, 0, {"a"})


def test_a_wave_waits_for_every_member_that_is_there_and_soaks_then():
    rollout = seen(ask(begun())[0], a=THERE)
    assert ask(rollout) == (rollout, None)
    soaking, move = ask(seen(rollout, a=GOOD))
    assert (soaking.phase, soaking.soak_until, move) == (Phase.SOAKING, NOON + SOAK, None)
    assert ask(soaking, NOON + SOAK / 2) == (soaking, None)
    after, move = ask(soaking, NOON + SOAK)
    assert move == Release(("b", "c"))
    assert set(after.verified) == {"a"}


def test_who_comes_back_while_it_soaks_is_waited_for():
    rollout = ask(seen(ask(begun())[0], a=AWAY))[0]
    assert rollout.phase is Phase.SOAKING
    back = seen(rollout, a=THERE)
    assert ask(back, NOON + SOAK) == (back, None)


def test_a_failed_canary_stops_it_though_the_sample_is_small():
    rollout, move = ask(seen(ask(begun())[0], a=bad("it broke")))
    assert move == Abort("1 of 1 station failed: a: it broke")
    assert rollout.failed == Map({"a": "it broke"})


def test_failures_count_as_a_share_once_the_sample_is_large_enough():
    many = begun(waves=(KEYS,))
    rollout = seen(ask(many)[0], **dict.fromkeys(KEYS, THERE))
    one = seen(rollout, a=bad())
    assert ask(one)[1] is None
    two = seen(one, b=GOOD, c=GOOD, d=GOOD, e=GOOD)
    assert ask(two)[1] is None
    assert isinstance(ask(seen(two, f=bad("2nd")))[1], Abort)


def test_a_reason_names_the_first_failures_and_counts_the_rest():
    many = seen(ask(begun(waves=(KEYS,)))[0], **dict.fromkeys(KEYS, bad()))
    move = ask(many)[1]
    assert isinstance(move, Abort)
    assert move.why.endswith("e: no and 5 more")


def test_power_that_is_off_fails_a_wave_at_the_end_of_its_soak():
    soaking = ask(seen(ask(begun())[0], a=GOOD))[0]
    assert ask(soaking, NOON + SOAK, off={"a": "9 kW"})[1] == Abort("1 of 1 station failed: a: 9 kW")


def test_a_little_power_that_is_off_is_within_the_gate():
    soaking = ask(seen(ask(begun(waves=(KEYS,)))[0], **dict.fromkeys(KEYS, GOOD)))[0]
    assert ask(soaking, NOON + SOAK, off={"a": "9 kW"})[1] == Finish()


def test_a_rollout_without_a_wave_is_over_though_its_window_is_closed():
    over, move = ask(begun(waves=()), opening=SHUT)
    assert (over.phase, move) == (Phase.COMPLETE, Finish())


def test_a_closed_window_holds_back_and_an_open_one_lets_out_again_what_is_not_verified():
    waiting, move = ask(begun(), opening=SHUT)
    assert (waiting.phase, waiting.reason, move) == (Phase.WAITING, "denied", None)
    assert ask(waiting, opening=SHUT) == (waiting, None)
    rollout = seen(ask(waiting)[0], a=THERE)
    held, move = ask(rollout, opening=SHUT)
    assert (held.phase, move) == (Phase.WAITING, Withhold())
    again, move = ask(held)
    assert (again.phase, move) == (Phase.RELEASING, Release(("a",)))
    assert ask(seen(held, a=GOOD))[1] == Release(())


def test_a_person_passes_a_window_by():
    assert ask(replace(begun(), overridden="now"), opening=SHUT)[1] == Release(("a",))


def test_soon_after_a_start_who_is_offline_is_waited_for_unless_a_person_said_otherwise():
    rollout = replace(seen(ask(begun())[0], a=AWAY), not_before=NOON + SOAK)
    assert ask(rollout) == (rollout, None)
    assert ask(seen(rollout, a=GOOD))[0].phase is Phase.SOAKING
    past = replace(promote(rollout, "Ada", NOON)[0], forgiven=Map({"a": None}))
    assert ask(seen(past, b=GOOD, c=GOOD))[0].phase is Phase.SOAKING
    assert ask(rollout, NOON + SOAK)[0].phase is Phase.SOAKING


def test_a_wave_in_which_everybody_there_refused_already_waits_for_a_person():
    first = seen(replace(ask(begun())[0], forgiven=Map({"a": None})), a=THERE)
    assert untried(replace(first, open=Map({"z": None}))) == ""
    held, move = ask(first)
    assert (held.phase, move) == (Phase.RELEASING, None)
    assert held.reason.startswith("nobody of wave 1 could be tried: 1 station refused what came before already; `rec")
    assert ask(held, NOON + SOAK) == (held, None)
    assert ask(seen(held, a=GOOD))[0].phase is Phase.SOAKING
    assert ask(seen(held, a=GOOD))[0].reason == ""
    assert promote(held, "Ada", NOON)[1] == Release(("b", "c"))


def test_the_last_wave_has_nobody_behind_it_that_it_could_warn():
    last = ask(begun((("b", "c"),), forgiven=Map({"b": None, "c": None})))[0]
    assert ask(last)[0].phase is Phase.SOAKING


def test_a_wave_of_which_nobody_is_there_holds_nothing_up():
    assert ask(seen(ask(begun())[0], a=AWAY))[0].phase is Phase.SOAKING


def test_what_is_paused_or_over_does_not_move():
    rollout = ask(begun())[0]
    paused = pause(rollout, "Ada", "lunch", NOON)
    assert ask(paused) == (paused, None)
    assert (paused.who, paused.reason) == ("Ada", "lunch")
    back, move = ask(resume(paused, "Ada", "back", NOON))
    assert (back.phase, move) == (Phase.RELEASING, Release(("a",)))
    for phase in (Phase.ABORTED, Phase.COMPLETE, Phase.SUPERSEDED):
        over = end(rollout, phase, "over", NOON)
        assert ask(over) == (over, None)
        assert observe(over, "a", GOOD) is over


def test_a_promoted_rollout_waits_no_more_for_who_had_not_passed():
    rollout = seen(ask(begun())[0], a=bad())
    after, move = promote(rollout, "Ada", NOON)
    assert move == Release(("b", "c"))
    assert not after.failed
    again = seen(after, a=bad("still"), b=GOOD, c=GOOD)
    assert ask(again)[0].phase is Phase.SOAKING
    assert set(seen(again, a=GOOD).verified) == {"a", "b", "c"}


def test_who_was_not_released_is_not_observed():
    rollout = ask(begun())[0]
    assert observe(rollout, "b", GOOD) is rollout
    assert observe(rollout, "a", AWAY) is rollout
    failed = observe(rollout, "a", bad())
    assert observe(failed, "a", bad()) is failed
    assert not rollout.is_released("b")


def test_each_row_has_a_name_and_a_reason_of_its_own():
    assert len({row.name for row in TABLE}) == len({row.why for row in TABLE}) == len(TABLE)


sights = st.builds(Sight, st.booleans(), st.booleans(), st.sampled_from(["", "", "", "broke"]))
happenings = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(KEYS), sights),
        st.integers(0, 600),
        st.sampled_from(["shut", "open", "pause", "resume", "promote"]),
    ),
    max_size=60,
)


def happen(rollout, what, now):
    match what:
        case (key, sight):
            return observe(rollout, key, sight)
        case "pause" if not rollout.is_over:
            return pause(rollout, "Ada", "", now)
        case "resume" if rollout.phase is Phase.PAUSED:
            return resume(rollout, "Ada", "", now)
        case "promote" if not rollout.is_over:
            return promote(rollout, "Ada", now)[0]
        case _:
            return rollout


@given(happenings=happenings)
def test_whatever_happens_each_released_member_is_counted_once_and_waves_go_out_in_order(happenings):
    rollout, now, opening, released = begun(waves=(KEYS[:1], KEYS[1:4], KEYS[4:])), NOON, OPEN, []
    for each in happenings:
        now += timedelta(seconds=each if isinstance(each, int) else 0)
        opening = {"shut": SHUT, "open": OPEN}.get(each, opening)
        rollout = happen(rollout, each, now)
        move = True
        while move is not None:
            before = rollout
            rollout, move = ask(rollout, now, opening)
            if isinstance(move, Release) and rollout.wave > before.wave:
                assert opening.open
                released += move.keys
            if isinstance(move, Abort):
                rollout = end(rollout, Phase.ABORTED, move.why, now)
        counted = [*rollout.open, *rollout.deferred, *rollout.verified, *rollout.failed]
        assert sorted(counted) == sorted(rollout.released)
    assert set(released) <= set(rollout.released)
