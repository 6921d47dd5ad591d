"""A revision that can't be taken, as a comment on a pull request and as JSON: there is no plan, and this says why.

Called by the command line where `plan` ends before a plan is made. The page has the marker of a fleet's plan, so that
it takes the place of the last one, which looks approved and no longer is.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import ManifestError
from reconciler.plan.markdown import LIMIT, describe_revision
from reconciler.plan.page import Page, code, marker
from reconciler.plan.planned import Version
from reconciler.profiles.form import JsonObject
from reconciler.profiles.wording import count

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no plan: the errors of the head, or of the base where `is_base`.

    The fleet's name is empty where neither of them tells it; `base` is None where there is none, or none that loads.
    """

    fleet: str
    head: Version
    base: Version | None
    errors: tuple[ManifestError, ...]
    is_base: bool = False


def write_refusal(refusal: Refusal) -> str:
    """Write the page, of at most as many characters as that of a plan; the same refusal gives the same page."""
    page = Page(LIMIT)
    page.add(marker(refusal.fleet))
    page.add(_headline(refusal))
    against = describe_revision(refusal.base) if refusal.base else "nothing that can be compared with"
    page.add(f"{describe_revision(refusal.head)} against {against}.<br>\nThere is no plan; nothing can be applied.")
    page.add_lines(_TABLE_HEAD, [_row(error) for error in refusal.errors], more="which `reconciler validate` tells")
    return str(page)


_TABLE_HEAD = """| where | rule | what | way out |
|---|---|---|---|"""


def write_refusal_json(refusal: Refusal) -> JsonObject:
    """Give the refusal as JSON: no plan, told by `ok`, and each error with its place."""
    return {
        "format_version": FORMAT_VERSION,
        "ok": False,
        "fleet": refusal.fleet,
        "base": _version(refusal.base),
        "head": _version(refusal.head),
        "refused": "base" if refusal.is_base else "head",
        "errors": [_error(each) for each in refusal.errors],
    }


def _headline(refusal: Refusal) -> str:
    named = f"Plan for {code(refusal.fleet)}" if refusal.fleet else "Plan"
    side = "the base can't be compared with" if refusal.is_base else "can't be taken"
    return f"### {named}: {side}: {count(len(refusal.errors), 'error')}"


def _row(error: ManifestError) -> str:
    what = f"{error.field}: {error.message}" if error.field else error.message
    cells = (str(error.place), error.rule, what, error.hint)
    return f"| {' | '.join(code(cell) if cell else '' for cell in cells)} |"


def _version(version: Version | None) -> JsonObject | None:
    if version is None:
        return None
    return {"commit": version.commit or None, "author": version.author, "subject": version.subject}


def _error(error: ManifestError) -> JsonObject:
    place = error.place
    where = {"file": place.file, "line": place.line, "column": place.column}
    return {**where, "field": error.field, "rule": error.rule, "message": error.message, "hint": error.hint}
