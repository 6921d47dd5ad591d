"""Faults to order: what a simulated station or its connection does wrong, as values named for the command line.

`station` obeys those of content, `connection` those of delivery. Chance comes in as a number drawn by the caller, so
that a seed repeats a day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.errors import UsageError


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong; the empty value is a station that behaves. `describe` says what each one does."""

    delay: timedelta = timedelta(0)
    lose: float = 0.0
    cut: timedelta | None = None
    ignore: str = ""
    reject: str = ""
    echo: bool = False
    early_reports: bool = False
    mute_reports: bool = False
    split_reports: bool = False
    wrong_tbc: bool = False
    clamp: bool = False
    clock: timedelta = timedelta(0)
    amnesia: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault to order: its name on the command line, and its value."""

    name: str
    value: timedelta | float | str | bool

    def join(self, faults: Faults) -> Faults:
        """Add this one to others."""
        return replace(faults, **{self.name.replace("-", "_"): self.value})  # type: ignore[arg-type] # names are the fields'


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of one request: whether it is heard at all, whether its answer leaves, and how late."""

    heard: bool
    answered: bool
    delay: timedelta


NONE = Faults()


def treat(faults: Faults, action: str, chance: float) -> Treatment:
    """Decide on one request by a number drawn evenly from [0, 1)."""
    heard = faults.ignore not in (action, "all")
    return Treatment(heard, heard and chance >= faults.lose, faults.delay)


def parse_fault(text: str) -> Fault:
    """Read `NAME` or `NAME=VALUE`.

    Raises:
        UsageError: no such fault, or its value is missing or can't be read; the message lists what there is.
    """
    name, _, value = text.strip().partition("=")
    known = _FAULTS.get(name)
    if known is None:
        raise UsageError(f"there is no fault {name!r}; there are:\n{describe()}")
    try:
        return Fault(name, known.read(value))
    except ValueError as error:
        raise UsageError(f"--fault {known.example}: {name} {error}, not {value!r}") from error


def parse_faults(texts: Iterable[str]) -> Faults:
    """Read several faults; of two with one name the later wins.

    Raises:
        UsageError: as `parse_fault`.
    """
    faults = NONE
    for text in texts:
        faults = parse_fault(text).join(faults)
    return faults


def describe() -> str:
    """List every fault with an example and what it does, a line each."""
    width = max(len(known.example) for known in _FAULTS.values())
    return "\n".join(f"  {known.example:<{width}}  {known.does}" for known in _FAULTS.values())


_DURATION = re.compile(r"([-+]?)(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _signed_duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("takes a duration such as 500ms, 2s or 5m")
    sign, number, unit = found.groups()
    return timedelta(seconds=float(number) * _SECONDS[unit]) * (-1 if sign == "-" else 1)


def _duration(text: str) -> timedelta:
    duration = _signed_duration(text)
    if duration <= timedelta(0):
        raise ValueError("takes a duration above zero")
    return duration


def _share(text: str) -> float:
    if re.fullmatch(r"0?\.\d+|[01](\.0*)?", text) is None:
        raise ValueError("takes a share from 0 to 1 such as 0.1")
    return float(text)


def _word(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9]{1,50}", text) is None:
        raise ValueError("takes a word")
    return text


def _reason(text: str) -> str:
    if len(_word(text)) > 20:
        raise ValueError("takes a reason code of at most 20 letters")
    return text


def _flag(text: str) -> bool:
    if text:
        raise ValueError("takes no value")
    return True


@dataclass(frozen=True, slots=True)
class _Known:
    example: str
    does: str
    read: Callable[[str], timedelta | float | str | bool]


_FAULTS: dict[str, _Known] = {
    "delay": _Known("delay=2s", "every answer leaves late", _duration),
    "lose": _Known("lose=0.1", "this share of answers never leaves, though the request was carried out", _share),
    "cut": _Known("cut=30s", "the connection is dropped without a close frame, this long after it was made", _duration),
    "ignore": _Known("ignore=SetChargingProfile", "this action (or `all`) is neither done nor answered", _word),
    "reject": _Known("reject=InvalidSchedule", "every SetChargingProfile is rejected for this reason", _reason),
    "echo": _Known("echo", "reports are normalised: floats, milliseconds, validity and phases filled in", _flag),
    "early-reports": _Known("early-reports", "the first report comes before the answer that announces it", _flag),
    "mute-reports": _Known("mute-reports", "reports are announced and never sent", _flag),
    "split-reports": _Known("split-reports", "every profile is reported in a message of its own", _flag),
    "wrong-tbc": _Known("wrong-tbc", "tbc says the opposite of what is true", _flag),
    "clamp": _Known("clamp", "a negative limit counts as zero", _flag),
    "clock": _Known("clock=-90s", "the station's clock is off by this much", _signed_duration),
    "amnesia": _Known("amnesia", "a restart loses every profile", _flag),
}
NAMES = tuple(_FAULTS)
