"""SHELL: the HTTP API over the controller's ports. It serves what the command line asks and passes requests by hand on.

Built by the command line, run by `serve`. It holds no state; every answer is a view of the world of that instant.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import AwareDatetime, Field
from starlette.exceptions import HTTPException

from reconciler.errors import StoreLost, UsageError
from reconciler.profiles.form import write_instant
from reconciler.profiles.wording import suggest
from reconciler.reported.events import RawAnswered
from reconciler.reported.saved import write_state
from reconciler.rollout.commands import SendRaw
from reconciler.web.answers import Json, Listen, Many, One, Sent, fail, may
from reconciler.web.answers import Request as ByHand
from reconciler.web.explain import drift_view, explain_view
from reconciler.web.limits import BodyLimit
from reconciler.web.metrics import MEDIA_TYPE
from reconciler.web.orders import steer
from reconciler.web.ports import Ports
from reconciler.web.view import (
    groups_view,
    keys,
    saved,
    sites_view,
    station_view,
    stations_view,
    status_view,
)
from reconciler.web.view import identity as spelt

LARGEST_SLIP = 2
"""By how many characters a misspelt identity may be longer or shorter than the one that was meant."""
MOST_COMPARED = 2_000
"""With how many identities a misspelt one is compared; whoever asks must not keep the controller busy."""

__all__ = ["MOST_BYTES", "Ports", "make_app"]

MOST_BYTES = 1 << 20
State = Literal["in-sync", "pending", "drifted", "deferred", "refused", "unknown"]
Label = Annotated[str, Field(pattern=r"^[^=]+=")]


def make_app(ports: Ports) -> FastAPI:
    """Give the application."""
    app = FastAPI(title="Fleet profile reconciler", docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit, most=MOST_BYTES)
    app.add_exception_handler(HTTPException, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    _probes(app, ports)
    _fleet(app, ports)
    _stations(app, ports)
    _by_hand(app, ports)
    _outside(app, ports)
    steer(app, ports)
    return app


def _probes(app: FastAPI, ports: Ports) -> None:
    @app.get("/healthz", response_model=One)
    async def healthz() -> Response:
        """Say that the process runs its loop."""
        return Json({"ok": True})

    @app.get("/readyz", response_model=One, responses=may(503))
    async def readyz() -> Response:
        """Say whether stations are listened to and a revision is loaded, and whether they can be read only."""
        if not ports.listening():
            raise fail(503, "not listening to stations yet", "")
        if ports.controller.world.revision is None:
            raise fail(503, "no revision is loaded", "see /api/v1/status for the one that was refused, if any")
        return Json({"ok": True, "readOnly": not ports.controller.world.recording.ok})


def _fleet(app: FastAPI, ports: Ports) -> None:
    @app.get("/api/v1/status", response_model=One)
    async def status() -> Response:
        """Show the revision in force, the one refused, stations by state and requests sent by action."""
        return Json(status_view(ports.controller.world, ports.stations.all_frames(), ports.clock()))

    @app.get("/api/v1/groups", response_model=Many)
    async def groups() -> Response:
        """Show every group with its stations counted by state."""
        return Json(groups_view(ports.controller.world))

    @app.get("/api/v1/sites", response_model=Many)
    async def sites() -> Response:
        """Show every site with its caps, its stations counted by state, and its conditions."""
        return Json(sites_view(ports.controller.world))

    @app.get("/api/v1/drift", response_model=Many)
    async def drift() -> Response:
        """Show the stations that drifted, are stuck, or hold profiles of others."""
        return Json(drift_view(ports.controller.world))

    @app.get("/api/v1/state", response_model=One)
    async def state() -> Response:
        """Give what every station is believed to hold, as `plan --state` takes it."""
        world = ports.controller.world
        commit = world.revision.commit if world.revision else ""
        return Json(write_state(map(saved, world.stations.values()), ports.clock(), commit))


def _stations(app: FastAPI, ports: Ports) -> None:
    @app.get("/api/v1/stations", response_model=Many, responses=may(422))
    async def stations(
        label: Annotated[list[Label] | None, Query(max_length=20)] = None, state: State | None = None
    ) -> Response:
        """Show the stations with all of these labels (`key=value`) in this state."""
        pairs = (text.partition("=") for text in label or ())
        labels = {key: value for key, _, value in pairs}
        return Json(stations_view(ports.controller.world, labels, state))

    @app.get("/api/v1/stations/{identity}", response_model=One, responses=may(404))
    async def station(identity: str) -> Response:
        """Show one station."""
        return Json(station_view(ports.controller.world, _key(ports, identity)))

    @app.get("/api/v1/stations/{identity}/explain", response_model=One, responses=may(404, 409, 422, 503))
    async def explain(identity: str, at: AwareDatetime | None = None) -> Response:
        """Show each profile of a station: desired, reported, who wins now, and the line it comes from.

        With `at`, an instant gone by: what each EVSE had been told then, by which write, commit and line.
        """
        if at is not None:
            return Json(await _look_back(ports, identity, at))
        return Json(explain_view(ports.controller.world, _key(ports, identity), ports.clock()))


async def _look_back(ports: Ports, identity: str, at: datetime) -> dict[str, object]:
    if ports.steering is None:
        raise fail(409, "this controller keeps no past", "`reconciler run` has one")
    if at > ports.clock():
        raise fail(409, f"{write_instant(at)} is still to come", "`reconciler render --at` tells what git says of it")
    try:
        return await ports.steering.look_back(identity, at)
    except UsageError as error:
        raise fail(404, str(error), "`reconciler history` shows how far back it goes") from error
    except StoreLost as error:
        raise fail(503, str(error), "") from error


def _by_hand(app: FastAPI, ports: Ports) -> None:
    @app.post("/api/v1/stations/{identity}/send", response_model=Sent, responses=may(404, 409, 413, 422, 504))
    async def send(identity: str, request: ByHand) -> Response:
        """Send one OCPP request to a station and give its answer."""
        key = _key(ports, identity)
        shown = spelt(ports.controller.world, key)
        raw = SendRaw(shown, request.action, request.payload, uuid4().hex)
        try:
            async with asyncio.timeout(ports.longest_ask_s):
                answer = await ports.controller.ask(raw, request.who, force=request.force)
        except TimeoutError as error:
            hint = "it may have been carried out: read the station back before you send it again"
            raise fail(504, f"{shown} gave no answer within {ports.longest_ask_s:g} s", hint) from error
        if not isinstance(answer, RawAnswered):
            raise fail(409, answer.error, "nothing was sent")
        return Json({"ok": answer.ok, "answer": dict(answer.answer)})


def _outside(app: FastAPI, ports: Ports) -> None:
    @app.get("/metrics", response_class=PlainTextResponse, responses=may(404))
    async def metrics() -> Response:
        """Give the metrics of this instant in Prometheus' text format."""
        if ports.metrics is None:
            raise fail(404, "nothing is measured here", "")
        return Response(ports.metrics(), media_type=MEDIA_TYPE)

    @app.get("/api/v1/frame-log", response_model=One)
    async def frame_log() -> Response:
        """Show whose frames are written down, and how many could not be."""
        log = ports.frame_log
        return Json({"stations": list(log.chosen) if log else [], "dropped": log.dropped if log else 0})

    @app.put("/api/v1/frame-log", response_model=One, responses=may(409, 413, 422))
    async def listen(whose: Listen) -> Response:
        """Choose whose frames are written down from now on."""
        if ports.frame_log is None:
            raise fail(409, "there is no log of frames", "start with `reconciler run --frame-log FILE`")
        ports.frame_log.choose(whose.stations)
        return Json({"stations": list(ports.frame_log.chosen), "dropped": ports.frame_log.dropped})


def _key(ports: Ports, identity: str) -> str:
    key = identity.casefold()
    known = keys(ports.controller.world)
    if key not in known:
        alike = (each for each in known if abs(len(each) - len(key)) <= LARGEST_SLIP)
        near = suggest(identity, (spelt(ports.controller.world, each) for each in islice(alike, MOST_COMPARED)))
        raise fail(404, f"there is no station {identity!r} in the fleet{near}", "`reconciler get stations` lists them")
    return key


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for nothing else)
    detail: object = error.detail
    content = detail if isinstance(detail, dict) else {"error": str(detail), "hint": ""}
    return JSONResponse(content, error.status_code, headers=error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for nothing else)
    found = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
    return JSONResponse({"error": "; ".join(found), "hint": ""}, 422)
