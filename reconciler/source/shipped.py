"""The default templates that come with the program.

Used by the composition root, which hands them to `render`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.manifests.snapshot import TEMPLATE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable


def default_templates() -> Mapping[str, str]:
    """Give each template's text by its name, such as `floor.yaml.j2`."""
    found = {item.name: item.read_text("utf-8") for item in _folder().iterdir() if item.name.endswith(TEMPLATE_SUFFIX)}
    return dict(sorted(found.items()))


def _folder() -> Traversable:
    """Find them beside this module where a wheel is installed, and at the root of a checkout."""
    installed = files("reconciler.source") / "templates"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "templates"
