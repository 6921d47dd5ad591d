"""Exit codes, the same for every command; those from 2 to 5 are given with `--exit-code` (or by `apply`) only."""

OK = 0
ERROR = 1
CHANGES = 2
"""Changes from git are pending."""
DRIFT = 3
"""Stations drifted; git has nothing new."""
BLOCKED = 4
"""Something is refused: by a guardrail, a policy, a station."""
PARTLY = 5
"""Applied to some stations and not to others."""
USAGE = 64
"""The command was called in a way that can't be served."""
