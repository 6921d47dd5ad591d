"""What `explain --at` found, for people: per EVSE the power, the line of git, commit and write; then what happened.

Called by `explain` with the view of `hindsight`, be it from an API or from a database. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from reconciler.cli.accounts import wrap
from reconciler.cli.history import ended
from reconciler.plan.words import describe_power

View: TypeAlias = dict[str, Any]
MOST_EVENTS = 20


def write_past(view: View) -> list[str]:
    """Write it in 100 columns; times are those of the fleet's time zone."""
    zone = ZoneInfo(view["timezone"])
    lines = [f"{view['identity']} at {_moment(view['at'], zone)} {view['timezone']}"]
    lines += [line for evse in view["evses"] for line in _evse(evse, zone)]
    if not view["evses"]:
        lines.append("  no write to its EVSEs is kept from before then")
    return [*lines, *_events(view["since"], zone)]


def _evse(evse: View, zone: ZoneInfo) -> Iterator[str]:
    yield f"EVSE {evse['evseId']}: {_command(evse, zone)}"
    source = evse["source"]
    if source is not None and source["source"] is not None:
        end = "" if source["to"] == evse["leaseEnds"] else f" until {_moment(source['to'], zone)}"
        yield from wrap(_speaker(source["source"], end), "  ", "    ")
    elif source is not None:
        yield "  no schedule spoke then"
    yield from _write(evse, zone)


def _command(evse: View, zone: ZoneInfo) -> str:
    told = evse["told"]
    if evse["write"]["action"] == "ClearChargingProfile":
        return "its profile had been cleared, and the floor let nothing flow"
    if told is None:
        return "what it was told can't be made again: the commit is not kept, or makes another profile today"
    if evse["source"] is None:
        return f"its lease had ended at {_moment(evse['leaseEnds'], zone)}, and nothing was to flow"
    if told["setpointW"] is not None:
        return f"setpoint {_power(told['setpointW'])}"
    most = "without limit" if told["mostImportW"] is None else _power(told["mostImportW"])
    return f"between -{_power(told['mostExportW'])} and {most}" if told["mostExportW"] else f"limit {most}"


def _speaker(source: View, end: str) -> str:
    """Name the schedule that spoke, and where; its end is told where that lies within the lease."""
    said = f"{source['schedule']}, {source['window']}, priority {source['priority']}, group {source['group']}"
    return f"{said}, asks for {source['power']}{end}, at {source['place']}"


def _write(evse: View, zone: ZoneInfo) -> Iterator[str]:
    write = evse["write"]
    subject = f' "{evse["subject"]}"' if evse.get("subject") else ""
    author = f" by {write['author']}" if write.get("author") else ""
    plan = f", plan {write['plan'][:12]}" if write.get("plan") else ""
    yield from wrap(f"commit {write.get('revision', '')[:12]}{subject}{author}{plan}", "  ", "    ")
    sent = _moment(write.get("sentAt") or write["at"], zone)
    yield from wrap(f"{write['action']} {write['profileId']} sent {sent}: {ended(write)}", "  ", "    ")
    yield from wrap(f"because: {write['reason']}", "  ", "    ")
    told = evse["told"]
    if told is not None and not told["asSent"]:
        words = "made again it differs from what was sent then: the station's capability or the program has changed"
        yield from wrap(words, "  ! ", "    ")
    elif told is not None:
        ends = _moment(evse["leaseEnds"], zone)
        yield f"  made again it is what was sent (digest {write['digest'][:12]}); its lease ends {ends}"


def _events(lines: list[View], zone: ZoneInfo) -> Iterator[str]:
    """Tell what else happened from these writes to the instant, the newest first."""
    if lines:
        yield "From then to that instant, the newest first:"
    for each in lines[:MOST_EVENTS]:
        what = f"{each['action']} {each.get('profileId') or ''}".strip()
        told = ": ".join(part for part in (what, each.get("reason", ""), ended(each)) if part)
        yield from wrap(told, f"  {_moment(each['at'], zone)}  ", "    ")
    if len(lines) > MOST_EVENTS:
        yield f"  ... and {len(lines) - MOST_EVENTS} more: reconciler history"


def _moment(text: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _power(watts: float) -> str:
    return describe_power(Decimal(str(watts)))
