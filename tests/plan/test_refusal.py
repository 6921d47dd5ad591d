"""A revision that can't be taken, as a comment: it takes the last plan's place and has a size."""

import re

import pytest

from reconciler.errors import ManifestError, Place
from reconciler.plan.markdown import LIMIT
from reconciler.plan.planned import Version
from reconciler.plan.refusal import Refusal, write_refusal, write_refusal_json

HOSTILE = "@everyone </code><img src=x> [x](http://evil) | `a` www.evil.org\n# *b* -->"
ERROR = ManifestError(
    "`kWh` is not a unit", Place("a/b.yaml", 9, 76), "spec.windows[0].power", "wrong-unit", "the units are W and kW"
)
HEAD = Version("", "", "working tree")
BASE = Version("0123456789abcdef", "Ann", "Begin")


def test_it_stands_in_the_place_of_the_plan_and_says_so_first():
    lines = write_refusal(Refusal("yard", HEAD, BASE, (ERROR, ERROR))).splitlines()
    assert lines[0] == "<!-- reconciler plan yard -->"
    assert lines[2] == "### Plan for <code>yard</code>: can't be taken: 2 errors"
    assert lines[4].startswith("<code>working tree</code> against commit <code>0123456789ab</code> <code>Begin</code>.")


def test_each_error_has_its_place_its_rule_and_the_way_out():
    page = write_refusal(Refusal("yard", HEAD, None, (ERROR, ManifestError("no", Place("."), rule="one-fleet"))))
    first, second = page.splitlines()[-2:]
    shown = re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), first)
    assert shown == (
        "| <code>a/b.yaml:9:76</code> | <code>wrong-unit</code> "
        "| <code>spec.windows[0].power: `kWh` is not a unit</code> | <code>the units are W and kW</code> |"
    )
    assert second.endswith("| <code>no</code> |  |")
    assert "against nothing that can be compared with." in page


def test_a_base_that_does_not_load_is_told_as_such():
    page = write_refusal(Refusal("", HEAD, BASE, (ERROR,), is_base=True))
    assert "\n### Plan: the base can't be compared with: 1 error\n" in page


def test_nothing_that_a_manifest_says_becomes_markup():
    error = ManifestError(HOSTILE, Place(HOSTILE, 1), HOSTILE, HOSTILE, HOSTILE)
    page = write_refusal(Refusal(HOSTILE, Version(HOSTILE, "", HOSTILE), Version("", "", HOSTILE), (error,)))
    first, rest = page.split("\n", 1)
    assert re.fullmatch(r"<!-- reconciler plan [A-Za-z0-9._-]* -->", first)
    assert set(re.findall(r"<[^>]*>", rest)) <= {"<code>", "</code>", "<br>"}
    assert not {"@", "`", "[", "*"} & set(rest)
    assert len(page.strip().splitlines()) == 10


@pytest.mark.parametrize("length", [10, 5_000])
def test_a_page_is_never_longer_than_a_comment_may_be(length):
    errors = tuple(ManifestError("x" * length, Place("a.yaml", line)) for line in range(1, 5_000))
    page = write_refusal(Refusal("yard", HEAD, BASE, errors))
    assert len(page) <= LIMIT
    assert "can't be taken: 4,999 errors" in page or "can't be taken: 4999 errors" in page
    assert re.search(r"\nand \d+ more, which `reconciler validate` tells\.\n$", page)


def test_json_says_that_it_is_no_plan_and_why():
    told = write_refusal_json(Refusal("yard", HEAD, None, (ERROR,)))
    assert (told["ok"], told["refused"], told["fleet"], told["base"]) == (False, "head", "yard", None)
    assert told["head"] == {"commit": None, "author": "", "subject": "working tree"}
    assert told["errors"] == [
        {
            "file": "a/b.yaml",
            "line": 9,
            "column": 76,
            "field": "spec.windows[0].power",
            "rule": "wrong-unit",
            "message": "`kWh` is not a unit",
            "hint": "the units are W and kW",
        }
    ]
    assert write_refusal_json(Refusal("yard", HEAD, BASE, (), is_base=True))["refused"] == "base"
