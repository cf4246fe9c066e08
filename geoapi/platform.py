"""What the HTTP service works with, built once and given to the application; nothing is made at import."""

from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import HTTPConnection

from geoapi.database import Databases
from geoapi.stores import blob_store
from ler.blobs import BlobStore
from ler.domain.uploads import Patience
from ler.settings import Settings
from ler.upload_files import UploadFiles


@dataclass(frozen=True, slots=True)
class Platform:
    """Settings, databases and the folder of uploads."""

    settings: Settings
    databases: Databases
    files: UploadFiles

    @property
    def store(self) -> BlobStore:
        """Where drawings, attachments and packages are kept."""
        return blob_store(self.settings)

    @property
    def patience(self) -> Patience:
        """How long uploads wait for their owners."""
        return patience_of(self.settings)

    @property
    def largest_bytes(self) -> int:
        """The largest file that is taken."""
        return self.settings.max_upload_mb << 20

    @property
    def origin(self) -> str:
        """Our own address, of which links are made: scheme, host and port, without a path."""
        return self.settings.public_address

    @property
    def secure(self) -> bool:
        """Whether callers reach us by https."""
        return self.origin.startswith("https://")


def patience_of(settings: Settings) -> Patience:
    """Return how long uploads wait by these settings."""
    return Patience(
        parts=timedelta(hours=settings.upload_hours), decision=timedelta(days=settings.keep_staged_days)
    )


def upload_files(settings: Settings) -> UploadFiles:
    """Return the folder of uploads by these settings."""
    return UploadFiles(settings.upload_dir or settings.home / "uploads")


def platform_of(connection: HTTPConnection) -> Platform:
    """Return what the application was made with."""
    found = connection.app.state.platform
    if not isinstance(found, Platform):
        raise TypeError("the application was made without a platform")
    return found
