"""What the simulated days need of pytest: seeds that all workers agree on, and days without the coverage tracer."""

import pytest

from days.report import written


def pytest_itemcollected(item):
    """Leave every day untraced: tracing makes it several times as long."""
    item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def lived(record_property):
    """Collect the days that a test has lived."""
    ended = []
    yield ended
    record_property(*written(ended))
