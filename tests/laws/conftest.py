"""Laws try hundreds of worlds: the coverage tracer would triple their time, and each room has tests of its own."""

import pytest


def pytest_itemcollected(item):
    """Leave every law untraced."""
    item.add_marker(pytest.mark.no_cover)
