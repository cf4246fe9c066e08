"""A feature of the LER model in memory: what the readers give and the writers take.

Values are plain and fit for JSON: text, code, date, date-time and URI as `str`; integer as `int`; share, measure and
level as `float` (in the attribute's unit; a measure without a fixed unit is `{"value": 1.5, "uom": "m"}`); boolean as
`bool`; reference as the `gml:id` it points to; an inline object as a `dict` of its own attributes with its `gml_id`;
a list of these where the attribute may occur more than once. A time of establishment is `2024-05-13`, `2024-05`,
`2024` or `before 2023-07-01`. None is a level that was given as unknown; an attribute that was not given is absent.
"""

from dataclasses import dataclass, field

from shapely.geometry.base import BaseGeometry

from ler.model.schema import FeatureType

type Value = str | int | float | bool | dict[str, "Value"] | list["Value"] | None


@dataclass(slots=True)
class Feature:
    """One feature: its type, its `gml:id`, what is known of it, and where it lies."""

    type: str
    gml_id: str
    attributes: dict[str, Value] = field(default_factory=dict)
    """By LER element name, without the geometry; an attribute that was not given is absent."""
    voids: dict[str, str | None] = field(default_factory=dict)
    """Attributes given as void, with the reason, if one was given."""
    geometry: BaseGeometry | None = None
    """EPSG:7416: easting and northing in EPSG:25832, DVR90 height in metres; NaN where nobody knows the height."""
    line: int = 0
    """Line of the file it was read from; 0 when it was not read from a file."""
    unread: frozenset[str] = frozenset()
    """Attributes that stand in the file with a value that could not be read: faulty, but not missing."""

    def utility_types(self, feature_type: FeatureType) -> list[str]:
        """Return the LER values (forsyningsart) that the feature serves, the primary one first; may be empty."""
        if feature_type.utility_type:
            return [feature_type.utility_type]
        given = self.attributes.get("forsyningsart", [])
        return [str(value) for value in given] if isinstance(given, list) else [str(given)]
