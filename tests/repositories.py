"""A git repository of one manifest, as its author keeps it, and a small fleet to begin it with."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

FLEET = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: yard}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 810000, to: 819999}
  discharge: allowed
  writeInterval: 1s
"""
SITE = """\
---
kind: Site
metadata: {name: quay}
spec: {import: 100 kW, export: 100 kW}
"""


@dataclass(frozen=True)
class Row:
    """Stations of one kind, in a group of their own that follows one schedule."""

    name: str
    line: str
    identities: str
    capability: str
    schedule: str
    window: str

    def __str__(self):
        return f"""\
---
kind: Group
metadata: {{name: {self.line}}}
spec:
  site: quay
  select: {{labels: {{line: {self.line}}}}}
  schedules: [{{schedule: {self.schedule}, priority: 20}}]
---
kind: StationSet
metadata: {{name: {self.name}, labels: {{line: {self.line}}}}}
spec:
  identities: {self.identities}
  evses: [{{id: 1, charge: 11 kW, discharge: 11 kW, current: DC}}]
  capability: {{{self.capability}}}
---
kind: Schedule
metadata: {{name: {self.schedule}}}
spec: {{windows: [{{days: daily, {self.window}}}]}}
"""


def manifests(*rows, more=""):
    """Write a fleet of one site with these rows; `more` are further lines of the Fleet."""
    return "".join((FLEET, more, SITE, *map(str, rows)))


@dataclass
class Repository:
    """A git repository of one manifest; it knows nothing of how git is set up on this machine."""

    folder: Path

    @classmethod
    def begin(cls, folder):
        """Make one without a commit."""
        made = cls(folder)
        made.git("init", "--quiet", "--initial-branch=main")
        return made

    def commit(self, text):
        """Write and commit; give the commit."""
        (self.folder / "fleet.yaml").write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Change")
        return self.git("rev-parse", "HEAD")

    def git(self, *words):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        me = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        return subprocess.run(
            ["git", *me, *words], cwd=self.folder, env=kept | alone, check=True, capture_output=True, text=True
        ).stdout.strip()
