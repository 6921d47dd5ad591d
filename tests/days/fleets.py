"""Fleets by chance: a draft that is written as manifests, and the edits that people make to it.

Everything is drawn from the generator that is passed in, so that one seed always gives the same commits.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from reconciler.controller.revision import follow, revise
from reconciler.manifests.snapshot import Snapshot

LEASES = (("26h", "6h"), ("26h", "6h"), ("12h", "4h"), ("6h", "2h"), ("3h", "1h"))
WRITES = ("0s", "60s", "60s", "5m")
STRATEGIES = (
    (),
    ("rollout: {waves: [1, 100%], soak: 5m, gate: {sample: 1}}",),
    ("rollout: {waves: [1, 50%, 100%], soak: 2m, pace: {writes: 20, perSite: 6}}",),
    ("rollout: {waves: [{canary: {labels: {row: a}}}, 100%], soak: 1m, onAbort: hold, concurrency: {perSite: 1}}",),
    ('rollout: {waves: [50%, 100%], windows: [{deny: "0 */2 * * *", for: 1h}], pace: {writes: 3}}',),
    ('rollout: {pace: {writes: 1, perSite: unlimited}, windows: [{allow: "30 * * * *", for: 20m}]}',),
    ("rollout: {waves: [1, 2, 100%], soak: 20m}", "drift: {storm: {share: 10%, least: 2}, rounds: 2}"),
    ("drift: {storm: {share: 20%, least: 3}, foreign: [{levels: 5, policy: clear}, {levels: 8, policy: ignore}]}",),
)
"""How revisions go out, and what counts as a storm, as lines of the Fleet."""
KINDS = {
    "dc21": ("charge: RATING kW, discharge: RATING kW, current: DC", 'protocol: "2.1", maxOffline: true', -1),
    "dc201": ("charge: RATING kW, discharge: RATING kW, current: DC", "protocol: 2.0.1, negativeLimit: true", -1),
    "ac201": ("charge: 32 A, phases: 3", "protocol: 2.0.1", 0),
}
"""What a row's EVSEs and stations are made of, and whether they may discharge."""


@dataclass(frozen=True)
class Row:
    """Stations that are alike, and follow one schedule; some of them may follow `extra` as well."""

    name: str
    site: str
    kind: str
    count: int
    evses: int = 1
    rating: int = 15
    windows: tuple = ()
    extra: tuple = ()
    chosen: tuple = ()

    @property
    def identities(self):
        """Give the row's stations."""
        return tuple(f"{self.name.upper()}-{number:02}" for number in range(1, self.count + 1))

    @property
    def lowest(self):
        """Give the least power in kW that the row may be asked for."""
        return KINDS[self.kind][2] * self.rating


@dataclass(frozen=True)
class Draft:
    """A fleet as people would write it; `rollout` and `drift` are lines of YAML beside the lease."""

    lease: tuple = LEASES[0]
    write: str = "60s"
    read_back: str = "30m"
    caps: dict = field(default_factory=dict)
    rows: tuple = ()
    rollout: tuple = ()
    broken: str = ""

    def text(self):
        """Write the manifests."""
        parts = [_fleet(self), *(_site(name, caps) for name, caps in sorted(self.caps.items()))]
        parts += [part for row in self.rows for part in _row(row)]
        return "---\n".join(parts) + self.broken


def _fleet(draft):
    lease, before = draft.lease
    lines = [
        "apiVersion: v2g.fleet/v1alpha1",
        "kind: Fleet",
        "metadata: {name: days}",
        "spec:",
        "  timezone: Europe/Amsterdam",
        "  profileIds: {from: 1000, to: 1999}",
        f"  failSafe: {{lease: {lease}, renewBefore: {before}, maxOffline: 15m}}",
        f"  writeInterval: {draft.write}",
        f"  readBack: {draft.read_back}",
        "  discharge: allowed",
        *(f"  {line}" for line in draft.rollout),
    ]
    return "\n".join(lines) + "\n"


def _site(name, caps):
    return f"kind: Site\nmetadata: {{name: {name}}}\nspec: {{import: {caps[0]} kW, export: {caps[1]} kW}}\n"


def _row(row):
    evse, capability, _ = KINDS[row.kind]
    evses = ", ".join(f"{{id: {number + 1}, {evse.replace('RATING', str(row.rating))}}}" for number in range(row.evses))
    yield (
        f"kind: StationSet\nmetadata: {{name: set-{row.name}, labels: {{row: {row.name}}}}}\n"
        f"spec:\n  identities: [{', '.join(row.identities)}]\n  evses: [{evses}]\n  capability: {{{capability}}}\n"
    )
    yield _group(row.name, f"site: {row.site}", f"labels: {{row: {row.name}}}", row.name, 10)
    yield _schedule(row.name, row.windows)
    if row.chosen:
        chosen = f"names: [{', '.join(row.chosen)}]"
        yield _group(f"{row.name}-extra", f"parent: {row.name}", chosen, f"{row.name}-extra", 20)
        yield _schedule(f"{row.name}-extra", row.extra)


def _group(name, home, select, schedule, priority):
    schedules = f"[{{schedule: {schedule}, priority: {priority}}}]"
    return f"kind: Group\nmetadata: {{name: {name}}}\nspec: {{{home}, select: {{{select}}}, schedules: {schedules}}}\n"


def _schedule(name, windows):
    lines = [f'    - {{days: daily, from: "{begin}", to: "{end}", power: {power} kW}}' for begin, end, power in windows]
    return f"kind: Schedule\nmetadata: {{name: {name}}}\nspec:\n  windows:\n" + "\n".join(lines) + "\n"


