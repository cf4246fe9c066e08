"""`ler upload --server`: the same upload over HTTP, with a bar, and taken up again when it was interrupted."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from geoapi.cli.console import messages, results, say
from geoapi.cli.language import language_of
from ler.client.connection import Connection
from ler.client.uploads import Resumption, Told, UploadClient, resumption_folder
from ler.errors import InputError, RefusedError

TOKEN_VARIABLE: Final = "LER_TOKEN"  # noqa: S105 - the name of a variable, no secret


def upload_to(
    server: str, token_file: Path | None, file: Path, wanted: dict[str, Any], *, approve: bool, as_json: bool
) -> bool:
    """Upload a file, tell what became of it, and return whether it waits for its owner's word.

    Raises RefusedError for a file that was refused, UnavailableError when the server stays away.
    """
    if not file.is_file():
        raise RefusedError("file-missing", f"{file} is not a file")
    headers = {"Authorization": f"Bearer {token_of(token_file)}"}
    with httpx.Client(base_url=server_of(server), headers=headers, timeout=60.0) as http, _bar(file) as told:
        client = UploadClient(Connection(http))
        kept = Resumption.of(resumption_folder(), server, file)
        if kept.address:
            say("Going on with an upload that was interrupted.")
        found = client.upload(file, kept, wanted, told)
        if found["state"] == "needs_approval" and approve:
            found = client.approve(found, told)
        has_report = found["state"] not in {"discarded", "expired", "failed"}
        report = client.report(found, language_of(None)) if has_report else None
    _tell(found, report, as_json=as_json)
    return bool(found["state"] == "needs_approval")


def _tell(found: dict[str, Any], report: dict[str, Any] | None, *, as_json: bool) -> None:
    for told in report["files"] if report else ():
        for finding in told.get("findings", ()):
            place = f"line {finding['line']} " if finding["line"] else ""
            say(f"{finding['severity']}: {place}{finding['gml_id']} {finding['message']} [{finding['rule']}]")
    if as_json:
        results().print_json(json.dumps({"upload": found, "report": report}))
    problem = found["problem"]
    if problem:
        said = problem.get("detail") or problem["title"]
        raise RefusedError(str(problem["type"]).rpartition("/")[2], f"{found['file_name']}: {said}")
    if not as_json:
        version = (
            f"version {found['version']} with {found['features']:,} features" if found["version"] else ""
        )
        results().print(f"{found['file_name']}: {found['state']} {version}".rstrip())
    if found["state"] == "needs_approval":
        say(f"It waits for approval ({', '.join(found['reasons'])}); see {found['links']['comparison']}")


def token_of(token_file: Path | None) -> str:
    """Return the token, from a file or a variable, never from the command line, which everybody on the machine can read."""
    token = token_file.read_text(encoding="utf-8") if token_file else os.environ.get(TOKEN_VARIABLE, "")
    if not token.strip():
        raise InputError(f"A token is needed: --token-file FILE, or {TOKEN_VARIABLE} in the environment.")
    return token.strip()


def server_of(server: str) -> str:
    """Return the address of a service; InputError for what is none."""
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise InputError(f"{server} is no address like https://ler.example.dk")
    return server.rstrip("/")


@contextmanager
def _bar(file: Path) -> Iterator[Told]:
    console = messages()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(file.name, total=None)

        def told(what: str, done: int, total: int) -> None:
            progress.update(task, description=f"{file.name} {what}", completed=done, total=total or None)

        yield told
