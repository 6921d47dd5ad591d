"""The page that explains the language is a fleet: what people copy from it loads."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from reconciler.controller.revision import revise
from reconciler.manifests.documents import parse
from reconciler.manifests.fields import Model
from reconciler.manifests.models import KINDS
from reconciler.manifests.snapshot import Snapshot

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "language.md").read_text()
ELSEWHERE = {"guardrails"}
"""What has a page of its own."""
BLOCK = re.compile(r"^```(yaml|csv|jinja)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def files():
    found = BLOCK.findall(PAGE)
    return {name or f"block-{number:02}.{kind}": text for number, (kind, name, text) in enumerate(found)}


def test_the_examples_of_the_page_are_one_fleet(load_files):
    fleet = load_files(files())
    assert len(fleet.stations) >= 13
    assert set(fleet.groups) >= {"buses", "night-buses", "fair-buses"}


def test_the_examples_of_the_page_pass_every_proof():
    shipped = {path.name: path.read_text() for path in (ROOT / "templates").glob("*.j2")}
    revision = revise(Snapshot("c0ffee", "Ann", None, "Page", files()), shipped, datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert not any(finding.is_error for finding in revision.warnings)


def keys(model: type[Model]):
    for name, field in model.model_fields.items():
        if name not in ELSEWHERE:
            yield field.alias or name
            yield from (key for inner in models_in(field.annotation) for key in keys(inner))


def models_in(annotation):
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, Model) else []
    return [found for part in getattr(annotation, "__args__", ()) for found in models_in(part)]


def written(value):
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in written(inner)}
    return {key for item in value for key in written(item)} if isinstance(value, list) else set()


def test_the_page_shows_every_kind_and_every_key():
    texts = [(path, text) for path, text in files().items() if path.endswith("yaml")]
    documents = [document.value for path, text in texts for document in parse(path, text).documents]
    assert {each["kind"] for each in documents} == set(KINDS)
    assert {key for kind in KINDS.values() for key in keys(kind)} - written(
        [each["spec"] for each in documents]
    ) == set()
