"""Rewrite a parsed template so that all it does is counted: turns, texts and what it puts into lists.

Called by `sandbox`, which gives the functions that count. It refuses to know what a template is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

TICK, TEXT, FLAT = "__tick__", "__text__", "__flat__"
"""The names that counting functions have in a template, which may use no such name itself."""
FORBIDDEN = frozenset({"varargs", "kwargs"})
"""Lists that the templates did not write, and so can't be kept flat."""
MOST_ITEMS = 100


def check_names(tokens: Iterable[Any]) -> None:
    """Refuse names that only this program may use, wherever they stand; raises TemplateSyntaxError."""
    stream: Any = tokens
    for token in stream:
        if token.type == "name" and (token.value.startswith("__") or token.value in FORBIDDEN):
            raise TemplateSyntaxError(f"the name {token.value} can't be used", token.lineno, stream.name)


def meter(tree: nodes.Template) -> nodes.Template:
    """Rewrite a template in place, and give it."""
    _rewrite(tree)
    tree.body.insert(0, _tick(tree, 0))
    return tree


def _rewrite(node: nodes.Node) -> None:
    for name in node.fields:
        value = getattr(node, name)
        if isinstance(value, list):
            setattr(node, name, [_counted(item) for item in value])
        elif isinstance(value, nodes.Node):
            setattr(node, name, _counted(value))
    if isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block):
        node.body.insert(0, _tick(node, _length(node)))
    if isinstance(node, nodes.For) and node.test is not None:
        node.test = nodes.And(_call(TICK, [], node.lineno), node.test, lineno=node.lineno)


def _counted(item: Any) -> Any:
    if not isinstance(item, nodes.Node):
        return item
    _rewrite(item)
    match item:
        case nodes.Concat():
            return _call(TEXT, item.nodes, item.lineno)
        case nodes.List() | nodes.Dict() | nodes.Tuple(ctx="load"):
            if len(item.items) > MOST_ITEMS:
                raise TemplateSyntaxError(f"a list has at most {MOST_ITEMS} items", item.lineno)
            return _call(FLAT, [item], item.lineno)
        case _:
            return item


def _length(node: nodes.Node) -> int:
    """Give how much text one turn writes out as it stands."""
    return sum(len(data.data) for data in node.find_all(nodes.TemplateData))


def _tick(node: nodes.Node, characters: int) -> nodes.ExprStmt:
    line = node.lineno or 1
    return nodes.ExprStmt(_call(TICK, [nodes.Const(characters, lineno=line)], line), lineno=line)


def _call(name: str, arguments: list[nodes.Expr], line: int) -> nodes.Call:
    return nodes.Call(nodes.Name(name, "load", lineno=line), arguments, [], None, None, lineno=line)
