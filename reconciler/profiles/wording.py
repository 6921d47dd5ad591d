"""Numbers and names as messages say them: a count with its noun, and the known word that was probably meant.

Called wherever something is told to a person. It refuses to know what the words are about.
"""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_WORD = 80
"""Of a longer word no more is looked at."""


def count(number: int, noun: str, form: str = "") -> str:
    """Say a number of things: `1 station`, `12 stations`; with the form `+` its sign as well."""
    return f"{number:{form}} {noun}{'' if abs(number) == 1 else 's'}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that is most like another, or nothing."""
    from difflib import get_close_matches

    by_key = {each.casefold(): each for each in known}
    return next((by_key[key] for key in get_close_matches(word[:LONGEST_WORD].casefold(), by_key, n=1)), "")


def suggest(word: str, known: Iterable[str]) -> str:
    """Give `; did you mean NAME?` to be put after an error, or nothing."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""
