"""What people wrote can flow through the hardware; what can't is told at its own line."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.manifests.fleet import Current, Evse
from reconciler.manifests.quantity import parse_power
from reconciler.plan.guardrails.ratings import check_power
from revisions import revision

FLEET = revision().fleet
DC = Evse(1, Decimal(15_000), Decimal(10_000), 0, Current.DC, "")
AC = Evse(2, Decimal(22_080), Decimal(0), 3, Current.AC, "")
SINGLE = replace(AC, charge_w=Decimal(7360), phases=1)


@pytest.mark.parametrize(
    ("power", "evse", "found"),
    [
        ("16 kW", DC, ("evse-rating", "16 kW is more than EVSE 1 carries; it is held at 15 kW")),
        ("-11 kW", DC, ("evse-rating", "-11 kW is more than EVSE 1 carries; it is held at -10 kW")),
        ("-7 kW", AC, ("evse-rating", "-7 kW is more than EVSE 2 carries; it is held at 0 W")),
        ("40 A", AC, ("evse-rating", "40 A is more than EVSE 2 carries; it is held at 22080 W")),
        ("0.7 kW", DC, ("dead-band", "0.7 kW is less than 5% of the 15 kW of EVSE 1")),
        ("-0.4 kW", DC, ("dead-band", "-0.4 kW is less than 5% of the 10 kW of EVSE 1")),
        ("5.9 A", AC, ("least-current", "5.9 A lies between 0 and 6 A, where no vehicle charges")),
        ("4 kW", AC, ("least-power", "4 kW is less than 6 A on the 3 phases of EVSE 2: 4140 W")),
        ("1.3 kW", SINGLE, ("least-power", "1.3 kW is less than 6 A on the 1 phase of EVSE 2: 1380 W")),
    ],
)
def test_each_power_that_does_not_fit_is_told(power, evse, found):
    assert list(check_power(parse_power(power), evse, FLEET)) == [found]


@pytest.mark.parametrize(
    ("power", "evse"),
    [
        ("15 kW", DC),
        ("-10 kW", DC),
        ("0.75 kW", DC),
        ("0 kW", DC),
        ("0 A", AC),
        ("6 A", AC),
        ("32 A", AC),
        ("4.14 kW", AC),
        ("0 kW", AC),
        ("1.38 kW", SINGLE),
    ],
)
def test_what_fits_is_no_trouble(power, evse):
    assert not list(check_power(parse_power(power), evse, FLEET))


def test_the_dead_band_is_as_wide_as_the_fleet_says():
    wide = replace(FLEET, guardrails=replace(FLEET.guardrails, dead_band=Decimal("0.125")))
    (found,) = check_power(parse_power("1.5 kW"), DC, wide)
    assert found == ("dead-band", "1.5 kW is less than 12.5% of the 15 kW of EVSE 1")
