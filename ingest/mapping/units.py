"""Units in which owners keep their numbers, and the factor to the unit of the model."""

from collections.abc import Mapping
from typing import Final

_FACTORS: Final[Mapping[str, Mapping[str, float]]] = {
    "mm": {"mm": 1.0, "cm": 10.0, "dm": 100.0, "m": 1000.0, "in": 25.4},
    "kV": {"kV": 1.0, "V": 0.001},
    "bar": {"bar": 1.0, "mbar": 0.001, "kPa": 0.01, "MPa": 10.0, "Pa": 0.00001, "mVS": 0.0980665},
    "Cel": {"Cel": 1.0, "°C": 1.0, "C": 1.0},
    "share": {"1": 1.0, "%": 0.01},
    "level": {"m": 1.0, "cm": 0.01, "mm": 0.001},
}


def units_of(unit: str) -> Mapping[str, float]:
    """Return the units that can be converted to a unit of the model, each with its factor; none for an unknown one."""
    return _FACTORS.get(unit, {})


def convert(number: float, factor: float) -> float:
    """Return the number in the other unit, without the noise of binary fractions (12 digits are kept)."""
    return number if factor == 1.0 else float(f"{number * factor:.12g}")
