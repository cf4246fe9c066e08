"""Service and worker over files in a bucket: a package is made, fetched where it was not made, and made again when lost."""

import shutil
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from tests.packages import ask, central
from tests.service import Service, eventually
from tests.unit.test_object_store import S3, client, server

__all__ = ["client", "server"]


def test_a_package_is_made_into_the_bucket_fetched_from_it_and_mended(
    new_service: Service, client: S3, server: str, tmp_path: Path
) -> None:
    new_service.settings |= {
        "LER_BLOB_URL": "s3://ler-files/kept/",
        "LER_BLOB_ENDPOINT": server,
        "LER_BLOB_ACCESS_KEY": "key",
        "LER_BLOB_SECRET_KEY": "secret",
    }
    central(new_service, tmp_path, 1)
    new_service.serve()
    new_service.work()
    asked = ask(new_service)
    package = asked.packed()
    key = f"kept/{package['sha256'][:2]}/{package['sha256']}"
    kept = client.get_object(Bucket="ler-files", Key=key)["Body"].read()
    assert sha256(kept).hexdigest() == package["sha256"]

    # As on another machine than the worker's: only the bucket has it.
    shutil.rmtree(new_service.blobs)
    assert asked.download(package).content == kept
    link = asked.client.http.post(f"/api/v1/packages/{package['id']}/links", json={}).json()["url"]
    assert new_service.client(None).http.get(urlsplit(link).path).content == kept

    client.delete_object(Bucket="ler-files", Key=key)
    shutil.rmtree(new_service.blobs)
    eventually(lambda: asked.download(package).status_code == 200)
    assert asked.download(package).content == kept
    assert client.get_object(Bucket="ler-files", Key=key)["Body"].read() == kept
