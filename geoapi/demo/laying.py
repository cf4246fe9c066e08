"""When and how a stretch of a network was laid, and how well its place is known: what age does to LER data.

The cut-off of the executive order is 1 July 2023: what was laid later must be known completely.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal

from geoapi.demo.streets import Street

CUT_OFF: Final = "2023-07-01"
BEFORE_CUT_OFF: Final = f"before {CUT_OFF}"

type Heights = Literal["known", "unknown", "mixed"]


@dataclass(frozen=True, slots=True)
class Laying:
    """One laying; a class of None is void (nobody knows)."""

    time: str
    """As in LER: a day, a month, a year or `before 2023-07-01`."""
    year: int
    """The year that decided about material and size, known to us even where the owner lost it."""
    accuracy: str | None
    vertical: str | None
    heights: Heights
    method: str | None = None
    status: str = "i drift"

    @property
    def after_cut_off(self) -> bool:
        """Whether it was completed strictly after 1 July 2023."""
        return after_cut_off(self.time)

    def before(self, year: int) -> bool:
        """Whether it was laid before that year."""
        return self.year < year

    def levelled(self) -> "Laying":
        """The same laying with known heights, as gravity sewers need them to be built at all."""
        return replace(self, heights="known", vertical=self.vertical or "<= 0.50 m")


def after_cut_off(time: str) -> bool:
    """Whether a time of establishment lies strictly after 1 July 2023, at the precision it is given in."""
    return not time.startswith("before") and time > CUT_OFF[: len(time)]


def laid(dice: Random, year: int) -> Laying:
    """Lay something in that year, with the spelling of the time and the accuracies that are usual for its age."""
    time = _spelling(dice, year)
    method: str | None
    if after_cut_off(time):
        accuracy = dice.choice(("<= 0.25 m", "<= 0.25 m", "<= 0.50 m"))
        method = dice.choice(("nedgravning", "nedgravning", "styret boring", "jordfortrængning"))
        status = "under etablering" if year == _LATEST and dice.random() < 0.3 else "i drift"  # noqa: PLR2004 - share
        return Laying(time, year, accuracy, dice.choice(("<= 0.25 m", "<= 0.50 m")), "known", method, status)
    accuracies, share_known = next((row[1], row[2]) for row in _ACCURACIES if year <= row[0])
    draw = dice.random()
    heights: Heights = "known" if draw < share_known else "mixed" if draw < share_known + 0.06 else "unknown"
    vertical = None if heights == "unknown" else dice.choice(("<= 0.25 m", "<= 0.50 m", "<= 1.00 m"))
    method = "nedgravning" if dice.random() < 0.3 else None  # noqa: PLR2004 - share
    return Laying(time, year, dice.choice(accuracies), vertical, heights, method)


def street_layings(
    dice: Random, streets: Iterable[Street], years: tuple[int, int], *, renewed: float = 0.14
) -> dict[int, Laying]:
    """One laying a street, by street number: a year of the span, or for a share of the streets one since 2023."""
    result: dict[int, Laying] = {}
    for street in streets:
        year = dice.randint(2023, _LATEST) if dice.random() < renewed else dice.randint(*years)
        result[street.index] = laid(dice, year)
    return result


_LATEST: Final = 2026
_ACCURACIES: Final[tuple[tuple[int, tuple[str | None, ...], float], ...]] = (
    # laid until, horizontal classes, share with known heights
    (1959, ("> 2.00 m", "<= 2.00 m", None), 0.03),
    (1989, ("<= 1.00 m", "<= 2.00 m", "<= 1.00 m", None), 0.06),
    (2005, ("<= 0.50 m", "<= 1.00 m"), 0.3),
    (2030, ("<= 0.25 m", "<= 0.25 m", "<= 0.50 m"), 0.7),
)


def _spelling(dice: Random, year: int) -> str:
    month, day = dice.randint(1, 6 if year == _LATEST else 12), dice.randint(1, 28)
    draw = dice.random()
    if draw < 0.12 and year < 2023 or draw < 0.25 and year < 1985:  # noqa: PLR2004, RUF021 - shares and years
        return BEFORE_CUT_OFF
    if year == 2023 and draw < 0.5:  # noqa: PLR2004 - a bare cut-off year would not say which side it means
        return f"2023-{month:02}"
    if draw < 0.5 and year != 2023:  # noqa: PLR2004
        return f"{year}"
    if draw < 0.7 and year != 2023:  # noqa: PLR2004
        return f"{year}-{month:02}"
    return f"{year}-{month:02}-{day:02}"
