"""SHELL: the part of the HTTP API by which people steer: rollouts, suspensions, storms, the way back, and the history.

Put into the application by `api`. It finds the stations that are meant, and passes orders on; what comes of an order is
the controller's to say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime

from reconciler.errors import RevisionError, StoreLost, Transient, UsageError
from reconciler.manifests.fleet import Fleet
from reconciler.rollout.lines import Line, recent
from reconciler.rollout.question import Page, Question
from reconciler.web.answers import Back, Chosen, Clearance, Json, Many, One, Steer, Suspend, fail, may
from reconciler.web.history import About, Ask, lines_view, members, tell
from reconciler.web.ports import Ports, Steering, Wish
from reconciler.web.rollouts import rollout_view, suspensions_view, window_view
from reconciler.web.subjects import UnknownName, commits, find
from reconciler.web.view import carries, identity, keys

STEERED = Literal["pause", "resume", "promote", "abort"]


def steer(app: FastAPI, ports: Ports) -> None:
    """Add everything."""
    _rollout(app, ports)
    _suspensions(app, ports)
    _history(app, ports)


def _rollout(app: FastAPI, ports: Ports) -> None:
    @app.get("/api/v1/rollout", response_model=One)
    async def rollout() -> Response:
        """Show the last rollout: its waves, who fails, who is awaited, and how long it takes at least."""
        return Json(rollout_view(ports.controller.world, ports.clock()))

    @app.post("/api/v1/rollout/{verb}", response_model=One, responses=may(409, 413, 422, 503))
    async def order(verb: STEERED, body: Steer) -> Response:
        """Pause, resume, promote or abort the rollout that is under way."""
        if verb == "promote" and not body.override:
            _check_window(ports)
        await _give(ports, Wish(verb, body.who, body.reason, override=body.override))
        return Json(rollout_view(ports.controller.world, ports.clock()))

    @app.post("/api/v1/rollback", response_model=One, responses=may(404, 409, 413, 422, 503))
    async def rollback(body: Back) -> Response:
        """Return to an older revision, past waves and windows; what is in force is quarantined."""
        commit = await _go_back(ports, body)
        return Json({"commit": commit, "rollout": rollout_view(ports.controller.world, ports.clock())})

    @app.post("/api/v1/storm/clear", response_model=One, responses=may(409, 413, 422, 503))
    async def clear(body: Clearance) -> Response:
        """Let repairs go on after a drift storm."""
        await _give(ports, Wish("clear-storm", body.who, body.reason))
        return Json({"ok": True})


def _suspensions(app: FastAPI, ports: Ports) -> None:
    @app.get("/api/v1/suspensions", response_model=Many)
    async def suspensions() -> Response:
        """Show who is suspended, why, by whom and until when."""
        return Json(suspensions_view(ports.controller.world))

    @app.post("/api/v1/suspensions", response_model=Many, responses=may(404, 409, 413, 422, 503))
    async def suspend(body: Suspend) -> Response:
        """Read these stations, and don't write to them, but to withdraw discharge."""
        if body.until is not None and body.until <= ports.clock():
            raise fail(409, "`until` is over already", "name a later instant, or none")
        chosen = _choose(ports, body)
        await _give(ports, Wish("suspend", body.who, body.reason, chosen, body.until))
        return Json([each for each in suspensions_view(ports.controller.world) if _is_in(each, chosen)])

    @app.post("/api/v1/suspensions/lift", response_model=Many, responses=may(404, 409, 413, 422, 503))
    async def lift(body: Chosen) -> Response:
        """Write to these stations again; those that are not suspended are passed by."""
        chosen = tuple(key for key in _choose(ports, body) if key in ports.controller.world.suspended)
        if not chosen:
            raise fail(409, "none of these stations is suspended", "GET /api/v1/suspensions lists those that are")
        names = [{"station": identity(ports.controller.world, key)} for key in chosen]
        await _give(ports, Wish("unsuspend", body.who, body.reason, chosen))
        return Json(names)


