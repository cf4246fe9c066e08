"""How much the gate lets through: one figure a limit, published in the documentation of formats."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # a reading process has no use for settings and takes half its start to load them
    from ler.settings import Settings

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Limits of one upload. A file beyond one is refused with the limit named."""

    max_file_bytes: int = 2048 * MIB
    max_members: int = 1000
    """Members of a ZIP; a shapefile has ten."""
    max_unpacked_bytes: int = 8192 * MIB
    """All members of a ZIP together."""
    max_ratio: int = 250
    """Unpacked bytes a packed byte, judged for members of 1 MiB or more; tables full of spaces reach 80."""
    max_name_bytes: int = 255
    max_fields: int = 1000
    """Columns of a table."""
    max_layers: int = 200
    max_row_bytes: int = 16 * MIB
    """One line of a CSV: 100,000 vertices take a third of it."""
    max_feature_bytes: int = 8 * MIB
    """One feature of a GeoJSON: 100,000 vertices take half of it, and as Python's objects ten times as much."""
    max_json_depth: int = 32
    max_dxf_depth: int = 16
    """Blocks inside each other."""
    max_dxf_entities: int = 5_000_000
    """Entities after every block has been put in its place."""
    sqlite_s: float = 4.0
    """Seconds for the check of a GeoPackage of up to 64 MiB; a larger one has as much again for each 64 MiB more."""

    @classmethod
    def of(cls, settings: "Settings") -> "GateLimits":
        """The limits with the operator's largest file."""
        return cls(max_file_bytes=settings.max_upload_mb * MIB)


DEFAULT_LIMITS: Final = GateLimits()
