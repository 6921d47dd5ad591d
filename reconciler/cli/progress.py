"""How `reconciler rollout` draws a rollout: a line for how it stands, a bar for each wave, and who is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

View = dict[str, Any]
BAR = 30
MARKS = {
    "verified": "█",
    "open": "▒",
    "failed": "x",
    "not-awaited": "~",
    "deferred": "░",
    "missed": "░",
    "waiting": "·",
}
MOST_NAMED = 10


def write_rollout(view: View) -> list[str]:
    """Write a rollout as lines of at most 100 columns."""
    from reconciler.cli.accounts import wrap

    if view["phase"] is None:
        lines = [f"no rollout: every station follows {_short(view['commit'])}"]
    else:
        lines = [*_head(view), *map(_wave, view["waves"]), *_missing(view), *_rest(view)]
    for each in view["quarantined"]:
        lines += wrap(each["why"], f"quarantined {_short(each['commit'])}: ", "  ")
    return lines


def write_turn(view: View) -> str:
    """Write how a rollout stands in one line."""
    counted = [sum(wave["states"][state] for wave in view["waves"]) for state in ("verified", "failed")]
    total = sum(wave["stations"] for wave in view["waves"])
    failed = f", {counted[1]} failed" if counted[1] else ""
    wave = f"wave {view['wave']} of {len(view['waves'])}"
    return f"{view['phase']}, {wave}: {counted[0]} of {total} verified{failed}"


def _head(view: View) -> Iterator[str]:
    from reconciler.cli.accounts import wrap
    from reconciler.profiles.wording import count

    until = f" until {view['soakUntil']}" if view["soakUntil"] else ""
    yield f"rollout of {_short(view['commit'])} (after {_short(view['base'])}): {view['phase']}{until}"
    yield f"  began {view['beganAt']}; plan {_short(view['plan'])}"
    said = f"{view['who']}: {view['reason']}" if view["who"] and view["reason"] else view["reason"]
    said = said or (view["who"] and f"steered by {view['who']}")
    for words in (said, view["heldBy"]):
        if words:
            yield from wrap(words, "  ", "    ")
    window = view["window"]
    if window is not None:
        state = "open" if window["open"] else "passed by" if window["overridden"] else "closed"
        end = f" until {window['until']}" if window["until"] else ""
        yield from wrap(f"windows: {state}{end}: {window['why']}", "  ", "    ")
    if view["urgent"]:
        yield f"  {count(view['urgent'], 'station')} became safer and did not wait for a wave"


def _wave(wave: View) -> str:
    states = {state: count for state, count in wave["states"].items() if count}
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"wave {wave['wave']:>2}  {bar(states, wave['stations'])}  {told}"


def bar(states: dict[str, int], total: int) -> str:
    """Draw how many are what; whoever is there at all gets at least one column, at the cost of the largest."""
    widths = {state: max(1, count * BAR // total) for state, count in states.items()}
    largest = max(widths, key=lambda state: widths[state])
    widths[largest] += BAR - sum(widths.values())
    return "".join(MARKS[state] * width for state, width in widths.items())


def _missing(view: View) -> Iterator[str]:
    from reconciler.cli.accounts import wrap

    for each in view["failing"][:MOST_NAMED]:
        yield from wrap(each["reason"], f"failed {each['station']}: ", "  ")
    yield from _more(view["failing"])
    for each in view["notAwaited"][:MOST_NAMED]:
        yield from wrap(each["reason"], f"not awaited {each['station']}: ", "  ")
    yield from _more(view["notAwaited"])
    for each in view["deferred"][:MOST_NAMED]:
        until = "until it is resumed" if each["why"] == "suspended" else f"until {each['expires'] or 'it comes'}"
        yield f"{each['state']} {each['station']}: {each['why']}, awaited {until}"
    yield from _more(view["deferred"])


def _more(rows: list[View]) -> Iterator[str]:
    if len(rows) > MOST_NAMED:
        yield f"  and {len(rows) - MOST_NAMED} more"


def _rest(view: View) -> Iterator[str]:
    from reconciler.profiles.wording import count

    rest = view["rest"]
    if rest["stations"] or rest["leastSeconds"]:
        minutes, seconds = divmod(rest["leastSeconds"], 60)
        yield f"{count(rest['stations'], 'station')} left; it takes {minutes} min {seconds} s at least"


def _short(commit: str | None) -> str:
    return commit[:12] if commit else "none"
