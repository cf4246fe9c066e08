"""The commands of the guides and the README, run from the pages themselves against a real service.

A fence marked `console` holds commands after `$ `, gone on with after `> `, and lines that they write; `...` stands for
anything. The commands of a page run in one shell, which ends with the first that fails.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.packages.gml import Answer, write_answer
from ler.services.grants import grant_role
from tests.databases import Database
from tests.notices import free_port
from tests.service import Service
from tests.world import header, water_pipe

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = "http://127.0.0.1:8080"
"""The address in the pages."""
CVR = "99000401"
PATIENCE_S = 600
"""A page starts `ler` a dozen times; nearly all of its time is the start of Python."""
ASKS = """#!/bin/bash -e
echo '{"type": "Polygon", "coordinates": [[[575000,6224000],[575100,6224000],[575100,6224050],[575000,6224000]]]}' > dig.json
ler request send dig.json --from $(date -d '+7 days' +%F) --to $(date -d '+20 days' +%F) --purpose test \\
  --server $LER_URL --token-file token > asked.txt
"""


@dataclass
class Step:
    """One command and what it writes."""

    command: str
    output: list[str] = field(default_factory=list)


def steps(page: Path) -> Iterator[Step]:
    step: Step | None = None
    for fence in re.findall(
        r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for line in fence.splitlines():
            if line.startswith("$ "):
                if step:
                    yield step
                step = Step(line[2:])
            elif line.startswith("> "):
                assert step is not None
                step.command += "\n" + line[2:]
            else:
                assert step is not None
                step.output.append(line)
    if step:
        yield step


def run(page: Path, folder: Path, url: str, **environment: str) -> None:
    """Run a page's commands; one that fails, or writes something else than the page shows, fails the test."""
    todo = list(steps(page))
    assert todo
    script = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"]
    for number, step in enumerate(todo):
        script += [f"echo '@@{number}'", step.command.replace(WRITTEN, url)]
    around = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
        **environment,
    }
    with subprocess.Popen(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=around,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            stdout, stderr = shell.communicate(timeout=PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # what the page has started too
    told = re.split(r"^@@\d+\n", stdout, flags=re.MULTILINE)[1:]
    reached = todo[len(told) - 1].command if told else "nothing"
    assert shell.returncode == 0, f"{page.name}: {reached}\n{stdout[-2000:]}\n{stderr[-4000:]}"
    for step, written in zip(todo, told, strict=True):
        lines = written.splitlines()
        for line in step.output:
            wanted = re.escape(line).replace(re.escape("..."), ".+")
            assert any(re.fullmatch(wanted, one) for one in lines), (step.command, line, written)


@pytest.fixture
def served(new_service: Service, tmp_path: Path) -> Service:
    """A service with a worker, an owner that digs too, its token, and its network in a file."""
    made = new_service.world.owner(CVR)
    with transaction(new_service.world.databases.app, PLATFORM_OPERATOR) as connection:
        grant_role(connection, made, Role.EXCAVATOR)
    pipe = water_pipe("vand.1", (574990, 6224010, 1.0), (575110, 6224010, 1.0), udvendigDiameter=110)
    with (tmp_path / "network.gml").open("wb") as stream:
        write_answer(stream, Answer(CVR, "x", header(), [pipe]))
    (tmp_path / "token").write_text(new_service.token(made), encoding="utf-8")
    new_service.serve()
    new_service.work()
    return new_service


def test_the_guides_of_a_contractor_and_of_programs_and_the_readme_are_true(served: Service, tmp_path: Path) -> None:
    served.world.upload(CVR, tmp_path / "network.gml")
    run(ROOT / "docs/guides/contractor.md", tmp_path, served.url)
    run(ROOT / "README.md", tmp_path, served.url)
    run(ROOT / "docs/guides/python-client.md", tmp_path, served.url, XDG_STATE_HOME=str(tmp_path / "state"))


def test_the_guide_of_an_owner_is_true(served: Service, tmp_path: Path) -> None:
    asks = tmp_path / "somebody-asks"
    asks.write_text(ASKS, encoding="utf-8")
    asks.chmod(0o700)
    run(ROOT / "docs/guides/owner.md", tmp_path, served.url)


def test_the_guide_of_an_operator_is_true(empty_database: Database, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "blobs").mkdir()
    run(
        *(ROOT / "docs/guides/operator.md", tmp_path, f"http://127.0.0.1:{port}"),
        LER_DATABASE_URL=empty_database.url(),
        LER_HTTP_PORT=str(port),
        LER_HOME=str(tmp_path / "home"),
        LER_BLOB_DIR=str(tmp_path / "blobs"),
        LER_KEY_DIR=str(tmp_path / "keys"),
        PGHOST=str(empty_database.cluster.socket_dir),
        PGUSER="postgres",
        PGDATABASE=empty_database.name,
    )


def test_a_page_with_a_false_command_or_output_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for console in ("$ false\n", "$ echo one\ntwo\n", "$ echo one\n$ cat missing | wc -l\n"):
        page.write_text(f"```console\n{console}```\n", encoding="utf-8")
        with pytest.raises(AssertionError):
            run(page, tmp_path, WRITTEN)
    page.write_text("```console\n$ cat <<E\n> one two\n> E\none ...\n```\n", encoding="utf-8")
    run(page, tmp_path, WRITTEN)
