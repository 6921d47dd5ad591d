"""The demonstration's git repository: a copy of an example fleet, adapted to a day of one minute."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from reconciler.errors import UsageError

EXAMPLE = "harbour-buses"
AUTHOR = ("-c", "user.name=Dispatcher", "-c", "user.email=dispatcher@harbour.example", "-c", "commit.gpgsign=false")
FAST = (
    ("fleet.yaml", "lease: 30h", "lease: 64s"),
    ("fleet.yaml", "renewBefore: 6h", "renewBefore: 5s"),
    ("fleet.yaml", "  discharge: allowed", "  writeInterval: 1s\n  discharge: allowed"),
    # In the example day buses rest at half past five; here they charge, so that both directions are seen at once.
    ("schedules/day-shift.yaml", 'to: "14:30", power: 12 kW', 'to: "18:00", power: 12 kW'),
)


class Repository:
    """Files under git, and the commit that is in them now."""

    def __init__(self, folder: Path) -> None:
        """Copy the example fleet into a folder, adapt it, and commit."""
        self.folder = folder
        shutil.copytree(_example(), folder)
        for file, old, new in FAST:
            self._replace(file, old, new)
        self._git("init", "--quiet", "--initial-branch=main")
        self.commit = self._commit("Harbour buses: evening export, nights and day shift")

    def edit(self, file: str, old: str, new: str, subject: str) -> str:
        """Replace one text in one file and commit that; give the commit."""
        self._replace(file, old, new)
        self.commit = self._commit(subject)
        return self.commit

    def _replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text("utf-8")
        if old not in text:
            raise UsageError(f"the example fleet has no `{old}` in {file}")
        path.write_text(text.replace(old, new, 1), "utf-8")

    def _commit(self, subject: str) -> str:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--no-verify", f"--message={subject}")
        return self._git("rev-parse", "HEAD")

    def _git(self, *words: str) -> str:
        # Neither this machine's settings nor a surrounding repository may change what is shown.
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(  # noqa: S603 - git, with words of our own
            ["git", *AUTHOR, *words],  # noqa: S607 - whichever git the user has
            cwd=self.folder,
            env=kept | alone,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout.strip()


def _example() -> Path:
    """Find the example beside this package where a wheel is installed, and at the root of a checkout."""
    places = (Path(__file__).parent / "fleets" / EXAMPLE, Path(__file__).parents[3] / "fleets" / EXAMPLE)
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise UsageError(f"the example fleet {EXAMPLE} is not here; run the demonstration from a checkout")
    return found
