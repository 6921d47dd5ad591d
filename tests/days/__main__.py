"""Live days from the command line: `SEED=` lives one again with its trace, `N=` lives as many fresh ones."""

import os
import sys
import time
from collections import Counter
from random import SystemRandom

from days.day import Day
from days.watch import Broken


def main():
    """Live days; the exit code is 1 where an invariant was broken."""
    if os.environ.get("SEED"):
        return live_again(int(os.environ["SEED"]))
    base, number = int(os.environ.get("BASE") or SystemRandom().randrange(10**9)), int(os.environ.get("N") or 20)
    faults, broken, begun = Counter(), 0, time.perf_counter()
    print(f"{number} days from seed {base} on")
    for seed in range(base, base + number):
        day = Day(seed)
        try:
            day.live()
        except Broken as error:
            broken += 1
            print(f"\n{error}\n")
        faults += day.faults
    print(f"{number} days in {time.perf_counter() - begun:.1f} s, {broken} broken")
    print(", ".join(f"{kind} {times}" for kind, times in sorted(faults.items())))
    return 1 if broken else 0


def live_again(seed):
    """Live one day, and tell how it went."""
    try:
        ended = Day(seed).live()
    except Broken as error:
        print(error)
        return 1
    print(f"seed {seed}: {ended.events} events, {ended.digest}")
    return 0


sys.exit(main())
