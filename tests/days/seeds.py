"""Which days a test run lives: fresh ones, on whose first seed all workers agree, and those that once went wrong."""

import os
from pathlib import Path
from random import SystemRandom
from zlib import crc32

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID")
BASE = int(os.environ.get("DAYS_BASE") or (crc32(_RUN.encode()) if _RUN else SystemRandom().randrange(10**9)))
"""The first fresh seed; `DAYS_BASE` lives the days of another run again."""
_LINES = (Path(__file__).parent / "seeds.txt").read_text().splitlines()
KEPT = tuple(int(line.split()[0]) for line in _LINES if line and not line.startswith("#"))
