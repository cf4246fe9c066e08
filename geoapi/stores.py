"""Where files are kept by the settings: a folder, or a bucket with a folder before it."""

from ler.blobs import BlobStore, FolderStore
from ler.settings import Settings


def blob_store(settings: Settings) -> BlobStore:
    """Return the store of drawings, attachments and packages."""
    if settings.blob_url is None:
        return FolderStore(settings.blob_folder)
    from ler.object_store import Bucket, ObjectStore  # noqa: PLC0415 - most keep their files in a folder

    secret = settings.blob_secret_key
    bucket = Bucket(
        settings.blob_url,
        settings.blob_endpoint,
        settings.blob_region,
        settings.blob_access_key,
        secret.get_secret_value() if secret else None,
    )
    return ObjectStore(bucket, settings.blob_folder)
