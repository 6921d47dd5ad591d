"""The files of a new fleet: as small as a fleet can be that does something, with comments that teach. Pure.

Used by `init`, which proves them before it writes them.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.cli.flow import write_flow
from reconciler.manifests.schema import FILE_NAME

SCHEMAS = "schemas"

_FLEET = """\
# yaml-language-server: $schema={schemas}/{file}
# What holds for every station. A fleet has one document of kind Fleet; documents may stand in any file, several in one.
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {{name: {name}}}
spec:
  timezone: {timezone}{gap}# times in schedules are those of the clocks of this zone, in summer and winter
  profileIds: {{from: 100000, to: 109999}}  # our ids on every station; others are never touched
  failSafe:
    lease: 30h               # flow ends by itself this long after the controller was last heard
    renewBefore: 6h          # the lease is renewed when less than this is left: about one write a day
    maxOffline: 15m          # on OCPP 2.1 a station also stops when it was cut off for this long
  discharge: forbidden       # `allowed` is the owner's consent to feed power back
"""

_SITE = """\
# yaml-language-server: $schema={schemas}/{file}
# A grid connection. Every revision is refused whose stations could together draw or feed more than this.
apiVersion: v2g.fleet/v1alpha1
kind: Site
metadata: {{name: depot}}
spec:
  import: 50 kW              # the most that is drawn
  export: 0 kW               # the most that is fed
"""

_STATIONS = """\
# yaml-language-server: $schema={schemas}/{file}
# Four stations alike. A station is known by the identity with which it connects.
apiVersion: v2g.fleet/v1alpha1
kind: StationSet
metadata: {{name: row-a, labels: {{line: night}}}}   # groups select stations by such labels
spec:
  identities: DEPOT-{{001..004}}                   # a range; a list or a CSV file of this repository will do as well
  evses:
    - {{id: 1, charge: 16 A, phases: 3, current: AC}}   # 16 A x 230 V x 3 phases = 11 kW; `discharge: 11 kW` for V2G
  capability: {{protocol: 2.0.1}}                  # what else they can do is asked from the stations
"""

_GROUPS = """\
# yaml-language-server: $schema={schemas}/{file}
# A group gives schedules to the stations that it selects. Where several schedules speak for the same moment, the higher
# priority wins. Where none speaks, nothing flows.
apiVersion: v2g.fleet/v1alpha1
kind: Group
metadata: {{name: night-line}}
spec:
  site: depot
  select: {{labels: {{line: night}}}}
  schedules:
    - {{schedule: overnight, priority: 10}}
"""

_SCHEDULE = """\
# yaml-language-server: $schema=../{schemas}/{file}
# Power over local time, for each EVSE. Positive charges, negative discharges. Times are quoted.
apiVersion: v2g.fleet/v1alpha1
kind: Schedule
metadata: {{name: overnight}}
spec:
  windows:
    - {{days: daily, from: "22:00", to: "06:00", power: 16 A}}     # belongs to the day on which it begins
    - {{days: weekdays, from: "17:00", to: "20:00", power: 0 kW}}  # the evening peak: nothing
  otherwise: 6 A                                                 # all other times; may be left out
"""

_FILES = {
    "fleet.yaml": _FLEET,
    "site.yaml": _SITE,
    "stations.yaml": _STATIONS,
    "groups.yaml": _GROUPS,
    "schedules/overnight.yaml": _SCHEDULE,
}
_COMMENTS_AT = 29


def make_starter(name: str, timezone: str, schema: str) -> Mapping[str, str]:
    """Give the files by path, with the schema's text for editors among them; a name that YAML misreads is quoted."""
    gap = " " * max(2, _COMMENTS_AT - len("  timezone: ") - len(timezone))
    filled = {
        path: text.format(
            schemas=SCHEMAS,
            file=FILE_NAME,
            name=write_flow(name),
            timezone=write_flow(timezone),
            gap=gap,
        )
        for path, text in _FILES.items()
    }
    return {**filled, f"{SCHEMAS}/{FILE_NAME}": schema}
