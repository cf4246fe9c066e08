"""Servers that the OGC API is measured against: each starts over the same database and gives its addresses.

bare      Starlette and asyncpg; the very statement of ours, without access control, and nothing else
tipg      as its makers deliver it
pygeoapi  its own PostgreSQL provider and web application
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = (
    *("tipg>=1.6", "pygeoapi>=0.24", "geoalchemy2", "sqlalchemy", "psycopg2-binary", "asyncpg"),
    *("uvicorn[standard]", "starlette"),
)
ATTRIBUTES: Final = (
    *("objekttype", "forsyningsart", "driftsstatus", "ejerskabsforhold", "fareklasse", "noejagtighedsklasse"),
    *("sikkerhedshensyn", "vejledendeDybde", "niveau"),
)
"""The nine that every server tells."""
_PATIENCE_S: Final = 60.0

BARE: Final = """
import json
from datetime import UTC, datetime
import asyncpg
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

DSN, ITEMS, TILE = {dsn!r}, {items!r}, {tile!r}
pool = None

async def got(query, *values):
    global pool
    if pool is None:
        pool = await asyncpg.create_pool(DSN, min_size=8, max_size=8, server_settings={{"jit": "off"}})
    async with pool.acquire() as connection:
        async with connection.transaction():
            return await connection.fetchrow(query, *values)

async def items(request):
    row = await got(ITEMS, bytes.fromhex(request.query_params["box"]))
    head = {{"type": "FeatureCollection", "numberMatched": row["matched"], "numberReturned": row["returned"],
            "timeStamp": datetime.now(UTC).isoformat(), "links": []}}
    text = json.dumps(head)[:-1] + ', "features": [' + (row["features"] or "") + "]}}"
    return Response(text.encode(), media_type="application/geo+json")

async def tile(request):
    row = await got(TILE, *(int(request.path_params[name]) for name in "zxy"))
    return Response(row[0], media_type="application/vnd.mapbox-vector-tile")

app = Starlette(routes=[Route("/items", items), Route("/tiles/{{z}}/{{x}}/{{y}}", tile)])
"""


def install(folder: Path) -> Path:
    """Make an environment with the peers, unless it is there; return its python."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603 - our own program
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)  # noqa: S603 - of a folder of ours
        (folder / "ready").touch()
    return python


@contextmanager
def served(*command: str | Path, port: int, path: str, **environment: str) -> Iterator[str]:
    """Run a server until the end of the block; give its address."""
    address = f"http://127.0.0.1:{port}"
    with (
        Path(f"/tmp/ogc-speed-{port}.log").open("w") as log,  # noqa: S108 - a log of a benchmark
        subprocess.Popen(  # noqa: S603 - the servers named here
            [*map(str, command)], env=os.environ | environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while not _answers(address + path):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} does not start: see {log.name}")
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait()


def bare(python: Path, folder: Path, port: int, *, dsn: str, items: str, tile: str) -> Any:  # noqa: ANN401 - a context
    """Serve the statements and nothing else."""
    (folder / "bare.py").write_text(BARE.format(dsn=dsn, items=items, tile=tile))
    return served(*_uvicorn(python, "bare:app", port), "--app-dir", folder, port=port, path="/")


def tipg(python: Path, port: int, dsn: str) -> Any:  # noqa: ANN401
    """Serve the table by tipg."""
    return served(
        *_uvicorn(python, "tipg.main:app", port),
        port=port,
        path="/collections/bench.lines",
        DATABASE_URL=dsn,
        TIPG_DB_SCHEMAS='["bench"]',
    )


def pygeoapi(python: Path, folder: Path, port: int, host: Path) -> Any:  # noqa: ANN401
    """Serve the table by pygeoapi's own PostgreSQL provider."""
    config = {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": f"http://127.0.0.1:{port}",
            "mimetype": "application/json",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": 10, "max_items": 10_000},
            "map": {"url": "", "attribution": ""},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "x",
                "description": "x",
                "keywords": ["x"],
                "keywords_type": "theme",
                "terms_of_service": "x",
                "url": "x",
            },
            "license": {"name": "x", "url": "x"},
            "provider": {"name": "x", "url": "x"},
            "contact": {"name": "x", "email": "x@x.dk", "url": "x"},
        },
        "resources": {
            "lines": {
                "type": "collection",
                "title": "x",
                "description": "x",
                "keywords": ["x"],
                "links": [],
                "extents": {"spatial": {"bbox": [7, 54, 16, 58]}},
                "providers": [
                    {
                        "type": "feature",
                        "name": "PostgreSQL",
                        "id_field": "id",
                        "table": "lines",
                        "data": {
                            "host": str(host),
                            "port": 5432,
                            "dbname": "bench",
                            "user": "postgres",
                            "password": "x",
                            "search_path": ["bench", "public"],
                        },
                        "geom_field": "geom",
                        "storage_crs": "http://www.opengis.net/def/crs/EPSG/0/25832",
                    }
                ],
            }
        },
    }
    (folder / "pygeoapi.json").write_text(json.dumps(config))
    (folder / "openapi.json").write_text('{"openapi": "3.0.2", "paths": {}}')
    return served(
        *_uvicorn(python, "pygeoapi.starlette_app:APP", port),
        port=port,
        path="/",
        PYGEOAPI_CONFIG=str(folder / "pygeoapi.json"),
        PYGEOAPI_OPENAPI=str(folder / "openapi.json"),
    )


def _uvicorn(python: Path, app: str, port: int) -> list[str | Path]:
    return [python, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]


def _answers(address: str) -> bool:
    """Whether somebody listens, whatever is said."""
    try:
        urllib.request.urlopen(address, timeout=20).close()  # noqa: S310 - our own address
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
