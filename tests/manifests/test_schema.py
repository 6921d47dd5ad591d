"""The published schema: editors are told what the loader takes, and nothing that it does not."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator

from reconciler.manifests import descriptions
from reconciler.manifests.documents import parse
from reconciler.manifests.models import KINDS
from reconciler.manifests.schema import FILE_NAME, models, schema, sentences

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "schemas" / FILE_NAME
EXAMPLES = sorted(path for fleet in (ROOT / "fleets").glob("*/fleet.yaml") for path in fleet.parent.rglob("*.yaml"))


def plain(value):
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
    return value


def documents(path):
    return [plain(document.value) for document in parse(path.name, path.read_text()).documents]


def manifests():
    found = [(path, document) for path in EXAMPLES for document in documents(path)]
    return [(path, document) for path, document in found if document.get("kind") in KINDS]


def mappings(value):
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from mappings(each)


def keys(model):
    return {field.alias or name for name, field in model.model_fields.items()}


def bare(model):
    """Give the keys that show nothing of what they hold unless someone says so: all but those of a documented model."""
    fields = model.model_fields.items()
    return {field.alias or name for name, field in fields if not getattr(field.annotation, "model_fields", None)}


def judge(*kinds):
    return Draft202012Validator(schema(*kinds))


def test_the_committed_schema_is_the_models_golden():
    written = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN") == "write":
        COMMITTED.write_text(written, encoding="utf-8")
    assert COMMITTED.read_text(encoding="utf-8") == written, "run `make golden` and review the difference"


def test_the_schema_is_a_schema_of_its_draft():
    draft = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
    assert Draft202012Validator(draft).is_valid(schema())


def test_there_are_examples_of_most_kinds():
    assert {document["kind"] for _, document in manifests()} >= {"Fleet", "Site", "Group", "StationSet", "Schedule"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_example_is_valid_against_the_schema_and_that_of_its_kind(path):
    for where, document in manifests():
        if where == path:
            judge().validate(document)
            judge(document["kind"]).validate(document)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_example_tells_the_editor_where_its_schema_is(path):
    sign, place = path.read_text().splitlines()[0].split("$schema=")
    assert sign == "# yaml-language-server: "
    assert (path.parent / place).resolve() == COMMITTED


def test_a_document_is_not_valid_as_another_kind():
    for _, document in manifests():
        others = [kind for kind in KINDS if kind != document["kind"]]
        assert not any(judge(kind).is_valid(document) for kind in others)


def test_an_unknown_key_is_invalid_wherever_it_stands():
    known, free = judge(), 0
    for _, document in manifests():
        waves = document["spec"].get("rollout", {}).get("waves", ())
        chosen = [document["spec"].get("select", {}), *(wave["canary"] for wave in waves if isinstance(wave, dict))]
        labels = [document["metadata"].get("labels"), *(each.get("labels") for each in chosen)]
        for mapping in mappings(document):
            mapping["surplus"] = "1"
            taken = known.is_valid(document)
            del mapping["surplus"]
            free += taken
            assert not taken or mapping in labels
    assert free, "labels are free to have any key"


@pytest.mark.parametrize(
    ("kind", "path", "wrong"),
    [
        ("Schedule", ("windows", 0, "power"), 7),
        ("Schedule", ("windows", 0, "power"), "7"),
        ("Schedule", ("windows", 0, "power"), "7 kWh"),
        ("Schedule", ("windows", 0, "from"), "7:00"),
        ("Schedule", ("windows", 0, "to"), 1020),
        ("Fleet", ("failSafe", "lease"), "a day"),
        ("Fleet", ("discharge",), "yes"),
        ("Fleet", ("profileIds", "from"), 0),
        ("Site", ("import",), "600 A"),
        ("Group", ("schedules", 0, "priority"), 0),
        ("StationSet", ("evses",), []),
        ("StationSet", ("evses", 0, "charge"), "-15 kW"),
    ],
)
def test_what_the_loader_would_refuse_in_one_value_is_invalid(kind, path, wrong):
    document = json.loads(json.dumps(next(each for _, each in manifests() if each["kind"] == kind)))
    judge().validate(document)
    *way, last = path
    value = document["spec"]
    for step in way:
        value = value[step]
    value[last] = wrong
    assert not judge().is_valid(document)


def test_every_kind_and_key_says_what_it_is_for():
    assert set(descriptions.KINDS) == set(KINDS), "describe the kind in manifests/descriptions.py"
    for model in models():
        missing = bare(model) - set(sentences(model))
        assert not missing, f"describe {sorted(missing)} of {model.__name__} in manifests/descriptions.py"


def test_no_description_outlives_its_key():
    known = {base.__name__: base for model in models() for base in model.__mro__ if getattr(base, "model_fields", None)}
    for name, row in descriptions.KEYS.items():
        assert set(row) <= keys(known[name]), name


def test_every_key_has_a_shape_and_every_default_fits_it():
    full = schema()
    shaped = {"$ref", "type", "anyOf", "oneOf", "enum", "const"}
    for name, definition in full["$defs"].items():
        for key, value in definition.get("properties", {}).items():
            assert shaped & set(value), f"{name}.{key} takes anything; give it a shape in manifests/shapes.py"
            if "default" in value:
                Draft202012Validator({**value, "$defs": full["$defs"]}).validate(value["default"])
            for example in value.get("examples", []):
                Draft202012Validator({**value, "$defs": full["$defs"]}).validate(example)
