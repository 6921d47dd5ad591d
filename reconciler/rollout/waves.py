"""Which stations a rollout changes first: its waves, the same wherever and whenever they are computed. Pure.

The controller asks once per rollout. Nothing here knows which stations are online: a wave is about what may change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

from reconciler.manifests.strategy import Strategy, Wave
from reconciler.rollout.station import share


def waves(
    strategy: Strategy, changed: Collection[str], labels: Callable[[str], Mapping[str, str]], rollout: str
) -> tuple[tuple[str, ...], ...]:
    """Divide the keys of the stations that a rollout changes into its waves, each in the order to begin with.

    Who comes first is drawn by a hash of the station's key and the rollout's id, so that each rollout begins elsewhere.
    A wave that would have no station is left out; what the last one leaves makes one more.
    """
    left = sorted(set(changed), key=lambda key: (share(f"{rollout}/{key}"), key))
    total, found = len(left), list[tuple[str, ...]]()
    for wave in strategy.waves:
        part = _members(wave, left, total, labels)
        left = [key for key in left if key not in part]
        found.append(tuple(part))
    return tuple(part for part in (*found, tuple(left)) if part)


def _members(
    wave: Wave, left: Sequence[str], total: int, labels: Callable[[str], Mapping[str, str]]
) -> dict[str, None]:
    if wave.labels:
        chosen = [key for key in left if wave.labels.items() <= labels(key).items()]
    else:
        chosen = list(left[: max(_reach(wave, total) - (total - len(left)), 0)])
    return dict.fromkeys(chosen)


def _reach(wave: Wave, total: int) -> int:
    """Give how many stations are to have changed after a wave; a share is rounded up, so that one reaches one."""
    if wave.count is not None:
        return wave.count
    return int((total * (wave.share or Decimal(0))).to_integral_value(ROUND_CEILING))
