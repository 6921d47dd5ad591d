"""The fleets of scenarios: manifests as documents by `Kind/name`, edited as people would edit the files.

An edit is a merge patch (RFC 7386): what is named is set, `null` takes it away, lists are given whole.
"""

from copy import deepcopy
from pathlib import Path

import yaml

from reconciler.controller.revision import Revision, follow, revise
from reconciler.manifests.snapshot import Snapshot
from reconciler.source.shipped import default_templates

FLEETS = Path(__file__).parent / "fleets"
API_VERSION = "v2g.fleet/v1alpha1"
TEXT_FILES = (".j2", ".csv", ".yaml")


class Quoting(yaml.SafeDumper):
    """Writes every text in quotes, as local times have to be."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def read_fleet(given):
    """Give the documents of a named fleet, or of manifests that stand in the scenario itself."""
    text = given if "\n" in given else (FLEETS / f"{given}.yaml").read_text("utf-8")
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in yaml.safe_load_all(text)}


def edit(documents, patch):
    """Give documents after an edit; a file such as `templates/schedule.yaml.j2` is given as text."""
    edited = deepcopy(documents)
    for key, change in (patch or {}).items():
        if change is None:
            del edited[key]
        elif key.endswith(TEXT_FILES):
            edited[key] = change
        else:
            kind, name = key.split("/", 1)
            edited[key] = merge(edited.get(key, {"kind": kind, "metadata": {"name": name}}), change)
    return edited


def merge(target, patch):
    """Apply a merge patch."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def load(documents, commit, at, before=None) -> Revision:
    """Prove documents as a commit, and that it may follow another if one is given.

    Each document is a file of its own, so that errors name the document.
    """
    files = {}
    for key, document in documents.items():
        if isinstance(document, str):
            files[key] = document
        else:
            files[f"{key}.yaml"] = yaml.dump({"apiVersion": API_VERSION, **document}, Dumper=Quoting, sort_keys=False)
    snapshot = Snapshot(commit, "Ada Brug", at, f"the fleet {commit}", files)
    if before is None:
        return revise(snapshot, default_templates(), at)
    return follow(snapshot, default_templates(), at, before)
