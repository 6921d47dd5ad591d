"""Run a revision's templates as untrusted input: no reach into Python, no reach outside, a bounded amount of work.

The only home of jinja2. Jinja2's sandbox keeps templates from Python's insides; what it leaves open is work without end
and text without end, so every loop, macro and concatenation here draws on a budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from reconciler.errors import ManifestError, Place
from reconciler.profiles.form import write_instant, write_number

BUDGET = 20_000
"""How many loop turns and macro calls one rendering may take."""
LONGEST = 200_000
"""How many characters a template may put together."""
LARGEST = 10**15
FILTERS = frozenset(
    {"abs", "default", "first", "float", "int", "join", "last", "length", "lower", "max", "min", "round", "sum"}
)


class Sandbox:
    """The templates of one revision, compiled on first use; `folder` is where errors say they stand."""

    def __init__(self, templates: Mapping[str, str], folder: str = "templates") -> None:
        self._environment = _Environment(templates)
        self._folder = folder

    def render(self, name: str, variables: Mapping[str, object]) -> str:
        """Render one template to text.

        Raises:
            ManifestError: it does not exist, is no template, asks for what is not there or what it may not have.
        """
        self._environment.begin()
        try:
            return self._environment.get_template(name).render(variables)
        except TemplateSyntaxError as error:
            raise self._refuse(error.name or name, error.lineno, error.message or "", "template-syntax") from error
        except SecurityError as error:
            raise self._refuse(name, _line(error, name), str(error), "template-forbidden") from error
        except RecursionError as error:
            raise self._refuse(name, 0, "templates include one another without end", "template-budget") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise self._refuse(name, _line(error, name), str(error), "template") from error

    def _refuse(self, name: str, line: int, message: str, rule: str) -> ManifestError:
        return ManifestError(message, Place(f"{self._folder}/{name}", line), rule=rule)


class _Environment(SandboxedEnvironment):
    """A sandbox in which work is metered; see the module's docstring."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//"})
    intercepted_unops = frozenset[str]()

    def __init__(self, templates: Mapping[str, str]) -> None:
        super().__init__(
            loader=DictLoader(dict(templates)),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._left = BUDGET
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters |= {"rfc3339": _rfc3339, "watts": _watts, "seconds": _seconds}
        self.filters["join"] = self._join
        self.globals = {"range": self._range, "namespace": self.globals["namespace"]}
        self.globals |= {"__tick__": self._tick, "__text__": self._text}

    def begin(self) -> None:
        self._left = BUDGET

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow fields of mappings and values, and no method of a string (each could build text without end)."""
        return not isinstance(obj, str | bytes) and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Take arithmetic on numbers of a sane size only."""
        for operand in (left, right):
            if not isinstance(operand, int | float | Decimal) or not -LARGEST <= operand <= LARGEST:
                raise SecurityError(f"{operator!r} takes numbers up to {LARGEST}; join text with ~")
        if operator == "**" and abs(right) > 16:
            raise SecurityError("'**' takes exponents up to 16")
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock)):
            assert isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock)  # noqa: S101 (find_all types too widely)
            node.body.insert(0, nodes.ExprStmt(_call("__tick__", [], node.lineno), lineno=node.lineno))
        _meter_text(tree)
        tree.set_environment(self)
        return tree

    def _tick(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise SecurityError(f"the template takes more than {BUDGET} steps")

    def _text(self, *parts: object) -> str:
        text = "".join(str(part) for part in parts)
        if len(text) > LONGEST:
            raise SecurityError(f"the template puts together more than {LONGEST} characters")
        return text

    def _join(self, parts: Any, separator: str = "") -> str:
        texts = [str(part) for part in parts]
        return self._text(*(text for part in texts for text in (separator, part))).removeprefix(separator)

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers) > BUDGET:
            raise SecurityError(f"range is limited to {BUDGET} numbers")
        return numbers


def _meter_text(node: nodes.Node) -> None:
    """Replace each `a ~ b` by a call that counts what it puts together."""
    for name in node.fields:
        value = getattr(node, name)
        if isinstance(value, list):
            setattr(node, name, [_metered(item) for item in value])
        elif isinstance(value, nodes.Node):
            setattr(node, name, _metered(value))


def _metered(item: Any) -> Any:
    if not isinstance(item, nodes.Node):
        return item
    _meter_text(item)
    return _call("__text__", item.nodes, item.lineno) if isinstance(item, nodes.Concat) else item


def _call(name: str, arguments: list[nodes.Expr], line: int) -> nodes.Call:
    return nodes.Call(nodes.Name(name, "load", lineno=line), arguments, [], None, None, lineno=line)


def _line(error: BaseException, name: str) -> int:
    """Find the template's line in the traceback that Jinja2 rewrites."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<template>", name):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _rfc3339(instant: datetime) -> str:
    if not isinstance(instant, datetime):
        raise TypeError("rfc3339 takes an instant")
    return write_instant(instant) or ""


def _watts(power: Decimal) -> str:
    return str(write_number(Decimal(power)))


def _seconds(duration: Any) -> int:
    return int(duration.total_seconds())