def draw_windows(rng, row, most=4):
    """Draw windows that do not overlap, on half hours, now and then over midnight and the hour that clocks skip."""
    edges = sorted(rng.sample(range(48), rng.randint(1, most) + 1))
    if rng.random() < 0.3:
        edges = sorted({*edges, 4, 6})  # 02:00 to 03:00
    spans = list(pairwise(edges))
    if rng.random() < 0.3:
        spans.append((edges[-1], edges[0]))
    least, most_kw = row.lowest, 15 if row.kind != "ac201" else 20
    drawn = [(begin, end, rng.randint(least, most_kw)) for begin, end in spans]
    return tuple((_clock(begin), _clock(end), power) for begin, end, power in drawn)


def _clock(half_hours):
    return f"{half_hours // 2 % 24:02}:{half_hours % 2 * 30:02}"


def draw_fleet(rng, least=1, largest=4):
    """Draw a fleet of one or two sites; rows have `least` to `largest` stations."""
    sites = [f"s{number}" for number in range(1, rng.randint(1, 2) + 1)]
    rows = []
    for number in range(rng.randint(len(sites), len(sites) + 2)):
        kind = rng.choice(sorted(KINDS))
        row = Row(
            chr(ord("a") + number), sites[number % len(sites)], kind, rng.randint(least, largest), rng.randint(1, 2)
        )
        rows.append(replace(row, windows=draw_windows(rng, row)))
    paces = (rng.choice(LEASES), rng.choice(WRITES), rng.choice(("15m", "30m", "30m")))
    draft = Draft(*paces, {}, tuple(rows), rng.choice(STRATEGIES))
    return replace(draft, caps={site: draw_caps(rng, draft, site) for site in sites})


def draw_caps(rng, draft, site):
    """Draw caps between what the schedules ask for at once and half as much again."""
    slack = rng.choice((1.0, 1.0, 1.1, 1.5))
    return tuple(max(1, int(slack * worst(draft, site, sign) + 0.999)) for sign in (1, -1))


def worst(draft, site, sign):
    """Give the most in kW that a site's rows may ask for at once, were all their windows to meet."""
    total = 0
    for row in draft.rows:
        if row.site == site:
            powers = [sign * power for _, _, power in (*row.windows, *row.extra)]
            total += row.count * row.evses * max([0, *powers])
    return total


def edit(rng, draft):
    """Change one thing as people would; some edits are refused, which is for the revision to say."""
    number = rng.randrange(len(draft.rows))
    row = draft.rows[number]
    match rng.choices(tuple(EDITS), tuple(EDITS.values()))[0]:
        case "powers":
            row = replace(row, windows=draw_windows(rng, row))
            changed = _put(draft, number, row)
            keep = rng.random() < 0.5
            return (
                changed if keep else replace(changed, caps={site: draw_caps(rng, changed, site) for site in draft.caps})
            )
        case "chosen":
            chosen = tuple(sorted(rng.sample(row.identities, rng.randint(0, row.count))))
            return _put(draft, number, replace(row, chosen=chosen, extra=draw_windows(rng, row, 2) if chosen else ()))
        case "caps":
            site = rng.choice(sorted(draft.caps))
            return replace(draft, caps={**draft.caps, site: draw_caps(rng, draft, site)})
        case "rating":
            return _put(draft, number, replace(row, rating=rng.choice((11, 15, 22))))
        case "write":
            return replace(draft, write=rng.choice(WRITES))
        case "evses":
            return _put(draft, number, replace(row, evses=3 - row.evses))
        case "count":
            return _put(draft, number, replace(row, count=row.count + 1))
        case "lease":
            return replace(draft, lease=rng.choice(LEASES))
        case _:
            return replace(draft, rollout=rng.choice(STRATEGIES))


def _put(draft, number, row):
    return replace(draft, rows=(*draft.rows[:number], row, *draft.rows[number + 1 :]))


EDITS = {
    "powers": 9,
    "chosen": 3,
    "caps": 3,
    "rating": 1,
    "write": 1,
    "count": 1,
    "evses": 1,
    "lease": 1,
    "rollout": 3,
}
"""What people edit, and how often relative to the rest."""
BROKEN = (
    "---\nkind: Schedule\nmetadata: {name: broken}\nspec: {windows: [\n",
    "---\nkind: Schedule\nmetadata: {name: odd}\nspec: {window: []}\n",
    "---\nkind: Group\nmetadata: {name: lost}\nspec: {site: nowhere, select: {labels: {row: a}}}\n",
)


def spoil(rng, draft):
    """Break a draft so that it has to be refused as a whole."""
    return replace(draft, broken=rng.choice(BROKEN))


@cache
def shipped():
    """Give the default templates of this checkout."""
    return {path.name: path.read_text() for path in (Path(__file__).parents[2] / "templates").glob("*.j2")}


def snapshot(draft, commit, now):
    """Give a draft as a commit."""
    return Snapshot(commit, "Ada", now, f"edit {commit}", {"fleet.yaml": draft.text()})


def take(snap, now, before):
    """Prove a commit after another as the controller does; raises RevisionError."""
    return follow(snap, shipped(), now, before)


def compile_again(files, commit, now, before=None):
    """Make a revision from its kept files, with what it has alike with another; it follows nothing."""
    return revise(Snapshot(commit, "Ada", now, "", dict(files)), shipped(), now, before)
