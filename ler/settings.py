"""Every setting of the platform, with its default and the reason for it; read from `LER_*` variables and `.env`.

Law that can change and figures that we could not read in full are settings, never constants in code.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """Where the private database cluster lives: outside root's home, since PostgreSQL drops to another user."""
    if os.geteuid() == 0:
        return Path("/var/lib/ler")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "ler"


class Settings(BaseSettings):
    """Settings of one process; construct it in `main()` and pass it on."""

    model_config = SettingsConfigDict(env_prefix="LER_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(default_factory=default_home)
    """Folder of the private database cluster."""

    blob_dir: Path | None = None
    """Folder of the files that are kept: uploads, drawings, packages; `blobs` in the home folder when not set. It may be
    another disk; what is in it goes into the backup together with the database."""

    database_url: str | None = Field(default=None, pattern=r"^postgresql\+psycopg://")
    """SQLAlchemy-style address of a database that you keep yourself; when set, the private cluster is not touched."""

    database_name: str = "ler"
    """Name of the database in the private cluster."""

    coverage: tuple[float, float, float, float] = (120_000.0, 5_900_000.0, 1_000_000.0, 6_500_000.0)
    """West, south, east, north in EPSG:25832, metres: where requests and networks may lie (Danish land, sea and
    shelf with a margin; the register publishes no figure)."""

    max_area_m2: float = 250_000.0
    """Largest dig area, m2 (reported in a news page of ler.dk; the law states no figure)."""

    clip_buffer_m: float = Field(default=0.0, ge=0.0, le=50.0)
    """How far outside the dig area lines are still delivered, m. The official register accepts nothing outside the
    area (rule UtilityGeometryWithinDiggingAreaRule), so 0 is the default."""

    max_upload_mb: int = Field(default=2048, ge=1)
    """Largest owner's file, MB."""

    auto_approve: Literal["always", "unless-suspicious", "never"] = "unless-suspicious"
    """Whether an uploaded network is published without its owner looking at what it changes."""

    suspicious_removed_share: float = Field(default=0.2, ge=0.0, le=1.0)
    """A replacement that takes away more than this share of the features, or of the length, awaits approval."""

    suspicious_shift_m: float = Field(default=0.3, gt=0.0)
    """A replacement in which most features moved together by this much, m, awaits approval: the coordinates of
    neighbouring systems (ETRS89 and WGS 84) differ by more."""

    suspicious_duplicate_share: float = Field(default=0.2, ge=0.0, le=1.0)
    """A network in which more than this share of the features newly lies exactly on another of its type awaits
    approval: it may have been written twice."""

    keep_versions_days: int = Field(default=365, ge=1)
    """How long a version that has been replaced can still be read, days; one that an answer refers to, for ever."""

    keep_staged_days: int = Field(default=30, ge=1)
    """How long an upload waits for its owner's approval, days."""

    @property
    def blob_folder(self) -> Path:
        """Where files are kept."""
        return self.blob_dir or self.home / "blobs"
