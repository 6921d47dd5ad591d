"""What a guardrail has found: facts without a judgement, then findings with the severity that the fleet wants.

Used by every check of this room. A fact names one station's trouble; stations with the same trouble share a finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.errors import ManifestError, Place
from reconciler.manifests.guardrails import RANK, Guardrails, Severity
from reconciler.plan.guardrails.table import TABLE

SHOWN = 3


class Fact(NamedTuple):
    """What one guardrail sees: its id, a sentence, and where to change it."""

    guardrail: str
    message: str
    place: Place
    field: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact with its severity (never off) and the identities of the stations that it is about, sorted; maybe none."""

    guardrail: str
    severity: Severity
    message: str
    place: Place
    field: str = ""
    stations: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Tell whether it refuses."""
        return self.severity is Severity.ERROR

    @property
    def text(self) -> str:
        """Give the sentence, with some of the stations."""
        return f"{self.message}; {some(self.stations)}" if self.stations else self.message

    @property
    def hint(self) -> str:
        """Give the way out."""
        return TABLE[self.guardrail].cure

    def as_error(self) -> ManifestError:
        """Give it as an error of the revision's author."""
        return ManifestError(self.text, self.place, self.field, self.guardrail, self.hint)


def judge(found: Iterable[tuple[Fact, Iterable[str]]], rails: Guardrails) -> tuple[Finding, ...]:
    """Make findings of facts and the stations that each is about: errors first, then by place."""
    stations: dict[Fact, set[str]] = {}
    for fact, identities in found:
        stations.setdefault(fact, set()).update(identities)
    findings = (_finding(fact, sorted(named), rails) for fact, named in stations.items())
    return tuple(sorted((each for each in findings if each.severity is not Severity.OFF), key=order))


def order(finding: Finding) -> tuple[int, Place, str, str]:
    """Give the key by which findings are sorted."""
    return (-RANK[finding.severity], finding.place, finding.guardrail, finding.message)


def some(identities: tuple[str, ...]) -> str:
    """Name a few stations and count the others."""
    named, others = ", ".join(identities[:SHOWN]), len(identities) - SHOWN
    return f"{named} and {others} more" if others > 0 else named


def _finding(fact: Fact, identities: list[str], rails: Guardrails) -> Finding:
    severity = rails.severities.get(fact.guardrail, Severity.ERROR)
    return Finding(fact.guardrail, severity, fact.message, fact.place, fact.field, tuple(identities))
