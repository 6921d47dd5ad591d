from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.quantity import Current, Malformed, Quantity, parse_power, parse_volts

VOLTS = Decimal(230)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("-7 kW", "-7000", "W"),
        ("11kW", "11000", "W"),
        ("+3.5 kW", "3500", "W"),
        ("16 A", "16", "A"),
        ("-0.5 A", "-0.5", "A"),
        ("1.2 MW", "1200000", "W"),
        ("0 W", "0", "W"),
        ("-0 kW", "0", "W"),
    ],
)
def test_a_power_is_a_number_with_a_unit(text, value, unit):
    assert parse_power(text) == Quantity(Decimal(value), unit)


@pytest.mark.parametrize(
    ("text", "rule", "hint"),
    [
        ("7", "missing-unit", "such as 7 kW or 7 A"),
        ("7 kw", "wrong-unit", "did you mean 7 kW?"),
        ("7 mW", "wrong-unit", "did you mean 7 MW?"),
        ("7 kWh", "wrong-unit", "the units are W, kW, MW and A"),
        ("3,5 kW", "wrong-unit", "write 3.5 kW"),
        ("seven", "wrong-unit", "such as -7 kW, 3.5 kW or 16 A"),
        ("", "wrong-unit", "such as -7 kW, 3.5 kW or 16 A"),
        ("1001 MW", "out-of-range", "at most 1000 MW"),
        ("٧ kW", "wrong-unit", "such as -7 kW, 3.5 kW or 16 A"),
    ],
)
def test_what_is_not_a_power_is_refused_with_a_hint(text, rule, hint):
    with pytest.raises(Malformed) as caught:
        parse_power(text)
    assert (caught.value.rule, caught.value.hint) == (rule, hint)
    assert str(caught.value) == caught.value.message


@given(st.decimals(min_value=-99999, max_value=99999, places=3), st.sampled_from(["W", "kW", "A"]))
def test_the_written_form_of_a_power_reads_back_as_the_same_power(number, unit):
    power = parse_power(f"{number:f} {unit}")
    assert parse_power(str(power)) == power


@pytest.mark.parametrize(
    ("power", "phases", "watts"), [("16 A", 3, 11040), ("-16 A", 1, -3680), ("7 kW", 3, 7000), ("-7 kW", 0, -7000)]
)
def test_amperes_are_per_phase(power, phases, watts):
    assert parse_power(power).to_watts(phases, VOLTS, Current.AC) == watts


def test_amperes_say_nothing_on_dc():
    with pytest.raises(Malformed, match="battery") as caught:
        parse_power("16 A").to_watts(3, VOLTS, Current.DC)
    assert caught.value.rule == "ampere-on-dc"


@pytest.mark.parametrize(("text", "volts"), [("230 V", "230"), ("120V", "120"), ("400.5 V", "400.5")])
def test_a_voltage_has_its_unit(text, volts):
    assert parse_volts(text) == Decimal(volts)


@pytest.mark.parametrize(("text", "rule"), [("230", "wrong-unit"), ("2 kV", "wrong-unit"), ("1 V", "out-of-range")])
def test_what_is_not_a_phase_voltage_is_refused(text, rule):
    with pytest.raises(Malformed) as caught:
        parse_volts(text)
    assert caught.value.rule == rule
