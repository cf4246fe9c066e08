"""How far a line may lie from where it is drawn: the band within which it must be looked for, and its vertical twin.

The half width of the band is what the position may be off (the accuracy class, BEK 1534 § 28) and half the outer size,
since a position is that of the middle. Both are added whole, not in quadrature: a class is a bound, not a deviation.
Where one of them is not known the worst case stands in its place and the band says that it is not known; it is never
left out, and never taken for small. Refuses nothing: what cannot be read is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import shapely

from ler.model import Feature, FeatureType

ACCURACY_M: Final[Mapping[str, float]] = {
    "<= 0.25 m": 0.25,
    "<= 0.50 m": 0.50,
    "<= 1.00 m": 1.00,
    "<= 2.00 m": 2.00,
}
"""What a position of each accuracy class may be off at most, m (BEK 1534 § 28). `> 2.00 m` has no upper bound."""

UNKNOWN_ACCURACY_M: Final = 5.0
"""Taken for the classes `> 2.00 m` and unknown, m, unless the operator says otherwise. No rule that we have read bounds
them [Law not read in full]; 5 m is 1 mm on a sheet of 1:5,000."""

LARGEST_OUTER_M: Final[Mapping[str, float]] = {
    "Elledning": 0.2,
    "Telekommunikationsledning": 0.2,
    "Foeringsroer": 0.4,
    "Gasledning": 1.0,
    "Olieledning": 0.8,
    "Vandledning": 1.4,
    "TermiskLedning": 1.4,
    "Afloebsledning": 3.0,
}
"""Taken for a line whose outer size is not known, m: our choice, the largest that is laid in common trenches."""

_OTHER_OUTER_M: Final = 3.0
"""The largest of the above: for traces, components and lines of other or unknown kind."""
_NOT_IN_PLACE: Final = frozenset({"forskudt", "skematisk"})
_SIZES: Final = ("udvendigDiameter", "udvendigBredde", "bredde", "bunddiameterbredde", "bundlaengde")
_M_PER_MM: Final = 0.001


@dataclass(frozen=True, slots=True)
class Band:
    """Where a line must be looked for: this far on each side of where it is drawn."""

    half_width_m: float
    known: bool
    """Whether nothing had to be assumed."""
    accuracy_m: float | None
    """What the position may be off; None when that has no bound or is not known."""
    outer_m: float | None
    """Outer size across; None when it is not known. 0 of what is drawn by its outline."""


NO_BAND: Final = Band(0.0, True, 0.0, 0.0)
"""Of what lies nowhere in the ground: notes, dimension lines, attachments."""


def band_of(feature: Feature, feature_type: FeatureType, unknown_accuracy_m: float) -> Band:
    """Return the band of a line, trace or component; `NO_BAND` of anything else."""
    if not has_band(feature_type):
        return NO_BAND
    accuracy, outer = horizontal_accuracy_m(feature), outer_width_m(feature)
    off = unknown_accuracy_m if accuracy is None else accuracy
    across = LARGEST_OUTER_M.get(feature.type, _OTHER_OUTER_M) if outer is None else outer
    return Band(round(off + across / 2, 4), accuracy is not None and outer is not None, accuracy, outer)


def has_band(feature_type: FeatureType) -> bool:
    """Whether features of the type are lines, traces or components."""
    return feature_type.is_a("LedningEllerLedningstrace") or feature_type.is_a("Ledningskomponent")


def horizontal_accuracy_m(feature: Feature) -> float | None:
    """Return what the drawn position may be off, m; None when unbounded or unknown, or not drawn where it lies."""
    if feature.attributes.get("indtegningsmetode") in _NOT_IN_PLACE:
        return None
    return _bound(feature, "noejagtighedsklasse")


def vertical_accuracy_m(feature: Feature) -> float | None:
    """Return what a height may be off, m; None when unbounded or unknown.

    An answer in a version before 2.2.0 has no class for it; its one class is not taken for it, since a feature does
    not tell by which version it was written.
    """
    return _bound(feature, "noejagtighedsklasseVertikal")


def outer_width_m(feature: Feature) -> float | None:
    """Return how wide it is across, m: the largest of what is given, 0 of an outline; None when nothing is."""
    if feature.geometry is not None and shapely.get_dimensions(feature.geometry) == 2:  # noqa: PLR2004 - a surface
        return 0.0
    sizes = (feature.attributes.get(name) for name in _SIZES)
    given = [size for size in sizes if isinstance(size, int | float) and size > 0]
    return max(given) * _M_PER_MM if given else None


def _bound(feature: Feature, name: str) -> float | None:
    value = feature.attributes.get(name)
    return ACCURACY_M.get(value) if isinstance(value, str) else None
