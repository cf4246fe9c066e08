"""Files in an object store, against a server that speaks S3: kept, fetched, swept; faults are told, damage is found."""

import io
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from geoapi.stores import blob_store
from ler.blobs import Blob, FolderStore
from ler.errors import BlobDamagedError, UnavailableError
from ler.object_store import Bucket, ObjectStore
from ler.settings import Settings

type S3 = Any
"""A client that is made at run time."""

BYTES = b"a package" * 100
SHA256 = sha256(BYTES).hexdigest()
KEY = f"kept/{SHA256[:2]}/{SHA256}"
SOON = timedelta(minutes=1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    yield f"http://{host}:{port}"
    made.stop()


@pytest.fixture
def client(server: str) -> Iterator[S3]:
    made = boto3.client(
        "s3",
        endpoint_url=server,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",  # noqa: S106 - of a server of the test's own
    )
    made.create_bucket(Bucket="ler-files")
    yield made
    for one in made.list_objects_v2(Bucket="ler-files").get("Contents", ()):
        made.delete_object(Bucket="ler-files", Key=one["Key"])
    made.close()


def bucket(endpoint: str) -> Bucket:
    return Bucket("s3://ler-files/kept/", endpoint, access_key="key", secret_key="secret")  # noqa: S106 - as above


@pytest.fixture
def store(client: S3, server: str, tmp_path: Path) -> ObjectStore:  # noqa: ARG001 - the bucket must be there
    return ObjectStore(bucket(server), tmp_path / "near")


@pytest.fixture
def elsewhere(store: ObjectStore, server: str, tmp_path: Path) -> ObjectStore:  # noqa: ARG001 - as above
    """The same bucket, seen from another machine."""
    return ObjectStore(bucket(server), tmp_path / "elsewhere")


def test_what_is_put_here_is_found_elsewhere(
    store: ObjectStore,
    elsewhere: ObjectStore,
    client: S3,
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    source.write_bytes(BYTES)
    assert store.put(source) == store.put(io.BytesIO(BYTES)) == Blob(SHA256, len(BYTES))
    assert client.get_object(Bucket="ler-files", Key=KEY)["Body"].read() == BYTES
    assert elsewhere.path(SHA256).read_bytes() == BYTES
    with elsewhere.open(SHA256, verify=True) as stream:
        assert stream.seek(9) == 9
        assert stream.read(9) == BYTES[9:18]
    assert elsewhere.has(SHA256)


def test_a_file_of_several_parts_arrives_whole(store: ObjectStore, elsewhere: ObjectStore) -> None:
    content = bytes(range(256)) * (20 << 12)  # 20 MiB
    blob = store.put(io.BytesIO(content))
    assert elsewhere.path(blob.sha256).read_bytes() == content


def test_what_is_damaged_or_gone_there_is_never_taken(
    store: ObjectStore,
    elsewhere: ObjectStore,
    client: S3,
) -> None:
    store.put(io.BytesIO(BYTES))
    client.put_object(Bucket="ler-files", Key=KEY, Body=b"another")
    for look in (elsewhere.path, elsewhere.open):
        with pytest.raises(BlobDamagedError, match="damaged"):
            look(SHA256)
    store.put(io.BytesIO(BYTES))
    assert elsewhere.path(SHA256).read_bytes() == BYTES
    client.delete_object(Bucket="ler-files", Key=KEY)
    assert not store.has(SHA256)
    with pytest.raises(BlobDamagedError, match="gone"):
        store.path("0" * 64)


def test_a_copy_that_is_damaged_here_is_fetched_again(store: ObjectStore) -> None:
    store.put(io.BytesIO(BYTES))
    store.path(SHA256).write_bytes(b"damaged")
    with store.open(SHA256, verify=True) as stream:
        assert stream.read() == BYTES


def test_the_sweep_removes_what_is_old_and_unknown_and_copies_that_nobody_used(store: ObjectStore) -> None:
    unknown = store.put(io.BytesIO(b"nobody's"))
    store.put(io.BytesIO(BYTES))
    now = datetime.now(UTC)
    assert store.sweep({SHA256}, now - SOON).blobs == 0
    assert store.sweep({SHA256}, now + SOON).blobs == 1
    assert not store.has(unknown.sha256)
    with pytest.raises(BlobDamagedError):
        store.path(unknown.sha256)
    assert store.path(SHA256).read_bytes() == BYTES
    assert store.delete(SHA256)
    assert not store.delete(SHA256)


def test_a_store_that_refuses_or_is_not_there_is_told_without_its_words(server: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nobody = silent.getsockname()[1]
    for where in (
        Bucket("s3://ler-files", f"http://127.0.0.1:{nobody}", access_key="key", secret_key="s"),  # noqa: S106
        Bucket("s3://no-such-bucket", server, access_key="key", secret_key="s"),  # noqa: S106
    ):
        store = ObjectStore(where, tmp_path / "near")
        with pytest.raises(UnavailableError, match="does not answer") as told:
            store.put(io.BytesIO(BYTES))
        assert not isinstance(told.value, BlobDamagedError)
        assert "127.0.0.1" not in str(told.value)


def test_only_a_digest_names_a_blob(store: ObjectStore) -> None:
    for look in (store.has, store.path, store.open, store.delete):
        with pytest.raises(ValueError, match="not a SHA-256"):
            look("../secret")


def test_settings_choose_the_store(tmp_path: Path) -> None:
    assert isinstance(blob_store(Settings(home=tmp_path)), FolderStore)
    chosen = Settings(home=tmp_path, blob_url="s3://ler-files/kept", blob_access_key="k")
    assert isinstance(blob_store(chosen), ObjectStore)
