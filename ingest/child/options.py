"""What an owner declares about a file that the file itself does not say; usually from the mapping."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Declarations; None or False leaves it to the file."""

    encoding: str | None = None
    """Of the text of a CSV ("utf-8" when undeclared) or of a shapefile (its .cpg when undeclared)."""
    delimiter: str | None = None
    """Between the fields of a CSV; undeclared, it must be the only one of , ; tab | in the first line."""
    line_breaks: bool = False
    """Whether quoted fields of a CSV may go over lines; undeclared, that is taken for a quote that is not closed."""
    geometry: str | None = None
    """Column of a CSV with WKT; undeclared, it is the one named wkt, geom, geometry or the like."""
