"""Templates are untrusted: each attack ends within a second, in an error that names template and line."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import process_time

import pytest

from reconciler.errors import ManifestError
from reconciler.render.sandbox import BUDGET, LONGEST, Sandbox

KNOWN = {
    "start": datetime(2026, 3, 3, 12, tzinfo=UTC),
    "span": timedelta(minutes=15),
    "evse": {"id": 1, "charge_w": Decimal("7360.50")},
    "steps": [{"power_w": Decimal(7)}, {"power_w": Decimal(-7)}],
}


def render(text, **more):
    return Sandbox({"x.j2": text, **more}).render("x.j2", KNOWN)


def refused(text, **more):
    begun = process_time()
    with pytest.raises(ManifestError) as caught:
        render(text, **more)
    assert process_time() - begun < 1
    return caught.value


FORBIDDEN = {
    "class": "{{ evse.id['__class__'] }}",
    "class of text": "{{ ''['__class__'] }}",
    "long range": "{% for i in range(10**9) %}{% endfor %}",
    "nested loops": "{% for i in range(4000) %}{% for j in range(4000) %}{% endfor %}{% endfor %}",
    "filtered loops": "{% set r = range(4000) %}{% for i in r %}{% for j in r if false %}{% endfor %}{% endfor %}",
    "macro recursion": "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    "call blocks": "{% macro m() %}{{ caller() }}{% endmacro %}"
    "{% for i in range(4999) %}{% call m() %}x{% endcall %}{% endfor %}",
    "string doubling": "{% set n = namespace(s='12345678') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}"
    "{% endfor %}",
    "string product": "{{ 'a' * 10**9 }}",
    "string format": "{{ ''.format }}",
    "format call": "{{ '{:>1000000000}'.format(1) }}",
    "percent format": "{{ '%1000000000d' % 1 }}",
    "large power": "{{ 10 ** 17 }}",
    "large product": "{{ 10**14 * 10**14 * 10**14 }}",
    "large number": "{{ 9999999999999999 + 1 }}",
    "not a number": "{{ ('nan'|float) * 2 }}",
    "method of int": "{{ (1).to_bytes(10**9) }}",
    "method of instant": "{{ start.strftime('%1000000000d') }}",
    "method of number": "{{ evse.charge_w.scaleb(9999) }}",
    "mutation": "{{ evse.pop('id') }}",
    "nested lists": "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}",
    "nested mappings": "{% set n = namespace(a={}) %}{% set n.a = {'x': n.a} %}{% set n.a = {'x': n.a} %}",
    "printed list": "{{ [1, 2] }}",
    "printed nothing": "{{ none }}",
    "joined lists": "{{ steps|join(',') }}",
    "round to nowhere": "{{ 1.5|round(10**8) }}",
    "long text": "{% for i in range(4000) %}" + "x" * 50_000 + "{% endfor %}",
    "long set": "{% set x %}{% for i in range(4000) %}" + "y" * 50_000 + "{% endfor %}{% endset %}",
    "printed variable": "{% set x %}" + "y" * 50_000 + "{% endset %}{% for i in [1,2,3,4,5] %}{{ x }}{% endfor %}",
    "long join": "{% set r = range(3000) %}{% for i in r %}{{ r|join(',') }}{% endfor %}",
    "include chain": "{% include 'a' %}",
}
CHAIN = {
    name: f"{{% include '{after}' %}}" * 2 for name, after in zip("abcdefghijklmnopq", "bcdefghijklmnopqr", strict=True)
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_an_attack_is_refused(name):
    error = refused("\n\n" + FORBIDDEN[name], **CHAIN, r="")
    assert error.rule in ("template-forbidden", "template")
    assert error.place.file.startswith("templates/")
    assert error.place.line == (3 if error.place.file == "templates/x.j2" else 1)


SYNTAX = {
    "no template": "{% for %}",
    "unknown filter": "{{ 1|frobnicate }}",
    "private name": "{{ ''.__class__ }}",
    "shadowed meter": "{% macro __tick__() %}{% endmacro %}",
    "refilled budget": "{{ __tick__(-1000000) }}",
    "varargs": "{% macro m() %}{{ varargs|length }}{% endmacro %}",
    "long literal": "{{ [" + "1," * 101 + "]|length }}",
    "no debug tag": "{% debug %}",
}


@pytest.mark.parametrize("name", SYNTAX)
def test_what_is_no_template_is_refused_where_it_stands(name):
    error = refused("\n" + SYNTAX[name])
    assert (error.rule, str(error.place)) == ("template-syntax", "templates/x.j2:2")


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'x.j2' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    ],
)
def test_what_calls_itself_without_end_is_refused(text):
    assert refused(text).rule == "template-budget"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ evse.nothing }}", "no attribute 'nothing'"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 5|rfc3339 }}", "rfc3339 takes an instant"),
        ("{{ 5|seconds }}", "total_seconds"),
        ("{{ 'x'|watts }}", "ConversionSyntax"),
        ("{% import 'os' as os %}", "there is no template os"),
        ("{{ range(1, 2, 0)|length }}", "must not be zero"),
        ("{% for a in [1] %}" * 25 + "{% endfor %}" * 25, "too many statically nested blocks"),
    ],
)
def test_what_goes_wrong_while_rendering_says_what(text, message):
    error = refused(text)
    assert (error.rule, error.place.file) == ("template", "templates/x.j2")
    assert message in error.message


def test_an_error_in_an_included_template_names_that_one():
    assert str(refused("\n{% include 'y' %}", y="\n\n\n{{ nothing }}").place) == "templates/y:4"


def test_a_template_that_is_not_there_is_an_error():
    with pytest.raises(ManifestError, match="no template z"):
        Sandbox({}).render("z", {})


def test_a_template_too_long_to_read_is_refused():
    assert "at most" in refused("x" * (LONGEST + 1)).message


def test_the_budget_is_new_for_every_rendering():
    sandbox = Sandbox({"x": "{% for i in range(" + str(BUDGET // 2 - 1) + ") %}{% endfor %}"})
    assert [sandbox.render("x", {}), sandbox.render("x", {})] == ["", ""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% for step in steps %}{{ loop.index }}={{ step.power_w|watts }};{% endfor %}", "1=7;2=-7;"),
        ("{{ start|rfc3339 }} {{ span|seconds }}", "2026-03-03T12:00:00Z 900"),
        ("{{ evse.charge_w|watts }} {{ [evse.charge_w, 5000]|min }}", "7360.5 5000"),
        ("{{ 'a' ~ 1 ~ 2.5 }} {{ 10 / 4 }} {{ 2 ** 10 }} {{ 7 // 2 }} {{ -7|abs }}", "a12.5 2.5 1024 3 7"),
        ("{% for k, v in evse.items() %}{{ k }}:{{ v }} {% endfor %}", "id:1 charge_w:7360.50 "),
        ("{{ [3, 1, 2]|join('-') }} {{ []|join }} {{ 3.14159|round(2) }}", "3-1-2  3.14"),
        ("{% set n = namespace(x=1) %}{% set n.x = n.x + 1 %}{{ n.x }}", "2"),
        ("{% macro half(n) %}{{ n / 2 }}{% endmacro %}{{ half(5) }}", "2.5"),
        ("{{ evse.get('none', 4) }} {{ 'on' if evse.id == 1 else 'off' }}", "4 on"),
        ("{% set d = {'a': 1} %}{{ d.a }} {{ (1, 2)|last }}", "1 2"),
        ("{% from 'lib' import half %}{{ half(4) }}", "2.0"),
        ("{% filter lower %}ABC{% endfilter %}", "abc"),
        ("{% extends 'base' %}{% block body %}here{% endblock %}", "<here>"),
    ],
)
def test_what_templates_need_is_there(text, expected):
    library = "{% macro half(n) %}{{ n / 2 }}{% endmacro %}"
    assert render(text, base="<{% block body %}{% endblock %}>", lib=library) == expected


def test_a_rendering_has_no_memory():
    sandbox = Sandbox({"x": "{% set n = namespace(x=0) %}{% set n.x = n.x + 1 %}{{ n.x }}{{ evse.id }}"})
    assert sandbox.render("x", KNOWN) == sandbox.render("x", KNOWN) == "11"