def _history(app: FastAPI, ports: Ports) -> None:
    @app.get("/api/v1/history", response_model=Many, responses=may(404, 422, 503))
    async def history(  # noqa: PLR0913, PLR0917 - these are the parameters of a query, by name
        request: Request,
        station: str = "",
        group: str = "",
        site: str = "",
        commit: str = "",
        about: str = "",
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        before: Annotated[int, Query(ge=0, le=2**62)] = 0,
    ) -> Response:
        """Show what was done, the newest first, one line for each write; the header `Link` has the next page.

        `about` is one word in place of the others: a station, a group, a site, or the beginning of a commit.
        """
        meant = await _find(ports, about) if about else About(station, group, site, commit)
        lines, older = await _lines(ports, meant, Question(None, meant.commit, since, until, limit, before))
        next_page = request.url.include_query_params(before=older)
        return Json(lines_view(lines), headers={"Link": f'<{next_page}>; rel="next"'} if older else None)


async def _lines(ports: Ports, about: About, question: Question) -> tuple[tuple[Line, ...], int]:
    try:
        stations = members(_fleet(ports), about)
        return await tell(_keeper(ports), replace(question, stations=stations))
    except UsageError as error:
        raise fail(404, str(error), "`reconciler get groups` and `get sites` list them") from error
    except StoreLost as error:
        raise fail(503, str(error), "") from error


async def _find(ports: Ports, word: str) -> About:
    """Tell what a word means; a station that is connected without being of the fleet is known as well."""
    world = ports.controller.world
    if word.casefold() in world.stations:
        return About(station=word)

    async def knows(commit: str) -> bool:
        if any(each.startswith(commit) for each in commits(world)):
            return True
        return ports.steering is not None and await ports.steering.knows(commit)

    try:
        return await find(word, _fleet(ports), _keeper(ports), knows)
    except UnknownName as error:
        raise fail(404, str(error), "") from error
    except StoreLost as error:
        raise fail(503, str(error), "") from error


def _fleet(ports: Ports) -> Fleet | None:
    revision = ports.controller.world.revision
    return revision.fleet if revision else None


def _keeper(ports: Ports) -> Ask:
    """Give who answers questions about the history: whoever keeps it, or the lines at hand."""
    if ports.steering is not None:
        return ports.steering.lines

    async def at_hand(question: Question) -> Page:
        return recent(ports.controller.history, ports.controller.recorded, question)

    return at_hand


def _check_window(ports: Ports) -> None:
    """Refuse to promote into a closed window, where the next wave would only be held back again."""
    rollout = ports.controller.world.rollout
    window = window_view(rollout, ports.clock()) if rollout else None
    if window is not None and not window["open"] and not window["overridden"]:
        until = f", until {window['until']}" if window["until"] else ""
        raise fail(409, f"the rollout's windows are closed{until}: {window['why']}", "override them", blocked=True)


async def _give(ports: Ports, wish: Wish) -> None:
    why = await _steering(ports).order(wish)
    if why:
        raise fail(409 if ports.controller.world.recording.ok else 503, why, "")


async def _go_back(ports: Ports, body: Back) -> str:
    try:
        return await _steering(ports).go_back(body.to, body.who, body.reason)
    except UsageError as error:
        raise fail(404, str(error), "`reconciler history` shows commits") from error
    except RevisionError as error:
        raise fail(409, f"commit {body.to} is not good any more: {error.errors[0]}", "") from error
    except Transient as error:
        raise fail(503, str(error), "") from error


def _steering(ports: Ports) -> Steering:
    if ports.steering is None:
        raise fail(409, "no orders are taken here", "")
    return ports.steering


def _choose(ports: Ports, chosen: Chosen) -> tuple[str, ...]:
    """Find the stations that are meant."""
    if sum(map(bool, (chosen.stations, chosen.labels, chosen.all))) != 1:
        raise fail(409, "choose by `stations`, by `labels` or `all`, in one of these ways", "nothing was done")
    world = ports.controller.world
    known = dict.fromkeys(keys(world))
    named = [each.casefold() for each in chosen.stations]
    unknown = [
        each for each in chosen.stations if each.casefold() not in known and each.casefold() not in world.suspended
    ]
    if unknown:
        raise fail(404, f"there is no station {unknown[0]!r} in the fleet", "`reconciler get stations` lists them")
    found = tuple(dict.fromkeys(named)) or tuple(key for key in known if carries(world, key, chosen.labels))
    if not found:
        raise fail(404, "no station of the fleet has these labels", "`reconciler get stations -o yaml` shows labels")
    return found


def _is_in(view: dict[str, object], chosen: tuple[str, ...]) -> bool:
    return str(view["station"]).casefold() in chosen
