"""How near is near enough in a network: one setting for each tolerance of the network checks, with its reason.

No law states any of them. They are chosen so that what surveyors and drawing habits do to coordinates is not told as a
fault; all lengths are metres in the plane of EPSG:25832.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetworkCheckSettings:
    """The tolerances that the network checks follow."""

    trace_half_width_m: float = 0.5
    """Half the width of a trace that gives no `bredde`: most trenches are dug no wider than a metre."""

    rough_accuracy_m: float = 5.0
    """What the accuracy class `> 2.00 m` is taken for; it has no upper end."""

    unknown_accuracy_m: float = 1.0
    """What a position without an accuracy class is taken for."""

    duct_half_width_m: float = 0.15
    """Half the outer size of a duct or line that gives none: pipes that cables are drawn through are rarely larger."""

    duct_tolerance_m: float = 0.1
    """How far beside a duct's wall a line in it may be drawn: two surveys of one trench differ by some centimetres."""

    height_tolerance_m: float = 0.1
    """The same for heights, beside the vertical accuracy class."""

    component_tolerance_m: float = 0.25
    """How far from a component's geometry its line may end: cabinets and joints are drawn as points and are up to half a
    metre wide. Half of the size of a well's bottom is added where it is known."""

    connected_tolerance_m: float = 2.0
    """How far a connected line may pass by its component: marker posts and cabinets stand beside it in the verge."""

    spike_angle_deg: float = 5.0
    """Largest angle between the two segments at the tip of a spike; no cable is bent like that."""

    spike_length_m: float = 2.0
    """Longest shorter segment of a spike; longer ones are drawn on purpose, as loops are."""

    overlap_m: float = 1.0
    """Longest common stretch of two lines of one sort that is not told: lines may share the last metre before a joint."""

    overlap_distance_m: float = 0.01
    """How far apart two lines run along each other: coordinates are often given in whole centimetres."""

    overlap_stretch_m: float = 0.1
    """Shortest common stretch of two segments that counts; what is shorter is a meeting."""

    touching_m: float = 0.01
    """Up to here an end touches a line: a point rounded to centimetres lies up to 7 mm beside the line it was put on."""

    gap_m: float = 0.1
    """Up to here an end that touches nothing was probably meant to touch."""

    most_height_pairs: int = 1_000_000
    """Most vertices of a line times vertices of what it lies in for which heights are compared. One line with 10,000
    vertices in another would take as long as a whole network."""
