"""`reconciler rollback --to COMMIT`: back to an older revision, past waves and windows."""

from __future__ import annotations

import typer

from reconciler.cli.orders import REASON, SERVER, WHO

_HELP = """Put an older revision in force, for all stations at once; what is in force now is quarantined until
a person goes back to it. The next commit in git is taken as any other.

Example: reconciler rollback --to 3f2c1a9b --reason 'night buses came back half full'"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rollback", help=_HELP)(rollback)


def known_commits(incomplete: str) -> list[str]:
    """Complete commits that the running controller has had; without one, nothing."""
    from reconciler.cli.client import Client
    from reconciler.errors import ReconcilerError

    try:
        with Client() as client:
            lines = client.get("history", limit="1000")
    except ReconcilerError:
        return []
    commits = dict.fromkeys(line["revision"] for line in lines if line.get("revision"))
    return [commit for commit in commits if commit.startswith(incomplete)]


def rollback(
    to: str = typer.Option(..., metavar="COMMIT", help="The commit, or its beginning.", autocompletion=known_commits),
    reason: str = REASON,
    who: str = WHO,
    server: str = SERVER,
) -> None:
    """Go back."""
    from reconciler.cli.client import Client
    from reconciler.cli.orders import need_reason, who_asks
    from reconciler.cli.terminal import emit, say
    from reconciler.profiles.wording import count

    content = {"to": to, "reason": need_reason(reason, "why to go back"), "who": who_asks(who)}
    with Client(server) as client:
        done = client.post("rollback", content=content)
    emit(done["commit"])
    rollout = done["rollout"]
    members = sum(wave["stations"] for wave in rollout["waves"])
    say(f"{done['commit'][:12]} is in force; {count(members, 'station')} to change; see `reconciler rollout status`")
