"""Inputs and results of jobs: small ones lie in the row, large ones in the store of files."""

import io
import json
from typing import Any, Final

from ler.blobs import BlobStore
from ler.services.jobs import Document, Job

_LARGE: Final = 64 << 10
"""Bytes of JSON above which a document goes to the store."""


def kept_document(store: BlobStore, content: Any) -> Document:  # noqa: ANN401 - any JSON
    """Return a document as a row keeps it, with what is large in the store."""
    text = json.dumps(content, ensure_ascii=False).encode()
    if len(text) <= _LARGE:
        return Document(content)
    return Document(sha256=store.put(io.BytesIO(text)).sha256)


def inputs_of(store: BlobStore, job: Job) -> dict[str, Any]:
    """Return the inputs of a job. BlobDamagedError when they are lost."""
    return _content(store, job.inputs, job.inputs_sha256)


def results_of(store: BlobStore, job: Job) -> dict[str, Any]:
    """Return all outputs of a job. BlobDamagedError when they are lost."""
    return _content(store, job.result, job.result_sha256)


def _content(store: BlobStore, here: Any, sha256: str | None) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    if sha256 is None:
        found: dict[str, Any] = here or {}
        return found
    with store.open(sha256, verify=True) as stream:
        read: dict[str, Any] = json.load(stream)
        return read
