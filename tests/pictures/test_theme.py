from itertools import combinations

import pytest

from reconciler.pictures.theme import BOTH, NIGHT, PAPER, THEMES

LINES = ("before", "charge", "discharge", "reported", "composite", "cap")
DEUTERANOPIA = ((0.29275, 0.70725, -0.02234), (0.29275, 0.70725, 0.02234), (-0.02234, 0.02234, 1.0))
"""What is left of linear red, green and blue without the cones for green (Vienot, Brettel, Mollon 1999)."""
PROTANOPIA = ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0))


def linear(colour: str) -> list[float]:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, eyes) -> list[float]:
    parts = linear(colour)
    return [max(sum(share * part for share, part in zip(row, parts, strict=True)), 0) ** (1 / 2.4) for row in eyes]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_everything_stands_out_from_every_page_that_it_may_lie_on(theme):
    for page in theme.pages:
        for name in LINES:
            assert contrast(getattr(theme, name), page) >= 3, (name, page)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_texts_are_readable(theme):
    least = 4.5 if theme.background else 4.1
    for page in theme.pages:
        assert min(contrast(theme.text, page), contrast(theme.quiet, page)) >= least


def test_pictures_for_both_pages_are_tried_on_both():
    assert BOTH.pages == (PAPER, NIGHT)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("eyes", [DEUTERANOPIA, PROTANOPIA], ids=["deuteranopia", "protanopia"])
def test_directions_and_lines_of_one_panel_differ_for_the_colour_blind(theme, eyes):
    for one, other in (*combinations(("charge", "discharge", "before"), 2), ("reported", "composite")):
        pair = zip(seen(getattr(theme, one), eyes), seen(getattr(theme, other), eyes), strict=True)
        assert sum((a - b) ** 2 for a, b in pair) ** 0.5 > 0.12, (one, other)
