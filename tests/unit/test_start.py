"""What a process waits for before it works: no library that few of its calls need."""

import subprocess
import sys

HEAVY = {"alembic", "cairocffi", "ezdxf", "geopandas", "pandas", "pikepdf", "segno"}


def test_service_worker_and_requests_start_without_what_draws_and_converts() -> None:
    commands = ", ".join(f"geoapi.cli.{name}" for name in ("serve", "worker", "request", "answer", "upload"))
    program = f"import sys, geoapi.app, {commands}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert {"geoapi.app", "sqlalchemy"} <= loaded
    assert loaded & HEAVY == set()
