"""What of a rollout, of suspensions and of the fleet as a whole outlives the process, as documents, and back. Pure.

Used by `durable`, which does the same for stations. What released stations show is not kept: it is seen again when they
come back, and a rollout that was under way waits for that before it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from immutables import Map

from reconciler.controller.course import RETURN
from reconciler.controller.dossier import read_load, write_load
from reconciler.controller.places import place
from reconciler.controller.revision import Revision
from reconciler.controller.world import Storm, Suspension, World
from reconciler.manifests.strategy import Strategy
from reconciler.profiles.form import (
    Fields,
    JsonObject,
    read_instant,
    read_integer,
    read_list,
    read_object,
    read_text,
    read_truth,
    read_word,
    write_instant,
)
from reconciler.reported.saved import StateFields
from reconciler.rollout.ledger import Kind, Name
from reconciler.rollout.progress import Phase, Rollout
from reconciler.rollout.site import Load

FLEET: Name = (Kind.FLEET, "")


def write_fleet(world: World, _: str) -> JsonObject:
    """Write what the fleet follows: the head, who holds on to what, what is in quarantine, a storm."""
    storm = world.storm
    return {
        "head": world.revision.commit if world.revision else "",
        "rollout": world.rollout.commit if world.rollout else "",
        "placed": _group(world.placed),
        "plans": dict(world.plans),
        "quarantined": [[commit, why] for commit, why in world.quarantined.items()],
        "storm": _write_storm(storm) if storm else None,
        "left": {key: {"site": site, **write_load(world.loads[key])} for key, site in world.left.items()},
    }


def write_rollout(world: World, commit: str) -> JsonObject | None:
    """Write how far a rollout has come; None where it is not the last one any more."""
    rollout = world.rollout
    if rollout is None or rollout.commit != commit:
        return None
    return {
        "commit": rollout.commit,
        "base": rollout.base,
        "plan": rollout.plan,
        "waves": [list(wave) for wave in rollout.waves],
        "previous": _group(rollout.previous),
        "urgent": list(rollout.urgent),
        "beganAt": write_instant(rollout.began_at),
        "changedAt": write_instant(rollout.changed_at),
        "phase": rollout.phase.value,
        "wave": rollout.wave,
        "soakUntil": write_instant(rollout.soak_until),
        "reason": rollout.reason,
        "who": rollout.who,
        "overridden": rollout.overridden,
        "returns": rollout.returns,
        "failed": dict(rollout.failed),
        "forgiven": sorted(rollout.forgiven),
        "releasedAt": [write_instant(each) for each in rollout.released_at],
    }


def write_suspension(world: World, key: str) -> JsonObject | None:
    """Write a suspension; None where it has ended."""
    known = world.suspended.get(key)
    if known is None:
        return None
    since, until = write_instant(known.since), write_instant(known.until)
    return {"reason": known.reason, "who": known.who, "since": since, "until": until}


def needed(documents: Mapping[Name, JsonObject]) -> tuple[str, ...]:
    """Give the commits that the fleet followed, the head first; empty where nothing was kept.

    Raises:
        Malformed: the fleet's document can't be read.
    """
    document = documents.get(FLEET)
    if document is None:
        return ()
    fields = Fields(document, "")
    head, commit = fields.need("head", read_text), fields.have("rollout", read_text) or ""
    kept = documents.get((Kind.ROLLOUT, commit))
    rollout = _read_rollout(Fields(kept, "")) if kept is not None else None
    others = {rollout.base, rollout.commit, *rollout.previous.values()} if rollout and not rollout.is_over else set()
    others |= set(_ungroup(fields, "placed").values())
    return tuple(each for each in (head, *sorted(others - {head})) if each)


def restore_suspensions(world: World, documents: Mapping[Name, JsonObject]) -> World:
    """Give a world with the suspensions that were kept.

    Raises:
        Malformed: one of them can't be read.
    """
    kept = {name: each for (kind, name), each in documents.items() if kind is Kind.SUSPENSION}
    found = {name: _read_suspension(Fields(each, name)) for name, each in kept.items()}
    return replace(world, suspended=Map(found))


def restore_course(
    world: World, documents: Mapping[Name, JsonObject], revisions: Mapping[str, Revision], now: datetime
) -> World:
    """Give a world that follows what it followed; `revisions` are those of `needed` that could be made again.

    A station whose revision could not be made again follows the head. Call it when the stations are restored.

    Raises:
        Malformed: a document can't be read.
    """
    document = documents.get(FLEET)
    if document is None:
        return world
    fields = Fields(document, "")
    head = revisions.get(fields.need("head", read_text))
    world = replace(
        world,
        quarantined=_pairs(fields, "quarantined"),
        plans=Map(_texts(fields, "plans")),
        storm=_read_storm(fields),
        began_at=now,
    )
    if head is None:
        return world
    placed = {key: commit for key, commit in _ungroup(fields, "placed").items() if commit in revisions}
    rollout = _restore_rollout(fields, documents, revisions)
    if rollout is not None and not rollout.is_over:
        away = dict.fromkeys(key for key in rollout.released if key not in rollout.failed)
        rollout = replace(rollout, deferred=Map(away), not_before=now + RETURN)
    left = {key: _read_left(each, key) for key, each in (fields.have("left", read_object) or {}).items()}
    world = replace(
        world,
        revisions=Map(revisions),
        rollout=rollout,
        left=Map({key: site for key, (site, _) in left.items()}),
        loads=world.loads.update({key: load for key, (_, load) in left.items()}),
    )
    return place(world, head, placed, revisions.keys())


def _restore_rollout(
    fields: Fields, documents: Mapping[Name, JsonObject], revisions: Mapping[str, Revision]
) -> Rollout | None:
    commit = fields.have("rollout", read_text) or ""
    document = documents.get((Kind.ROLLOUT, commit))
    if document is None:
        return None
    rollout = _read_rollout(Fields(document, ""))
    made = revisions.get(rollout.commit)
    if rollout.is_over:
        return rollout
    if made is None or rollout.base not in revisions:
        return None
    return replace(rollout, strategy=made.fleet.strategy)


def _read_rollout(fields: Fields) -> Rollout:
    return Rollout(
        commit=fields.need("commit", read_text),
        base=fields.need("base", read_text),
        plan=fields.have("plan", read_text) or "",
        strategy=Strategy(),
        waves=fields.need("waves", lambda value: tuple(map(_names, read_list(value)))),
        previous=Map(_ungroup(fields, "previous")),
        urgent=fields.need("urgent", _names),
        began_at=fields.need("beganAt", read_instant),
        changed_at=fields.need("changedAt", read_instant),
        phase=fields.need("phase", read_word(Phase)),
        wave=fields.need("wave", read_integer),
        soak_until=fields.have("soakUntil", read_instant),
        reason=fields.have("reason", read_text) or "",
        who=fields.have("who", read_text) or "",
        overridden=fields.have("overridden", read_text) or "",
        returns=fields.have("returns", read_truth) or False,
        failed=Map(_texts(fields, "failed")),
        forgiven=Map(dict.fromkeys(fields.need("forgiven", _names))),
        released_at=fields.have("releasedAt", _instants) or (),
    )


def _read_left(document: object, key: str) -> tuple[str, Load]:
    fields = StateFields(read_object(document), key)
    return fields.need("site", read_text), read_load(fields)


def _read_suspension(fields: Fields) -> Suspension:
    return Suspension(
        fields.need("reason", read_text),
        fields.need("who", read_text),
        fields.need("since", read_instant),
        fields.have("until", read_instant),
    )


def _write_storm(storm: Storm) -> JsonObject:
    counts = {"drifted": storm.drifted, "connected": storm.connected}
    return {"since": write_instant(storm.since), **counts, "held": sorted(storm.held)}


def _read_storm(fields: Fields) -> Storm | None:
    inside = fields.have("storm", read_object)
    if inside is None:
        return None
    storm = Fields(inside, fields.at("storm"))
    return Storm(
        storm.need("since", read_instant),
        storm.need("drifted", read_integer),
        storm.need("connected", read_integer),
        Map(dict.fromkeys(storm.need("held", _names))),
    )


def _group(commits: Mapping[str, str]) -> dict[str, list[str]]:
    """Write stations with their commits by commit, since many have the same."""
    grouped: dict[str, list[str]] = {}
    for key in sorted(commits):
        grouped.setdefault(commits[key], []).append(key)
    return grouped


def _ungroup(fields: Fields, name: str) -> dict[str, str]:
    def read(value: object) -> dict[str, str]:
        return {key: commit for commit, keys in read_object(value).items() for key in _names(keys)}

    return fields.need(name, read)


def _pairs(fields: Fields, name: str) -> dict[str, str]:
    def read(value: object) -> dict[str, str]:
        return dict(map(_two_names, read_list(value)))

    return fields.need(name, read)


def _texts(fields: Fields, name: str) -> dict[str, str]:
    def read(value: object) -> dict[str, str]:
        return {key: read_text(text) for key, text in read_object(value).items()}

    return fields.need(name, read)


def _two_names(value: object) -> tuple[str, str]:
    names = _names(value)
    if len(names) != 2:
        raise TypeError("must have pairs")
    return names[0], names[1]


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(read_text, read_list(value)))


def _instants(value: object) -> tuple[datetime, ...]:
    return tuple(map(read_instant, read_list(value)))
