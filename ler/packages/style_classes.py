"""The parts of the style source that lines are not drawn with: bands, cells of what is withheld, and plain codes."""

from dataclasses import dataclass
from typing import Self

from ler.packages.style_reader import Name, Reader


@dataclass(frozen=True, slots=True)
class AccuracyStyle:
    """How the band of an accuracy class is filled and edged, and what stands behind the letter of its lines."""

    value: str
    label: str
    opacity: float
    edge_mm: float
    edge_dash_mm: tuple[float, ...]
    name: Name

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """From one `[[accuracy]]` table."""
        return cls(
            value=reader.text("value"),
            label=reader.text("label"),
            opacity=reader.share("opacity"),
            edge_mm=reader.number("edge_mm"),
            edge_dash_mm=reader.numbers("edge_dash_mm"),
            name=Name.read(reader),
        )


@dataclass(frozen=True, slots=True)
class SecurityStyle:
    """How cells are drawn in which something of a security class lies; `letter` is empty where nothing is drawn."""

    value: str
    letter: str
    fill: str
    opacity: float
    hatch_spacing_mm: float
    name: Name

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """From one `[[security]]` table."""
        return cls(
            value=reader.text("value"),
            letter=reader.text("letter") if "letter" in reader.table else "",
            fill=reader.colour("fill"),
            opacity=reader.share("opacity"),
            hatch_spacing_mm=reader.number("hatch_spacing_mm"),
            name=Name.read(reader),
        )


@dataclass(frozen=True, slots=True)
class PlainStyle:
    """A code that changes nothing in how a line looks: legends tell of it all the same."""

    attribute: str
    value: str
    name: Name

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """From one `[[plain]]` table."""
        return cls(reader.text("attribute"), reader.text("value"), Name.read(reader))
