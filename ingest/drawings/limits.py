"""How large a drawing may be, and how much its reading may cost; every figure is the answer to a real or hostile file."""

from dataclasses import dataclass

from ingest.child.limits import ChildLimits


@dataclass(frozen=True, slots=True)
class DrawingLimits:
    """Limits of one drawing. Lengths are metres on the ground."""

    max_bytes: int = 1 << 30
    """Of the file."""
    max_side_px: int = 65_000
    """JPEG ends at 65,535."""
    max_pixels: int = 260_000_000
    """An A0 sheet scanned at 400 dpi has 248 million. The header alone decides: 20 kB can state 10^10."""
    max_bands: int = 16
    min_resolution_m: float = 0.0005
    max_resolution_m: float = 25.0
    """A map at 1:250,000 scanned at 300 dpi has 21 m; what is coarser shows no line of anybody."""
    max_extent_m: float = 100_000.0
    """Longest side; Denmark's main land is 370 km long, and a drawing that large answers nobody's request."""
    preview_px: int = 1024
    memory_mb: int = 2048
    """Address space of the child."""
    cpu_s: int = 600
    wall_s: float = 900.0
    file_mb: int = 4096
    """Largest file that the child may write."""

    def of_child(self) -> ChildLimits:
        """What the child may use, as confinement takes it."""
        return ChildLimits(memory_mb=self.memory_mb, cpu_s=self.cpu_s, file_mb=self.file_mb)


DEFAULT_LIMITS = DrawingLimits()
