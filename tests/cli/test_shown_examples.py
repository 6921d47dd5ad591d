"""What the pages show of plans is what the commands print today, but for the id of a commit."""

import re
import shutil
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from goldens import check_golden
from revisions import ROOT

PAGES = ("README.md", "docs/plans.md")
BLOCK = re.compile(r"^```console\n\$ reconciler plan\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r'working tree against ([0-9a-f]{12}) "(.+)", at \w+ (\S+ \S+) Europe/Amsterdam')


@pytest.fixture
def nights(tmp_path, git):
    """Give a function that makes a repository of the example fleet in which one evening was changed."""

    def make(subject):
        folder = tmp_path / "harbour-buses"
        shutil.copytree(ROOT / "fleets" / "harbour-buses", folder)
        git(folder, "init", "-q")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", subject)
        evening = folder / "schedules" / "evening-export.yaml"
        evening.write_text(evening.read_text().replace("power: -7 kW", "power: -9 kW"))
        return folder

    return make


@pytest.mark.parametrize("page", PAGES)
def test_the_plan_on_a_page_is_what_the_command_prints(page, run, nights):
    (shown,) = BLOCK.findall((ROOT / page).read_text())
    commit, subject, wall = HEADING.match(shown).groups()
    at = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo("Europe/Amsterdam")).isoformat()
    printed = run("plan", nights(subject), "--at", at).stdout
    assert printed.replace(HEADING.match(printed)[1], commit) == shown


def test_the_golden_picture_on_the_pages_is_what_the_command_draws(run, nights, tmp_path):
    drawn = tmp_path / "site-plan.svg"
    result = run("plot", "site", "quay-3", nights("Begin"), "--day", "2026-11-23", "--out", drawn)
    assert result.exit_code == 0, result.stderr
    check_golden(f"../../docs/pictures/{drawn.name}", drawn.read_text())
