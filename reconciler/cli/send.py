"""`reconciler send`: one OCPP request by hand, through the running controller, so that it is recorded."""

from __future__ import annotations

import typer

from reconciler.cli.exits import ERROR, OK
from reconciler.cli.orders import SERVER

LARGEST = 1 << 20
_HELP = """Send one OCPP request to a station and print its answer as JSON.

A SetChargingProfile for a profile id of the fleet's own range is refused unless --force is given: the next reconcile
would undo it. Exit code 1 where the station refused, or did not answer.

Example: echo '{"requestedMessage": "Heartbeat"}' | reconciler send TriggerMessage --id Q3-001 --file -"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send", help=_HELP)(send)


def send(
    action: str = typer.Argument(..., help="The OCPP action, such as GetVariables."),
    station: str = typer.Option(..., "--id", help="The station's identity."),
    file: str = typer.Option(..., help="The request's payload as a JSON file; - is stdin."),
    force: bool = typer.Option(False, "--force", help="Write a profile that belongs to the fleet all the same."),
    server: str = SERVER,
) -> int:
    """Send a request."""
    from reconciler.cli.client import Client
    from reconciler.cli.orders import who_asks
    from reconciler.cli.output import Format, emit_data

    content = {"action": action, "payload": _read(file), "force": force, "who": who_asks("")}
    with Client(server) as client:
        ended = client.post("stations", station, "send", content=content)
    emit_data(ended["answer"], Format.JSON)
    return OK if ended["ok"] else ERROR


def _read(name: str) -> dict[str, object]:
    import orjson

    from reconciler.cli.inputs import read_start
    from reconciler.errors import UsageError

    text = read_start(name, LARGEST + 1)
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"--file: {name} is not JSON: {error}") from error
    if not isinstance(payload, dict) or len(text) > LARGEST:
        raise UsageError(f"--file: {name} must hold one JSON object of at most {LARGEST} bytes")
    return payload
