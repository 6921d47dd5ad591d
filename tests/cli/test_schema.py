"""`reconciler schema` prints and writes what editors read."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.manifests.models import KINDS
from reconciler.manifests.schema import FILE_NAME, schema


def run(*words):
    return CliRunner().invoke(app, ["schema", *map(str, words)])


def test_without_a_kind_it_is_the_schema_of_all():
    result = run()
    assert result.exit_code == 0
    assert json.loads(result.stdout) == schema()


@pytest.mark.parametrize("kind", KINDS)
def test_with_a_kind_it_is_the_schema_of_that_kind_alone(kind):
    assert json.loads(run(kind).stdout)["properties"]["kind"]["enum"] == [kind]


def test_with_out_it_is_a_file_of_that_folder(tmp_path):
    result = run("--out", tmp_path / "new/schemas")
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads((tmp_path / "new/schemas" / FILE_NAME).read_text()) == schema()
    run("Site", "--out", tmp_path)
    assert json.loads((tmp_path / "v2g.fleet.v1alpha1.Site.json").read_text()) == schema("Site")


def test_an_unknown_kind_is_a_usage_error_that_says_what_may_have_been_meant():
    result = run("schedul")
    assert result.exit_code == 64
    assert "did you mean Schedule?" in result.stderr
    assert "the kinds are Fleet, " in run("zebra").stderr


def test_what_can_not_be_written_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--out", tmp_path / "file")
    assert result.exit_code == 64
    assert "can't be written" in result.stderr
