import struct
from dataclasses import replace
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import matplotlib
import pytest

from reconciler.pictures.draw import DPI, ROW_IN, WIDTH_IN, draw
from reconciler.pictures.panel import legend_of, unit_of
from reconciler.pictures.theme import DARK, LIGHT, THEMES
from reconciler.plan.picture import Cap, Panel
from reconciler.plan.portray import Crowd, Found, portray_station, portray_sum
from revisions import MONDAY, held_by, revision

LATER = revision(("power: -7 kW", "power: -9 kW"))
EARLIER = revision()


def site(day: date = date(2026, 11, 23)):
    before, after = (Crowd(found.renderer, tuple(found.fleet.stations.values())) for found in (EARLIER, LATER))
    return portray_sum("Site quay", day, before, after, LATER.fleet.sites["quay"])


def station():
    found = Found(held_by(EARLIER, "a-01").reported, LATER.owned, MONDAY)
    return portray_station(date(2026, 11, 23), None, (LATER.renderer, LATER.fleet.stations["a-01"]), found)


def steered():
    words = "capability: {protocol: 2.0.1, negativeLimit: true}"
    able = (words, 'capability: {protocol: "2.1", modes: [local-frequency]}')
    curve = "baseline: 2 kW, curve: [{frequency: 49.8 Hz, power: -11 kW}, {frequency: 50.2 Hz, power: 30 kW}]"
    found = revision(able, ('"20:00", power: -7 kW}', f'"20:00", mode: local-frequency, {curve}}}'))
    return portray_station(date(2026, 11, 23), None, (found.renderer, found.fleet.stations["a-01"]))


def test_what_may_come_of_a_mode_is_hatched_named_and_has_room():
    (panel,) = steered().panels
    assert "may come of a mode" in dict(legend_of(panel, LIGHT))
    assert unit_of(panel) == (1e3, "kW")
    with_band, without = (draw(replace(steered(), panels=(each,)), "svg") for each in (panel, replace(panel, bands=())))
    assert b"<pattern" in with_band
    assert b"<pattern" not in without


def png_size(content: bytes) -> tuple[int, int]:
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_same_picture_gives_the_same_bytes(form):
    assert draw(site(), form) == draw(site(), form)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize(
    "picture", [site(), site(date(2026, 3, 29)), station(), steered()], ids=["site", "switch", "station", "mode"]
)
def test_every_picture_is_drawn_in_every_theme(picture, theme):
    assert png_size(draw(picture, "png", theme))[0] == WIDTH_IN * DPI
    ElementTree.fromstring(draw(picture, "svg", theme))


def test_no_date_and_no_version_are_in_the_bytes():
    assert b"<dc:date>" not in draw(site(), "svg")
    assert b"Software" not in draw(site(), "png")


def test_a_picture_carries_its_title_for_those_who_do_not_see_it():
    assert b"<dc:title>Site quay</dc:title>" in draw(site(), "svg")
    assert b"Site quay" in draw(site(), "png")


@pytest.mark.parametrize("name", ["$\\frac{", "<b>&amp;</b>", "_hidden", "a$b$c"])
def test_names_are_never_read_as_formulas_or_as_markup(name):
    picture = site()
    titled = replace(
        picture, title=name, panels=(replace(picture.panels[0], title=name, caps=(Cap(name, Decimal(1)),)),)
    )
    ElementTree.fromstring(draw(titled, "svg"))


def test_settings_of_the_machine_change_nothing_and_stay_as_they_are():
    picture = site()
    expected = draw(picture, "svg")
    with matplotlib.rc_context({"lines.linewidth": 9, "text.color": "red", "font.size": 30}):
        assert draw(picture, "svg") == expected
        assert matplotlib.rcParams["font.size"] == 30


def test_a_picture_without_a_background_takes_that_of_its_page():
    assert draw(site(), "svg", LIGHT) != draw(site(), "svg", DARK)
    assert b"#0d1117" in draw(site(), "svg", DARK)
    assert b"#0d1117" not in draw(site(), "svg")


def test_each_further_evse_makes_the_picture_longer():
    picture = station()
    panel = picture.panels[0]
    heights = [png_size(draw(replace(picture, panels=(panel,) * number), "png"))[1] for number in (2, 3, 4)]
    assert heights[2] - heights[1] == heights[1] - heights[0] > 0


def test_a_legend_that_would_meet_the_title_stands_on_a_row_of_its_own():
    beside, below = (
        png_size(draw(replace(site(), title=name), "png"))[1] for name in ("Site quay", "Site " + "q" * 40)
    )
    assert below - beside == pytest.approx(ROW_IN * DPI, abs=1)


def test_a_panel_in_which_nothing_flows_is_drawn():
    picture = site()
    assert png_size(draw(replace(picture, panels=(Panel(()),)), "png")) > (0, 0)


def test_a_large_site_is_told_in_megawatts():
    small = site().panels[0]
    large = replace(small, caps=(Cap("import cap 12 MW", Decimal(12_000_000)),))
    assert unit_of(small) == (1e3, "kW")
    assert unit_of(large) == (1e6, "MW")
    draw(replace(site(), panels=(large,)), "png")


def test_the_key_names_only_what_is_there():
    charging = replace(site().panels[0], turns=(), series=site().panels[0].series[-2:-1])
    assert [label for label, _ in legend_of(site().panels[0], LIGHT)] == [
        "before",
        "before",
        "charge after",
        "discharge after",
        "direction change",
    ]
    assert [label for label, _ in legend_of(charging, LIGHT)] == ["charge after"]
