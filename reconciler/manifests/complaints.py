"""Everything that is wrong with a revision, gathered so that an author sees all of it at once.

Used by every step of `load`. It also guesses what a misspelt word was meant to be, within a budget of comparisons.
"""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.errors import Place

LONGEST_WORD = 80
COMPARISONS = 20_000


class Complaints:
    """Gather errors; `errors` gives them sorted by place."""

    def __init__(self) -> None:
        self._errors: list[ManifestError] = []
        self._budget = COMPARISONS

    def add(self, place: Place, rule: str, message: str, *, field: str = "", hint: str = "") -> None:
        """Note one error."""
        self._errors.append(ManifestError(message, place, field, rule, hint))

    def extend(self, errors: Iterable[ManifestError]) -> None:
        """Note errors that were made elsewhere."""
        self._errors.extend(errors)

    def suggest(self, word: str, known: Iterable[str]) -> str:
        """Give a hint with the known word that is nearest, or nothing."""
        candidates = list(islice(known, self._budget)) if len(word) <= LONGEST_WORD else []
        self._budget -= len(candidates)
        near = get_close_matches(word, candidates, n=1)
        return f"did you mean `{near[0]}`?" if near else ""

    @property
    def errors(self) -> tuple[ManifestError, ...]:
        """Give what was noted, sorted by place and text."""
        return tuple(sorted(self._errors, key=ManifestError.order))

    def __len__(self) -> int:
        """Count what was noted."""
        return len(self._errors)


def clip(text: str) -> str:
    """Shorten what an author wrote to what a message can hold."""
    return text if len(text) <= LONGEST_WORD else text[: LONGEST_WORD - 1] + "…"


def field_path(path: Iterable[str | int]) -> str:
    """Write a path into a document as people read it: `spec.windows[0].power`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{clip(step)}" for step in path)
    return text.removeprefix(".")
