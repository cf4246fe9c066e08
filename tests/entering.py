"""A package entered as a worker enters it, without being made."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection, text

_ENTER = text("SELECT ler.enter_packages(:request, :revision, CAST(:packages AS jsonb), true)")


def enter_package(
    connection: Connection,
    request: UUID,
    *,
    owner: UUID | None = None,
    revision: int = 1,
    sha256: str = "0" * 64,
    size_bytes: int = 1,
    manifest: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """Enter it in a transaction of the request's job; return what came of it."""
    package: dict[str, object] = {
        "owner_id": str(owner) if owner else None,
        "file_name": "Ledningspakke_1.zip",
        "sha256": sha256,
        "size_bytes": size_bytes,
        "feature_count": 0,
        "manifest": dict(manifest),
        "recipe": {},
    }
    values = {"request": request, "revision": revision, "packages": json.dumps([package])}
    return str(connection.execute(_ENTER, values).scalar_one())
