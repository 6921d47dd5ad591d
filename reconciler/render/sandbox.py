"""Run a revision's templates as untrusted input: no reach into Python, no reach outside, a bounded amount of work.

The only home of jinja2. Jinja2's sandbox keeps templates from Python's insides; what it leaves open is work without end
and text without end. So a template is read by `metering` before it runs, which makes every turn and every text in it
draw on a budget, and it may call nothing but its own macros and the few filters named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment

from reconciler.errors import ManifestError, Place
from reconciler.profiles.form import write_instant, write_number
from reconciler.render.metering import FLAT, TEXT, TICK, check_names, meter
from reconciler.render.origins import Traced, mark, unmark

BUDGET = 10_000
"""How many loop turns, macro calls and includes one rendering may take."""
LONGEST = 200_000
"""How many characters a rendering may put together, and a template may have."""
LARGEST = 10**15
FILTERS = frozenset({"abs", "default", "first", "float", "int", "last", "length", "lower", "max", "min", "sum"})
READING = frozenset({"get", "items", "keys", "values"})
"""What a template may call on a mapping."""
Scalar = (str, int, float, Decimal, datetime)


class Sandbox:
    """The templates of one revision, compiled on first use; `folder` is where errors say they stand."""

    def __init__(self, templates: Mapping[str, str], folder: str = "templates") -> None:
        self._environment = _Environment(templates)
        self._tracing: _Environment | None = None
        self._templates, self._folder = templates, folder

    def render(self, name: str, variables: Mapping[str, object]) -> str:
        """Render one template to text.

        Raises:
            ManifestError: it does not exist, is no template, asks for what is not there or what it may not have.
        """
        return self._run(self._environment, name, variables)

    def trace(self, name: str, variables: Mapping[str, object]) -> Traced | None:
        """Render again what was rendered before, with the line that each piece of it comes from; None if that fails.

        It fails where the template works with its own text, in which marks have no place.
        """
        if self._tracing is None:
            self._tracing = _Tracing(self._templates)
        try:
            return unmark(self._run(self._tracing, name, variables))
        except ManifestError:
            return None

    def _run(self, environment: _Environment, name: str, variables: Mapping[str, object]) -> str:
        environment.begin()
        try:
            return environment.get_template(name).render(variables)
        except TemplateSyntaxError as error:
            place = (error.name or name, error.lineno)
            raise self._refuse(place, error.message or "", "template-syntax") from error
        except SecurityError as error:
            raise self._refuse(self._place(error, name), str(error), "template-forbidden") from error
        except TemplateNotFound as error:
            raise self._refuse(self._place(error, name), f"there is no template {error}", "template") from error
        except RecursionError as error:
            message = "templates or macros call one another without end"
            raise self._refuse((name, 0), message, "template-budget") from error
        except Exception as error:  # whatever a template makes Python raise is the template's fault
            message = str(error) or type(error).__name__
            raise self._refuse(self._place(error, name), message, "template") from error

    def _refuse(self, place: tuple[str, int], message: str, rule: str) -> ManifestError:
        return ManifestError(message, Place(f"{self._folder}/{place[0]}", place[1]), rule=rule)

    def _place(self, error: BaseException, name: str) -> tuple[str, int]:
        """Find template and line in the traceback that Jinja2 rewrites: the innermost of ours."""
        place, trace = (name, 0), error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if file in self._templates:
                place = (file, trace.tb_lineno)
            trace = trace.tb_next
        return place


class _Loader(BaseLoader):
    """Gives templates their own names as file names, so that tracebacks tell them apart."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = templates

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002 (Jinja2's signature)
        source = self._templates.get(template)
        if source is None:
            raise TemplateNotFound(template)
        if len(source) > LONGEST:
            raise TemplateSyntaxError(f"a template has at most {LONGEST} characters", 1, template)
        return source, template, lambda: True


class _Environment(SandboxedEnvironment):
    """A sandbox in which work is metered; see the module's docstring."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//"})

    def __init__(self, templates: Mapping[str, str]) -> None:
        super().__init__(
            loader=_Loader(templates),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=self._print,
        )
        self.begin()
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters |= {
            "rfc3339": _rfc3339,
            "watts": _watts,
            "number": _watts,
            "kilowatts": _kilowatts,
            "amperes": _amperes,
            "seconds": _seconds,
        }
        self.filters |= {"join": self._join, "round": _round}
        self.globals = {"range": self._range, "namespace": self.globals["namespace"]}
        self.globals |= {TICK: self._tick, TEXT: self._text, FLAT: _flat}

    def begin(self) -> None:
        """Fill the budgets up."""
        self._turns, self._characters = BUDGET, LONGEST

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow data, and calls only on loops, macros and mappings: methods of values can work without end."""
        if callable(value) and not isinstance(obj, LoopContext | Macro):
            return isinstance(obj, Mapping) and attr in READING
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Offer no `str.format`, not even a tame one: its widths can be longer than all memory."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Take arithmetic on numbers of a sane size only."""
        for operand in (left, right):
            if not isinstance(operand, int | float | Decimal) or not -LARGEST <= operand <= LARGEST:
                raise SecurityError(f"{operator!r} takes numbers up to {LARGEST}; join text with ~")
        if operator == "**" and abs(right) > 16:
            raise SecurityError("'**' takes exponents up to 16")
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        check_names(self._tokenize(source, name, filename))
        tree = meter(super()._parse(source, name, filename))
        tree.set_environment(self)
        return tree

    def _tick(self, characters: int = 0) -> bool:
        self._turns -= 1
        if self._turns < 0:
            raise SecurityError(f"the template takes more than {BUDGET} steps")
        self._draw(characters)
        return True

    def _draw(self, characters: int) -> None:
        self._characters -= characters
        if self._characters < 0:
            raise SecurityError(f"the template puts together more than {LONGEST} characters")

    def _print(self, value: object) -> str:
        """Turn a value into text; a container is refused, for nested ones can be longer than all memory."""
        if not isinstance(value, Scalar):
            str(value)  # an undefined name says itself what is missing
            raise SecurityError(f"a {type(value).__name__} can't be written out; write its parts")
        text = str(value)
        self._draw(len(text))
        return text

    def _text(self, *parts: object) -> str:
        return "".join(self._print(part) for part in parts)

    def _join(self, parts: Any, separator: str = "") -> str:
        texts = []
        for part in parts:
            self._tick()
            texts += [self._print(separator), self._print(part)]
        return "".join(texts[1:])

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers) > self._turns:
            raise SecurityError(f"the template takes more than {BUDGET} steps: range is too long")
        self._turns -= len(numbers)
        return numbers


