"""How often one profile was changed behind our back: a value and its arithmetic. Pure.

`contest` counts with it; it refuses to know stations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(days=1)
"""The span within which rounds count together, and the peace after which they are forgotten."""
MOST_FOUND = 128
"""How many rounds of a day are remembered; a fleet may not allow as many."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """When somebody else was found to have changed a profile that was as it should be, within a day of one another.

    `last` is when it was last found changed, also where it had not been put back since. `source` is the
    chargingLimitSource of what is in its place, empty where no report shows that; `revision` the commit of the goal.
    A profile that was cleared begins with no round, and its `slot` knows it again under another id. `written` is
    when it was last put back.
    """

    found: tuple[datetime, ...]
    last: datetime
    source: str = ""
    revision: str = ""
    slot: str = ""
    written: datetime | None = None

    @property
    def times(self) -> int:
        """Give the number of rounds."""
        return len(self.found)

    @property
    def first(self) -> datetime:
        """Give the instant of the first round that counts."""
        return self.found[0] if self.found else self.last

    def is_over(self, revision: str, now: datetime) -> bool:
        """Tell whether these rounds count no more: after a day of peace, or with a goal of another revision."""
        return self.revision != revision or now - self.last >= DAY


def again(before: Rounds | None, revision: str, now: datetime) -> Rounds:
    """Count one more round; what lies more than a day before it counts no more."""
    found = tuple(at for at in before.found if now - at < DAY) if before else ()
    written = before.written if before else None
    return Rounds((*found, now)[-MOST_FOUND:], now, revision=revision, written=written)
