import re
from importlib.resources import files
from itertools import combinations

import pytest

from ler.errors import InputError
from ler.packages.colours import contrast, mix, rgb
from ler.packages.styles import MARKS, Styles, load_styles, read_styles

FORSYNINGSART = ("el", "telekommunikation", "gas", "vand", "afløb", "fjernvarme/fjernkøling", "olie")
LETTERS = {
    "el": "E",
    "telekommunikation": "T",
    "gas": "G",
    "vand": "V",
    "afløb": "A",
    "fjernvarme/fjernkøling": "F",
    "olie": "O",
    "other: rørpost": "X",
    "unknown": "?",
}
COMPONENTS = ("El", "Telekommunikations", "Gas", "Vand", "Afloebs", "Olie", "Anden")


@pytest.fixture
def styles() -> Styles:
    return load_styles()


@pytest.fixture
def toml() -> str:
    return files("ler.packages").joinpath("styles.toml").read_text(encoding="utf-8")


def test_every_utility_type_has_its_letter(styles: Styles) -> None:
    assert {value: styles.utility(value).letter for value in LETTERS} == LETTERS


def test_every_value_of_the_code_list_has_a_style_of_its_own(styles: Styles) -> None:
    assert [styles.utility(value).value for value in FORSYNINGSART] == list(FORSYNINGSART)


@pytest.mark.parametrize("value", [None, "", "  ", "unknown", "something new", "OTHER"])
def test_what_nobody_knows_is_drawn_as_unknown(styles: Styles, value: str | None) -> None:
    assert styles.utility(value).value == "unknown"


def test_no_two_types_share_letter_or_dash_or_colour(styles: Styles) -> None:
    for one, two in combinations(styles.utilities, 2):
        assert one.letter != two.letter
        assert one.dash_mm != two.dash_mm
        assert one.colour != two.colour


def test_only_the_lowest_line_is_solid_so_that_lines_in_one_trench_stay_visible(styles: Styles) -> None:
    assert [bool(utility.dash_mm) for utility in styles.utilities] == [False] + [True] * 8


def test_contrast_is_the_ratio_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


def test_every_line_can_be_seen_on_paper_streets_bands_and_in_ducts(styles: Styles) -> None:
    for utility in styles.utilities:
        for ground in (styles.background, styles.street.fill, styles.duct.fill, styles.halo):
            assert contrast(utility.ink, ground) >= 3.0, (utility.value, ground)


def test_yellow_has_a_dark_casing(styles: Styles) -> None:
    gas = styles.utility("gas")
    assert contrast(gas.colour, styles.background) < 3.0
    assert gas.casing is not None
    assert contrast(gas.casing, gas.colour) >= 7.0


def test_lines_out_of_use_stay_visible_though_greyer(styles: Styles) -> None:
    status = styles.status("permanent ude af drift")
    assert status is not None
    for utility in styles.utilities:
        assert contrast(mix(utility.ink, "#7a7f85", status.grey_share), styles.background) >= 3.0


def test_very_dangerous_outranks_dangerous_and_is_wider(styles: Styles) -> None:
    lower, higher = styles.danger("farlig"), styles.danger("meget farlig")
    assert lower is not None
    assert higher is not None
    assert higher.rank > lower.rank
    assert higher.margin_mm > lower.margin_mm
    assert higher.triangle_filled
    assert not lower.triangle_filled
    assert styles.danger("ikke farlig") is None
    assert styles.danger(None) is None


def test_states_in_use_change_nothing(styles: Styles) -> None:
    assert styles.status("i drift") is None
    assert styles.status(None) is None
    assert styles.status("under etablering") is not None


def test_component_types_have_distinct_marks(styles: Styles) -> None:
    marks = [styles.component.mark(f"{name}komponent") for name in COMPONENTS]
    marks.append(styles.component.mark("TermiskKomponent"))
    assert len(set(marks)) == len(marks)
    assert set(marks) <= MARKS
    assert styles.component.mark("Nykomponent") == "plus"


def test_every_symbol_has_a_name_in_both_languages(styles: Styles) -> None:
    names = [utility.name for utility in styles.utilities]
    names += [danger.name for danger in styles.dangers] + [status.name for status in styles.statuses]
    names += [styles.duct.name, styles.trace.name, styles.area.name, styles.outside.name, styles.street.name]
    assert all(name.in_language("da") and name.in_language("en") for name in names)


def test_lines_shrink_on_small_scales(styles: Styles) -> None:
    factors = [styles.size_factor(denominator) for denominator in (250, 500, 750, 2000, 5000)]
    assert factors[:2] == [1.0, 1.0]
    assert factors[2:] == sorted(set(factors[2:]), reverse=True)


def test_the_source_is_read_once() -> None:
    assert load_styles() is load_styles()


def test_mixing_and_reading_of_colours() -> None:
    assert rgb("#ff0080") == pytest.approx((1.0, 0.0, 128 / 255))
    assert mix("#000000", "#ffffff", 0.5) == "#808080"


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('"#cc1122"', '"red"', "not a colour"),
        ('letter = "G"', 'letter = "E"', "share a letter"),
        ("dash_mm = [3.6, 1.1]", "dash_mm = []", "share a letter, dash"),
        ("dash_mm = [3.6, 1.1]", "dash_mm = [3.6]", "not pairs"),
        ('colour = "#0a5fd0"', 'colour = "#aaccff"', "cannot be seen"),
        ('casing = "#443600"', 'casing = "#6a5600"', "too near"),
        ('Elkomponent = "square"', 'Elkomponent = "star"', "not one of"),
        ("opacity = 0.25", "opacity = 1.25", "not within 0..1"),
        ("width_mm = 0.55", "width_mm = -1", "not a number"),
        ("width_mm = 0.55", "width_mm = nan", "not a number"),
        ("dash_mm = [3.6, 1.1]", 'dash_mm = [3.6, "x"]', "not a number"),
        ('label = "({})"', 'label = "()"', "no place"),
        ('value = "unknown"', 'value = "vand"', "stands once"),
        ("triangle_filled = true", "triangle_filled = 1", "not true or false"),
        ("version = 1", "version = ", "not TOML"),
        ("[area]", "[field]", "not a table"),
        ('name = { da = "Vand", en = "Water" }', 'name = { da = "Vand" }', "name.en is not a text"),
    ],
)
def test_a_wrong_source_is_refused_with_its_place(toml: str, wrong: str, right: str, said: str) -> None:
    assert wrong in toml
    with pytest.raises(InputError, match=re.escape(said)):
        read_styles(toml.replace(wrong, right, 1))