class _Tracing(_Environment):
    """Renders with marks in it that say which line is at work."""

    def begin(self) -> None:
        """Leave room for marks."""
        self._turns, self._characters = BUDGET, 20 * LONGEST

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return mark(super()._parse(source, name, filename), name or "")


def _flat(items: Any) -> Any:
    """Let a list or mapping through that holds plain values: nested ones can be made larger than all memory."""
    for item in items.values() if isinstance(items, Mapping) else items:
        if not isinstance(item, Scalar) and item is not None:
            raise SecurityError(f"a list can't hold a {type(item).__name__}")
    return items


def _rfc3339(instant: datetime) -> str:
    if not isinstance(instant, datetime):
        raise TypeError("rfc3339 takes an instant")
    return write_instant(instant) or ""


def _watts(power: Decimal) -> str:
    return str(write_number(Decimal(power)))


def _kilowatts(power: Decimal) -> str:
    return str(write_number(Decimal(power) / 1000))


def _amperes(power: Decimal, phases: int, voltage: Decimal) -> str:
    """Give a power on AC as the current per phase, a tenth at most below it."""
    current = Decimal(power) / (Decimal(phases) * Decimal(voltage))
    return str(write_number(current.quantize(Decimal("0.1"), ROUND_DOWN)))


def _seconds(duration: Any) -> int:
    return int(duration.total_seconds())


def _round(number: Any, digits: int = 0) -> Any:
    if not 0 <= digits <= 6:
        raise SecurityError("round takes 0 to 6 digits")
    return round(number, digits)
