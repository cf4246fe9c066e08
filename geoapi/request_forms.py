"""A request as it is sent: JSON alone, or a form of JSON and the files that hold its area.

Files are written to a folder of ours under names of our making and read by processes of their own, a few at a time: each
takes memory that the service has not got for everybody at once.
"""

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Final

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from shapely.geometry.base import BaseGeometry
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from geoapi.parameters import body_of
from geoapi.problems import ProblemException
from geoapi.request_bodies import AreaBody, Files
from ingest.area_apart import read_area_apart
from ingest.workshop import make_workshop
from ler.errors import RefusedError

FORM: Final = "multipart/form-data"
REQUEST_PART: Final = "request"
AREA_PART: Final = "area"
MOST_FILES: Final = 20
READERS: Final = 2
"""Files that are read at a time."""
PATIENCE_S: Final = 20.0
"""Longest wait for a reader."""

_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Sent:
    """What came: the document, and files with an area."""

    document: bytes
    files: Sequence[Path] = ()
    digests: Sequence[str] = ()
    """SHA-256 of each file."""

    @property
    def identity(self) -> bytes:
        """The same for the same document and files: the bytes of a form differ each time it is sent."""
        return b"\0".join([self.document, *(digest.encode() for digest in self.digests)])


async def sent_request(request: Request) -> AsyncIterator[Sent]:
    """Return what was sent; the files are there until the request is answered."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        yield Sent(await body_of(request))
        return
    folder = await run_in_threadpool(make_workshop)
    try:
        yield await _read_form(request, folder)
    finally:
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


def prepare_files(request: Request, sent: Sent, body: AreaBody) -> Files | None:
    """Read the files now, before a database connection is taken; None when there are none.

    A refusal is kept for the one who asks for the geometries, so that all that is wrong is told together.
    """
    if not sent.files:
        return None
    found: list[BaseGeometry] = []
    refusal: RefusedError | None = None
    try:
        found = _read_all(request.app.state.area_readers, sent.files, body)
    except RefusedError as refused:
        refusal = refused

    def read(_crs: str | None, _lines: bool) -> list[BaseGeometry]:  # noqa: FBT001 - the signature of Files
        if refusal is not None:
            raise refusal
        return found

    return read


def form_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a body that may be JSON or a form."""
    schema = model.model_json_schema()
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_FILES}
    form = {
        "type": "object",
        "properties": {REQUEST_PART: schema, AREA_PART: files},
        "required": [REQUEST_PART, AREA_PART],
    }
    return {"content": {"application/json": {"schema": schema}, FORM: {"schema": form}}, "required": True}


def _read_all(readers: BoundedSemaphore, files: Sequence[Path], body: AreaBody) -> list[BaseGeometry]:
    if not readers.acquire(timeout=PATIENCE_S):
        raise ProblemException("unavailable", "too many files are being read just now")
    try:
        lines = body.corridor_width_m is not None
        return [geometry for path in files for geometry in read_area_apart(path, body.crs, lines=lines)]
    finally:
        readers.release()


async def _read_form(request: Request, folder: Path) -> Sent:
    try:
        form = await request.form(max_files=MOST_FILES, max_fields=1)
    except HTTPException as error:
        raise ProblemException("form-invalid", str(error.detail)) from None
    async with request.form():
        documents = form.getlist(REQUEST_PART)
        parts = form.getlist(AREA_PART)
        if set(form) - {REQUEST_PART, AREA_PART} or len(documents) != 1 or not parts:
            raise ProblemException(
                "form-invalid", f"a form has one part {REQUEST_PART!r} with JSON, and files {AREA_PART!r}"
            )
        document = documents[0]
        text = await document.read() if isinstance(document, UploadFile) else document.encode()
        files, digests = [], []
        for number, part in enumerate(parts):
            if not isinstance(part, UploadFile):
                raise ProblemException("form-invalid", f"the part {AREA_PART!r} is a file with a name")
            content = await part.read()
            ending = _ENDING.search(part.filename or "")
            path = folder / f"area{number + 1}{ending[0].lower() if ending else ''}"
            await run_in_threadpool(path.write_bytes, content)
            files.append(path)
            digests.append(sha256(content).hexdigest())
        return Sent(text, files, digests)
