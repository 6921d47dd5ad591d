"""From a schedule in git to a verified station state, with the fewest possible writes.

`docs/architecture.md` follows one schedule through these packages, from commit to station.
"""
