"""Every guardrail has an id, a severity and a line in the documentation; nothing is found that is not in the table."""

import os
import re
from pathlib import Path

from reconciler.manifests.guardrails import GuardrailsSpec, Severity, severity_of
from reconciler.plan.guardrails.table import TABLE

DOCUMENT = Path(__file__).parents[3] / "docs" / "guardrails.md"
ROOM = Path(__file__).parents[3] / "reconciler" / "plan" / "guardrails"
HEAD = "| id | default | limits | what is proved | way out |\n|---|---|---|---|---|\n"


def rows():
    for each in TABLE.values():
        grade = f"{each.severity}, fixed" if each.fixed else str(each.severity)
        limits = f"`{each.limits}`" if each.limits else ""
        yield f"| `{each.id}` | {grade} | {limits} | **{each.title}.** {each.meaning} | {each.cure} |\n"


def test_the_documents_golden_table_has_one_line_for_each_guardrail():
    text = DOCUMENT.read_text()
    start = text.index("-->\n") + 4
    if os.environ.get("GOLDEN") == "write":
        DOCUMENT.write_text(text[:start] + HEAD + "".join(rows()))
        text = DOCUMENT.read_text()
    assert text[start:] == HEAD + "".join(rows())


def test_every_guardrail_of_a_manifest_is_in_the_table_and_the_others_are_fixed():
    spec = GuardrailsSpec()
    settable = {name.replace("_", "-") for name in GuardrailsSpec.model_fields}
    assert settable == {name for name, row in TABLE.items() if not row.fixed}
    assert all(row.severity is (severity_of(spec, name) or Severity.ERROR) for name, row in TABLE.items())


def test_the_limits_that_are_told_are_those_of_the_manifest():
    spec = GuardrailsSpec()
    for name, row in TABLE.items():
        if row.fixed:
            continue
        fields = type(getattr(spec, name.replace("-", "_"))).model_fields
        aliases = {field.alias for key, field in fields.items() if key not in {"severity", "reason"}}
        assert set(re.findall(r"(\w+):", row.limits)) == aliases


def test_whatever_is_found_is_in_the_table():
    texts = "".join(path.read_text() for path in ROOM.glob("*.py") if path.name != "table.py")
    named = set(re.findall(r'(?:Fact|Trouble)\(\s*"([a-z-]+)"', texts)) | set(re.findall(r'yield "([a-z-]+)"', texts))
    assert named
    assert named <= TABLE.keys()
