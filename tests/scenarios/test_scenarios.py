"""Every scenario of this folder comes out as it is written; docs/scenarios.md says how to write one."""

from pathlib import Path

import pytest
import yaml

from scenarios.play import play

SCENARIOS = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_scenario_comes_out_as_it_is_written(path):
    play(yaml.safe_load(path.read_text("utf-8")))
