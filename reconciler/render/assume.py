"""What a station is taken to be able to do before it has said so: what its manifest declares, else the least."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from reconciler.manifests.fleet import Declared
from reconciler.manifests.schedules import MODES
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Unit


@lru_cache(maxsize=1024)
def assume(declared: Declared, protocol: Protocol) -> Capability:
    """Give the capability that a manifest declares for a station speaking `protocol`."""
    least = Capability(protocol)
    stated = {
        "max_stack_level": declared.stack_levels,
        "max_periods": declared.periods,
        "max_profiles": declared.entries,
        "negative_limit": declared.negative_limit,
        "max_offline": declared.max_offline if protocol is Protocol.V21 else False,
        "modes": frozenset(MODES[mode] for mode in declared.modes) if declared.modes is not None else None,
        "units": tuple(Unit(unit) for unit in declared.units) if declared.units else None,
    }
    return replace(least, **{name: value for name, value in stated.items() if value is not None})  # type: ignore[arg-type]


def protocols(declared: Declared) -> tuple[Protocol, ...]:
    """Give the protocols a station may speak: the declared one, else all that the project speaks."""
    return tuple(each for each in Protocol if declared.protocol in (None, each.version))
