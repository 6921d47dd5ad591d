"""Act seven: nobody speaks any more, and all flow ends by itself at the end of the lease."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.cli.demonstration.scene import NOTHING_W, Scene
from reconciler.cli.output import make_bar

AFTER = timedelta(seconds=5)
"""How long after the lease's end the meters are looked at: converters take up to three seconds to come down."""
LEVELS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Sample:
    """What all stations drew and fed at one instant, by their own meters, in W as magnitudes."""

    at: datetime
    draw_w: float
    feed_w: float


async def silence(scene: Scene) -> None:
    """Kill the controller; watch the meters to the end of the lease and a little beyond."""
    told, end = scene.told, scene.lease().end
    flowing = [name for name in scene.stations.identities if abs(scene.power_w(name)) > NOTHING_W]
    await scene.controller.kill()
    killed = scene.clock()
    told.line(f"killed with SIGKILL; {(end - killed).total_seconds():.0f} s later the last lease ends")
    samples = await _watch(scene, killed, end + AFTER)
    for line in _chart(samples, killed, end):
        told.line(line)
    before = [each for each in samples if each.at < end - timedelta(seconds=1)]
    told.hold(bool(before) and before[-1].draw_w > NOTHING_W < before[-1].feed_w, "flow went on until the lease ended")
    still = [name for name in flowing if scene.power_w(name) != 0]
    told.hold(bool(flowing) and not still, f"all {len(flowing)} EVSEs that charged or discharged are at zero")
    registers = _registers(scene)
    await asyncio.sleep(1)
    told.hold(_registers(scene) == registers, "no energy register moves any more")


async def _watch(scene: Scene, start: datetime, end: datetime) -> list[Sample]:
    samples: list[Sample] = []
    seconds = (end - start).total_seconds()
    with make_bar("seconds until all is still", round(seconds)) as show:
        while (now := scene.clock()) < end:
            samples.append(Sample(now, *scene.meters_w()))
            show(round((now - start).total_seconds()))
            await asyncio.sleep(min(0.5, max((end - now).total_seconds(), 0.01)))
    return [*samples, Sample(scene.clock(), *scene.meters_w())]


def _registers(scene: Scene) -> list[tuple[float, float]]:
    return [scene.stations.energy_wh(name, 1) for name in scene.stations.identities]


def _chart(samples: list[Sample], killed: datetime, end: datetime) -> list[str]:
    """Draw both sums over time as one line each, and give some of the numbers."""
    most = max(max(each.draw_w, each.feed_w) for each in samples) or 1.0
    lines = [f"draw {''.join(_level(each.draw_w / most) for each in samples)}"]
    lines.append(f"feed {''.join(_level(each.feed_w / most) for each in samples)}")
    marks = (killed, end - timedelta(seconds=1), end + timedelta(seconds=1), end + AFTER)
    for mark in marks:
        each = min(samples, key=lambda sample: abs(sample.at - mark))
        after = (each.at - killed).total_seconds()
        lines.append(f"+{after:4.1f} s  draws {each.draw_w / 1000:6.1f} kW   feeds {each.feed_w / 1000:6.1f} kW")
    return lines


def _level(share: float) -> str:
    return LEVELS[min(round(share * (len(LEVELS) - 1)), len(LEVELS) - 1)]
