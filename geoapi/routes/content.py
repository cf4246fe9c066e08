"""The content of uploads, in parts that may break off: the IETF's draft on resumable uploads.

`HEAD` tells how much lies safely on disk, `PATCH` appends from there, `PUT` sends the whole at once. A part with a
`Content-Digest` is kept whole or not at all; of one without, what came before the connection broke is kept.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.negotiation import language_of
from geoapi.platform import Platform, platform_of
from geoapi.problems import ProblemError, ProblemException
from geoapi.views import PATH, etag, upload_headers, upload_view
from ler.domain.access import Scope
from ler.domain.uploads import State
from ler.errors import RefusedError
from ler.faults import point
from ler.services.tokens import Principal
from ler.services.uploads import Upload, complete_upload, get_upload, record_received
from ler.upload_files import OpenFile, PartWriter

type Uploader = Annotated[Principal, Depends(May(Scope.NETWORK_UPLOAD))]

PART: Final = "application/partial-upload"
_PART_TYPES: Final = (PART, "application/octet-stream")
_BUFFER: Final = 1 << 20
_SAFE_EVERY: Final = 32 << 20
"""Bytes after which a long part without a digest is made safe and told of, so that little is sent twice."""
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")
_SHA256_BYTES: Final = 32


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    path = f"{PATH}/{{upload_id}}/content"
    app.add_api_route(path, offset, methods=["HEAD"], status_code=204, summary="How much has come")
    app.add_api_route(path, append, methods=["PATCH"], status_code=204, summary="Append a part")
    app.add_api_route(path, whole, methods=["PUT"], status_code=202, summary="Send the whole file")


@dataclass(frozen=True, slots=True)
class _Part:
    """What a caller says of what it sends."""

    offset: int
    completes: bool
    digest: bytes | None
    length: int | None


def offset(request: Request, caller: Uploader, upload_id: UUID) -> Response:
    """Tell how much of the file lies safely on disk."""
    platform = platform_of(request)
    found = _get(request, caller, upload_id)
    _refuse_expired(found)
    return Response(status_code=204, headers=upload_headers(found, platform) | {"ETag": etag(found)})


async def append(request: Request, caller: Uploader, upload_id: UUID) -> Response:
    """Append a part that begins at the header `Upload-Offset`; `Upload-Complete: ?1` says that it is the last."""
    media_type = request.headers.get("content-type", PART).partition(";")[0].strip().lower()
    if media_type not in _PART_TYPES:
        raise ProblemException("format-not-supported", f"a part has the Content-Type {PART}")
    part = _Part(
        offset=_number(request, "upload-offset"),
        completes=_completes(request),
        digest=_digest(request),
        length=_length(request),
    )
    return await _receive(request, caller, upload_id, part)


async def whole(request: Request, caller: Uploader, upload_id: UUID) -> Response:
    """Take the whole file at once; what had come before is replaced."""
    part = _Part(offset=0, completes=True, digest=_digest(request), length=_length(request))
    return await _receive(request, caller, upload_id, part, replaces=True)


async def _receive(
    request: Request, caller: Principal, upload_id: UUID, part: _Part, *, replaces: bool = False
) -> Response:
    platform = platform_of(request)
    found = await run_in_threadpool(_get, request, caller, upload_id)
    _refuse_ended(found)
    with ExitStack() as held:
        file = await run_in_threadpool(
            held.enter_context, platform.files.writer(upload_id, found.file_name)
        )  # fmt: skip
        # Read again: only now does nobody else write.
        found = await run_in_threadpool(_get, request, caller, upload_id)
        _refuse_ended(found)
        if not replaces and part.offset != found.received_bytes:
            raise _elsewhere(found, platform, part.offset)
        if part.length is not None and part.offset + part.length > found.size_bytes:
            raise _too_large(found)
        received = await _write(request, caller, found, file, part)
        if part.completes:
            found = await run_in_threadpool(_finish, request, caller, found, file, received)
            language = language_of(request.headers.get("accept-language"))
            headers = upload_headers(found, platform) | {"ETag": etag(found)}
            return JSONResponse(upload_view(found, language), 202, headers=headers)
    found = await run_in_threadpool(_get, request, caller, upload_id)
    return Response(status_code=204, headers=upload_headers(found, platform))


async def _write(
    request: Request, caller: Principal, upload: Upload, file: OpenFile, part: _Part
) -> int:  # fmt: skip
    """Append what comes; return how much is safe. What broke off is kept unless a digest was to vouch for it."""
    platform = platform_of(request)
    with ExitStack() as held:
        writer = await run_in_threadpool(held.enter_context, file.append(part.offset))
        safe = part.offset
        if part.offset < upload.received_bytes:  # a PUT after parts: they are gone from the file
            await run_in_threadpool(_record, request, caller, upload, safe)
        try:
            async for content in _blocks(request):
                if writer.offset + len(content) > upload.size_bytes:
                    await run_in_threadpool(writer.drop)
                    raise _too_large(upload)
                await run_in_threadpool(writer.write, content)
                if part.digest is None and writer.offset - safe >= _SAFE_EVERY:
                    safe = await run_in_threadpool(_keep, request, caller, upload, writer)
        except (ClientDisconnect, RefusedError):
            if part.digest is None:
                await run_in_threadpool(_keep, request, caller, upload, writer)
            else:
                await run_in_threadpool(writer.drop)
            raise
        if part.digest is not None and part.digest != writer.sha256():
            await run_in_threadpool(writer.drop)
            raise ProblemException("checksum-mismatch", headers=upload_headers(upload, platform))
        return await run_in_threadpool(_keep, request, caller, upload, writer)


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    """The body in blocks that are worth a thread each."""
    parts: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            parts.append(chunk)
            size += len(chunk)
            if size >= _BUFFER:
                yield b"".join(parts)
                parts, size = [], 0
    except (ClientDisconnect, RefusedError):
        if parts:
            yield b"".join(parts)
        raise
    if parts:
        yield b"".join(parts)


def _keep(request: Request, caller: Principal, upload: Upload, writer: PartWriter) -> int:
    received = writer.keep()
    _record(request, caller, upload, received)
    point("upload.append.recorded")
    return received


def _record(request: Request, caller: Principal, upload: Upload, received: int) -> None:
    with caller_transaction(request, caller) as connection:
        record_received(connection, upload.id, received)


def _finish(request: Request, caller: Principal, upload: Upload, file: OpenFile, received: int) -> Upload:
    platform = platform_of(request)
    if received != upload.size_bytes:
        headers = upload_headers(upload, platform) | {"Upload-Offset": str(received)}
        detail = f"{received} of {upload.size_bytes} bytes have come"
        raise ProblemException("upload-incomplete", detail, headers=headers)
    digest = file.sha256()
    if upload.sha256 not in {None, digest}:
        _record(request, caller, upload, 0)
        headers = upload_headers(upload, platform) | {"Upload-Offset": "0"}
        raise ProblemException(
            "checksum-mismatch", "the whole file has another sha256 than announced", headers=headers
        )
    with caller_transaction(request, caller) as connection:
        done = complete_upload(connection, upload.id, digest, platform.patience)
        point("upload.complete.before-commit")
    point("upload.complete.after-commit")
    return done


def _get(request: Request, caller: Principal, upload_id: UUID) -> Upload:
    with caller_transaction(request, caller) as connection:
        return get_upload(connection, upload_id)


def _refuse_expired(upload: Upload) -> None:
    if upload.state is State.EXPIRED or (upload.state is State.RECEIVING and upload.overdue):
        raise RefusedError("upload-expired", "the upload was not whole in time; begin a new one")


def _refuse_ended(upload: Upload) -> None:
    _refuse_expired(upload)
    if upload.state is not State.RECEIVING:
        raise RefusedError("upload-state", f"the upload is {upload.state}; it takes no more content")


def _elsewhere(upload: Upload, platform: Platform, given: int) -> ProblemException:
    return ProblemException(
        "upload-offset",
        f"{upload.received_bytes} bytes have come; the part begins at {given}",
        headers=upload_headers(upload, platform),
        members={"expected-offset": upload.received_bytes, "provided-offset": given},
    )


def _too_large(upload: Upload) -> RefusedError:
    return RefusedError(
        "body-too-large", f"the file was announced with {upload.size_bytes} bytes, and more was sent"
    )


def _number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not re.fullmatch(r"[0-9]{1,15}", value):
        raise _bad_header(name, "a whole number is needed")
    return int(value)


def _completes(request: Request) -> bool:
    value = request.headers.get("upload-complete", "?0")
    if value not in {"?0", "?1"}:
        raise _bad_header("upload-complete", "?0 or ?1")
    return value == "?1"


def _length(request: Request) -> int | None:
    value = request.headers.get("content-length")
    return int(value) if value is not None and value.isdigit() else None


def _digest(request: Request) -> bytes | None:
    """Return the SHA-256 of the part by RFC 9530; other algorithms are not kept to, so they are refused."""
    header = request.headers.get("content-digest")
    if header is None:
        return None
    match = _DIGEST.search(header)
    try:
        digest = b64decode(match[1], validate=True) if match else b""
    except Base64Error:
        digest = b""
    if len(digest) != _SHA256_BYTES:
        raise _bad_header("content-digest", "sha-256=:BASE64:")
    return digest


def _bad_header(name: str, wanted: str) -> ProblemException:
    return ProblemException(
        "header-invalid", errors=[ProblemError("header-invalid", wanted, f"header/{name}")]
    )
