"""What the simulated days need of pytest: seeds that all workers agree on, and days without the coverage tracer."""

import sys

import pytest

from days.report import written


@pytest.fixture
def lived(record_property):
    """Collect the days that a test has lived; they are lived untraced, for tracing makes them several times as long."""
    ended = []
    tracer = sys.gettrace()
    sys.settrace(None)
    yield ended
    sys.settrace(tracer)
    record_property(*written(ended))
